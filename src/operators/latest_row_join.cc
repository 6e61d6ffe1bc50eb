// SPDX-License-Identifier: Apache-2.0
#include "operators/latest_row_join.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "operators/probed_rows.h"
#include "operators/row_keys.h"
#include "operators/row_layout.h"
#include "operators/single_match.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

constexpr int kLeft = 0;
constexpr std::int64_t kNamespace = 0;

/// State "right": by join key, the row that came last (row_codec.h).
class LatestRowJoin final : public Operator {
 public:
  explicit LatestRowJoin(TemporalJoinOptions options)
      : options_(std::move(options)),
        left_keys_(options_.left.keys, join_key_types(options_.left)),
        right_keys_(options_.right.keys, join_key_types(options_.right)),
        joined_(ProbedRows::Shape{}, options_.right.types) {}

  Status open(OperatorContext& context) override {
    TG_ASSIGN_OR_RETURN(right_,
                        context.state().table({"right", std::make_shared<RowLayout>("row", 1)}));
    return Status::ok();
  }

  Result<Progress> process(int input, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(input == kLeft ? join(std::move(batch), out) : store(batch));
    return Progress::kDone;
  }

 private:
  Status store(const Batch& batch) {
    TG_RETURN_IF_ERROR(right_keys_.read(batch));
    const RowEncoder encoder(batch);
    std::string bytes;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const RowKind kind = batch.row_kind(row);
      if (kind == RowKind::kUpdateBefore || right_keys_.has_null(row)) continue;
      if (kind == RowKind::kDelete) {
        right_->erase(kNamespace, right_keys_[row]);
        continue;
      }
      bytes.clear();
      encoder.append(row, bytes);
      TG_ASSIGN_OR_RETURN(std::byte * value, right_->find_or_create(kNamespace, right_keys_[row]));
      assign_bytes(*right_, value, bytes);
    }
    return right_->check_budget();
  }

  Status join(Batch batch, Output& out) {
    TG_RETURN_IF_ERROR(left_keys_.read(batch));
    values_.resize(static_cast<std::size_t>(batch.num_rows()));
    right_->find(kNamespace, left_keys_.all(), values_);
    joined_.begin(batch, true);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      const std::byte* value = values_[static_cast<std::size_t>(row)];
      const bool found = value != nullptr && !left_keys_.has_null(row);
      if (!found && options_.kind == JoinKind::kInner) continue;
      const auto right = found ? std::optional(BytesLayout::view(value)) : std::nullopt;
      TG_RETURN_IF_ERROR(joined_.add(static_cast<std::int32_t>(row), right, batch.row_kind(row)));
      matched_.push_back(found);
      if (joined_.full()) TG_RETURN_IF_ERROR(flush(out));
    }
    return flush(out);
  }

  Status flush(Output& out) {
    if (joined_.num_rows() == 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch joined, joined_.take());
    const std::vector<bool> matched = std::exchange(matched_, {});
    const auto left_columns = static_cast<int>(options_.left.types.size());
    TG_ASSIGN_OR_RETURN(joined,
                        where_matched(std::move(joined), matched, left_columns,
                                      options_.kind == JoinKind::kLeft, options_.condition));
    out.emit(std::move(joined));
    return Status::ok();
  }

  const TemporalJoinOptions options_;
  RowKeys left_keys_;
  RowKeys right_keys_;
  StateTable* right_ = nullptr;

  // Of the batch that is being joined.
  std::vector<std::byte*> values_;
  ProbedRows joined_;
  std::vector<bool> matched_;  // of the rows in joined_
};

}  // namespace

std::unique_ptr<Operator> make_latest_row_join(TemporalJoinOptions options) {
  return std::make_unique<LatestRowJoin>(std::move(options));
}

}  // namespace tidegate
