// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "state/state_schema.h"
#include "state/state_table.h"
#include "tidegate/status.h"
#include "types/column.h"
#include "types/key_group.h"
#include "types/logical_type.h"

namespace tidegate {

/// How rows of one schema become those of another one: what restoring a changed program does.
class RowMigration {
 public:
  /// kStateMismatch names what cannot be kept.
  static Result<RowMigration> plan(const StateTableSpec& spec, const StateSchema& old,
                                   const StateSchema& now, bool may_drop);

  /// Deltas of the old schema, oldest first, as deltas of the new one with the rows of `own`.
  Result<std::vector<std::string>> migrate(std::span<const std::string> deltas,
                                           KeyGroupRange own) const;

 private:
  Result<std::string> with_new_values(const std::string& delta) const;
  Result<std::string> with_new_keys(std::span<const std::string> deltas, KeyGroupRange own) const;
  Status append_value(std::int64_t name_space, std::string_view value, std::string& out) const;

  std::string name_;
  std::string schema_;  // the new one
  bool is_stamped_ = false;
  ValueMigration values_;  // null: they stay
  std::vector<LogicalType> old_keys_;
  std::vector<LogicalType> new_keys_;  // empty: keys stay
};

/// True when every value of `from` is one of `to`: wider numbers, longer texts, and nullable.
bool is_widening(const LogicalType& from, const LogicalType& to);

/// The values of a column of a type that is_widening() to another one, as such.
Result<ArrayPtr> widen_column(const ArrayPtr& column, const LogicalType& from,
                              const LogicalType& to);

}  // namespace tidegate
