// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

/// Where a shell's lines come from. Used by one thread.
class LineReader {
 public:
  enum class Outcome : std::uint8_t {
    kLine,
    kCancelled,  ///< Ctrl-C: forget what was typed
    kEnd,        ///< Ctrl-D, or the end of a file
  };

  virtual ~LineReader() = default;
  /// The next line, without its line break.
  virtual Outcome read(std::string_view prompt, std::string& line) = 0;
  /// Adds to the history.
  virtual void remember(std::string_view) {}
};

/// What to do about an unfinished word.
struct Completion {
  std::size_t replaced_bytes = 0;    ///< in front of the cursor: take them away
  std::string inserted;              ///< and put this there
  std::vector<std::string> choices;  ///< show these, since nothing more can be inserted
};
/// Gets the line up to the cursor.
using Completer = std::function<Completion(std::string_view line)>;

/// True when a person sits in front of standard input and output.
bool is_interactive();

/// Lines that are edited on the terminal, with a history that is kept in a file of the user's own
/// ("": not kept). At most one at a time.
std::unique_ptr<LineReader> make_terminal_reader(std::string history_path, Completer completer);
/// Lines of standard input as they are, without prompts.
std::unique_ptr<LineReader> make_stream_reader();

/// "~/.tidegate_history", or "" when there is no home.
std::string default_history_path();

}  // namespace tidegate
