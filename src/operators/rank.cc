// SPDX-License-Identifier: Apache-2.0
#include "operators/rank.h"

#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "operators/indexed_rank.h"
#include "operators/join.h"
#include "operators/key_table.h"
#include "operators/ranked_rows.h"
#include "operators/row_layout.h"
#include "operators/stored_rows.h"
#include "operators/top_rows.h"
#include "operators/updating_rank.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

/// More rows per key than this are not kept as one value: adding one would take too long.
constexpr std::int64_t kMostRowsInOneValue = 128;

/// Insert-only input and few rows per key. State "top", per key: top_rows.h.
class TopN final : public Operator {
 public:
  TopN(RankOptions options, SortKeys sort_keys)
      : options_(std::move(options)),
        keys_(options_.keys, options_.types, options_.ttl_ms),
        sort_keys_(std::move(sort_keys)),
        changes_(options_.types, options_.rank_start, options_.rank_end, options_.emit_rank_number,
                 options_.changelog) {}

  Status open(OperatorContext& context) override {
    return keys_.open(context, "top", std::make_shared<RowLayout>("= top"));
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    TG_RETURN_IF_ERROR(sort_keys_.read(batch));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      std::byte* value = keys_.value(row);
      TG_ASSIGN_OR_RETURN(const TopRows top, TopRows::read(BytesLayout::view(value)));
      TG_ASSIGN_OR_RETURN(const bool enters, is_in(top, sort_keys_[row]));
      if (!enters) continue;
      row_.clear();
      encoder.append(row, row_);
      TG_RETURN_IF_ERROR(add(top, sort_keys_[row], value));
      if (changes_.full()) TG_RETURN_IF_ERROR(changes_.flush(out));
    }
    TG_RETURN_IF_ERROR(changes_.flush(out));
    TG_RETURN_IF_ERROR(keys_.table().check_budget());
    return Progress::kDone;
  }

 private:
  /// Ties are in the order of arrival, so a row that equals the last one does not enter.
  Result<bool> is_in(const TopRows& top, std::string_view key) const {
    if (top.size() < options_.rank_end) return true;
    TG_ASSIGN_OR_RETURN(const TopRows::Entry last, top.last());
    return key < last.key;
  }

  /// Adds row_ to the top rows of its key.
  Status add(const TopRows& top, std::string_view key, std::byte* value) {
    TG_RETURN_IF_ERROR(top.entries(entries_));
    std::size_t at = entries_.size();
    while (at > 0 && key < entries_[at - 1].key) --at;
    TG_RETURN_IF_ERROR(tell(at));
    top.write_with({key, row_}, entries_, at, options_.rank_end, bytes_);
    assign_bytes(keys_.table(), value, bytes_);
    keys_.touch(value);
    return Status::ok();
  }

  /// row_ comes in front of entries_[at].
  Status tell(std::size_t at) {
    const auto size = static_cast<std::int64_t>(entries_.size());
    const bool full = size == options_.rank_end;
    if (options_.emit_rank_number || options_.rank_start > 1) {
      std::string_view moved = row_;
      for (std::size_t i = at; i < entries_.size(); ++i) {
        TG_RETURN_IF_ERROR(
            changes_.update(entries_[i].row, moved, static_cast<std::int64_t>(i) + 1));
        moved = entries_[i].row;
      }
      return full ? Status::ok() : changes_.insert(moved, size + 1);
    }
    if (full && options_.rank_end == 1) return changes_.update(entries_[0].row, row_, 1);
    if (full) TG_RETURN_IF_ERROR(changes_.remove(entries_.back().row, size));
    return changes_.insert(row_, static_cast<std::int64_t>(at) + 1);
  }

  RankOptions options_;
  KeyTable keys_;
  SortKeys sort_keys_;
  RankedRows changes_;

  // Of the current row.
  std::vector<TopRows::Entry> entries_;
  std::string row_;
  std::string bytes_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_rank(RankOptions options) {
  if (options.rank_start < 1 || options.rank_end < options.rank_start) {
    return error(ErrorCode::kInvalidArgument, "Top-N from rank {} to {}", options.rank_start,
                 options.rank_end);
  }
  const bool rows_change = options.retracts || !options.order.empty();
  if (options.changelog == Changelog::kAppend && rows_change) {
    return error(ErrorCode::kInvalidArgument,
                 "the rows of a Top-N change, so they cannot be told by appending alone");
  }
  TG_ASSIGN_OR_RETURN(SortKeys sort_keys, SortKeys::make(options.order, options.types));
  if (!options.upsert_keys.empty()) {
    return make_updating_rank(std::move(options), std::move(sort_keys));
  }
  if (options.retracts || options.rank_end > kMostRowsInOneValue) {
    return make_indexed_rank(std::move(options), std::move(sort_keys));
  }
  return std::make_unique<TopN>(std::move(options), std::move(sort_keys));
}

}  // namespace tidegate
