// SPDX-License-Identifier: Apache-2.0
#include "sql/source_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "base/options.h"
#include "sql/lexer.h"

namespace tidegate::sql {

std::string to_string(const QualifiedName& name) {
  std::string out;
  for (const Identifier& part : name) {
    if (!out.empty()) out += '.';
    out += part.text;
  }
  return out;
}

namespace {

/// Bytes shown on either side of the place in a long line.
constexpr std::size_t kShownAround = 100;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

/// Finds the values of secret options: the string after a string that names a secret, and what
/// follows SET name =. Works on text that the lexer refuses, since that is when it is needed.
class SecretFinder {
 public:
  explicit SecretFinder(std::string_view text) : text_(text) {}

  std::vector<Place> run() {
    while (next_ < text_.size()) step();
    return std::move(found_);
  }

 private:
  bool at_text(std::string_view what) const { return text_.substr(next_, what.size()) == what; }

  void step() {
    const char c = text_[next_];
    const bool address = next_ > 0 && (text_[next_ - 1] == ':' || text_[next_ - 1] == '/');
    if (at_text("--") || (at_text("//") && !address)) {
      next_ = std::min(text_.find('\n', next_), text_.size());
    } else if (at_text("/*") && !at_text("/*+")) {
      const std::size_t end = text_.find("*/", next_ + 2);
      next_ = end == std::string_view::npos ? text_.size() : end + 2;
    } else if (c == '`') {
      next_ = std::min(text_.find('`', next_ + 1), text_.size() - 1) + 1;
    } else if (c == '\'') {
      read_string();
    } else if (is_word_part(c)) {
      read_word();
    } else {
      if (c == ';') statement_begins_ = true;
      if (c == ',' || c == ';') secret_follows_ = false;
      ++next_;
    }
  }

  static bool is_word_part(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  }

  void read_string() {
    const std::size_t begin = ++next_;
    while (next_ < text_.size() && (text_[next_] != '\'' || text_.substr(next_, 2) == "''"))
      next_ += text_[next_] == '\'' ? 2 : 1;
    const std::size_t end = std::min(next_, text_.size());
    next_ = end + 1;
    if (secret_follows_) {
      found_.push_back({begin, end});
      secret_follows_ = false;
    } else {
      secret_follows_ = end - begin < 256 && is_secret_name(text_.substr(begin, end - begin));
    }
    statement_begins_ = false;
  }

  void read_word() {
    const std::size_t begin = next_;
    while (next_ < text_.size() && is_word_part(text_[next_])) ++next_;
    const std::string_view word = text_.substr(begin, next_ - begin);
    const bool set = std::exchange(statement_begins_, false) && find_word(word) == Word::kSet;
    if (secret_follows_) {  // a value without quotes
      next_ = std::min(text_.find_first_of(",;)\n", next_), text_.size());
      found_.push_back({begin, next_});
      secret_follows_ = false;
    } else if (set) {
      read_unquoted_option();
    }
  }

  /// Behind SET: name = value, where = may have been forgotten.
  void read_unquoted_option() {
    const std::size_t end = std::min(text_.find_first_of(";\n", next_), text_.size());
    const std::size_t name = text_.find_first_not_of(" \t", next_);
    if (name >= end || !is_word_part(text_[name])) return;
    const std::size_t behind = std::min(text_.find_first_of(" \t=", name), end);
    if (!is_secret_name(text_.substr(name, behind - name))) return;
    const std::size_t value = std::min(text_.find_first_not_of(" \t='", behind), end);
    if (value < end) found_.push_back({value, end});
    next_ = end;
  }

