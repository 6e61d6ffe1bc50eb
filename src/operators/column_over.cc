// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "operators/accumulator_update.h"
#include "operators/ordered_input.h"
#include "operators/over_functions.h"
#include "operators/stored_rows.h"
#include "operators/unchanged_rows.h"
#include "state/binary_codec.h"
#include "state/value_layout.h"

namespace tidegate {
namespace {

/// The columns of a row in state.
std::string_view columns_of(std::string_view bytes) {
  std::string_view accumulators;
  return read_bytes(bytes, accumulators) ? stored_columns(bytes) : std::string_view();
}

/// Collects output rows: stored rows with the values that their results are made of.
class ColumnOverOutput {
 public:
  ColumnOverOutput(const OverAggregateOptions& options, const OverFunctions* functions)
      : functions_(functions),
        drop_before_(options.changelog == Changelog::kUpsert),
        rows_(options.types),
        copies_(functions->layout().get()) {}

  /// `value` is copied.
  Status add(RowKind kind, std::string_view row, const std::byte* value) {
    TG_RETURN_IF_ERROR(copies_.add_copy(value));
    numbers_.push_back(*reinterpret_cast<const OverNumbers*>(value));
    return rows_.append(row, kind);
  }
  bool full() const { return rows_.full(); }

  Status flush(Output& out) {
    if (rows_.num_rows() == 0) return Status::ok();
    std::vector<const std::byte*> values(copies_.size());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = copies_[i];
    TG_ASSIGN_OR_RETURN(auto results, functions_->columns(values, numbers_, {}));
    TG_ASSIGN_OR_RETURN(Batch batch, rows_.take());
    const int first_result = batch.num_columns();
    std::vector<ArrayPtr> columns = batch.columns();
    columns.insert(columns.end(), results.begin(), results.end());
    batch = batch.with_columns(std::move(columns));
    copies_.clear();
    numbers_.clear();
    // Accumulators may change where results do not.
    TG_ASSIGN_OR_RETURN(batch, drop_unchanged(batch, first_result, true, drop_before_));
    if (!batch.empty()) out.emit(std::move(batch));
    return Status::ok();
  }

 private:
  const OverFunctions* functions_;
  bool drop_before_;
  StoredRowDecoder rows_;
  AccumulatorCopies copies_;
  std::vector<OverNumbers> numbers_;
};

/// OVER windows in the order of any columns, from the first row of a key up to the current one (or
/// its last peer).
///
/// State "rows", all rows of each key (ordered_rows.h): bytes of the accumulators up to the row (or
/// its last peer), with their length (varint) in front | stored row. A change computes anew from
/// its place on, until an accumulator comes out as it was.
class ColumnOver final : public Operator {
 public:
  ColumnOver(OverAggregateOptions options, SortKeys sort_keys)
      : options_(std::move(options)),
        by_rows_(options_.frame.unit == OverFrame::Unit::kRows),
        functions_(options_.functions, sizeof(OverNumbers)),
        layout_(functions_.layout().get()),
        input_(options_.keys, options_.types, std::move(sort_keys), options_.retracts),
        block_(options_.types),
        update_(layout_),
        running_(layout_),
        before_(layout_),
        output_(options_, &functions_) {}

  Status open(OperatorContext& context) override {
    return input_.open(context, "= v stored", options_.ttl_ms, columns_of);
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(
        input_.read(batch, [&](OrderedRows::Key& key, std::string_view sort_key, RowKind kind) {
          TG_RETURN_IF_ERROR(row_kind_adds(kind) ? add(key, sort_key, kind, out)
                                                 : take_back(key, sort_key, out));
          return output_.full() ? output_.flush(out) : Status::ok();
        }));
    TG_RETURN_IF_ERROR(output_.flush(out));
    return Progress::kDone;
  }

 private:
  static constexpr std::size_t kFirstBlock = 4;
  static constexpr std::size_t kLargestBlock = 1024;

  /// A row of a key whose results may change.
  struct Entry {
    std::byte* value = nullptr;
    std::string before;  // bytes of the accumulators; empty: a new row
    std::string row;
    std::string sort_key;
    std::optional<RowKind> told_as;  // of the row that has come (its kind) or gone (-D)
  };

  Status read_entry(const std::byte* value, std::string_view& accumulators,
                    std::string_view& row) const {
    row = BytesLayout::view(value);
    if (read_bytes(row, accumulators)) return Status::ok();
    return error(ErrorCode::kStateCorrupt, "a stored row of an OVER window is cut short");
  }

  Status add(OrderedRows::Key& key, std::string_view sort_key, RowKind kind, Output& out) {
    bytes_.clear();
    write_bytes(bytes_, "");
    bytes_ += input_.row();
    TG_ASSIGN_OR_RETURN(const std::size_t at, input_.rows().insert(key, sort_key, bytes_));
    changed_ = input_.rows().at(key, at);
    changed_kind_ = kind;
    // In RANGE the result of all peers changes with the new one.
    return compute_from(key, by_rows_ ? at : input_.rows().lower_bound(key, sort_key), out);
  }

  Status take_back(OrderedRows::Key& key, std::string_view sort_key, Output& out) {
    const auto found = input_.find(key, sort_key);
    if (!found) return Status::ok();
    changed_ = input_.rows().at(key, *found);
    changed_kind_ = RowKind::kDelete;
    const std::size_t from = by_rows_ ? *found : input_.rows().lower_bound(key, sort_key);
    TG_RETURN_IF_ERROR(compute_from(key, from, out));
    input_.rows().erase(key, *found);
    return Status::ok();
  }

