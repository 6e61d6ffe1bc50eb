// SPDX-License-Identifier: Apache-2.0
#include "base/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpaces);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpaces) - begin + 1);
}

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc() || stop != end) return {};
  if (std::is_floating_point_v<Number> && !std::isfinite(static_cast<double>(number))) return {};
  return number;
}

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string lower = to_lower(trim(text));
  if (lower == "true") return true;
  if (lower == "false") return false;
  return {};
}

// "10 s" is 10 and "s".
struct Measure {
  std::int64_t number = 0;
  std::string unit;  // lower case
};

std::optional<Measure> parse_measure(std::string_view text) {
  text = trim(text);
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::int64_t> number = parse_number<std::int64_t>(text.substr(0, digits));
  if (!number) return {};
  return Measure{*number, to_lower(trim(text.substr(digits)))};
}

struct Unit {
  std::string_view names;  // separated by one space
  std::int64_t factor;
};

std::optional<std::int64_t> factor_of(std::string_view unit, std::span<const Unit> units) {
  for (const Unit& candidate : units) {
    std::string_view names = candidate.names;
    while (!names.empty()) {
      const std::size_t end = std::min(names.find(' '), names.size());
      if (names.substr(0, end) == unit) return candidate.factor;
      names.remove_prefix(std::min(end + 1, names.size()));
    }
  }
  return {};
}

std::optional<std::int64_t> multiply(std::int64_t a, std::int64_t b) {
  std::int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return {};
  return product;
}

