// SPDX-License-Identifier: Apache-2.0
#include "cli/result_settings.h"

#include <sys/ioctl.h>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "base/check.h"

namespace tidegate {

namespace {

/// Enough for a screenful or two, not so many that the query scrolls out of sight for ever.
constexpr std::int64_t kTerminalRows = 1000;

}  // namespace

Result<ResultForm> parse_result_form(std::string_view name) {
  if (name == "table") return ResultForm::kTable;
  if (name == "json") return ResultForm::kJson;
  if (name == "csv") return ResultForm::kCsv;
  if (name == "changelog") return ResultForm::kChangelog;
  return error(ErrorCode::kInvalidOption,
               "there is no output '{}'; it is table, json, csv or changelog", name);
}

ResultOutput standard_output() {
  return [](std::string_view text) -> Status {
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
      return Status::ok();
    const int cause = errno;
    return error(cause == ENOSPC ? ErrorCode::kDiskFull : ErrorCode::kFileIo,
                 "cannot print the result: {}", std::generic_category().message(cause));
  };
}

void limit_to_terminal(ResultSettings& settings) {
  if (isatty(STDOUT_FILENO) != 1) return;
  settings.max_rows = kTerminalRows;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return;
  settings.width = size.ws_col;
  settings.refresh_lines = size.ws_row;
}

}  // namespace tidegate
