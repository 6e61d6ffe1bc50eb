// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "plan/node.h"
#include "planner/lowering.h"
#include "tidegate/windows.h"

namespace tidegate {

/// Columns, rising.
using ColumnSet = std::vector<int>;

/// The columns that say in which window a row is; -1: not there (any more).
struct WindowColumns {
  int start = -1;
  int end = -1;
  int time = -1;
  bool by_processing_time = false;
  /// Type of window_time, also where that column is gone.
  LogicalType time_type = LogicalType::timestamp(3, false);

  bool has_bounds() const { return start >= 0 && end >= 0; }
};

/// What the planner knows of the rows of an output. Each part is inferred in a file of its own:
/// changelog.h, unique_keys.h, time_properties.h.
struct StreamFacts {
  /// Rows may be taken back: the stream is a changelog of +I, -U, +U, -D. Else all rows are +I.
  bool retracts = false;
  /// With `retracts`: a -U stands in front of each +U.
  bool tells_before = true;
  /// All sources end. Known only once sources have been made, in lowering.
  bool bounded = false;
  /// Sets of columns that tell apart the rows that are there at the same time. An empty set: there
  /// is at most one row.
  std::vector<ColumnSet> keys;
  /// Those of `keys` that updates keep: each -U is followed by a +U with the same values there, so
  /// who knows rows by them needs no -U. A filter that lets only one of both pass breaks that, and
  /// so does a Top-1 of other columns, whose updates are of one row by another.
  std::vector<ColumnSet> kept_keys;
  /// What each column is to time; kRowtime only where watermarks really are about it.
  std::vector<TimeAttribute> times;
  WindowColumns windows;
};

using InputFacts = std::span<const StreamFacts* const>;

/// Infers facts and remembers them.
class PlanFacts {
 public:
  explicit PlanFacts(const LoweringOptions& options) : options_(options) {}

  const StreamFacts& of(const plan::Input& input);
  /// The node must stay.
  const StreamFacts& of(const plan::Node& node);
  const LoweringOptions& options() const { return options_; }
  /// Says that a source ends by itself. Before anything that reads it is asked for.
  void set_bounded(const plan::Node& source) { bounded_.insert(&source); }

 private:
  const LoweringOptions& options_;
  std::unordered_set<const plan::Node*> bounded_;
  std::unordered_map<const plan::Node*, std::unique_ptr<StreamFacts>> facts_;
  std::vector<plan::NodePtr> kept_;  // so that no new node gets the address of an old one
  const StreamFacts none_ = {};
};

}  // namespace tidegate
