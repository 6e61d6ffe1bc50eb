// SPDX-License-Identifier: Apache-2.0
#include "types/time_zone.h"

#include <arrow/vendored/datetime/tz.h>

#include <chrono>
#include <stdexcept>

#include "base/check.h"

namespace tidegate {

namespace {

namespace date = arrow_vendored::date;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// "+08:00", "+0800", "+8", "-03"; false when it is none of these.
bool parse_offset(std::string_view text, std::int64_t* seconds) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return false;
  const bool negative = text[0] == '-';
  text.remove_prefix(1);
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  std::size_t digits = 0;
  while (digits < text.size() && digits < 2 && is_digit(text[digits]))
    hours = hours * 10 + (text[digits++] - '0');
  if (digits == 0) return false;
  text.remove_prefix(digits);
  if (!text.empty()) {
    if (text[0] == ':') text.remove_prefix(1);
    if (text.size() != 2 || !is_digit(text[0]) || !is_digit(text[1])) return false;
    minutes = (text[0] - '0') * 10 + (text[1] - '0');
  }
  if (hours > 18 || minutes > 59) return false;
  *seconds = (negative ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

std::chrono::seconds::rep count(date::sys_seconds t) { return t.time_since_epoch().count(); }

}  // namespace

Result<TimeZone> TimeZone::find(std::string_view name) {
  TimeZone zone;
  zone.name_ = name;
  if (name == "UTC" || name == "GMT" || name == "Z") return zone;
  std::string_view offset = name;
  if (offset.starts_with("UTC") || offset.starts_with("GMT")) offset.remove_prefix(3);
  if (parse_offset(offset, &zone.fixed_offset_)) return zone;
  try {
    zone.zone_ = date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return Status(ErrorCode::kUnknownName, fmt::format("there is no time zone '{}'", name),
                  "Use a name such as Europe/Berlin or an offset such as +02:00; names need the "
                  "package tzdata.");
  }
  return zone;
}

void TimeZone::look_up(std::int64_t utc_seconds) const {
  const date::sys_info info = static_cast<const date::time_zone*>(zone_)->get_info(
      date::sys_seconds(std::chrono::seconds(utc_seconds)));
  begin_ = count(info.begin);
  end_ = count(info.end);
  offset_ = info.offset.count();
}

std::int64_t TimeZone::to_utc_seconds(std::int64_t local_seconds) const {
  if (zone_ == nullptr) return local_seconds - fixed_offset_;
  // Far enough inside the remembered period that no other one can show the same local time.
  constexpr std::int64_t kDay = 86400;
  const std::int64_t guess = local_seconds - offset_;
  if (begin_ < end_ && guess - kDay >= begin_ && guess + kDay < end_) return guess;
  const date::local_info info = static_cast<const date::time_zone*>(zone_)->get_info(
      date::local_seconds(std::chrono::seconds(local_seconds)));
  // Of two the earlier; in a gap the offset that held before it.
  const std::int64_t utc = local_seconds - info.first.offset.count();
  look_up(utc);
  return utc;
}

}  // namespace tidegate
