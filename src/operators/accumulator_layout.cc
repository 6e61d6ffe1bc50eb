// SPDX-License-Identifier: Apache-2.0
#include "operators/accumulator_layout.h"

#include <arrow/array/array_nested.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"

namespace tidegate {

std::vector<LogicalType> result_types(std::span<const BoundAggregate> aggregates) {
  std::vector<LogicalType> types;
  for (const BoundAggregate& aggregate : aggregates) {
    const LogicalType type = aggregate.aggregator->result_type();
    if (aggregate.flatten && type.kind() == TypeKind::kRow) {
      for (const LogicalType::Child& field : type.children()) types.push_back(field.type);
    } else {
      types.push_back(type);
    }
  }
  return types;
}

AccumulatorLayout::AccumulatorLayout(std::vector<BoundAggregate> aggregates, bool counts_rows,
                                     std::int32_t head_bytes)
    : aggregates_(std::move(aggregates)), counts_rows_(counts_rows), head_bytes_(head_bytes) {
  TG_CHECK(head_bytes % 8 == 0, "head_bytes={}", head_bytes);
  size_bytes_ = static_cast<std::int32_t>(accumulators_begin());
  for (const BoundAggregate& aggregate : aggregates_) {
    offsets_.push_back(size_bytes_);
    size_bytes_ += (aggregate.aggregator->size_bytes() + 7) & ~7;
    needs_create_ = needs_create_ || aggregate.aggregator->needs_create();
    needs_destroy_ = needs_destroy_ || aggregate.aggregator->needs_destroy();
  }
}

template <typename Predicate>
bool AccumulatorLayout::all(const Predicate& predicate) const {
  return std::all_of(aggregates_.begin(), aggregates_.end(), [&](const BoundAggregate& aggregate) {
    return predicate(*aggregate.aggregator);
  });
}

bool AccumulatorLayout::can_merge() const {
  return all([](const Aggregator& aggregator) { return aggregator.can_merge(); });
}
bool AccumulatorLayout::can_subtract() const {
  return all([](const Aggregator& aggregator) { return aggregator.can_subtract(); });
}
bool AccumulatorLayout::can_retract() const {
  return all([](const Aggregator& aggregator) { return aggregator.can_retract(); });
}
bool AccumulatorLayout::is_order_dependent() const {
  return !all([](const Aggregator& aggregator) { return !aggregator.is_order_dependent(); });
}

Status AccumulatorLayout::merge(std::byte* into, const std::byte* from) const {
  if (counts_rows_) {
    *reinterpret_cast<std::int64_t*>(into + head_bytes_) +=
        *reinterpret_cast<const std::int64_t*>(from + head_bytes_);
  }
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    TG_RETURN_IF_ERROR(aggregates_[i].aggregator->merge(into + offsets_[i], from + offsets_[i]));
  }
  return Status::ok();
}

void AccumulatorLayout::subtract(std::byte* from, const std::byte* what) const {
  if (counts_rows_) {
    *reinterpret_cast<std::int64_t*>(from + head_bytes_) -=
        *reinterpret_cast<const std::int64_t*>(what + head_bytes_);
  }
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    aggregates_[i].aggregator->subtract(from + offsets_[i], what + offsets_[i]);
  }
}

void AccumulatorLayout::create_in(std::byte* memory) const {
  std::memset(memory, 0, static_cast<std::size_t>(size_bytes_));
  create(memory);
}

Status AccumulatorLayout::copy(const std::byte* from, std::byte* to) const {
  if (!needs_destroy_) {
    std::memcpy(to, from, static_cast<std::size_t>(size_bytes_));
    return Status::ok();
  }
  create_in(to);
  std::memcpy(to, from, accumulators_begin());
  std::string bytes;
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    const Aggregator& aggregator = *aggregates_[i].aggregator;
    if (aggregator.can_merge()) {
      TG_RETURN_IF_ERROR(aggregator.merge(to + offsets_[i], from + offsets_[i]));
    } else {
      bytes.clear();
      aggregator.serialize(from + offsets_[i], bytes);
      std::string_view in = bytes;
      TG_RETURN_IF_ERROR(aggregator.deserialize(in, to + offsets_[i]));
    }
  }
  return Status::ok();
}

Status AccumulatorLayout::results(std::span<const std::byte* const> values,
                                  std::vector<ArrayPtr>& columns) const {
  std::vector<const std::byte*> accumulators(values.size());
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    for (std::size_t v = 0; v < values.size(); ++v) accumulators[v] = values[v] + offsets_[i];
    TG_ASSIGN_OR_RETURN(ArrayPtr column, aggregates_[i].aggregator->result(accumulators));
    if (aggregates_[i].flatten && column->type_id() == arrow::Type::STRUCT) {
      TG_ASSIGN_ARROW_OR_RETURN(const arrow::ArrayVector fields,
                                static_cast<const arrow::StructArray&>(*column).Flatten(),
                                "results of an aggregate");
      columns.insert(columns.end(), fields.begin(), fields.end());
    } else {
      columns.push_back(std::move(column));
    }
  }
  return Status::ok();
}

std::string AccumulatorLayout::fingerprint() const {
  std::string text =
      fmt::format("accumulators head={}{}", head_bytes_, counts_rows_ ? " counted" : "");
  for (const BoundAggregate& aggregate : aggregates_) {
    text += fmt::format(" {}:{}", aggregate.aggregator->result_type().to_string(),
                        aggregate.aggregator->size_bytes());
  }
  return text;
}

void AccumulatorLayout::create(std::byte* value) const {
  if (!needs_create_) return;
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    const Aggregator& aggregator = *aggregates_[i].aggregator;
    if (aggregator.needs_create()) aggregator.create(value + offsets_[i]);
  }
}

void AccumulatorLayout::destroy(std::byte* value) const {
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    const Aggregator& aggregator = *aggregates_[i].aggregator;
    if (aggregator.needs_destroy()) aggregator.destroy(value + offsets_[i]);
  }
}

void AccumulatorLayout::serialize(const std::byte* value, std::string& out) const {
  out.append(reinterpret_cast<const char*>(value), accumulators_begin());
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    aggregates_[i].aggregator->serialize(value + offsets_[i], out);
  }
}

Status AccumulatorLayout::deserialize(std::string_view& in, std::byte* value) const {
  const std::size_t begin = accumulators_begin();
  if (in.size() < begin) {
    return error(ErrorCode::kStateCorrupt, "a row of accumulators has {} bytes, less than {}",
                 in.size(), begin);
  }
  std::memcpy(value, in.data(), begin);
  in.remove_prefix(begin);
  for (std::size_t i = 0; i < aggregates_.size(); ++i) {
    TG_RETURN_IF_ERROR(aggregates_[i].aggregator->deserialize(in, value + offsets_[i]));
  }
  return Status::ok();
}

}  // namespace tidegate
