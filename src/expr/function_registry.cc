// SPDX-License-Identifier: Apache-2.0
#include "expr/function_registry.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/options.h"

namespace tidegate {

namespace {

std::string upper(std::string_view name) {
  std::string out(name);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

/// The entry of this name or alias, or null.
template <typename Functions>
const typename Functions::mapped_type* look_up(
    const Functions& functions, const std::map<std::string, std::string, std::less<>>& aliases,
    const std::string& name) {
  if (const auto found = functions.find(name); found != functions.end()) return &found->second;
  const auto alias = aliases.find(name);
  if (alias == aliases.end()) return nullptr;
  const auto found = functions.find(alias->second);
  return found == functions.end() ? nullptr : &found->second;
}

template <typename Functions>
Status unknown(std::string_view what, std::string_view name, const Functions& functions,
               const std::map<std::string, std::string, std::less<>>& aliases) {
  std::vector<std::string> names;
  for (const auto& [known, function] : functions) names.push_back(known);
  for (const auto& [alias, target] : aliases)
    if (functions.find(target) != functions.end()) names.push_back(alias);
  const std::string nearest = nearest_name(upper(name), names);
  return Status(ErrorCode::kUnknownName, fmt::format("there is no {} {}", what, name),
                nearest.empty() ? std::string() : fmt::format("Did you mean {}?", nearest));
}

template <typename Functions>
auto values_of(const Functions& functions) {
  std::vector<const typename Functions::mapped_type*> out;
  for (const auto& [name, function] : functions) out.push_back(&function);
  return out;
}

}  // namespace

void FunctionRegistry::add(ScalarFunction function) {
  std::string name = function.name;
  const bool added = scalars_.emplace(name, std::move(function)).second;
  TG_CHECK(added, "function {} is there twice", name);
}

void FunctionRegistry::add_aggregate(AggregateFunction function) {
  std::string name = function.name;
  const bool added = aggregates_.emplace(name, std::move(function)).second;
  TG_CHECK(added, "aggregate function {} is there twice", name);
}

void FunctionRegistry::add_alias(std::string_view name, std::string_view existing) {
  const bool added = aliases_.emplace(name, existing).second;
  TG_CHECK(
      added && scalars_.find(name) == scalars_.end() && aggregates_.find(name) == aggregates_.end(),
      "function {} is there twice", name);
}

Result<const ScalarFunction*> FunctionRegistry::find(std::string_view name) const {
  if (const ScalarFunction* found = look_up(scalars_, aliases_, upper(name))) return found;
  return unknown("function", name, scalars_, aliases_);
}

Result<const AggregateFunction*> FunctionRegistry::find_aggregate(std::string_view name) const {
  if (const AggregateFunction* found = look_up(aggregates_, aliases_, upper(name))) return found;
  return unknown("aggregate function", name, aggregates_, aliases_);
}

bool FunctionRegistry::has_aggregate(std::string_view name) const {
  return look_up(aggregates_, aliases_, upper(name)) != nullptr;
}

std::vector<const ScalarFunction*> FunctionRegistry::all() const { return values_of(scalars_); }

std::vector<const AggregateFunction*> FunctionRegistry::all_aggregates() const {
  return values_of(aggregates_);
}

}  // namespace tidegate