std::optional<std::int64_t> duration_ms(std::string_view text) {
  constexpr std::int64_t kNsPerMs = 1'000'000;
  // In nanoseconds.
  static constexpr Unit kUnits[] = {
      {"ns nano nanos nanosecond nanoseconds", 1},
      {"us µs micro micros microsecond microseconds", 1'000},
      {"ms milli millis millisecond milliseconds", kNsPerMs},
      {"s sec secs second seconds", 1'000 * kNsPerMs},
      {"m min mins minute minutes", 60'000 * kNsPerMs},
      {"h hour hours", 3'600'000 * kNsPerMs},
      {"d day days", 86'400'000 * kNsPerMs},
  };
  const std::optional<Measure> measure = parse_measure(text);
  if (!measure) return {};
  const std::string_view unit = measure->unit.empty() ? "ms" : std::string_view(measure->unit);
  const std::optional<std::int64_t> factor_ns = factor_of(unit, kUnits);
  if (!factor_ns) return {};
  if (*factor_ns >= kNsPerMs) return multiply(measure->number, *factor_ns / kNsPerMs);
  const std::int64_t per_ms = kNsPerMs / *factor_ns;
  if (measure->number % per_ms != 0) return {};
  return measure->number / per_ms;
}

std::optional<std::int64_t> size_bytes(std::string_view text) {
  static constexpr Unit kUnits[] = {
      {"b byte bytes", 1},
      {"k kb kib kibibyte kibibytes", std::int64_t{1} << 10},
      {"m mb mib mebibyte mebibytes", std::int64_t{1} << 20},
      {"g gb gib gibibyte gibibytes", std::int64_t{1} << 30},
      {"t tb tib tebibyte tebibytes", std::int64_t{1} << 40},
  };
  const std::optional<Measure> measure = parse_measure(text);
  if (!measure) return {};
  const std::string_view unit = measure->unit.empty() ? "b" : std::string_view(measure->unit);
  const std::optional<std::int64_t> factor = factor_of(unit, kUnits);
  return factor ? multiply(measure->number, *factor) : std::nullopt;
}

std::optional<std::string> choose(std::string_view text, std::string_view choices) {
  const std::string wanted = to_lower(trim(text));
  while (!choices.empty()) {
    const std::size_t end = std::min(choices.find('|'), choices.size());
    const std::string_view choice = choices.substr(0, end);
    if (to_lower(choice) == wanted) return std::string(choice);
    choices.remove_prefix(std::min(end + 1, choices.size()));
  }
  return {};
}

// What a value of an option type looks like, for messages.
std::string expected_form(std::string_view type) {
  if (type == "integer") return "an integer";
  if (type == "double") return "a number";
  if (type == "boolean") return "true or false";
  if (type == "duration") {
    return "a duration such as 500ms, 10 s, 5 min, 1 h or 2 d, in whole milliseconds";
  }
  if (type == "size") return "a size such as 512kb, 64 mb or 1 GiB";
  std::string choices = "one of ";
  for (const char c : type) choices += c == '|' ? std::string(", ") : std::string(1, c);
  return choices;
}

bool is_of_type(std::string_view value, std::string_view type) {
  if (type == "string") return true;
  if (type == "integer") return parse_number<std::int64_t>(value).has_value();
  if (type == "double") return parse_number<double>(value).has_value();
  if (type == "boolean") return parse_boolean(value).has_value();
  if (type == "duration") return duration_ms(value).has_value();
  if (type == "size") return size_bytes(value).has_value();
  return choose(value, type).has_value();
}

Status invalid_option(std::string_view name, std::string_view value, std::string_view type,
                      bool secret) {
  // Long values (a pasted file, say) would bury the rest of the message.
  constexpr std::size_t kMaxShown = 200;
  const bool cut = value.size() > kMaxShown;
  const std::string shown =
      secret ? std::string("***")
             : fmt::format("'{}{}'", value.substr(0, kMaxShown), cut ? "..." : "");
  return error(ErrorCode::kInvalidOption, "option '{}': {} is not {}", name, shown,
               expected_form(type));
}

template <typename Value, typename Parse>
Result<Value> get_or(const Options& options, std::string_view name, std::string_view type,
                     Value fallback, Parse parse) {
  const auto found = options.values().find(name);
  if (found == options.values().end()) return fallback;
  auto value = parse(found->second);
  if (!value) return invalid_option(name, found->second, type, is_secret_name(name));
  return Value(*std::move(value));
}

bool takes(const OptionSpec& spec, std::string_view name) {
  if (!spec.name.ends_with('*')) return spec.name == name;
  const std::string_view prefix = std::string_view(spec.name).substr(0, spec.name.size() - 1);
  return name.size() > prefix.size() && name.starts_with(prefix);
}

Status unknown_option(std::string_view name, const std::vector<OptionSpec>& specs) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : specs) names.push_back(spec.name);
  const std::string nearest = nearest_name(name, names);
  if (!nearest.empty()) {
    return error(ErrorCode::kUnknownOption, "unknown option '{}'; did you mean '{}'?", name,
                 nearest);
  }
  std::sort(names.begin(), names.end());
  return error(ErrorCode::kUnknownOption, "unknown option '{}'; there are: {}", name,
               names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace

Result<std::string> Options::get_string(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    return error(ErrorCode::kMissingOption, "option '{}' is not set", name);
  }
  return found->second;
}

std::string Options::get_string_or(std::string_view name, std::string_view fallback) const {
  const auto found = values_.find(name);
  return found == values_.end() ? std::string(fallback) : found->second;
}

Result<std::int64_t> Options::get_int_or(std::string_view name, std::int64_t fallback) const {
  return get_or(*this, name, "integer", fallback, parse_number<std::int64_t>);
}

Result<double> Options::get_double_or(std::string_view name, double fallback) const {
  return get_or(*this, name, "double", fallback, parse_number<double>);
}

Result<bool> Options::get_bool_or(std::string_view name, bool fallback) const {
  return get_or(*this, name, "boolean", fallback, parse_boolean);
}

Result<std::int64_t> Options::get_size_or(std::string_view name,
                                          std::int64_t fallback_bytes) const {
  return get_or(*this, name, "size", fallback_bytes, size_bytes);
}

Result<std::chrono::milliseconds> Options::get_duration_or(
    std::string_view name, std::chrono::milliseconds fallback) const {
  return get_or(*this, name, "duration", fallback, duration_ms);
}

Result<std::string> Options::get_choice_or(std::string_view name, std::string_view choices,
                                           std::string_view fallback) const {
  return get_or(*this, name, choices, std::string(fallback),
                [choices](std::string_view text) { return choose(text, choices); });
}

Status Options::validate(const std::vector<OptionSpec>& specs, std::string_view owner) const {
  for (const auto& [name, value] : values_) {
    // An exact name says more about the option than a '*' that also takes it.
    const OptionSpec* taker = nullptr;
    for (const OptionSpec& spec : specs) {
      if (takes(spec, name) && (taker == nullptr || spec.name == name)) taker = &spec;
    }
    if (taker == nullptr) return unknown_option(name, specs).with_context(owner);
    if (!is_of_type(value, taker->type)) {
      const bool secret = taker->secret || is_secret_name(name);
      return invalid_option(name, value, taker->type, secret).with_context(owner);
    }
  }
  for (const OptionSpec& spec : specs) {
    if (!spec.required || has(spec.name)) continue;
    return error(ErrorCode::kMissingOption, "{}: option '{}' is required ({})", owner, spec.name,
                 spec.description);
  }
  return Status::ok();
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::optional<std::int64_t> ms = duration_ms(text);
  if (ms) return std::chrono::milliseconds(*ms);
  return error(ErrorCode::kInvalidOption, "'{}' is not {}", text, expected_form("duration"));
}

Result<std::int64_t> parse_size(std::string_view text) {
  const std::optional<std::int64_t> bytes = size_bytes(text);
  if (bytes) return *bytes;
  return error(ErrorCode::kInvalidOption, "'{}' is not {}", text, expected_form("size"));
}

bool is_secret_name(std::string_view name) {
  constexpr std::string_view kParts[] = {"password",    "secret",      "token",      "apikey",
                                         "api-key",     "api.key",     "access-key", "access.key",
                                         "private-key", "private.key", "basic-auth", "jaas.config"};
  const std::string lower = to_lower(name);
  return std::any_of(std::begin(kParts), std::end(kParts),
                     [&](std::string_view part) { return lower.find(part) != std::string::npos; });
}

}  // namespace tidegate
