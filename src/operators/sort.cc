// SPDX-License-Identifier: Apache-2.0
#include "operators/sort.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/join.h"
#include "operators/ordered_rows.h"
#include "operators/row_layout.h"
#include "operators/stored_rows.h"
#include "state/binary_codec.h"
#include "state/state_backend.h"
#include "state/state_bytes.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

/// State "rows": equal rows are one, so that a row that is taken back is found at once. Key: sort
/// key (sort_order.h) with its length (varint) in front | the row (row_codec.h). Value, for each of
/// the equal rows, in order: number of arrival (8) | 1 if an event time is attached, else 0 (1)
/// | event time, else 0 (8).
class Sort final : public Operator {
 public:
  Sort(SortOptions options, SortKeys sort_keys)
      : options_(std::move(options)),
        end_(options_.limit < 0 ? kMaxWatermark : add_saturating(options_.offset, options_.limit)),
        sort_keys_(std::move(sort_keys)),
        rows_(options_.types) {}

  Status open(OperatorContext& context) override {
    TG_CHECK(context.parallelism() == 1, "sort in {} tasks", context.parallelism());
    rows_not_found_ = &context.metrics().counter("rows_not_found");
    hash_ = task_hash(context.key_groups());
    TG_ASSIGN_OR_RETURN(table_,
                        context.state().table({"rows", std::make_shared<RowLayout>("other")}));
    TG_RETURN_IF_ERROR(line_up());
    for (const Place& place : places_) next_arrival_ = std::max(next_arrival_, place.arrival + 1);
    num_rows_ = std::ssize(places_);
    places_.clear();
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output&) override {
    if (!options_.retracts) TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_RETURN_IF_ERROR(sort_keys_.read(batch));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      key_.clear();
      write_bytes(key_, sort_keys_[row]);
      key_ += stored_columns(row_);
      TG_RETURN_IF_ERROR(row_kind_adds(batch.row_kind(row)) ? add(batch, row) : take_back());
    }
    if (!options_.retracts && num_rows_ > kRowsBeforeTrim && num_rows_ / 2 > end_) {
      TG_RETURN_IF_ERROR(trim());
    }
    TG_RETURN_IF_ERROR(table_->check_budget());
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    return watermark == kMaxWatermark ? finish(out) : Progress::kDone;
  }

  Result<Progress> seal(EpochId, Output& out) override {
    return options_.per_epoch ? finish(out) : Progress::kDone;
  }

  /// Rows come out behind no watermark but the last one, or they would be late downstream.
  EventTime output_watermark(EventTime watermark) const override {
    return finished_ ? watermark : kMinWatermark;
  }

  Result<Progress> finish(Output& out) override {
    TG_RETURN_IF_ERROR(line_up());
    next_ = static_cast<std::size_t>(std::min(options_.offset, std::ssize(places_)));
    last_ = static_cast<std::size_t>(std::min(end_, std::ssize(places_)));
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    while (next_ < last_) {
      while (next_ < last_ && !rows_.full()) {
        row_at(places_[next_++]);
        TG_RETURN_IF_ERROR(rows_.append(row_));
      }
      TG_ASSIGN_OR_RETURN(Batch batch, rows_.take());
      out.emit(std::move(batch));
      if (next_ < last_ && !out.has_credit()) return Progress::kMore;
    }
    places_.clear();
    table_->drop(0);
    num_rows_ = 0;
    finished_ = !options_.per_epoch;
    return Progress::kDone;
  }

 private:
  static constexpr std::int64_t kRowsBeforeTrim = 4096;
  static constexpr std::size_t kEntryBytes = 17;

  /// One row in the table.
  struct Place {
    std::string_view sort_key;
    std::uint64_t arrival;
    std::byte* value;
    std::size_t index;  // of its entry in the value
  };

  StateKey state_key() const {
    constexpr std::uint64_t kUpper = 0xffff'ffff'0000'0000;
    return {key_, (hash_ & kUpper) | (hash_key(key_) & ~kUpper)};
  }

  Status add(const Batch& batch, std::int64_t row) {
    const auto times = batch.event_times();
    entry_.clear();
    write_fixed(entry_, next_arrival_++);
    write_fixed(entry_, static_cast<std::uint8_t>(times.empty() ? 0 : 1));
    write_fixed(entry_, times.empty() ? EventTime{0} : times[static_cast<std::size_t>(row)]);
    TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(0, state_key()));
    append_bytes(*table_, value, entry_);
    ++num_rows_;
    return Status::ok();
  }

  Status take_back() {
    std::byte* value = table_->find(0, state_key());
    if (value == nullptr) {
      rows_not_found_->add(1);
      return Status::ok();
    }
    keep_entries(value, BytesLayout::view(value).substr(kEntryBytes));
    --num_rows_;
    return Status::ok();
  }

  void keep_entries(std::byte* value, std::string_view entries) {
    if (entries.empty()) return table_->erase(0, value);
    entry_ = entries;
    assign_bytes(*table_, value, entry_);
    table_->touch(0, value);
  }

  /// Makes places_ of all rows in order.
  Status line_up() {
    places_.clear();
    table_->load(0);
    RowCursor cursor;
    std::array<std::byte*, 256> values;
    while (const std::size_t count = table_->next(0, cursor, values)) {
      for (std::size_t i = 0; i < count; ++i) {
        std::string_view key = table_->key(values[i]);
        std::string_view entries = BytesLayout::view(values[i]);
        std::string_view sort_key;
        if (!read_bytes(key, sort_key) || entries.size() % kEntryBytes != 0) {
          return error(ErrorCode::kStateCorrupt, "the stored rows of a sort are cut short");
        }
        for (std::size_t index = 0; !entries.empty(); ++index) {
          std::uint64_t arrival = 0;
          std::memcpy(&arrival, entries.data(), sizeof(arrival));
          places_.push_back({sort_key, arrival, values[i], index});
          entries.remove_prefix(kEntryBytes);
        }
      }
    }
    std::ranges::sort(places_, [](const Place& a, const Place& b) {
      const int order = a.sort_key.compare(b.sort_key);
      return order != 0 ? order < 0 : a.arrival < b.arrival;
    });
    return Status::ok();
  }

  /// Puts the stored form of a row to row_.
  void row_at(const Place& place) {
    std::string_view columns = table_->key(place.value);
    std::string_view sort_key;
    TG_CHECK(read_bytes(columns, sort_key), "a row without sort key");
    const std::string_view entry =
        BytesLayout::view(place.value).substr(place.index * kEntryBytes, kEntryBytes);
    row_.assign(1, static_cast<char>(RowKind::kInsert));
    row_ += entry.substr(sizeof(std::uint64_t), entry[sizeof(std::uint64_t)] != 0 ? 9 : 1);
    row_ += columns;
  }

  /// Drops the rows that the limit leaves out.
  Status trim() {
    TG_RETURN_IF_ERROR(line_up());
    std::unordered_map<std::byte*, std::size_t> kept;  // entries of values that lose some
    for (std::size_t i = static_cast<std::size_t>(end_); i < places_.size(); ++i) {
      const auto [known, is_new] = kept.try_emplace(places_[i].value, places_[i].index);
      known->second = std::min(known->second, places_[i].index);
    }
    places_.clear();
    for (const auto& [value, entries] : kept) {
      keep_entries(value, BytesLayout::view(value).substr(0, entries * kEntryBytes));
    }
    num_rows_ = end_;
    return Status::ok();
  }

  SortOptions options_;
  const std::int64_t end_;  // rows behind this one are left out
  SortKeys sort_keys_;
  Counter* rows_not_found_ = nullptr;
  StateTable* table_ = nullptr;
  std::uint64_t hash_ = 0;
  std::uint64_t next_arrival_ = 0;
  std::int64_t num_rows_ = 0;
  std::string row_;
  std::string key_;
  std::string entry_;

  // Rows on their way out.
  std::vector<Place> places_;
  std::size_t next_ = 0;
  std::size_t last_ = 0;
  StoredRowDecoder rows_;
  bool finished_ = false;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_sort(SortOptions options) {
  options.offset = std::max<std::int64_t>(0, options.offset);
  TG_ASSIGN_OR_RETURN(SortKeys sort_keys, SortKeys::make(options.order, options.types));
  return std::make_unique<Sort>(std::move(options), std::move(sort_keys));
}

}  // namespace tidegate
