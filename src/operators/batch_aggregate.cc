// SPDX-License-Identifier: Apache-2.0
#include "operators/batch_aggregate.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <string_view>
#include <utility>

#include "base/check.h"
#include "operators/accumulator_update.h"
#include "operators/keyed_input.h"
#include "operators/partial_columns.h"

namespace tidegate {
namespace {

// Looking for equal keys is not worth it when at least this many of 10 rows were groups of their
// own; it is tried again after some rows.
constexpr std::int64_t kTooManyGroupsOfTen = 7;
constexpr std::int64_t kEnoughRows = 4 * 8192;
constexpr std::int64_t kRowsToPassOn = 100 * 8192;

class BatchAggregate final : public Operator {
 public:
  BatchAggregate(BatchAggregateOptions options, std::shared_ptr<const AccumulatorLayout> layout)
      : options_(std::move(options)),
        layout_(std::move(layout)),
        codec_(options_.key_types),
        input_(options_.keys, &codec_),
        update_(layout_.get()),
        groups_(layout_.get()) {}

  Status open(OperatorContext&) override { return Status::ok(); }

  Result<Progress> process(int, Batch batch, Output& out) override {
    if (batch.empty()) return Progress::kDone;
    if (!batch.insert_only()) {
      return error(ErrorCode::kInvalidPlan, "rows are taken back in front of a partial aggregate");
    }
    TG_RETURN_IF_ERROR(input_.read(batch));
    find_groups(batch.num_rows());
    TG_RETURN_IF_ERROR(update_.update(batch, values_));
    TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, codec_.decode(keys_));
    const std::vector<const std::byte*> groups = all_groups();
    TG_RETURN_IF_ERROR(write_partial_columns(*layout_, groups, columns));
    out.emit(Batch(std::ssize(groups), std::move(columns)));
    decide_whether_to_look(batch.num_rows());
    return Progress::kDone;
  }

 private:
  void find_groups(std::int64_t num_rows) {
    groups_.clear();
    keys_.clear();
    group_of_key_.clear();
    values_.resize(static_cast<std::size_t>(num_rows));
    for (std::int64_t row = 0; row < num_rows; ++row) {
      const StateKey key = input_.key(row);
      std::byte*& value = values_[static_cast<std::size_t>(row)];
      if (to_pass_on_ > 0) {
        value = add_group(key.bytes);
        continue;
      }
      const auto [found, is_new] = group_of_key_.try_emplace(key.bytes, nullptr);
      if (is_new) found->second = add_group(key.bytes);
      value = found->second;
    }
  }

  std::byte* add_group(std::string_view key) {
    keys_.push_back(key);
    return groups_.add_empty();
  }

  std::vector<const std::byte*> all_groups() const {
    std::vector<const std::byte*> groups;
    groups.reserve(groups_.size());
    for (std::size_t i = 0; i < groups_.size(); ++i) groups.push_back(groups_[i]);
    return groups;
  }

  void decide_whether_to_look(std::int64_t num_rows) {
    if (to_pass_on_ > 0) {
      to_pass_on_ -= num_rows;
      return;
    }
    rows_in_ += num_rows;
    rows_out_ += static_cast<std::int64_t>(groups_.size());
    if (rows_in_ < kEnoughRows) return;
    if (rows_out_ * 10 > rows_in_ * kTooManyGroupsOfTen) to_pass_on_ = kRowsToPassOn;
    rows_in_ = rows_out_ = 0;
  }

  BatchAggregateOptions options_;
  std::shared_ptr<const AccumulatorLayout> layout_;
  KeyCodec codec_;
  std::int64_t rows_in_ = 0;  // since it was last decided whether this is worth it
  std::int64_t rows_out_ = 0;
  std::int64_t to_pass_on_ = 0;

  // Of the current batch.
  KeyedInput input_;
  AccumulatorUpdate update_;
  AccumulatorCopies groups_;
  std::vector<std::string_view> keys_;  // of the groups
  boost::unordered_flat_map<std::string_view, std::byte*> group_of_key_;
  std::vector<std::byte*> values_;  // per row
};

}  // namespace

Result<std::unique_ptr<Operator>> make_batch_aggregate(BatchAggregateOptions options) {
  if (!allows_batch_aggregate(options.aggregates)) {
    return error(ErrorCode::kInternal, "these aggregates cannot be put together from parts");
  }
  auto layout = std::make_shared<const AccumulatorLayout>(options.aggregates, true);
  return std::unique_ptr<Operator>(
      std::make_unique<BatchAggregate>(std::move(options), std::move(layout)));
}

std::vector<LogicalType> batch_aggregate_types(const BatchAggregateOptions& options) {
  std::vector<LogicalType> types = options.key_types;
  const std::vector<LogicalType> accumulators = partial_column_types(options.aggregates);
  types.insert(types.end(), accumulators.begin(), accumulators.end());
  return types;
}

bool allows_batch_aggregate(const std::vector<BoundAggregate>& aggregates) {
  const AccumulatorLayout layout(aggregates, true);
  return layout.can_merge() && !layout.is_order_dependent();
}

}  // namespace tidegate
