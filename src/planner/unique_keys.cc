// SPDX-License-Identifier: Apache-2.0
#include "planner/unique_keys.h"

#include <algorithm>
#include <numeric>

#include "plan/aggregate.h"
#include "plan/changelog.h"
#include "plan/drop_late.h"
#include "plan/join.h"
#include "plan/native.h"
#include "plan/predict.h"
#include "plan/relational.h"
#include "plan/source.h"
#include "plan/time_join.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "plan/window_group.h"
#include "planner/join_condition.h"
#include "planner/node_table.h"

namespace tidegate {
namespace {

using Keys = std::vector<ColumnSet>;

/// Joins multiply keys; more than a few help nobody.
constexpr std::size_t kMostKeys = 8;

ColumnSet sorted(ColumnSet columns) {
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

void add_key(Keys& keys, ColumnSet key) {
  key = sorted(std::move(key));
  if (keys.size() < kMostKeys && std::find(keys.begin(), keys.end(), key) == keys.end()) {
    keys.push_back(std::move(key));
  }
}

/// The keys that still hold behind an exchange by `columns`. Where the columns of a row's key do
/// not say to which task it goes, the changes of one key can come from two tasks in any order.
Keys keys_behind_exchange(const StreamFacts& input, ColumnSet columns) {
  if (!input.retracts) return input.keys;
  columns = sorted(std::move(columns));
  Keys keys;
  for (const ColumnSet& key : input.keys) {
    if (std::includes(key.begin(), key.end(), columns.begin(), columns.end())) {
      keys.push_back(key);
    }
  }
  return keys;
}

ColumnSet first_columns(std::size_t count) {
  ColumnSet columns(count);
  std::iota(columns.begin(), columns.end(), 0);
  return columns;
}

Keys source(const plan::SourceNode& node, InputFacts) {
  const std::vector<int>& key = node.schema->primary_key;
  // A computed column of the key is not there yet.
  if (key.empty() || std::count(key.begin(), key.end(), -1) > 0) return {};
  return {sorted(node.schema->primary_key)};
}

/// The column that a value tells apart: itself, or in a wider type; -1: none.
int told_column(const Expr& value, const Schema& input) {
  if (value.kind() == Expr::Kind::kColumn) return value.column();
  if (value.kind() != Expr::Kind::kCast || value.args()[0]->kind() != Expr::Kind::kColumn) {
    return -1;
  }
  const int column = value.args()[0]->column();
  const LogicalType& from = input.field(column).type;
  const LogicalType& to = value.type();
  const bool wider_integer = from.is_integer() && to.is_integer() && to.kind() >= from.kind();
  const bool longer_text =
      from.is_character() && to.kind() == TypeKind::kVarchar && to.length() >= from.length();
  return wider_integer || longer_text ? column : -1;
}

Keys project(const plan::ProjectNode& node, InputFacts inputs) {
  Keys keys;
  for (const ColumnSet& key : inputs[0]->keys) {
    ColumnSet moved;
    for (int column : key) {
      for (std::size_t i = 0; i < node.columns.size(); ++i) {
        if (told_column(*node.columns[i], *node.inputs[0].schema()) == column) {
          moved.push_back(static_cast<int>(i));
          break;
        }
      }
    }
    if (moved.size() == key.size()) add_key(keys, std::move(moved));
  }
  return keys;
}

Keys aggregate(const plan::AggregateNode& node, InputFacts) {
  if (node.append) return {};
  return {first_columns(node.keys.size())};
}

Keys window_group(const plan::WindowGroupNode& node, InputFacts) {
  return {first_columns(node.keys.size() + 2)};
}

Keys rank_keys(const std::vector<int>& partition, bool single, int number_column,
               const StreamFacts& input) {
  Keys keys;
  if (single) add_key(keys, partition);
  if (number_column >= 0) {
    ColumnSet numbered = partition;
    numbered.push_back(number_column);
    add_key(keys, std::move(numbered));
  }
  for (const ColumnSet& key : keys_behind_exchange(input, partition)) add_key(keys, key);
  return keys;
}

Keys rank(const plan::RankNode& node, InputFacts inputs) {
  const int number = node.with_number ? node.schema->num_fields() - 1 : -1;
  return rank_keys(node.keys, node.range.start == node.range.end, number, *inputs[0]);
}

Keys window_rank(const plan::WindowRankNode& node, InputFacts inputs) {
  ColumnSet partition = node.keys;
  partition.push_back(node.window_start);
  partition.push_back(node.window_end);
  const int number = node.with_number ? node.schema->num_fields() - 1 : -1;
  return rank_keys(partition, node.range.start == node.range.end, number, *inputs[0]);
}

Keys deduplicate(const plan::DeduplicateNode& node, InputFacts inputs) {
  return rank_keys(node.keys, true, -1, *inputs[0]);
}

Keys over(const plan::OverNode& node, InputFacts inputs) {
  Keys keys = keys_behind_exchange(*inputs[0], node.partition);
  for (std::size_t i = 0; i < node.calls.size(); ++i) {
    if (node.calls[i].call.function != "ROW_NUMBER") continue;
    ColumnSet key = node.partition;
    key.push_back(node.inputs[0].schema()->num_fields() + static_cast<int>(i));
    add_key(keys, std::move(key));
  }
  return keys;
}

/// Keys of a join of two inputs by these columns.
Keys join_keys(plan::JoinType type, const ColumnSet& left_columns, const ColumnSet& right_columns,
               InputFacts inputs, int left_width) {
  using plan::JoinType;
  const Keys left_keys = keys_behind_exchange(*inputs[0], left_columns);
  const Keys right_keys = keys_behind_exchange(*inputs[1], right_columns);
  if (type == JoinType::kSemi || type == JoinType::kAnti) return left_keys;
  const auto shift = [&](ColumnSet key) {
    for (int& column : key) column += left_width;
    return key;
  };
  Keys keys;
  // At most one row of the other side per row: its own keys stay keys, unless rows of the other
  // side come out with nulls in them.
  if (has_key_within(right_keys, right_columns) &&
      (type == JoinType::kInner || type == JoinType::kLeft)) {
    for (const ColumnSet& key : left_keys) add_key(keys, key);
  }
  if (has_key_within(left_keys, left_columns) &&
      (type == JoinType::kInner || type == JoinType::kRight)) {
    for (const ColumnSet& key : right_keys) add_key(keys, shift(key));
  }
  for (const ColumnSet& left : left_keys) {
    for (const ColumnSet& right : right_keys) {
      ColumnSet both = left;
      const ColumnSet moved = shift(right);
      both.insert(both.end(), moved.begin(), moved.end());
      add_key(keys, std::move(both));
    }
  }
  return keys;
}

Keys keys_of_join(const plan::Node& node, plan::JoinType type, const ExprPtr& condition,
                  InputFacts inputs, ColumnSet left = {}, ColumnSet right = {}) {
  const Schema& left_schema = *node.inputs[0].schema();
  const SplitCondition split = split_condition(condition, left_schema, *node.inputs[1].schema());
  for (std::size_t i = 0; i < split.left_keys.size(); ++i) {
    if (split.null_safe[i]) continue;
    left.push_back(split.left_keys[i]);
    right.push_back(split.right_keys[i]);
  }
  return join_keys(type, sorted(left), sorted(right), inputs, left_schema.num_fields());
}

Keys join(const plan::JoinNode& node, InputFacts inputs) {
  return keys_of_join(node, node.type, node.condition, inputs);
}
Keys interval_join(const plan::IntervalJoinNode& node, InputFacts inputs) {
  return keys_of_join(node, node.type, node.condition, inputs);
}
Keys window_join(const plan::WindowJoinNode& node, InputFacts inputs) {
  return keys_of_join(node, node.type, node.condition, inputs,
                      {node.left_window.start, node.left_window.end},
                      {node.right_window.start, node.right_window.end});
}
Keys temporal_join(const plan::TemporalJoinNode& node, InputFacts inputs) {
  return keys_of_join(node, plan::JoinType::kSemi, node.condition, inputs);
}

Keys set_operation(const plan::SetOperationNode& node, InputFacts) {
  if (node.all) return {};
  return {first_columns(static_cast<std::size_t>(node.schema->num_fields()))};
}

Keys unnest(const plan::UnnestNode& node, InputFacts inputs) {
  if (!node.ordinality) return {};
  Keys keys;
  for (ColumnSet key : inputs[0]->keys) {
    key.push_back(node.schema->num_fields() - 1);
    add_key(keys, std::move(key));
  }
  return keys;
}

Keys expand(const plan::ExpandNode&, InputFacts) { return {}; }
Keys merge(const plan::MergeNode& node, InputFacts inputs) {
  return node.inputs.size() == 1 ? inputs[0]->keys : Keys{};
}

/// The typed API says what the key of its changes is.
Keys from_changelog(const plan::FromChangelogNode& node, InputFacts) {
  if (node.schema->primary_key.empty()) return {};
  return {node.schema->primary_key};
}

Keys window_function(const plan::WindowFunctionNode& node, InputFacts inputs) {
  if (node.window.kind == Window::Kind::kTumbling || node.window.kind == Window::Kind::kSession) {
    return inputs[0]->keys;
  }
  Keys keys;
  const int start = node.inputs[0].schema()->num_fields();
  for (ColumnSet key : inputs[0]->keys) {
    key.push_back(start);
    key.push_back(start + 1);
    add_key(keys, std::move(key));
  }
  return keys;
}

template <typename N>
Keys same(const N&, InputFacts inputs) {
  return inputs[0]->keys;
}

const NodeTable<Keys, InputFacts>& table() {
  static const auto* const made = [] {
    auto* table = new NodeTable<Keys, InputFacts>;  // lives for the process
    table->on<plan::SourceNode>(source);
    table->on<plan::ProjectNode>(project);
    table->on<plan::FilterNode>(same<plan::FilterNode>);
    table->on<plan::SortNode>(same<plan::SortNode>);
    table->on<plan::DropLateNode>(same<plan::DropLateNode>);
    table->on<plan::PredictNode>(same<plan::PredictNode>);
    table->on<plan::AggregateNode>(aggregate);
    table->on<plan::WindowGroupNode>(window_group);
    table->on<plan::RankNode>(rank);
    table->on<plan::WindowRankNode>(window_rank);
    table->on<plan::DeduplicateNode>(deduplicate);
    table->on<plan::OverNode>(over);
    table->on<plan::JoinNode>(join);
    table->on<plan::IntervalJoinNode>(interval_join);
    table->on<plan::WindowJoinNode>(window_join);
    table->on<plan::TemporalJoinNode>(temporal_join);
    table->on<plan::SetOperationNode>(set_operation);
    table->on<plan::UnnestNode>(unnest);
    table->on<plan::ExpandNode>(expand);
    table->on<plan::MergeNode>(merge);
    table->on<plan::FromChangelogNode>(from_changelog);
    table->on<plan::WindowFunctionNode>(window_function);
    return table;
  }();
  return *made;
}

}  // namespace

std::vector<ColumnSet> unique_keys_of(const plan::Node& node, InputFacts inputs) {
  return table().has(node) ? table()(node, inputs) : Keys{};
}

ColumnSet smallest_key(const std::vector<ColumnSet>& keys) {
  ColumnSet best;
  for (const ColumnSet& key : keys) {
    if (best.empty() || (key.size() < best.size() && !key.empty())) best = key;
  }
  return best;
}

bool has_key_within(const std::vector<ColumnSet>& keys, const ColumnSet& columns) {
  return std::any_of(keys.begin(), keys.end(), [&](const ColumnSet& key) {
    return std::includes(columns.begin(), columns.end(), key.begin(), key.end());
  });
}

}  // namespace tidegate
