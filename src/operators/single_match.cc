// SPDX-License-Identifier: Apache-2.0
#include "operators/single_match.h"

#include <span>
#include <utility>

#include "base/check.h"
#include "operators/probed_rows.h"

namespace tidegate {

Result<Batch> where_matched(Batch joined, const std::vector<bool>& matched, int left_columns,
                            bool outer, const JoinCondition& condition) {
  if (!condition) return joined;
  // The condition is asked about pairs only.
  std::vector<std::int32_t> pairs;
  for (std::size_t row = 0; row < matched.size(); ++row) {
    if (matched[row]) pairs.push_back(static_cast<std::int32_t>(row));
  }
  if (pairs.empty()) return joined;
  const bool all = std::ssize(pairs) == joined.num_rows();
  TG_ASSIGN_OR_RETURN(const Batch asked, all ? Result<Batch>(joined) : joined.take(pairs));
  std::vector<std::int32_t> holds;
  TG_RETURN_IF_ERROR(condition(asked, holds));
  if (std::ssize(holds) == asked.num_rows()) return joined;
  if (!outer) return asked.take(holds);

  std::vector<std::int32_t> from(matched.size(), -1);
  for (const std::int32_t i : holds) {
    const std::int32_t row = pairs[static_cast<std::size_t>(i)];
    from[static_cast<std::size_t>(row)] = row;
  }
  std::vector<ArrayPtr> columns = joined.columns();
  const auto right = std::span(columns).subspan(static_cast<std::size_t>(left_columns));
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> kept, take_or_null(right, from));
  std::move(kept.begin(), kept.end(), right.begin());
  return joined.with_columns(std::move(columns));
}

}  // namespace tidegate
