// SPDX-License-Identifier: Apache-2.0
#include "cli/shell.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <utility>

#include "cli/statement_splitter.h"

namespace tidegate {

namespace {

constexpr std::string_view kPrompt = "tidegate> ";
constexpr std::string_view kMorePrompt = "     ...> ";

constexpr std::string_view kHelp =
    "Statements end with ';' and may span lines. Ctrl-C stops a running query or forgets what was\n"
    "typed, Ctrl-R searches the history, Tab completes.\n"
    "  SHOW TABLES;  DESCRIBE t;  EXPLAIN SELECT ...;  SET 'key' = 'value';\n"
    "  HELP;  CLEAR;  QUIT;\n";

/// Erases the screen and goes to its top.
constexpr std::string_view kClearScreen = "\033[2J\033[H";

char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), to_upper);
  return out;
}

bool is_word_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || (to_upper(c) >= 'A' && to_upper(c) <= 'Z') || c == '_' ||
         c == '$' || c == '.' || c == '`' || byte >= 0x80;
}

/// How many bytes all of `words` begin with, in whatever case.
std::size_t common_prefix(const std::vector<std::string>& words) {
  std::size_t size = words[0].size();
  for (const std::string& word : words) {
    std::size_t same = 0;
    while (same < std::min(size, word.size()) && to_upper(word[same]) == to_upper(words[0][same]))
      ++same;
    size = same;
  }
  return size;
}

/// One shell: what has been typed and not run yet.
class Shell {
 public:
  Shell(Statements& statements, LineReader& lines, const ShellOptions& options)
      : statements_(statements), lines_(lines), options_(options) {}

  Status run() {
    std::string line;
    for (;;) {
      const std::string_view prompt = splitter_.in_statement() ? kMorePrompt : kPrompt;
      switch (lines_.read(prompt, line)) {
        case LineReader::Outcome::kEnd:
          return end();
        case LineReader::Outcome::kCancelled:
          splitter_ = StatementSplitter();
          continue;
        case LineReader::Outcome::kLine:
          break;
      }
      if (!splitter_.in_statement() && is_command(line)) line += ';';
      splitter_.add(line);
      splitter_.add("\n");
      while (const std::optional<std::string> statement = splitter_.next()) {
        Status done = run(*statement);
        if (quit_ || !done.is_ok()) return done;
      }
    }
  }

 private:
  /// The shell's own words need no ';'.
  static bool is_command(std::string_view line) {
    while (line.ends_with(' ')) line.remove_suffix(1);
    const std::string word = upper(line);
    constexpr std::array<std::string_view, 4> kCommands = {"QUIT", "EXIT", "HELP", "CLEAR"};
    return std::find(kCommands.begin(), kCommands.end(), word) != kCommands.end();
  }

  Status end() {
    const std::string rest = splitter_.rest();
    // A person who goes away in the middle of a statement does not want it.
    return rest.empty() || options_.interactive ? Status::ok() : run(rest);
  }

  /// An error only when it ends the shell.
  Status run(const std::string& statement) {
    const std::string word = upper(statement);
    if (word == "QUIT" || word == "EXIT") {
      quit_ = true;
      return Status::ok();
    }
    if (options_.interactive) lines_.remember(on_one_line(statement) + ';');
    if (word == "HELP" || word == "CLEAR") {
      options_.say(word == "HELP" ? kHelp : kClearScreen);
      return Status::ok();
    }
    Status status = statements_.run(statement);
    if (status.is_ok() || !options_.interactive) return status;
    options_.complain(status.to_string() + '\n');
    return Status::ok();
  }

  Statements& statements_;
  LineReader& lines_;
  const ShellOptions& options_;
  StatementSplitter splitter_;
  bool quit_ = false;
};

}  // namespace

Status run_shell(Statements& statements, LineReader& lines, const ShellOptions& options) {
  return Shell(statements, lines, options).run();
}

Completion complete_word(std::string_view line, Statements& statements) {
  std::size_t begin = line.size();
  while (begin > 0 && is_word_character(line[begin - 1])) --begin;
  const std::string_view prefix = line.substr(begin);
  Completion completion;
  if (prefix.empty()) return completion;
  std::vector<std::string> words = statements.complete(prefix);
  if (words.empty()) return completion;
  const std::size_t same = common_prefix(words);
  if (words.size() > 1 && same <= prefix.size()) {
    completion.choices = std::move(words);
    return completion;
  }
  completion.replaced_bytes = prefix.size();
  completion.inserted = words[0].substr(0, same);
  if (words.size() == 1) completion.inserted += ' ';
  return completion;
}

}  // namespace tidegate
