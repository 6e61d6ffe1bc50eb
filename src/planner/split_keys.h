// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "plan/source.h"
#include "planner/lowering.h"

namespace tidegate {

/// Columns of some input as those of the source from which its rows come, one by one and unchanged;
/// -1: computed on the way.
struct SourceColumns {
  const plan::SourceNode* source = nullptr;
  std::vector<int> columns;
};

/// None when rows of several sources, or of others than the source's, come along.
std::optional<SourceColumns> source_columns(const plan::Input& input, std::vector<int> columns);

/// True when rows of the source with equal `columns` are in one split.
bool tells_splits_apart(const std::vector<int>& columns, const Source& source);

/// Each split has a task of its own (library mode): an exchange by a key that has one split is
/// Exchange::kForward, with its key.
bool keeps_splits(const LoweringOptions& options);
inline constexpr const char* kKeepsSplits = "library.keeps-partitions";

}  // namespace tidegate
