// SPDX-License-Identifier: Apache-2.0
#include "operators/limit.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "operators/join.h"
#include "operators/rank.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

class Limit final : public Operator {
 public:
  Limit(std::int64_t offset, std::int64_t count)
      : begin_(offset), end_(add_saturating(offset, count)) {}

  Status open(OperatorContext& context) override {
    TG_CHECK(context.parallelism() == 1, "limit in {} tasks", context.parallelism());
    hash_ = task_hash(context.key_groups());
    TG_ASSIGN_OR_RETURN(seen_rows_,
                        context.state().table({"seen_rows", std::make_shared<FixedLayout>(8)}));
    if (const std::byte* value = seen_rows_->find(0, {"", hash_})) {
      std::memcpy(&seen_, value, sizeof(seen_));
    }
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    if (seen_ >= end_) return Progress::kDone;
    const std::int64_t first = std::clamp<std::int64_t>(begin_ - seen_, 0, batch.num_rows());
    const std::int64_t last = std::min(end_ - seen_, batch.num_rows());
    seen_ += last;
    TG_ASSIGN_OR_RETURN(std::byte * value, seen_rows_->find_or_create(0, {"", hash_}));
    std::memcpy(value, &seen_, sizeof(seen_));
    if (first < last) out.emit(batch.slice(first, last - first));
    return Progress::kDone;
  }

 private:
  const std::int64_t begin_;
  const std::int64_t end_;
  std::uint64_t hash_ = 0;
  StateTable* seen_rows_ = nullptr;
  std::int64_t seen_ = 0;  ///< rows so far, up to end_
};

}  // namespace

std::unique_ptr<Operator> make_limit(std::int64_t offset, std::int64_t count) {
  return std::make_unique<Limit>(std::max<std::int64_t>(0, offset),
                                 std::max<std::int64_t>(0, count));
}

Result<std::unique_ptr<Operator>> make_changelog_limit(std::vector<LogicalType> types,
                                                       std::int64_t offset, std::int64_t count) {
  if (count <= 0) return make_limit(0, 0);
  offset = std::max<std::int64_t>(0, offset);
  return make_rank({.types = std::move(types),
                    .rank_start = add_saturating(offset, 1),
                    .rank_end = add_saturating(offset, count),
                    .retracts = true});
}

}  // namespace tidegate
