// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/line_reader.h"
#include "tidegate/status.h"

namespace tidegate {

/// What a shell does with what is typed: a SQL session.
class Statements {
 public:
  virtual ~Statements() = default;
  /// Runs one statement, which has no ';' behind it, to its end. Stops at Ctrl-C by itself.
  virtual Status run(std::string_view statement) = 0;
  /// Keywords and names that begin with `prefix`, in whatever case.
  virtual std::vector<std::string> complete(std::string_view prefix) = 0;
};

struct ShellOptions {
  /// Prompts, and goes on after an error. Otherwise the first error ends it, as in a script.
  bool interactive = false;
  /// For answers to the person: stdout, and stderr for errors.
  std::function<void(std::string_view)> say;
  std::function<void(std::string_view)> complain;
};

/// Reads statements, over as many lines as they take, and runs them one after the other until the
/// input ends or someone says QUIT. The error that ended it, if any.
Status run_shell(Statements& statements, LineReader& lines, const ShellOptions& options);

/// Completes the word at the end of `line`.
Completion complete_word(std::string_view line, Statements& statements);

}  // namespace tidegate
