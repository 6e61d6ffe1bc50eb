// SPDX-License-Identifier: Apache-2.0
#include "operators/lookup_join.h"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "operators/lookup_table.h"
#include "operators/row_keys.h"
#include "operators/table_reading.h"

namespace tidegate {
namespace {

constexpr std::size_t kBatchRows = 4096;

class LookupJoin final : public Operator {
 public:
  explicit LookupJoin(LookupJoinOptions options)
      : options_(std::move(options)), keys_(options_.left.keys, join_key_types(options_.left)) {}

  Status open(OperatorContext& context) override {
    context_ = &context;
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    batch_ = std::move(batch);
    batch_.set_key_hashes(nullptr);  // those of another key
    TG_RETURN_IF_ERROR(keys_.read(batch_));
    row_ = ended_ = 0;
    match_ = 0;
    matched_ = false;
    if (table_ != nullptr && is_old()) table_.reset();
    return go_on(out);
  }

  Result<Progress> resume(Output& out) override { return go_on(out); }

 private:
  struct Pair {
    std::int32_t row;
    std::int32_t match;  // of the table
  };

  std::int32_t num_rows() const { return static_cast<std::int32_t>(batch_.num_rows()); }

  Result<Progress> go_on(Output& out) {
    if (batch_.empty()) return Progress::kDone;
    if (table_ == nullptr) {
      TG_ASSIGN_OR_RETURN(const bool there, read_table());
      if (!there) return Progress::kBlocked;
    }
    return join(out);
  }

  // ---- the table

  bool is_old() const {
    return options_.reload_ms > 0 && context_->clock().wall_ms() - read_ms_ >= options_.reload_ms;
  }

  Result<bool> read_table() {
    if (reading_ == nullptr) {
      TG_ASSIGN_OR_RETURN(std::shared_ptr<Source> source, options_.make_source());
      TG_ASSIGN_OR_RETURN(reading_, TableReading::begin(std::move(source), *context_));
      read_ms_ = context_->clock().wall_ms();
    }
    TG_ASSIGN_OR_RETURN(const bool all, reading_->go_on());
    if (!all) return false;
    std::vector<Batch> batches = reading_->take();
    reading_.reset();
    for (Batch& batch : batches) {
      TG_RETURN_IF_ERROR(check_insert_only(batch));
      if (options_.prepare) {
        TG_ASSIGN_OR_RETURN(batch, options_.prepare(std::move(batch)));
      }
    }
    TG_ASSIGN_OR_RETURN(table_, LookupTable::build(options_.table, std::move(batches)));
    return true;
  }

  // ---- rows

  Result<Progress> join(Output& out) {
    while (row_ < num_rows()) {
      pair_rows();
      TG_RETURN_IF_ERROR(emit_pairs(out));
      if (row_ < num_rows() && !out.has_credit()) return Progress::kMore;
    }
    batch_ = Batch();
    return Progress::kDone;
  }

  /// Pairs rows with what the table holds for them, up to a batch of pairs.
  void pair_rows() {
    pairs_.clear();
    for (; row_ < num_rows(); ++row_, match_ = 0) {
      if (keys_.has_null(row_)) continue;
      const std::span<const std::int32_t> found = table_->find(keys_[row_]);
      for (; match_ < found.size(); ++match_) {
        if (pairs_.size() == kBatchRows) return;
        pairs_.push_back({row_, found[match_]});
      }
    }
  }

  Status emit_pairs(Output& out) {
    left_.clear();
    right_.clear();
    if (!options_.condition) {
      for (const Pair& pair : pairs_) add(pair);
    } else if (!pairs_.empty()) {
      for (const Pair& pair : pairs_) {
        left_.push_back(pair.row);
        right_.push_back(pair.match);
      }
      TG_ASSIGN_OR_RETURN(const Batch asked, gather());
      left_.clear();
      right_.clear();
      std::vector<std::int32_t> holds;
      TG_RETURN_IF_ERROR(options_.condition(asked, holds));
      for (const std::int32_t i : holds) add(pairs_[static_cast<std::size_t>(i)]);
    }
    end_rows(row_);
    if (left_.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch joined, gather());
    out.emit(std::move(joined));
    return Status::ok();
  }

  void add(const Pair& pair) {
    end_rows(pair.row);
    matched_ = true;
    left_.push_back(pair.row);
    right_.push_back(pair.match);
  }

  /// All matches of the rows in front of this one are known.
  void end_rows(std::int32_t until) {
    for (; ended_ < until; ++ended_, matched_ = false) {
      if (matched_ || options_.kind == JoinKind::kInner) continue;
      left_.push_back(ended_);
      right_.push_back(table_->null_row());
    }
  }

  /// The rows of left_ beside those of right_.
  Result<Batch> gather() const {
    TG_ASSIGN_OR_RETURN(Batch joined, batch_.take(left_));
    TG_ASSIGN_OR_RETURN(const Batch right, table_->take(right_));
    std::vector<ArrayPtr> columns = joined.columns();
    columns.insert(columns.end(), right.columns().begin(), right.columns().end());
    return joined.with_columns(std::move(columns));
  }

  const LookupJoinOptions options_;
  RowKeys keys_;
  OperatorContext* context_ = nullptr;
  std::unique_ptr<TableReading> reading_;
  std::shared_ptr<const LookupTable> table_;
  std::int64_t read_ms_ = 0;

  // The batch that is being joined, and how far that has come.
  Batch batch_;
  std::int32_t row_ = 0;
  std::size_t match_ = 0;   // of that row
  std::int32_t ended_ = 0;  // rows in front of it are done
  bool matched_ = false;    // row ended_ has had a match
  std::vector<Pair> pairs_;
  // Of the batch that goes out: row of the input, and of the table.
  std::vector<std::int32_t> left_;
  std::vector<std::int32_t> right_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_lookup_join(LookupJoinOptions options) {
  TG_RETURN_IF_ERROR(check_join_inputs(options.left, options.table));
  if (options.kind != JoinKind::kInner && options.kind != JoinKind::kLeft) {
    return error(ErrorCode::kNotSupported, "a lookup join is an inner or a left outer join");
  }
  if (!options.make_source) {
    return error(ErrorCode::kInvalidArgument, "a lookup join needs a source");
  }
  return std::unique_ptr<Operator>(std::make_unique<LookupJoin>(std::move(options)));
}

}  // namespace tidegate
