// SPDX-License-Identifier: Apache-2.0
#include "operators/accumulator_layout.h"

#include <arrow/array/array_nested.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "state/migrate_rows.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

constexpr std::string_view kAs = " as ";

std::string_view binding_of(const StateColumn& column) {
  return std::string_view(column.origin).substr(0, column.origin.find(kAs));
}

std::string origin_of(std::string_view binding, const Aggregator& aggregator) {
  return fmt::format("{}{}{}", binding, kAs, aggregator.fingerprint());
}

/// "SUM" of "SUM(INT)".
std::string_view function_of(std::string_view binding) {
  return binding.substr(0, binding.find('('));
}

}  // namespace

/// One value of a layout, outside of a table.
class AccumulatorLayout::AccumulatorMemory {
 public:
  explicit AccumulatorMemory(const AccumulatorLayout& layout)
      : layout_(layout),
        words_(static_cast<std::size_t>(layout.size_bytes() + 7) / sizeof(std::uint64_t)) {
    layout_.create_in(get());
  }
  ~AccumulatorMemory() { layout_.destroy(get()); }
  AccumulatorMemory(const AccumulatorMemory&) = delete;
  AccumulatorMemory& operator=(const AccumulatorMemory&) = delete;
  std::byte* get() { return reinterpret_cast<std::byte*>(words_.data()); }

 private:
  const AccumulatorLayout& layout_;
  std::vector<std::uint64_t> words_;
};

Result<std::vector<LogicalType>> argument_types(std::string_view binding) {
  std::vector<LogicalType> types;
  const std::size_t open = binding.find('(');
  if (open == std::string_view::npos || !binding.ends_with(')')) {
    return error(ErrorCode::kStateVersion, "'{}' is not a bound aggregate", binding);
  }
  std::string_view rest = binding.substr(open + 1, binding.size() - open - 2);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find("; "), rest.size());
    TG_ASSIGN_OR_RETURN(LogicalType type, LogicalType::parse(rest.substr(0, end)));
    types.push_back(std::move(type));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return types;
}

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
  return fmt::format("accumulators/2 head={}{}", head_bytes_, counts_rows_ ? " counted" : "");
}

std::vector<StateColumn> AccumulatorLayout::columns(const StateContext&) const {
  std::vector<StateColumn> columns;
  for (const BoundAggregate& aggregate : aggregates_) {
    columns.push_back({aggregate.text, aggregate.aggregator->result_type().to_string(),
                       origin_of(aggregate.binding, *aggregate.aggregator)});
  }
  return columns;
}

Result<ValueMigration> AccumulatorLayout::migration(const StateSchema& old, const StateSchema& now,
                                                    bool may_drop) const {
  if (old.layout != now.layout) return ValueLayout::migration(old, now, may_drop);
  const std::string dropped = dropped_columns(old.columns, now.columns);
  if (!dropped.empty() && !may_drop) {
    return error(ErrorCode::kStateMismatch,
                 "the program does not have {} any more (--allow-non-restored-state drops it)",
                 dropped);
  }
  std::vector<OldAccumulator> accumulators(old.columns.size());
  const std::vector<int> matches = match_columns(old.columns, now.columns);
  for (std::size_t i = 0; i < matches.size(); ++i) {
    if (matches[i] >= 0) accumulators[static_cast<std::size_t>(matches[i])].index = i;
  }
  for (std::size_t i = 0; i < accumulators.size(); ++i) {
    TG_RETURN_IF_ERROR(plan_accumulator(old.columns[i], now.columns, accumulators[i]));
  }
  return ValueMigration([this, accumulators = std::move(accumulators)](
                            std::int64_t, std::string_view value, std::string& out) {
    return migrate(accumulators, value, out);
  });
}

/// How one accumulator of an older program is read.
Status AccumulatorLayout::plan_accumulator(const StateColumn& was,
                                           const std::vector<StateColumn>& now,
                                           OldAccumulator& plan) const {
  const auto refuse = [&](std::string_view why) {
    return error(ErrorCode::kStateMismatch, "aggregate '{}' was of {} {}, {}", was.name,
                 binding_of(was), was.type, why);
  };
  if (plan.index && now[*plan.index].origin == was.origin) return Status::ok();
  // Any aggregate of SQL can bind the functions of others, too.
  const auto binder = std::ranges::find_if(
      aggregates_, [](const BoundAggregate& each) { return each.bind != nullptr; });
  if (binder == aggregates_.end()) return refuse("which cannot be read any more");
  auto bound = binder->bind(binding_of(was));
  if (!bound.is_ok()) return refuse(bound.status().message());
  plan.aggregator = *std::move(bound);
  if (was.origin != origin_of(binding_of(was), *plan.aggregator)) {
    return refuse("which has another form by now");
  }
  if (!plan.index) return Status::ok();  // dropped
  const BoundAggregate& aggregate = aggregates_[*plan.index];
  TG_ASSIGN_OR_RETURN(const std::vector<LogicalType> from, argument_types(binding_of(was)));
  TG_ASSIGN_OR_RETURN(const std::vector<LogicalType> to, argument_types(aggregate.binding));
  bool is_wider =
      from.size() == to.size() && function_of(binding_of(was)) == function_of(aggregate.binding);
  for (std::size_t i = 0; is_wider && i < from.size(); ++i) is_wider = is_widening(from[i], to[i]);
  if (!is_wider || aggregate.widening == BoundAggregate::Widening::kNone) {
    return refuse(fmt::format("is of {}, which cannot be made of it", aggregate.binding));
  }
  plan.widening = aggregate.widening;
  return Status::ok();
}

Status AccumulatorLayout::migrate(const std::vector<OldAccumulator>& accumulators,
                                  std::string_view value, std::string& out) const {
  AccumulatorMemory made(*this);
  const std::size_t begin = accumulators_begin();
  if (value.size() < begin)
    return error(ErrorCode::kStateCorrupt, "a row of accumulators is short");
  std::memcpy(made.get(), value.data(), begin);
  value.remove_prefix(begin);
  for (const OldAccumulator& old : accumulators) {
    std::byte* const slot = old.index ? made.get() + offsets_[*old.index] : nullptr;
    if (slot != nullptr &&
        (old.aggregator == nullptr || old.widening == BoundAggregate::Widening::kSameBytes)) {
      TG_RETURN_IF_ERROR(aggregates_[*old.index].aggregator->deserialize(value, slot));
      continue;
    }
    const AccumulatorLayout alone({{.aggregator = old.aggregator}}, false);
    AccumulatorMemory there(alone);
    TG_RETURN_IF_ERROR(old.aggregator->deserialize(value, there.get()));
    if (slot == nullptr) continue;
    const std::byte* const from = there.get();
    TG_ASSIGN_OR_RETURN(ArrayPtr one, old.aggregator->result({&from, 1}));
    const Aggregator& now = *aggregates_[*old.index].aggregator;
    TG_ASSIGN_OR_RETURN(one, widen_column(one, old.aggregator->result_type(), now.result_type()));
    TG_RETURN_IF_ERROR(now.add({&slot, 1}, {&one, 1}));
  }
  if (!value.empty()) return error(ErrorCode::kStateCorrupt, "a row of accumulators is too long");
  serialize(made.get(), out);
  return Status::ok();
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
