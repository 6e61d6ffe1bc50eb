// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "types/schema.h"

namespace tidegate {

/// Makes rows keep what the columns of a sink promise, as Flink's ConstraintEnforcer.
///
/// Columns stay as they are, but for texts and bytes that are cut or padded. An error names the
/// column ("a.ab.aba" in nested rows), the value's fault and the option that changes the policy.
struct ConstraintCheckOptions {
  /// table.exec.sink.not-null-enforcer
  enum class NotNull : std::uint8_t {
    kError,  ///< a null in a NOT NULL column fails the job
    kDrop,   ///< drops the row (counter rows_dropped)
  };
  /// table.exec.sink.type-length-enforcer; characters of CHAR and VARCHAR, bytes of BINARY and
  /// VARBINARY.
  enum class Length : std::uint8_t {
    kIgnore,
    kTrimPad,  ///< too long: cut; CHAR and BINARY that are too short: blanks, zero bytes behind
    kError,    ///< fails the job
  };
  /// table.exec.sink.nested-constraint-enforcer
  enum class Nested : std::uint8_t {
    kIgnore,              ///< only the columns themselves
    kRows,                ///< also the fields of rows in rows
    kRowsAndCollections,  ///< and the elements of arrays, maps and multisets (not with kTrimPad)
  };

  SchemaPtr schema;  ///< of the sink; the input has its columns
  NotNull not_null = NotNull::kError;
  Length length = Length::kIgnore;
  Nested nested = Nested::kIgnore;
};

/// False when no column can break a constraint: the operator would do nothing.
bool needs_constraint_check(const ConstraintCheckOptions& options);

Result<std::unique_ptr<Operator>> make_constraint_check(ConstraintCheckOptions options);

/// Time does not matter to it.
inline constexpr TimeGrain kConstraintCheckTimeGrain{0, 0};

}  // namespace tidegate