  std::string_view text_;
  std::size_t next_ = 0;
  bool statement_begins_ = true;
  bool secret_follows_ = false;
  std::vector<Place> found_;
};

/// In text with a quote missing somewhere, strings and what stands between them change places. So
/// in one line whatever follows 'name of a secret' and '=' is taken for the value, up to a comma.
void add_secrets_of_line(std::string_view text, Place line, std::vector<Place>& secrets) {
  std::size_t begin = line.begin;
  while (begin < line.end) {
    std::size_t end = std::min(text.find(',', begin), line.end);
    const std::string_view part = text.substr(begin, end - begin);
    const std::size_t equal = part.find('=');
    if (equal != std::string_view::npos && part.substr(0, equal).find('\'') != std::string::npos &&
        is_secret_name(part.substr(0, equal))) {
      const std::size_t value = part.find_first_not_of(" '", equal + 1);
      if (value != std::string_view::npos) {
        std::size_t stop = part.find('\'', value);
        if (stop == std::string_view::npos) {
          end = line.end;  // the comma may belong to the value
          stop = end - begin;
        }
        secrets.push_back({begin + value, begin + stop});
      }
    }
    begin = end + 1;
  }
}

/// Writes the part of a line around a place, with secrets masked and what cannot be shown as '?',
/// and what goes under it to put a caret there.
class LineWriter {
 public:
  LineWriter(std::string_view text, Place line, std::size_t place)
      : text_(text), line_(line), place_(place) {
    secrets_ = SecretFinder(text).run();
    add_secrets_of_line(text, line, secrets_);
    secrets_.erase(std::remove_if(secrets_.begin(), secrets_.end(),
                                  [&](const Place& secret) {
                                    return secret.end <= line.begin || secret.begin >= line.end;
                                  }),
                   secrets_.end());
  }

  std::string line() const { return shown_; }
  std::string caret() const { return caret_ + '^'; }

  void run() {
    std::size_t begin = line_.begin;
    std::size_t end = line_.end;
    if (place_ > begin + kShownAround) {
      begin = place_ - kShownAround;
      while (begin < place_ && is_continuation(text_[begin])) ++begin;
      shown_ = "... ";
      caret_ = "    ";
    }
    const bool cut = end > place_ + kShownAround;
    if (cut) {
      end = place_ + kShownAround;
      while (end > place_ && is_continuation(text_[end])) --end;
    }
    for (std::size_t i = begin; i < end;) i = write(i, end);
    if (cut) shown_ += " ...";
  }

 private:
  /// Writes what stands at `i`; answers what comes next.
  std::size_t write(std::size_t i, std::size_t end) {
    const auto secret = std::find_if(secrets_.begin(), secrets_.end(), [&](const Place& place) {
      return place.begin <= i && i < place.end;
    });
    std::size_t next = i + 1;
    std::string_view piece = "?";
    if (secret != secrets_.end()) {
      piece = "***";
      next = std::min(secret->end, end);
    } else if (const std::size_t length = utf8_length(text_.substr(i, end - i)); length > 0) {
      const auto c = static_cast<unsigned char>(text_[i]);
      if (c == '\t' || (c >= ' ' && c != 0x7F)) piece = text_.substr(i, length);
      next = i + length;
    }
    if (next <= place_)
      caret_.append(secret != secrets_.end() ? piece.size() : 1, piece == "\t" ? '\t' : ' ');
    shown_ += piece;
    return next;
  }

  std::string_view text_;
  Place line_;
  std::size_t place_;
  std::vector<Place> secrets_;
  std::string shown_;
  std::string caret_;
};

}  // namespace

bool is_secret(const SourceText& source, Place place) {
  for (const Place& secret : SecretFinder(source.text).run())
    if (place.begin < secret.end && secret.begin < place.end) return true;
  return false;
}

Status error_at(const SourceText& source, Place place, ErrorCode code, std::string message,
                std::string remedy) {
  const std::string_view text = source.text;
  place.begin = std::min(place.begin, text.size());
  Place line{place.begin, std::min(text.find('\n', place.begin), text.size())};
  while (line.begin > 0 && text[line.begin - 1] != '\n') --line.begin;
  if (line.end > line.begin && text[line.end - 1] == '\r') --line.end;
  place.begin = std::max(line.begin, std::min(place.begin, line.end));
  const auto row =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(line.begin), '\n');
  const std::size_t column =
      1 + count_characters(text.substr(line.begin, place.begin - line.begin));
  LineWriter writer(text, line, place.begin);
  writer.run();
  const std::string file = source.name.empty() ? "" : fmt::format("{}, ", source.name);
  message += fmt::format("\nat {}line {}, column {}:\n  {}\n  {}", file, row, column, writer.line(),
                         writer.caret());
  return Status(code, std::move(message), std::move(remedy));
}

}  // namespace tidegate::sql
