// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "operators/accumulator_update.h"
#include "operators/event_times.h"
#include "operators/ordered_input.h"
#include "operators/over_functions.h"
#include "operators/stored_rows.h"

namespace tidegate {
namespace {

using Kind = OverFunction::Kind;

/// Where a row stands, as rows of its block: [begin, end).
struct OverPlace {
  std::int32_t partition_begin = 0;
  std::int32_t partition_end = 0;
  std::int32_t peers_begin = 0;
  std::int32_t peers_end = 0;
  std::int64_t dense_rank = 0;

  std::int64_t partition_rows() const { return partition_end - partition_begin; }
};

template <typename ArrayType, typename Value, typename Make>
ArrayPtr column_of(const std::vector<OverPlace>& places, const Make& make) {
  std::vector<Value> values(places.size());
  for (std::size_t i = 0; i < places.size(); ++i) {
    values[i] = make(places[i], static_cast<std::int64_t>(i) - places[i].partition_begin);
  }
  const auto size = std::ssize(values);
  return std::make_shared<ArrayType>(size, arrow::Buffer::FromVector(std::move(values)));
}

/// The bucket of the row at `index` (from 0): the first buckets have one row more.
std::int64_t ntile(std::int64_t index, std::int64_t rows, std::int64_t buckets) {
  const std::int64_t size = rows / buckets;
  const std::int64_t larger = rows % buckets;
  if (index < larger * (size + 1)) return index / (size + 1) + 1;
  return larger + (index - larger * (size + 1)) / std::max<std::int64_t>(size, 1) + 1;
}

/// The frames of a block's rows.
class OverFrames {
 public:
  OverFrames(const OverFrame& frame, const std::vector<SortColumn>& order)
      : frame_(frame), order_(order) {}

  Status read(const Batch& block, const std::vector<OverPlace>& places) {
    places_ = places;
    by_time_ = frame_.unit == OverFrame::Unit::kRange &&
               (frame_.preceding || frame_.following.value_or(0) != 0);
    return by_time_ ? times_.read(block, order_[0].column) : Status::ok();
  }

  /// Rows [first, second) of the block; neither goes back within a partition.
  std::pair<std::int32_t, std::int32_t> of(std::int32_t row) const {
    const OverPlace& place = places_[static_cast<std::size_t>(row)];
    const std::int32_t begin = begin_of(row, place);
    return {begin, std::max(begin, end_of(row, place))};
  }

 private:
  std::int32_t begin_of(std::int32_t row, const OverPlace& place) const {
    if (!frame_.preceding) return place.partition_begin;
    if (frame_.unit == OverFrame::Unit::kRows) return clamp(row - *frame_.preceding, place);
    if (times_.is_null(row)) return place.peers_begin;
    return first_not_before(place, distance(row, -*frame_.preceding));
  }
  std::int32_t end_of(std::int32_t row, const OverPlace& place) const {
    if (!frame_.following) return place.partition_end;
    if (frame_.unit == OverFrame::Unit::kRows) return clamp(row + *frame_.following + 1, place);
    if (*frame_.following == 0 || times_.is_null(row)) return place.peers_end;
    const EventTime last = distance(row, *frame_.following);
    return last == kMaxWatermark ? first_null_behind(place) : first_not_before(place, last + 1);
  }

  static std::int32_t clamp(std::int64_t row, const OverPlace& place) {
    return static_cast<std::int32_t>(
        std::clamp<std::int64_t>(row, place.partition_begin, place.partition_end));
  }

  /// Times that rise in the order of the rows.
  EventTime rising(std::int32_t row) const {
    const EventTime time = times_.times()[static_cast<std::size_t>(row)];
    return order_[0].descending ? -time : time;
  }
  EventTime distance(std::int32_t row, std::int64_t ms) const {
    return add_saturating(rising(row), ms);
  }

  // Nulls are peers.
  std::int32_t first_value(const OverPlace& place) const {
    const std::int32_t first = place.partition_begin;
    return times_.is_null(first) ? places_[static_cast<std::size_t>(first)].peers_end : first;
  }
  std::int32_t first_null_behind(const OverPlace& place) const {
    const std::int32_t last = place.partition_end - 1;
    return times_.is_null(last) ? places_[static_cast<std::size_t>(last)].peers_begin : last + 1;
  }
  std::int32_t first_not_before(const OverPlace& place, EventTime time) const {
    std::int32_t begin = first_value(place);
    std::int32_t end = first_null_behind(place);
    while (begin < end) {
      const std::int32_t middle = begin + (end - begin) / 2;
      if (rising(middle) < time) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    return begin;
  }

  const OverFrame frame_;
  const std::vector<SortColumn> order_;
  bool by_time_ = false;
  EventTimes times_;
  std::span<const OverPlace> places_;
};

/// OVER windows when all rows are there. State "rows": all rows of each key in order
/// (ordered_rows.h), as stored rows. Keys go out in blocks of whole partitions.
class AtEndOver final : public Operator {
 public:
  AtEndOver(OverAggregateOptions options, SortKeys sort_keys)
      : options_(std::move(options)),
        functions_(options_.functions, 0),
        layout_(functions_.layout().get()),
        input_(options_.keys, options_.types, std::move(sort_keys), options_.retracts),
        decoder_(options_.types),
        frames_(options_.frame, options_.order),
        adding_(layout_),
        leaving_(layout_),
        running_(layout_),
        results_(layout_) {}

