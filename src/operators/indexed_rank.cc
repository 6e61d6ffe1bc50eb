// SPDX-License-Identifier: Apache-2.0
#include "operators/indexed_rank.h"

#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "operators/ordered_input.h"
#include "operators/ranked_rows.h"
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
        input_(options_.keys, options_.types, std::move(sort_keys), options_.retracts),
        changes_(options_.types, options_.rank_start, options_.rank_end, options_.emit_rank_number,
                 options_.changelog) {}

  Status open(OperatorContext& context) override {
    return input_.open(context, "= stored", options_.ttl_ms, stored_columns);
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(
        input_.read(batch, [&](OrderedRows::Key& key, std::string_view sort_key, RowKind kind) {
          TG_RETURN_IF_ERROR(row_kind_adds(kind) ? add(key, sort_key) : take_back(key, sort_key));
          return changes_.full() ? changes_.flush(out) : Status::ok();
        }));
    TG_RETURN_IF_ERROR(changes_.flush(out));
    return Progress::kDone;
  }

 private:
  std::string_view row_at(const OrderedRows::Key& key, std::size_t position) const {
    return BytesLayout::view(input_.rows().at(key, position));
  }
  static std::int64_t rank(std::size_t position) { return static_cast<std::int64_t>(position) + 1; }

  Status add(OrderedRows::Key& key, std::string_view sort_key) {
    if (!options_.retracts && key.size() >= end_ &&
        sort_key >= input_.rows().sort_key(key, input_.rows().at(key, end_ - 1))) {
      return Status::ok();
    }
    TG_ASSIGN_OR_RETURN(const std::size_t at, input_.rows().insert(key, sort_key, input_.row()));
    if (at >= end_) return Status::ok();
    if (numbered_) {
      TG_RETURN_IF_ERROR(shift_down(key, at));
    } else {
      if (key.size() > end_) TG_RETURN_IF_ERROR(changes_.remove(row_at(key, end_), rank(end_ - 1)));
      TG_RETURN_IF_ERROR(changes_.insert(input_.row(), rank(at)));
    }
    if (!options_.retracts && key.size() > end_) input_.rows().erase(key, end_);
    return Status::ok();
  }

  /// A row has come in at `at`: every number from there on has another row.
  Status shift_down(const OrderedRows::Key& key, std::size_t at) {
    std::string_view moved = input_.row();
    std::size_t position = at;
    Status status;
    input_.rows().each(key, at + 1, [&](const std::byte* value) {
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
    const auto found = input_.find(key, sort_key);
    if (!found) return Status::ok();
    if (*found < end_) TG_RETURN_IF_ERROR(tell_gone(key, *found));
    input_.rows().erase(key, *found);
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
    input_.rows().each(key, at + 1, [&](const std::byte* value) {
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
  OrderedInput input_;
  RankedRows changes_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_indexed_rank(RankOptions options, SortKeys sort_keys) {
  return std::make_unique<IndexedRank>(std::move(options), std::move(sort_keys));
}

}  // namespace tidegate
