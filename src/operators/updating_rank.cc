// SPDX-License-Identifier: Apache-2.0
#include "operators/updating_rank.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "operators/key_table.h"
#include "operators/ranked_rows.h"
#include "operators/row_keys.h"
#include "operators/row_layout.h"
#include "operators/stored_rows.h"
#include "operators/top_rows.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

/// State "top", per key: top_rows.h, each row with its upsert key and that one's length (varint) in
/// front.
class UpdatingRank final : public Operator {
 public:
  UpdatingRank(RankOptions options, SortKeys sort_keys)
      : options_(std::move(options)),
        numbered_((options_.emit_rank_number && options_.rank_end > 1) || options_.rank_start > 1),
        keys_(options_.keys, options_.types, options_.ttl_ms),
        upsert_keys_(options_.upsert_keys, types_at(options_.upsert_keys, options_.types)),
        sort_keys_(std::move(sort_keys)),
        changes_(options_.types, options_.rank_start, options_.rank_end, options_.emit_rank_number,
                 options_.changelog) {}

  Status open(OperatorContext& context) override {
    return keys_.open(context, "top", std::make_shared<RowLayout>("= top:v"));
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(keys_.read(batch));
    TG_RETURN_IF_ERROR(upsert_keys_.read(batch));
    TG_RETURN_IF_ERROR(sort_keys_.read(batch));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (batch.row_kind(row) == RowKind::kUpdateBefore) continue;
      if (batch.row_kind(row) == RowKind::kDelete) {
        return error(ErrorCode::kInvalidPlan,
                     "a row is deleted that a Top-N took for one that is only updated");
      }
      TG_RETURN_IF_ERROR(read_entries(keys_.value(row)));
      const std::size_t old = find_old(upsert_keys_[row].bytes);
      const std::string_view sort_key = sort_keys_[row];
      if (old == entries_.size() && !is_in(sort_key)) continue;
      row_.clear();
      write_bytes(row_, upsert_keys_[row].bytes);
      const std::size_t key_size = row_.size();
      encoder.append(row, row_);
      rows_.push_back(std::string_view(row_).substr(key_size));
      TG_RETURN_IF_ERROR(old == entries_.size() ? add(sort_key) : replace(old, sort_key));
      write_top_rows(entries_, bytes_);
      assign_bytes(keys_.table(), keys_.value(row), bytes_);
      keys_.touch(keys_.value(row));
      if (changes_.full()) TG_RETURN_IF_ERROR(changes_.flush(out));
    }
    TG_RETURN_IF_ERROR(changes_.flush(out));
    TG_RETURN_IF_ERROR(keys_.table().check_budget());
    return Progress::kDone;
  }

 private:
  static std::int64_t rank(std::size_t position) { return static_cast<std::int64_t>(position) + 1; }

  /// entries_ of a key, and their upsert keys and stored rows.
  Status read_entries(const std::byte* value) {
    TG_ASSIGN_OR_RETURN(const TopRows top, TopRows::read(BytesLayout::view(value)));
    TG_RETURN_IF_ERROR(top.entries(entries_));
    row_keys_.clear();
    rows_.clear();
    for (const TopRows::Entry& entry : entries_) {
      std::string_view row = entry.row;
      std::string_view key;
      if (!read_bytes(row, key)) {
        return error(ErrorCode::kStateCorrupt, "the stored top rows of a key are cut short");
      }
      row_keys_.push_back(key);
      rows_.push_back(row);
    }
    return Status::ok();
  }

  std::size_t find_old(std::string_view row_key) const {
    return static_cast<std::size_t>(std::ranges::find(row_keys_, row_key) - row_keys_.begin());
  }

  bool is_in(std::string_view sort_key) const {
    return std::ssize(entries_) < options_.rank_end || sort_key < entries_.back().key;
  }

  /// Where a row with this sort key comes in, behind its ties.
  std::size_t place_of(std::string_view sort_key) const {
    const auto behind =
        std::ranges::find_if(entries_, [&](const TopRows::Entry& e) { return sort_key < e.key; });
    return static_cast<std::size_t>(behind - entries_.begin());
  }

  std::string_view new_row() const { return rows_.back(); }

  /// A row that is not among the top ones yet.
  Status add(std::string_view sort_key) {
    const std::size_t size = entries_.size();
    const bool full = std::ssize(entries_) == options_.rank_end;
    const std::size_t at = place_of(sort_key);
    if (numbered_) {
      std::string_view moved = new_row();
      for (std::size_t i = at; i < size; ++i) {
        TG_RETURN_IF_ERROR(changes_.update(rows_[i], moved, rank(i)));
        moved = rows_[i];
      }
      if (!full) TG_RETURN_IF_ERROR(changes_.insert(moved, rank(size)));
    } else if (full && options_.rank_end == 1) {
      TG_RETURN_IF_ERROR(changes_.update(rows_[0], new_row(), 1));
    } else {
      if (full) TG_RETURN_IF_ERROR(changes_.remove(rows_[size - 1], rank(size - 1)));
      TG_RETURN_IF_ERROR(changes_.insert(new_row(), rank(at)));
    }
    if (full) entries_.pop_back();
    entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(at), {sort_key, row_});
    return Status::ok();
  }

  /// A row whose former self is entries_[old].
  Status replace(std::size_t old, std::string_view sort_key) {
    const bool stays = sort_key == entries_[old].key;
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(old));
    const std::size_t at = stays ? old : place_of(sort_key);
    entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(at), {sort_key, row_});
    if (!numbered_ || at == old) return changes_.update(rows_[old], new_row(), rank(old));
    return at < old ? tell_rise(old, at) : tell_fall(old, at);
  }

  /// The rows in between move down.
  Status tell_rise(std::size_t from, std::size_t to) {
    TG_RETURN_IF_ERROR(changes_.update_before(rows_[to], rank(to)));
    TG_RETURN_IF_ERROR(changes_.update_before(rows_[from], rank(from)));
    TG_RETURN_IF_ERROR(changes_.update_after(new_row(), rank(to)));
    for (std::size_t i = to + 1; i < from; ++i) {
      TG_RETURN_IF_ERROR(changes_.update(rows_[i], rows_[i - 1], rank(i)));
    }
    return changes_.update_after(rows_[from - 1], rank(from));
  }

  /// The rows in between move up.
  Status tell_fall(std::size_t from, std::size_t to) {
    TG_RETURN_IF_ERROR(changes_.update_before(rows_[from], rank(from)));
    for (std::size_t i = from + 1; i <= to; ++i) {
      TG_RETURN_IF_ERROR(changes_.update_before(rows_[i], rank(i)));
      TG_RETURN_IF_ERROR(changes_.update_after(rows_[i], rank(i - 1)));
    }
    return changes_.update_after(new_row(), rank(to));
  }

  RankOptions options_;
  const bool numbered_;
  KeyTable keys_;
  RowKeys upsert_keys_;
  SortKeys sort_keys_;
  RankedRows changes_;

  // Of the current row.
  std::vector<TopRows::Entry> entries_;
  std::vector<std::string_view> row_keys_;
  std::vector<std::string_view> rows_;  // without upsert keys; behind them the new one
  std::string row_;
  std::string bytes_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_updating_rank(RankOptions options, SortKeys sort_keys) {
  return std::make_unique<UpdatingRank>(std::move(options), std::move(sort_keys));
}

}  // namespace tidegate