  Status open(OperatorContext& context) override {
    return input_.open(context, "= stored", 0, stored_columns);
  }

  Result<Progress> process(int, Batch batch, Output&) override {
    TG_RETURN_IF_ERROR(
        input_.read(batch, [&](OrderedRows::Key& key, std::string_view sort_key, RowKind kind) {
          if (row_kind_adds(kind))
            return input_.rows().insert(key, sort_key, input_.row()).status();
          if (const auto found = input_.find(key, sort_key)) input_.rows().erase(key, *found);
          return Status::ok();
        }));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    return watermark == kMaxWatermark ? finish(out) : Progress::kDone;
  }

  /// Rows come out behind no watermark but the last one, or they would be late downstream.
  EventTime output_watermark(EventTime watermark) const override {
    return finished_ ? watermark : kMinWatermark;
  }

  Result<Progress> finish(Output& out) override {
    leaving_keys_ = input_.rows().keys();
    next_key_ = 0;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    while (true) {
      while (emitted_ < block_.num_rows()) {
        const std::int64_t rows = std::min(kBatchRows, block_.num_rows() - emitted_);
        out.emit(block_.slice(emitted_, rows));
        emitted_ += rows;
        if (!out.has_credit()) return Progress::kMore;
      }
      if (next_key_ == leaving_keys_.size()) break;
      TG_RETURN_IF_ERROR(compute_block());
      emitted_ = 0;
    }
    leaving_keys_.clear();
    block_ = Batch();
    emitted_ = 0;
    finished_ = true;
    return Progress::kDone;
  }

 private:
  static constexpr std::int64_t kBatchRows = 4096;

  /// The next partitions, until there are enough rows.
  Status compute_block() {
    places_.clear();
    while (next_key_ < leaving_keys_.size() && !decoder_.full()) {
      OrderedRows::Key& key = *leaving_keys_[next_key_++];
      TG_RETURN_IF_ERROR(read_partition(key));
      input_.rows().clear(key);
      input_.rows().drop_if_empty(key);
    }
    TG_ASSIGN_OR_RETURN(block_, decoder_.take());
    TG_RETURN_IF_ERROR(frames_.read(block_, places_));
    TG_ASSIGN_OR_RETURN(const auto values, aggregate());
    std::vector<OverNumbers> numbers;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      const OverPlace& place = places_[i];
      numbers.push_back({static_cast<std::int64_t>(i) - place.partition_begin + 1,
                         place.peers_begin - place.partition_begin + 1, place.dense_rank});
    }
    TG_ASSIGN_OR_RETURN(const auto others, other_columns());
    TG_ASSIGN_OR_RETURN(const auto results, functions_.columns(values, numbers, others));
    std::vector<ArrayPtr> columns = block_.columns();
    columns.insert(columns.end(), results.begin(), results.end());
    block_ = block_.with_columns(std::move(columns));
    results_.clear();
    return Status::ok();
  }

  Status read_partition(const OrderedRows::Key& key) {
    const auto begin = static_cast<std::int32_t>(places_.size());
    const auto end = begin + static_cast<std::int32_t>(key.size());
    std::string_view peers_key;
    Status status;
    input_.rows().each(key, 0, [&](const std::byte* value) {
      const auto row = static_cast<std::int32_t>(places_.size());
      const std::string_view sort_key = input_.rows().sort_key(key, value);
      OverPlace place{begin, end, row, row + 1, 1};
      if (row > begin) {
        const bool is_peer = sort_key == peers_key;
        if (is_peer) place.peers_begin = places_.back().peers_begin;
        place.dense_rank = places_.back().dense_rank + (is_peer ? 0 : 1);
      }
      peers_key = sort_key;
      places_.push_back(place);
      status = decoder_.append(BytesLayout::view(value), RowKind::kInsert);
      return status.is_ok();
    });
    for (auto row = end - 1; row > begin; --row) {
      OverPlace& before = places_[static_cast<std::size_t>(row) - 1];
      const OverPlace& after = places_[static_cast<std::size_t>(row)];
      if (before.peers_begin == after.peers_begin) before.peers_end = after.peers_end;
    }
    return status;
  }

