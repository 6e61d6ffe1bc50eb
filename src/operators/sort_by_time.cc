// SPDX-License-Identifier: Apache-2.0
#include "operators/sort_by_time.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "operators/late_rows.h"
#include "operators/stored_rows.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

/// State: one row per millisecond, in the namespace of that time: its rows in order of arrival,
/// each length (varint) | the row (stored_rows.h).
class SortByTime final : public Operator {
 public:
  explicit SortByTime(SortByTimeOptions options)
      : options_(std::move(options)), rows_(options_.types) {}

  Status open(OperatorContext& context) override {
    late_rows_.emplace(context.metrics(), options_.time_column, options_.late_output);
    hash_ = task_hash(context.key_groups());
    TG_ASSIGN_OR_RETURN(table_, context.state().table({"rows", std::make_shared<BytesLayout>()}));
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_ASSIGN_OR_RETURN(batch, late_rows_->remove(std::move(batch), watermark_, out));
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_bytes_.clear();
      encoder.append(row, row_bytes_);
      entry_.clear();
      write_bytes(entry_, row_bytes_);
      TG_ASSIGN_OR_RETURN(std::byte * list,
                          table_->find_or_create(late_rows_->time(row), {"", hash_}));
      append_bytes(*table_, list, entry_);
    }
    TG_RETURN_IF_ERROR(table_->check_budget());
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    watermark_ = watermark;
    return resume(out);
  }

  Result<Progress> resume(Output& out) override {
    while (true) {
      const std::optional<EventTime> time = table_->first_namespace();
      if (!time || (*time >= watermark_ && watermark_ != kMaxWatermark)) break;
      TG_ASSIGN_OR_RETURN(const bool all, collect(*time));
      if (all) table_->drop(*time);
      if (!rows_.full()) continue;
      TG_RETURN_IF_ERROR(flush(out));
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(flush(out));
    return Progress::kDone;
  }

 private:
  /// Rows of one millisecond, until they are done (true) or enough for a batch. Tasks that were
  /// joined by rescaling have left a list each.
  Result<bool> collect(EventTime time) {
    const std::vector<std::byte*> lists = rows_by_key(*table_, time);
    for (; list_ < lists.size(); ++list_, offset_ = 0) {
      const std::string_view list = BytesLayout::view(lists[list_]);
      while (offset_ < list.size()) {
        if (rows_.full()) return false;
        std::string_view rest = list.substr(offset_);
        std::string_view row;
        if (!read_bytes(rest, row)) {
          return error(ErrorCode::kStateCorrupt, "the stored rows of a sort are cut short");
        }
        TG_RETURN_IF_ERROR(rows_.append(row));
        offset_ = list.size() - rest.size();
      }
    }
    list_ = 0;
    return true;
  }

  Status flush(Output& out) {
    if (rows_.num_rows() == 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch batch, rows_.take());
    out.emit(std::move(batch));
    return Status::ok();
  }

  SortByTimeOptions options_;
  std::optional<LateRows> late_rows_;
  StateTable* table_ = nullptr;
  std::uint64_t hash_ = 0;
  EventTime watermark_ = kMinWatermark;
  std::string row_bytes_;
  std::string entry_;

  // Rows on their way out, and how far that has come in the first millisecond that is left.
  StoredRowDecoder rows_;
  std::size_t list_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace

std::unique_ptr<Operator> make_sort_by_time(SortByTimeOptions options) {
  return std::make_unique<SortByTime>(std::move(options));
}

}  // namespace tidegate
