// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "tidegate/row_kind.h"
#include "types/logical_type.h"

namespace tidegate {

// Changelogs as rows with a column that says what they do, and back.

/// "INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"; kUnknownName for others.
Result<RowKind> row_kind_of_name(std::string_view name);

/// TO_CHANGELOG. Output columns: the code (STRING), then those of the input; every row is +I.
struct ToChangelogOptions {
  /// The code of each row kind, by RowKind; rows of a kind without one are left out.
  std::array<std::optional<std::string>, 4> codes = {"INSERT", "UPDATE_BEFORE", "UPDATE_AFTER",
                                                     "DELETE"};
  /// produces_full_deletes => false: these columns of the input (all but the key) are null in rows
  /// that were -D.
  std::vector<int> columns_null_in_deletes = {};
};

/// The codes of op_mapping => MAP['INSERT, UPDATE_AFTER', 'false', ...]: names of kinds (several
/// separated by commas) to codes.
Result<std::array<std::optional<std::string>, 4>> to_changelog_codes(
    const std::vector<std::pair<std::string, std::string>>& op_mapping);

std::unique_ptr<Operator> make_to_changelog(ToChangelogOptions options);

/// FROM_CHANGELOG over an insert-only table. Output columns: those of the input without the code.
struct FromChangelogOptions {
  int op_column = 0;  ///< STRING
  std::vector<std::pair<std::string, RowKind>> codes = {
      {"INSERT", RowKind::kInsert},
      {"UPDATE_BEFORE", RowKind::kUpdateBefore},
      {"UPDATE_AFTER", RowKind::kUpdateAfter},
      {"DELETE", RowKind::kDelete},
  };
  /// A row whose code is null or none of these: fails the job, or (error_handling => 'SKIP') is
  /// left out and counted as rows_unknown_op.
  bool skip_unknown = false;
};

/// The codes of op_mapping => MAP['c, r', 'INSERT', ...]: codes (several separated by commas) to
/// the name of a kind.
Result<std::vector<std::pair<std::string, RowKind>>> from_changelog_codes(
    const std::vector<std::pair<std::string, std::string>>& op_mapping);

std::unique_ptr<Operator> make_from_changelog(FromChangelogOptions options);

/// Leaves out -U, for readers that know the key.
std::unique_ptr<Operator> make_drop_update_before();

/// Time does not matter to them.
inline constexpr TimeGrain kChangelogRowsTimeGrain{0, 0};

}  // namespace tidegate
