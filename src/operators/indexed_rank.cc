// SPDX-License-Identifier: Apache-2.0
#include "operators/indexed_rank.h"

#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/join.h"
#include "operators/key_table.h"
#include "operators/ordered_rows.h"
#include "operators/ranked_rows.h"
#include "operators/row_keys.h"
#include "operators/stored_rows.h"
#include "state/value_layout.h"

namespace tidegate {
namespace {

/// State "rows": all rows (retractions), or the top ones, of each key (ordered_rows.h), as stored
/// rows.
class IndexedRank final : public Operator {
 public:
  IndexedRank(RankOptions options, SortKeys sort_keys)
      : options_(std::move(options)),
        end_(static_cast<std::size_t>(options_.rank_end)),
        numbered_((options_.emit_rank_number && options_.rank_end > 1) || options_.rank_start > 1),
        keys_(options_.keys, types_at(options_.keys, options_.types)),
        sort_keys_(std::move(sort_keys)),
        changes_(options_.types, options_.rank_start, options_.rank_end, options_.emit_rank_number,
                 options_.changelog) {}

  Status open(OperatorContext& context) override {
    rows_not_found_ = &context.metrics().counter("rows_not_found");
    TG_ASSIGN_OR_RETURN(
        auto rows, OrderedRows::open(context, "rows", "= stored", options_.ttl_ms, stored_columns));
    rows_.emplace(std::move(rows));
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    if (!options_.retracts) TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    TG_RETURN_IF_ERROR(sort_keys_.read(batch));
    rows_->forget_expired();
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      OrderedRows::Key& key = rows_->key(keys_[row]);
      const bool adds = row_kind_adds(batch.row_kind(row));
      TG_RETURN_IF_ERROR(adds ? add(key, sort_keys_[row]) : take_back(key, sort_keys_[row]));
      rows_->drop_if_empty(key);
      if (changes_.full()) TG_RETURN_IF_ERROR(changes_.flush(out));
    }
    TG_RETURN_IF_ERROR(changes_.flush(out));
    TG_RETURN_IF_ERROR(rows_->table().check_budget());
    return Progress::kDone;
  }

 private:
  std::string_view row_at(const OrderedRows::Key& key, std::size_t position) const {
    return BytesLayout::view(rows_->at(key, position));
  }
  static std::int64_t rank(std::size_t position) { return static_cast<std::int64_t>(position) + 1; }

  Status add(OrderedRows::Key& key, std::string_view sort_key) {
    if (!options_.retracts && key.size() >= end_ &&
        sort_key >= rows_->sort_key(key, rows_->at(key, end_ - 1))) {
      return Status::ok();
    }
    TG_ASSIGN_OR_RETURN(const std::size_t at, rows_->insert(key, sort_key, row_));
    if (at >= end_) return Status::ok();
    if (numbered_) {
      TG_RETURN_IF_ERROR(shift_down(key, at));
    } else {
      if (key.size() > end_) TG_RETURN_IF_ERROR(changes_.remove(row_at(key, end_), rank(end_ - 1)));
      TG_RETURN_IF_ERROR(changes_.insert(row_, rank(at)));
    }
    if (!options_.retracts && key.size() > end_) rows_->erase(key, end_);
    return Status::ok();
  }

  /// A row has come in at `at`: every number from there on has another row.
  Status shift_down(const OrderedRows::Key& key, std::size_t at) {
    std::string_view moved = row_;
    std::size_t position = at;
    Status status;
    rows_->each(key, at + 1, [&](const std::byte* value) {
      if (position >= end_) return false;
      const std::string_view before = BytesLayout::view(value);
      status = changes_.update(before, moved, rank(position++));
      moved = before;
      return status.is_ok();
    });
    TG_RETURN_IF_ERROR(std::move(status));
    return position < end_ ? changes_.insert(moved, rank(position)) : Status::ok();
  }

  Status take_back(OrderedRows::Key& key, std::string_view sort_key) {
    const auto found = rows_->find(key, sort_key, stored_columns(row_));
    if (!found) {
      rows_not_found_->add(1);
      return Status::ok();
    }
    if (*found < end_) TG_RETURN_IF_ERROR(tell_gone(key, *found));
    rows_->erase(key, *found);
    return Status::ok();
  }

  /// The row at `at` goes: every number from there on has another row.
  Status tell_gone(const OrderedRows::Key& key, std::size_t at) {
    std::string_view gone = row_at(key, at);
    if (!numbered_) {
      TG_RETURN_IF_ERROR(changes_.remove(gone, rank(at)));
      return key.size() > end_ ? changes_.insert(row_at(key, end_), rank(end_ - 1)) : Status::ok();
    }
    std::size_t position = at;
    Status status;
    rows_->each(key, at + 1, [&](const std::byte* value) {
      if (position >= end_) return false;
      const std::string_view after = BytesLayout::view(value);
      status = changes_.update(gone, after, rank(position++));
      gone = after;
      return status.is_ok();
    });
    TG_RETURN_IF_ERROR(std::move(status));
    return position < end_ ? changes_.remove(gone, rank(position)) : Status::ok();
  }

  RankOptions options_;
  const std::size_t end_;
  const bool numbered_;
  RowKeys keys_;
  SortKeys sort_keys_;
  RankedRows changes_;
  Counter* rows_not_found_ = nullptr;
  std::optional<OrderedRows> rows_;
  std::string row_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_indexed_rank(RankOptions options, SortKeys sort_keys) {
  return std::make_unique<IndexedRank>(std::move(options), std::move(sort_keys));
}

}  // namespace tidegate
