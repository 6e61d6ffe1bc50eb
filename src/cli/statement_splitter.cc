// SPDX-License-Identifier: Apache-2.0
#include "cli/statement_splitter.h"

#include <algorithm>
#include <utility>

namespace tidegate {

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// Longer words are no keywords that matter here.
constexpr std::size_t kMaxWord = 16;

}  // namespace

void StatementSplitter::end_word() {
  if (word_.empty()) return;
  if (first_word_.empty()) first_word_ = word_;
  const bool may_be_set =
      first_word_ == "EXECUTE" || first_word_ == "EXPLAIN" || first_word_ == "BEGIN";
  if (!in_set_) {
    in_set_ = may_be_set && last_word_ == "STATEMENT" && word_ == "SET";
  } else if (word_ == "CASE") {
    ++open_cases_;
  } else if (word_ == "END") {
    set_ended_ = open_cases_ == 0;
    open_cases_ = std::max(0, open_cases_ - 1);
  } else {
    set_ended_ = false;
  }
  last_word_ = std::exchange(word_, {});
}

/// True at the ';' that ends a statement, which at_ is behind then.
bool StatementSplitter::scan() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    const bool is_last = at_ + 1 == text_.size();  // then the text to come may say what it is
    const char following = is_last ? '\0' : text_[at_ + 1];
    switch (state_) {
      case State::kString:
      case State::kName:
        // A doubled quote ends the text and begins it again.
        if (c == (state_ == State::kString ? '\'' : '`')) state_ = State::kText;
        ++at_;
        continue;
      case State::kLineComment:
        if (c == '\n') state_ = State::kText;
        ++at_;
        continue;
      case State::kBlockComment:
        if (c == '*' && is_last) return false;
        if (c == '*' && following == '/') {
          state_ = State::kText;
          ++at_;
        }
        ++at_;
        continue;
      case State::kText:
        break;
    }
    if (is_word_character(c)) {
      any_ = true;
      if (word_.size() < kMaxWord)
        word_ += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
      ++at_;
      continue;
    }
    if ((c == '-' || c == '/') && is_last) return false;
    end_word();
    const bool line_comment = (c == '-' || c == '/') && following == c;
    const bool block_comment = c == '/' && following == '*';
    if (line_comment || block_comment) {
      state_ = line_comment ? State::kLineComment : State::kBlockComment;
      at_ += 2;
      continue;
    }
    ++at_;
    if (c == ';' && (!in_set_ || set_ended_)) return true;
    if (c == '\'' || c == '`') state_ = c == '\'' ? State::kString : State::kName;
    if (!is_space(c)) {
      any_ = true;
      set_ended_ = false;
    }
  }
  return false;
}

void StatementSplitter::start_statement() {
  text_.erase(0, at_);
  at_ = 0;
  state_ = State::kText;
  any_ = in_set_ = set_ended_ = false;
  open_cases_ = 0;
  word_.clear();
  last_word_.clear();
  first_word_.clear();
}

std::optional<std::string> StatementSplitter::next() {
  while (scan()) {
    const bool any = any_;
    std::string statement(trimmed(std::string_view(text_).substr(0, at_ - 1)));
    start_statement();
    if (any) return statement;
  }
  return std::nullopt;
}

std::string StatementSplitter::rest() {
  const bool any = any_ || at_ < text_.size();
  std::string rest(any ? trimmed(text_) : std::string_view());
  at_ = text_.size();
  start_statement();
  return rest;
}

std::string on_one_line(std::string_view statement) {
  std::string line;
  const auto blank = [&] {
    if (!line.empty() && line.back() != ' ') line += ' ';
  };
  for (std::size_t i = 0; i < statement.size();) {
    const char c = statement[i];
    const std::string_view two = statement.substr(i, 2);
    std::size_t end;
    if (c == '\'' || c == '`') {
      end = statement.find(c, i + 1);
      end = end == std::string_view::npos ? statement.size() : end + 1;
      line += statement.substr(i, end - i);
    } else if (two == "--" || two == "//") {
      end = std::min(statement.find('\n', i), statement.size());
      blank();
    } else if (two == "/*" && statement.substr(i, 3) != "/*+") {
      end = statement.find("*/", i + 2);
      end = end == std::string_view::npos ? statement.size() : end + 2;
      blank();
    } else if (is_space(c)) {
      end = i + 1;
      blank();
    } else {
      end = i + 1;
      line += c;
    }
    i = end;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace tidegate
