// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"

namespace tidegate {

/// A column of state, by name and type (LogicalType::to_string()).
struct StateColumn {
  std::string name;
  std::string type;
  /// What it was made from, where the type does not say it all: "SUM(INT) as ..." of an
  /// accumulator.
  std::string origin = {};
  friend bool operator==(const StateColumn&, const StateColumn&) = default;
};

/// What the rows of a state table are. Its text is stored with every delta, so that whoever reads
/// it knows what it is, and a changed program migrates it or refuses it by name.
struct StateSchema {
  std::string layout;  ///< how values are laid out, with a version: ValueLayout::fingerprint()
  std::vector<StateColumn> keys;     ///< by which rows come to the operator; none: not by key
  std::vector<StateColumn> columns;  ///< of the values; none: bytes of whoever wrote them

  /// "rows/1 stored; keys `k` `INT` ``; columns `v` `BIGINT` ``"; a layout alone is just that.
  std::string to_string() const;
  /// kStateVersion for a text of no known form.
  static Result<StateSchema> parse(std::string_view text);
};

/// What the runtime tells an operator's state of the program.
struct StateContext {
  std::vector<StateColumn> keys;
  std::vector<std::vector<StateColumn>> inputs;  ///< their columns
  /// The user said that state which the program does not have may go.
  bool may_drop = false;
};

/// Appends to `out` what a value of the old schema is in the new one.
using ValueMigration =
    std::function<Status(std::int64_t name_space, std::string_view value, std::string& out)>;

/// Which of `old` each of `columns` is: by name (the n-th of a name is the n-th of it), -1 for new
/// ones.
std::vector<int> match_columns(const std::vector<StateColumn>& old,
                               const std::vector<StateColumn>& columns);

/// Names a column that the program does not have any more, for a refusal; empty: none.
std::string dropped_columns(const std::vector<StateColumn>& old,
                            const std::vector<StateColumn>& columns);

/// "nothing", or what is different, for people: "v INT is BIGINT, w BIGINT is new".
std::string describe_change(const StateSchema& old, const StateSchema& now);

}  // namespace tidegate
