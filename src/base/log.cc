// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>

#include "base/check.h"
#include "base/clock.h"

namespace tidegate {
namespace {

constexpr std::string_view kLevelNames[] = {"debug", "info", "warn", "error", "off"};

std::string_view name_of(LogLevel level) { return kLevelNames[static_cast<std::size_t>(level)]; }

// "2024-05-01T10:00:00.123Z"
std::string to_iso(std::int64_t wall_ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(wall_ms)};
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

bool is_plain(std::string_view value) {
  for (const char c : value) {
    if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7f') {
      return false;
    }
  }
  return !value.empty();
}

// Values with spaces and the like stand in quotes; a value never ends the line or moves the cursor.
void append_value(std::string& line, std::string_view value) {
  if (is_plain(value)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

void write_line(LogLevel level, std::string_view event, std::span<const LogField> fields) {
  const std::string line = format_log_line(system_clock().wall_ms(), level, event, fields) + "\n";
  // One call: the lock of the stream keeps lines apart.
  ::fwrite(line.data(), 1, line.size(), stderr);
}

LogLevel level_of_environment() {
  const char* const text = ::getenv("TIDEGATE_LOG");
  if (text == nullptr) return LogLevel::kWarning;
  const Result<LogLevel> level = parse_log_level(text);
  if (level.is_ok()) return *level;
  const LogField problem("error", level.status());
  write_line(LogLevel::kWarning, "log.level-unknown", {&problem, 1});
  return LogLevel::kWarning;
}

}  // namespace

LogField::LogField(std::string_view field_name, const Status& status)
    : name(field_name), value(status.to_string()) {
  value.resize(std::min(value.find('\n'), value.size()));  // without the remedy
}

bool log_enabled(LogLevel level) {
  static const LogLevel lowest = level_of_environment();
  return level >= lowest && level != LogLevel::kOff;
}

void log_event(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (log_enabled(level)) write_line(level, event, {fields.begin(), fields.size()});
}

Result<LogLevel> parse_log_level(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kLevelNames); ++i) {
    if (kLevelNames[i] == text) return static_cast<LogLevel>(i);
  }
  return error(ErrorCode::kInvalidArgument, "TIDEGATE_LOG='{}' is not one of {}", text,
               fmt::join(kLevelNames, ", "));
}

std::string format_log_line(std::int64_t wall_ms, LogLevel level, std::string_view event,
                            std::span<const LogField> fields) {
  std::string line = fmt::format("{} {} {}", to_iso(wall_ms), name_of(level), event);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    append_value(line, field.value);
  }
  return line;
}

}  // namespace tidegate