  /// Computes the rows from `position` on anew and tells what changes. That is the first row of its
  /// peers where the frame is RANGE.
  Status compute_from(const OrderedRows::Key& key, std::size_t position, Output& out) {
    TG_RETURN_IF_ERROR(begin_at(key, position));
    std::size_t size = kFirstBlock;
    for (bool more = true; more; size = std::min(size * 4, kLargestBlock)) {
      TG_RETURN_IF_ERROR(read_block(key, position, size));
      if (entries_.empty()) break;
      position += entries_.size();
      TG_ASSIGN_OR_RETURN(more, compute_block());
      if (output_.full()) TG_RETURN_IF_ERROR(output_.flush(out));
    }
    running_.clear();
    return Status::ok();
  }

  /// Sets the running accumulators to those before `position`.
  Status begin_at(const OrderedRows::Key& key, std::size_t position) {
    running_.clear();
    std::byte* running = running_.add_empty();
    has_previous_ = position > 0;
    if (!has_previous_) return Status::ok();
    std::byte* previous = input_.rows().at(key, position - 1);
    previous_sort_key_ = input_.rows().sort_key(key, previous);
    std::string_view accumulators;
    std::string_view row;
    TG_RETURN_IF_ERROR(read_entry(previous, accumulators, row));
    return layout_->deserialize(accumulators, running);
  }

  /// The next rows, whole groups of peers for RANGE.
  Status read_block(const OrderedRows::Key& key, std::size_t position, std::size_t size) {
    entries_.clear();
    Status status;
    input_.rows().each(key, position, [&](std::byte* value) {
      const std::string_view sort_key = input_.rows().sort_key(key, value);
      if (entries_.size() >= size && (by_rows_ || sort_key != entries_.back().sort_key))
        return false;
      std::string_view accumulators;
      std::string_view row;
      status = read_entry(value, accumulators, row);
      Entry& entry = entries_.emplace_back();
      entry.value = value;
      entry.before = accumulators;
      entry.row = row;
      entry.sort_key = sort_key;
      if (value == changed_) entry.told_as = changed_kind_;
      return status.is_ok();
    });
    TG_RETURN_IF_ERROR(std::move(status));
    for (const Entry& entry : entries_) {
      TG_RETURN_IF_ERROR(block_.append(entry.row, RowKind::kInsert));
    }
    if (entries_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(const Batch batch, block_.take());
    return update_.begin(batch);
  }

  /// False when an accumulator came out as it was, so that nothing behind it changes.
  Result<bool> compute_block() {
    for (std::size_t begin = 0; begin < entries_.size();) {
      std::size_t end = begin + 1;
      while (!by_rows_ && end < entries_.size() &&
             entries_[end].sort_key == entries_[begin].sort_key) {
        ++end;
      }
      TG_ASSIGN_OR_RETURN(const bool changes, compute_peers(begin, end));
      if (!changes) return false;
      begin = end;
    }
    return true;
  }

  /// Rows that get their results together: peers, or one row.
  Result<bool> compute_peers(std::size_t begin, std::size_t end) {
    std::byte* running = running_[0];
    for (std::size_t i = begin; i < end; ++i) {
      if (!is_gone(entries_[i])) {
        TG_RETURN_IF_ERROR(update_.apply(static_cast<std::int64_t>(i), running));
      }
    }
    bool same = true;
    for (std::size_t i = begin; i < end; ++i) {
      Entry& entry = entries_[i];
      if (!is_gone(entry)) {
        numbers(running).next(has_previous_ && entry.sort_key == previous_sort_key_);
        has_previous_ = true;
        previous_sort_key_ = entry.sort_key;
      }
      TG_ASSIGN_OR_RETURN(const bool entry_same, tell(entry, running));
      same = same && entry_same;
    }
    return !same;
  }

  static bool is_gone(const Entry& entry) { return entry.told_as == RowKind::kDelete; }
  static OverNumbers& numbers(std::byte* value) { return *reinterpret_cast<OverNumbers*>(value); }

  /// True when the row stays as it is.
  Result<bool> tell(const Entry& entry, const std::byte* running) {
    after_.clear();
    layout_->serialize(running, after_);
    if (!entry.told_as && after_ == entry.before) return true;
    if (!entry.told_as || is_gone(entry)) {
      before_.clear();
      std::byte* before = before_.add_empty();
      std::string_view bytes = entry.before;
      TG_RETURN_IF_ERROR(layout_->deserialize(bytes, before));
      const RowKind kind = entry.told_as.value_or(RowKind::kUpdateBefore);
      TG_RETURN_IF_ERROR(output_.add(kind, entry.row, before));
      if (is_gone(entry)) return false;
    }
    TG_RETURN_IF_ERROR(
        output_.add(entry.told_as.value_or(RowKind::kUpdateAfter), entry.row, running));
    bytes_.clear();
    write_bytes(bytes_, after_);
    bytes_ += entry.row;
    input_.rows().assign(entry.value, bytes_);
    return false;
  }

  OverAggregateOptions options_;
  const bool by_rows_;
  const OverFunctions functions_;
  const AccumulatorLayout* layout_;
  OrderedInput input_;

  // Of the current change.
  std::byte* changed_ = nullptr;
  RowKind changed_kind_ = RowKind::kInsert;
  std::vector<Entry> entries_;
  StoredRowDecoder block_;
  RowByRowUpdate update_;
  AccumulatorCopies running_;
  bool has_previous_ = false;
  std::string previous_sort_key_;
  AccumulatorCopies before_;
  std::string after_;
  std::string bytes_;

  ColumnOverOutput output_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_column_over(OverAggregateOptions options,
                                                   SortKeys sort_keys) {
  return std::make_unique<ColumnOver>(std::move(options), std::move(sort_keys));
}

}  // namespace tidegate
