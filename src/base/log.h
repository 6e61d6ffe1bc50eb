// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

#include "tidegate/status.h"

namespace tidegate {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError, kOff };

/// name=value in a line of the log; anything that fmt can print.
struct LogField {
  template <typename T>
  LogField(std::string_view field_name, const T& field_value)
      : name(field_name), value(fmt::format("{}", field_value)) {}
  /// The code, label and message of an error.
  LogField(std::string_view field_name, const Status& status);

  std::string_view name;
  std::string value;
};

/// Writes a line to stderr when the level is on: log_info("job.started", {{"job", name}}) gives
/// "2024-05-01T10:00:00.123Z info job.started job=clicks". Lines of several threads do not mix.
/// Never per row. The environment variable TIDEGATE_LOG (debug, info, warn, error, off) says which
/// levels are on; without it warn and error are.
void log_event(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

inline void log_debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log_event(LogLevel::kDebug, event, fields);
}
inline void log_info(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log_event(LogLevel::kInfo, event, fields);
}
inline void log_warning(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log_event(LogLevel::kWarning, event, fields);
}
inline void log_error(std::string_view event, std::initializer_list<LogField> fields = {}) {
  log_event(LogLevel::kError, event, fields);
}

/// Whether lines of this level are written; for fields that are dear to compute.
bool log_enabled(LogLevel level);

/// The level that a value of TIDEGATE_LOG stands for; kInvalidArgument for an unknown one.
Result<LogLevel> parse_log_level(std::string_view text);

/// The line without its newline.
std::string format_log_line(std::int64_t wall_ms, LogLevel level, std::string_view event,
                            std::span<const LogField> fields);

}  // namespace tidegate
