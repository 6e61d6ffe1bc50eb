// SPDX-License-Identifier: Apache-2.0
#include "expr/aggregate.h"

#include <fmt/format.h>

#include <cstring>

#include "base/check.h"

namespace tidegate {

std::string Aggregator::fingerprint() const {
  return fmt::format("{} of {} bytes", result_type().to_string(), size_bytes());
}

Status Aggregator::retract(std::span<std::byte* const> accumulators,
                           std::span<const std::shared_ptr<arrow::Array>> arguments) const {
  (void)accumulators;
  (void)arguments;
  return error(ErrorCode::kNotSupported, "this aggregate function cannot take rows back");
}

void Aggregator::serialize(const std::byte* accumulator, std::string& out) const {
  TG_CHECK(!needs_destroy(), "an accumulator that owns memory needs its own serialize()");
  out.append(reinterpret_cast<const char*>(accumulator), static_cast<std::size_t>(size_bytes()));
}

Status Aggregator::deserialize(std::string_view& in, std::byte* accumulator) const {
  const auto size = static_cast<std::size_t>(size_bytes());
  if (in.size() < size)
    return error(ErrorCode::kStateCorrupt, "an accumulator has {} bytes, {} are left", size,
                 in.size());
  std::memcpy(accumulator, in.data(), size);
  in.remove_prefix(size);
  return Status::ok();
}

}  // namespace tidegate
