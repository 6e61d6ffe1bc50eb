// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"

namespace tidegate {

/// An option that something understands; the reference pages are made from these.
struct OptionSpec {
  std::string name;  ///< "scan.startup.mode"; a trailing '*' takes any suffix
  /// "string", "integer", "double", "boolean", "duration", "size", or the choices "a|b|c".
  std::string type;
  std::string default_value = {};  ///< shown to people; empty: none
  std::string description = {};    ///< one sentence
  bool required = false;
  bool secret = false;  ///< never printed
};

/// Options by name, as text, with typed access. Duration: "10 s", "500ms", "1 min"; size: "64mb",
/// "1 MiB"; boolean: true, false. As in Flink, case does not matter in units, booleans and choices,
/// and a size of 1 kb is 1024 bytes.
class Options {
 public:
  Options() = default;
  explicit Options(std::map<std::string, std::string, std::less<>> values)
      : values_(std::move(values)) {}

  void set(std::string name, std::string value) { values_[std::move(name)] = std::move(value); }
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  const std::map<std::string, std::string, std::less<>>& values() const { return values_; }

  Result<std::string> get_string(std::string_view name) const;  ///< kMissingOption if absent
  std::string get_string_or(std::string_view name, std::string_view fallback) const;
  Result<std::int64_t> get_int_or(std::string_view name, std::int64_t fallback) const;
  Result<double> get_double_or(std::string_view name, double fallback) const;
  Result<bool> get_bool_or(std::string_view name, bool fallback) const;
  Result<std::int64_t> get_size_or(std::string_view name, std::int64_t fallback_bytes) const;
  Result<std::chrono::milliseconds> get_duration_or(std::string_view name,
                                                    std::chrono::milliseconds fallback) const;
  /// One of `choices` ("a|b|c"), spelled as it is there.
  Result<std::string> get_choice_or(std::string_view name, std::string_view choices,
                                    std::string_view fallback) const;

  /// kUnknownOption with the nearest name for options that no spec takes, kMissingOption for
  /// required ones that are absent, kInvalidOption for values that are not of the spec's type.
  /// `owner` names whose options these are: "connector 'kafka'".
  Status validate(const std::vector<OptionSpec>& specs, std::string_view owner) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

/// "10 s", "500ms", "1 min", "5 d", "250" (milliseconds). kInvalidOption for anything else, for
/// fractions of a millisecond and for what does not fit.
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "64mb", "1 MiB", "1024" (bytes); kInvalidOption for anything else. The result is in bytes.
Result<std::int64_t> parse_size(std::string_view text);

/// True for options whose name says that the value is a secret ("properties.sasl.password"), for
/// those that no spec marks as such.
bool is_secret_name(std::string_view name);

/// The name nearest to `name`, or "" when none is near. For "did you mean". Case and the difference
/// between '-', '_' and '.' do not count; the first of equally near ones wins.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace tidegate
