// SPDX-License-Identifier: Apache-2.0
#include "operators/set_operation.h"

#include <arrow/buffer.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "operators/row_keys.h"
#include "state/ttl.h"
#include "state/value_layout.h"

namespace tidegate {
namespace {

constexpr std::int64_t kNamespace = 0;

std::vector<int> all_columns(const SetOperationOptions& options) {
  std::vector<int> columns(options.types.size());
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

/// State "rows": by row, how often either side has it. A result is always equal to the row that
/// causes it, so that the rows themselves are not kept.
class SetOperation final : public Operator {
 public:
  explicit SetOperation(SetOperationOptions options)
      : options_(std::move(options)), keys_(all_columns(options_), options_.types) {
    ttl_.ttl_ms = options_.ttl_ms;
  }

  Status open(OperatorContext& context) override {
    clock_ = &context.clock();
    rows_not_found_ = &context.metrics().counter("rows_not_found");
    const StateTableSpec spec{.name = "rows",
                              .layout = std::make_shared<FixedLayout>(sizeof(Counts)),
                              .stamped = ttl_.enabled()};
    TG_ASSIGN_OR_RETURN(table_, context.state().table(spec));
    sweep_.emplace(table_, kNamespace);
    return Status::ok();
  }

  Result<Progress> process(int input, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(keys_.read(batch));
    const std::int64_t now_ms = ttl_.enabled() ? clock_->wall_ms() : 0;
    if (ttl_.enabled()) {
      sweep_->sweep(ttl_, now_ms, static_cast<std::size_t>(2 * batch.num_rows()));
    }
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    TG_RETURN_IF_ERROR(table_->find_or_create(kNamespace, keys_.all(), values_));
    rows_.clear();
    kinds_.clear();
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      std::byte* value = values_[static_cast<std::size_t>(row)];
      auto& counts = *reinterpret_cast<Counts*>(value);
      if (ttl_.enabled()) {
        if (ttl_.is_expired(table_->stamp(value), now_ms)) counts = {};
        table_->stamp(value) = now_ms;
      }
      change(input, row, row_kind_adds(batch.row_kind(row)), counts);
    }
    erase_emptied(batch);
    TG_RETURN_IF_ERROR(emit(batch, out));
    return Progress::kDone;
  }

 private:
  using Counts = std::array<std::int64_t, 2>;  // left, right

  std::int64_t results(const Counts& counts) const {
    const auto [left, right] = counts;
    switch (options_.kind) {
      case SetOperationOptions::Kind::kIntersect:
        return left > 0 && right > 0 ? 1 : 0;
      case SetOperationOptions::Kind::kIntersectAll:
        return std::min(left, right);
      case SetOperationOptions::Kind::kExcept:
        return left > 0 && right == 0 ? 1 : 0;
      case SetOperationOptions::Kind::kExceptAll:
        return std::max<std::int64_t>(left - right, 0);
    }
    return 0;
  }

  void change(int input, std::int64_t row, bool adds, Counts& counts) {
    std::int64_t& count = counts[static_cast<std::size_t>(input)];
    if (!adds && count == 0) return rows_not_found_->add(1);
    const std::int64_t before = results(counts);
    count += adds ? 1 : -1;
    const std::int64_t after = results(counts);
    if (before == after) return;
    rows_.push_back(static_cast<std::int32_t>(row));
    kinds_.push_back(after > before ? RowKind::kInsert : RowKind::kDelete);
  }

  void erase_emptied(const Batch& batch) {
    if (batch.insert_only()) return;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (row_kind_adds(batch.row_kind(row))) continue;
      std::byte* value = table_->find(kNamespace, keys_[row]);
      if (value == nullptr || *reinterpret_cast<Counts*>(value) != Counts{}) continue;
      table_->erase(kNamespace, value);
    }
  }

  Status emit(const Batch& batch, Output& out) {
    if (rows_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch results, batch.take(rows_));
    results.set_row_kinds(nullptr);
    results.set_key_hashes(nullptr);
    if (std::ranges::find(kinds_, RowKind::kDelete) != kinds_.end()) {
      const std::string_view bytes(reinterpret_cast<const char*>(kinds_.data()), kinds_.size());
      results.set_row_kinds(arrow::Buffer::FromString(std::string(bytes)));
    }
    out.emit(std::move(results));
    return Status::ok();
  }

  SetOperationOptions options_;
  RowKeys keys_;
  StateTtl ttl_;
  const Clock* clock_ = nullptr;
  Counter* rows_not_found_ = nullptr;
  StateTable* table_ = nullptr;
  std::optional<TtlSweep> sweep_;

  // Of the current batch.
  std::vector<std::byte*> values_;
  std::vector<std::int32_t> rows_;
  std::vector<RowKind> kinds_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_set_operation(SetOperationOptions options) {
  if (options.types.empty()) {
    return error(ErrorCode::kInvalidArgument, "a set operation needs a column");
  }
  return std::unique_ptr<Operator>(std::make_unique<SetOperation>(std::move(options)));
}

}  // namespace tidegate