  /// Accumulators of each row's frame, in results_.
  Result<std::vector<const std::byte*>> aggregate() {
    std::vector<std::size_t> result_of;
    TG_RETURN_IF_ERROR(adding_.begin(block_));
    const bool takes_back = layout_->can_retract();
    if (takes_back) {
      Batch gone = block_;
      gone.set_row_kinds(arrow::Buffer::FromString(
          std::string(places_.size(), static_cast<char>(RowKind::kDelete))));
      TG_RETURN_IF_ERROR(leaving_.begin(gone));
    }
    std::int32_t begin = 0;
    std::int32_t end = 0;
    const auto reset = [&](std::int32_t at) {
      running_.clear();
      running_.add_empty();
      begin = end = at;
    };
    std::pair<std::int32_t, std::int32_t> last{-1, -1};
    for (std::int32_t row = 0; row < block_.num_rows(); ++row) {
      const auto frame = frames_.of(row);
      const bool is_new = places_[static_cast<std::size_t>(row)].partition_begin == row;
      if (!is_new && frame == last) {
        result_of.push_back(results_.size() - 1);
        continue;
      }
      last = frame;
      if (is_new || frame.first >= end || (frame.first > begin && !takes_back)) reset(frame.first);
      for (; end < frame.second; ++end) TG_RETURN_IF_ERROR(adding_.apply(end, running_[0]));
      for (; begin < frame.first; ++begin) TG_RETURN_IF_ERROR(leaving_.apply(begin, running_[0]));
      TG_RETURN_IF_ERROR(results_.add_copy(running_[0]));
      result_of.push_back(results_.size() - 1);
    }
    running_.clear();
    std::vector<const std::byte*> values;
    values.reserve(result_of.size());
    for (const std::size_t result : result_of) values.push_back(results_[result]);
    return values;
  }

  /// The columns of functions that look at places only.
  Result<std::vector<ArrayPtr>> other_columns() const {
    using Doubles = arrow::DoubleArray;
    using Integers = arrow::Int64Array;
    std::vector<ArrayPtr> columns;
    for (const OverFunction& function : options_.functions) {
      if (function.kind == Kind::kLag || function.kind == Kind::kLead) {
        TG_ASSIGN_OR_RETURN(ArrayPtr column, shifted(function));
        columns.push_back(std::move(column));
      } else if (function.kind == Kind::kNtile) {
        columns.push_back(column_of<Integers, std::int64_t>(
            places_, [&](const OverPlace& place, std::int64_t index) {
              return ntile(index, place.partition_rows(), function.offset);
            }));
      } else if (function.kind == Kind::kCumeDist) {
        columns.push_back(
            column_of<Doubles, double>(places_, [](const OverPlace& place, std::int64_t) {
              return static_cast<double>(place.peers_end - place.partition_begin) /
                     static_cast<double>(place.partition_rows());
            }));
      } else if (function.kind == Kind::kPercentRank) {
        columns.push_back(
            column_of<Doubles, double>(places_, [](const OverPlace& place, std::int64_t) {
              if (place.partition_rows() == 1) return 0.0;
              return static_cast<double>(place.peers_begin - place.partition_begin) /
                     static_cast<double>(place.partition_rows() - 1);
            }));
      }
    }
    return columns;
  }

  Result<ArrayPtr> shifted(const OverFunction& function) const {
    std::vector<std::int32_t> rows;
    std::vector<std::int32_t> own;
    for (std::int32_t row = 0; row < std::ssize(places_); ++row) {
      const OverPlace& place = places_[static_cast<std::size_t>(row)];
      // An offset beyond the partition must not overflow.
      const std::int64_t offset = std::min<std::int64_t>(function.offset, place.partition_rows());
      const std::int64_t at = function.kind == Kind::kLag ? row - offset : row + offset;
      const bool is_in = at >= place.partition_begin && at < place.partition_end;
      rows.push_back(is_in ? static_cast<std::int32_t>(at) : -1);
      own.push_back(row);
    }
    return lag_column(function, block_, rows, own);
  }

  OverAggregateOptions options_;
  const OverFunctions functions_;
  const AccumulatorLayout* layout_;
  OrderedInput input_;

  // Keys on their way out, and the block that they have come to.
  std::vector<OrderedRows::Key*> leaving_keys_;
  std::size_t next_key_ = 0;
  Batch block_;
  std::int64_t emitted_ = 0;
  bool finished_ = false;
  StoredRowDecoder decoder_;
  std::vector<OverPlace> places_;
  OverFrames frames_;
  RowByRowUpdate adding_;
  RowByRowUpdate leaving_;
  AccumulatorCopies running_;
  AccumulatorCopies results_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_over_at_end(OverAggregateOptions options,
                                                   SortKeys sort_keys) {
  return std::make_unique<AtEndOver>(std::move(options), std::move(sort_keys));
}

}  // namespace tidegate
