// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "expr/aggregate.h"
#include "plan/node.h"
#include "tidegate/windows.h"

namespace tidegate::plan {

/// An aggregate function over columns of the input.
struct AggregateCall {
  std::string text;  ///< for people: "COUNT(*)"
  /// Of the program's own. Null: `function` by name, which is bound once it is known whether rows
  /// are taken back.
  std::shared_ptr<const Aggregator> aggregator;
  std::vector<int> arguments;
  std::string result_name;
  LogicalType result_type;
  bool can_merge = true;      ///< partial results can be combined (sessions, partial aggregation)
  bool flatten = false;       ///< the fields of a ROW result are columns of their own
  std::string function = {};  ///< upper case: "COUNT"
  bool distinct = false;
  int filter = -1;  ///< BOOLEAN column: only rows where it is true count
};

/// What aggregating nodes share: keys, calls and the columns that they read.
class KeyedNode : public Node {
 public:
  KeyedNode(Input input, std::vector<int> keys, std::vector<AggregateCall> calls)
      : Node({std::move(input)}), keys(std::move(keys)), calls(std::move(calls)) {}
  void mark_columns_read(int input, std::vector<bool>& used) const override;
  void remap_columns(int input, const std::vector<int>& new_index) override;

  std::vector<int> keys;
  std::vector<AggregateCall> calls;

 protected:
  std::string keyed_details() const;
  /// Keys without calls: those are columns of the state, which may be added.
  std::string keyed_identity() const;
};

/// Aggregates per key and window. Output: keys, window_start and window_end (for windows of time),
/// results. Side output 0, when asked for: late rows, whole.
class WindowAggregateNode final : public KeyedNode {
 public:
  WindowAggregateNode(Input input, std::vector<int> keys, std::vector<AggregateCall> calls,
                      Window window, Grace grace, Emit emit, bool late_output);
  std::string_view kind() const override { return "WindowAggregate"; }
  std::string details() const override;
  std::string identity() const override;
  void mark_columns_read(int input, std::vector<bool>& used) const override;

  Window window;
  Grace grace;
  Emit emit;
  bool late_output;
  /// Set by the planner for an output mode, with on epoch: windows never close, and each epoch ends
  /// with all results.
  bool keeps_all = false;
};

/// Aggregates per key without a window; emits the new value with every row. Output: keys, results.
class AggregateNode final : public KeyedNode {
 public:
  AggregateNode(Input input, std::vector<int> keys, std::vector<AggregateCall> calls);
  std::string_view kind() const override { return "Aggregate"; }
  std::string details() const override { return keyed_details(); }
  std::string identity() const override { return keyed_identity(); }

  /// The typed API's: every new value is an insert. Else the changelog says what it replaces.
  bool append = true;
  /// Set by the planner where nobody needs a -U in front of a +U.
  bool tells_before = true;
  /// SQL without GROUP BY: one row also for no input, at the end of a bounded one.
  bool emit_empty = false;
  /// How long a key without rows is remembered; 0: the job's setting.
  std::int64_t ttl_ms = 0;
  /// Set by the planner for an output mode: the results that an epoch has changed, or all of them,
  /// as inserts at its end, in place of each change.
  enum class PerEpoch : std::uint8_t { kNothing, kChanged, kAll };
  PerEpoch per_epoch = PerEpoch::kNothing;
};

/// "TUMBLE(5 min)".
std::string window_text(const Window& window);

}  // namespace tidegate::plan
