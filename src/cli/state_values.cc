// SPDX-License-Identifier: Apache-2.0
#include "cli/state_values.h"

#include <charconv>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "expr/function_registry.h"
#include "operators/accumulator_layout.h"
#include "operators/row_codec.h"
#include "operators/row_layout.h"
#include "planner/bind_aggregates.h"

namespace tidegate {
namespace {

constexpr std::string_view kStamped = "stamped ";

Result<std::vector<Field>> fields_of(const std::vector<StateColumn>& columns) {
  std::vector<Field> fields;
  std::set<std::string> taken{"key", "namespace", "namespace_time", "key_group", "value"};
  for (const StateColumn& column : columns) {
    TG_ASSIGN_OR_RETURN(LogicalType type, LogicalType::parse(column.type));
    std::string name = column.name;
    for (int i = 2; !taken.insert(name).second; ++i) name = fmt::format("{}_{}", column.name, i);
    fields.push_back({std::move(name), std::move(type)});
  }
  return fields;
}

/// Lists of rows and single ones.
class StoredValues final : public StateValues {
 public:
  StoredValues(std::vector<Field> fields, StoredForm form, bool is_stamped)
      : fields_(std::move(fields)), form_(std::move(form)), is_stamped_(is_stamped) {}

  const std::vector<Field>& fields() const override { return fields_; }
  Result<Batch> read(const std::vector<DeltaRecord>& records,
                     std::vector<std::int64_t>& rows_of) const override {
    RowDecoder rows(column_types(Schema(fields_)));
    std::string ignored;
    for (const DeltaRecord& record : records) {
      const std::int64_t before = rows.num_rows();
      const std::string_view value = record.value.substr(is_stamped_ ? 8 : 0);
      ignored.clear();
      TG_RETURN_IF_ERROR(form_.rewrite(
          record.name_space, value,
          [&](std::string_view row, std::string&) { return rows.append(row); }, ignored));
      rows_of.push_back(rows.num_rows() - before);
    }
    const std::int64_t count = rows.num_rows();
    TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, rows.take());
    return Batch(count, std::move(columns));
  }

 private:
  const std::vector<Field> fields_;
  const StoredForm form_;
  const bool is_stamped_;
};

/// The results that accumulators have so far.
class AccumulatedValues final : public StateValues {
 public:
  AccumulatedValues(std::vector<Field> fields, std::shared_ptr<const AccumulatorLayout> layout,
                    bool is_stamped)
      : fields_(std::move(fields)), layout_(std::move(layout)), is_stamped_(is_stamped) {}

  const std::vector<Field>& fields() const override { return fields_; }
  Result<Batch> read(const std::vector<DeltaRecord>& records,
                     std::vector<std::int64_t>& rows_of) const override {
    rows_of.assign(records.size(), 1);
    const auto words = static_cast<std::size_t>(layout_->size_bytes() + 7) / 8;
    std::vector<std::uint64_t> memory(words * records.size());
    std::vector<const std::byte*> values;
    Status status;
    for (std::size_t i = 0; i < records.size() && status.is_ok(); ++i) {
      auto* const value = reinterpret_cast<std::byte*>(memory.data() + i * words);
      layout_->create_in(value);
      values.push_back(value);
      std::string_view bytes = records[i].value.substr(is_stamped_ ? 8 : 0);
      status = layout_->deserialize(bytes, value);
    }
    std::vector<ArrayPtr> columns;
    if (status.is_ok()) status = layout_->results(values, columns);
    for (const std::byte* value : values) layout_->destroy(const_cast<std::byte*>(value));
    TG_RETURN_IF_ERROR(status);
    return Batch(std::ssize(records), std::move(columns));
  }

 private:
  const std::vector<Field> fields_;
  const std::shared_ptr<const AccumulatorLayout> layout_;
  const bool is_stamped_;
};

/// "accumulators/2 head=8 counted"
std::shared_ptr<const AccumulatorLayout> accumulators_of(const StateSchema& schema,
                                                         std::string_view layout) {
  constexpr std::string_view kHead = "accumulators/2 head=";
  if (!layout.starts_with(kHead)) return nullptr;
  layout.remove_prefix(kHead.size());
  std::int32_t head = 0;
  const auto parsed = std::from_chars(layout.data(), layout.data() + layout.size(), head);
  if (parsed.ec != std::errc() || head < 0 || head % 8 != 0) return nullptr;
  const bool counts_rows = layout.ends_with(" counted");
  std::vector<BoundAggregate> aggregates;
  for (const StateColumn& column : schema.columns) {
    const std::string_view origin = column.origin;
    const auto bound = bind_as(builtin_functions(), origin.substr(0, origin.find(" as ")));
    if (!bound.is_ok()) return nullptr;
    aggregates.push_back({.aggregator = *bound, .text = column.name});
  }
  auto made = std::make_shared<AccumulatorLayout>(std::move(aggregates), counts_rows, head);
  // The functions of another version may keep something else.
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const std::string written = " as " + made->aggregator(i).fingerprint();
    if (!schema.columns[i].origin.ends_with(written)) return nullptr;
  }
  return made;
}

}  // namespace

std::unique_ptr<StateValues> StateValues::of(const StateSchema& schema) {
  auto fields = fields_of(schema.columns);
  if (!fields.is_ok() || fields->empty()) return nullptr;
  std::string_view layout = schema.layout;
  const bool is_stamped = layout.starts_with(kStamped);
  if (is_stamped) layout.remove_prefix(kStamped.size());
  if (auto form = StoredForm::parse(layout); form.is_ok()) {
    return std::make_unique<StoredValues>(*std::move(fields), *std::move(form), is_stamped);
  }
  if (auto made = accumulators_of(schema, layout); made != nullptr) {
    return std::make_unique<AccumulatedValues>(*std::move(fields), std::move(made), is_stamped);
  }
  return nullptr;
}

}  // namespace tidegate
