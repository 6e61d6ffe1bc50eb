// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tidegate {

/// Cuts text that comes line by line into statements, at each ';' that is not in a string, a quoted
/// name, a comment or a statement set (EXECUTE STATEMENT SET BEGIN ...; ...; END;). Looks at every
/// byte once, however many lines a statement has.
class StatementSplitter {
 public:
  /// Adds text, with its line breaks.
  void add(std::string_view text) { text_ += text; }
  /// The next statement that has ended, without its ';' and the white space around it; comments in
  /// it stay. Empty ones are left out.
  std::optional<std::string> next();
  /// What has not ended yet, or nothing when that is only comments; starts anew. After next() has
  /// found no more.
  std::string rest();
  /// True when what has not ended yet is more than white space and closed comments.
  bool in_statement() const { return any_ || state_ == State::kBlockComment; }

 private:
  enum class State : std::uint8_t { kText, kString, kName, kLineComment, kBlockComment };

  bool scan();
  void end_word();
  void start_statement();

  std::string text_;
  std::size_t at_ = 0;  // looked at so far
  State state_ = State::kText;
  bool any_ = false;  // the statement has begun

  // Words say where a statement set begins and ends.
  std::string word_;       // the one being read, in capitals
  std::string last_word_;  // the one before it
  std::string first_word_;
  bool in_set_ = false;
  bool set_ended_ = false;
  int open_cases_ = 0;
};

/// The statement on one line, for a history: line breaks and comments become blanks, except in
/// strings and quoted names.
std::string on_one_line(std::string_view statement);

}  // namespace tidegate
