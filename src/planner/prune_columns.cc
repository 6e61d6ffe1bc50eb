// SPDX-License-Identifier: Apache-2.0
//
// From the sinks down it is marked what is read; from the sources up each node then drops what
// nobody reads, and names columns by their new places.
#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

#include "expr/columns_of.h"
#include "plan/aggregate.h"
#include "plan/drop_late.h"
#include "plan/join.h"
#include "plan/native.h"
#include "plan/predict.h"
#include "plan/source.h"
#include "plan/time_join.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "plan/window_group.h"
#include "planner/changelog.h"
#include "planner/column_places.h"
#include "planner/node_table.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

using namespace column_places;  // what this file is about

/// A pass over one plan.
class Pruner {
 public:
  Pruner(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options)
      : options_(options), order_(plan::topological_order(roots)) {}

  void run() {
    for (plan::Node* node : order_) {
      used_[node].assign(
          static_cast<std::size_t>(node->schema == nullptr ? 0 : node->schema->num_fields()),
          false);
    }
    for (auto node = order_.rbegin(); node != order_.rend(); ++node) mark_inputs(**node);
    for (plan::Node* node : order_) places_[node] = rebuild(*node);
  }

 private:
  /// Where the columns that pass through a node come from: of input 0 in front, of a join's second
  /// input behind.
  static bool passes_columns(const plan::Node& node) {
    static const auto* const kinds = [] {
      auto* made = new NodeTable<bool>;  // lives for the process
      const auto add = [&]<typename N>(N*) { made->on<N>(+[](const N&) { return true; }); };
      add(static_cast<plan::FilterNode*>(nullptr));
      add(static_cast<plan::SortNode*>(nullptr));
      add(static_cast<plan::UnnestNode*>(nullptr));
      add(static_cast<plan::ExpandNode*>(nullptr));
      add(static_cast<plan::PredictNode*>(nullptr));
      add(static_cast<plan::WindowFunctionNode*>(nullptr));
      add(static_cast<plan::OverNode*>(nullptr));
      add(static_cast<plan::RankNode*>(nullptr));
      add(static_cast<plan::WindowRankNode*>(nullptr));
      add(static_cast<plan::DeduplicateNode*>(nullptr));
      add(static_cast<plan::DropLateNode*>(nullptr));
      add(static_cast<plan::JoinNode*>(nullptr));
      add(static_cast<plan::TemporalJoinNode*>(nullptr));
      add(static_cast<plan::IntervalJoinNode*>(nullptr));
      add(static_cast<plan::WindowJoinNode*>(nullptr));
      return made;
    }();
    return kinds->has(node);
  }

  void mark_inputs(const plan::Node& node) {
    Used& out = used_[&node];
    const bool merges = dynamic_cast<const plan::MergeNode*>(&node) != nullptr;
    // Inputs are made alike by projections, which plans of the typed API get along without.
    if (merges && options_.functions == nullptr) out.assign(out.size(), true);
    std::vector<Used> in;
    for (const plan::Input& input : node.inputs) {
      in.emplace_back(static_cast<std::size_t>(input.schema()->num_fields()), false);
    }
    if (passes_columns(node)) {
      pass_marks(out, in);
      mark_own(node, in);
    } else if (const auto* project = dynamic_cast<const plan::ProjectNode*>(&node)) {
      for (int i : kept_columns(*project)) {
        mark_columns(project->columns[static_cast<std::size_t>(i)], in[0]);
      }
    } else if (merges) {
      for (Used& each : in) each = out;
    } else if (const auto* keyed = dynamic_cast<const plan::KeyedNode*>(&node)) {
      mark_keyed(*keyed, in[0]);
    } else if (dynamic_cast<const plan::SetOperationNode*>(&node) != nullptr) {
      for (Used& each : in) each.assign(each.size(), true);
    } else {
      for (std::size_t i = 0; i < in.size(); ++i) {
        node.mark_columns_read(static_cast<int>(i), in[i]);
      }
    }
    for (std::size_t i = 0; i < in.size(); ++i) {
      const plan::Input& input = node.inputs[i];
      // Side outputs are whole rows.
      if (input.side >= 0) continue;
      Used& of_input = used_[input.node.get()];
      for (std::size_t c = 0; c < in[i].size(); ++c) of_input[c] = of_input[c] || in[i][c];
    }
    read_[&node] = std::move(in);
  }

  static void pass_marks(const Used& out, std::vector<Used>& in) {
    std::size_t begin = 0;
    for (Used& each : in) {
      for (std::size_t i = 0; i < each.size() && begin + i < out.size(); ++i) {
        each[i] = out[begin + i];
      }
      begin += each.size();
    }
  }

  static void mark_condition(const ExprPtr& condition, std::vector<Used>& in) {
    if (condition == nullptr) return;
    Used both(in[0].size() + in[1].size(), false);
    mark_columns(condition, both);
    for (std::size_t i = 0; i < both.size(); ++i) {
      if (!both[i]) continue;
      (i < in[0].size() ? in[0][i] : in[1][i - in[0].size()]) = true;
    }
  }

  /// What a node that passes columns on reads itself.
  void mark_own(const plan::Node& node, std::vector<Used>& in) {
    if (const auto* filter = dynamic_cast<const plan::FilterNode*>(&node)) {
      mark_columns(filter->condition, in[0]);
    } else if (const auto* sort = dynamic_cast<const plan::SortNode*>(&node)) {
      mark_order(sort->keys, in[0]);
    } else if (const auto* unnest = dynamic_cast<const plan::UnnestNode*>(&node)) {
      mark(unnest->column, in[0]);
    } else if (const auto* expand = dynamic_cast<const plan::ExpandNode*>(&node)) {
      mark(expand->keys, in[0]);
    } else if (const auto* predict = dynamic_cast<const plan::PredictNode*>(&node)) {
      mark(predict->columns, in[0]);
    } else if (const auto* window = dynamic_cast<const plan::WindowFunctionNode*>(&node)) {
      mark(window->time_column, in[0]);
      mark(window->gap_column, in[0]);
      mark(window->partition, in[0]);
    } else if (const auto* over = dynamic_cast<const plan::OverNode*>(&node)) {
      mark_over(*over, in[0]);
    } else if (const auto* rank = dynamic_cast<const plan::RankNode*>(&node)) {
      mark(rank->keys, in[0]);
      mark_order(rank->order, in[0]);
    } else if (const auto* rank = dynamic_cast<const plan::WindowRankNode*>(&node)) {
      mark(rank->keys, in[0]);
      mark(rank->window_start, in[0]);
      mark(rank->window_end, in[0]);
      mark_order(rank->order, in[0]);
    } else if (const auto* first = dynamic_cast<const plan::DeduplicateNode*>(&node)) {
      mark(first->keys, in[0]);
      mark(first->time_column, in[0]);
      mark(first->late_column, in[0]);
    } else if (const auto* late = dynamic_cast<const plan::DropLateNode*>(&node)) {
      mark(late->time_column, in[0]);
    } else {
      mark_join(node, in);
    }
  }

  void mark_join(const plan::Node& node, std::vector<Used>& in) {
    if (const auto* join = dynamic_cast<const plan::JoinNode*>(&node)) {
      mark_condition(join->condition, in);
    } else if (const auto* join = dynamic_cast<const plan::TemporalJoinNode*>(&node)) {
      mark_condition(join->condition, in);
      mark(join->time_column, in[0]);
      // Its versions' time and key are not named in it.
      const Schema& right = *join->inputs[1].schema();
      for (int i = 0; i < right.num_fields(); ++i) {
        if (right.field(i).time == TimeAttribute::kRowtime) mark(i, in[1]);
      }
      mark(right.primary_key, in[1]);
    } else if (const auto* join = dynamic_cast<const plan::IntervalJoinNode*>(&node)) {
      mark_condition(join->condition, in);
      mark(join->bounds.left_time, in[0]);
      mark(join->bounds.right_time, in[1]);
    } else if (const auto* join = dynamic_cast<const plan::WindowJoinNode*>(&node)) {
      mark_condition(join->condition, in);
      for (int column : {join->left_window.start, join->left_window.end}) mark(column, in[0]);
      for (int column : {join->right_window.start, join->right_window.end}) mark(column, in[1]);
    }
  }

  static void mark_call(const plan::AggregateCall& call, Used& used) {
    mark(call.arguments, used);
    mark(call.filter, used);
  }

  void mark_over(const plan::OverNode& over, Used& used) {
    mark(over.partition, used);
    mark_order(over.order, used);
    for (std::size_t i :
         kept_calls(over.calls.size(), used_[&over],
                    static_cast<std::size_t>(over.inputs[0].schema()->num_fields()))) {
      mark_call(over.calls[i].call, used);
    }
  }

  /// The calls whose results are read, which stand from `first` on; one at least.
  static std::vector<std::size_t> kept_calls(std::size_t count, const Used& out,
                                             std::size_t first) {
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < count; ++i) {
      if (out[first + i]) kept.push_back(i);
    }
    if (kept.empty() && count > 0) kept.push_back(0);
    return kept;
  }

  /// Where the results of an aggregate of SQL begin; -1 for others, which stay whole.
  static int first_result(const plan::KeyedNode& node) {
    if (const auto* aggregate = dynamic_cast<const plan::AggregateNode*>(&node)) {
      return aggregate->append ? -1 : static_cast<int>(node.keys.size());
    }
    if (dynamic_cast<const plan::WindowGroupNode*>(&node) != nullptr) {
      return static_cast<int>(node.keys.size()) + 3;
    }
    return -1;
  }

  void mark_keyed(const plan::KeyedNode& node, Used& used) {
    const int first = first_result(node);
    if (first < 0) {
      node.mark_columns_read(0, used);
      return;
    }
    mark(node.keys, used);
    if (const auto* group = dynamic_cast<const plan::WindowGroupNode*>(&node)) {
      for (int column : {group->windows.time_column, group->windows.gap_column,
                         group->windows.start_column, group->windows.end_column}) {
        mark(column, used);
      }
    }
    for (std::size_t i :
         kept_calls(node.calls.size(), used_[&node], static_cast<std::size_t>(first))) {
      mark_call(node.calls[i], used);
    }
  }

  std::vector<int> kept_columns(const plan::ProjectNode& project) {
    std::vector<int> kept = kept_of(used_[&project]);
    // A row without columns could not be counted.
    if (kept.empty()) kept.push_back(0);
    return kept;
  }

  Places places_of_input(const plan::Input& input) const {
    if (input.side >= 0) return identity(input.schema()->num_fields());
    return places_.at(input.node.get());
  }

  /// Drops columns that `node` does not read from what it keeps in state.
  void narrow_input(plan::Node& node, std::size_t i, Places& places) {
    plan::Input& input = node.inputs[i];
    const Used& read = read_[&node][i];
    std::vector<int> kept;
    Places narrower(places.size(), -1);
    for (std::size_t c = 0; c < places.size(); ++c) {
      if (places[c] < 0 || !read[c]) continue;
      narrower[c] = static_cast<int>(kept.size());
      kept.push_back(places[c]);
    }
    if (kept.empty() || static_cast<int>(kept.size()) == input.schema()->num_fields()) return;
    const SchemaPtr& schema = input.schema();
    SchemaPtr fewer =
        narrowed(*schema, places_of(kept, static_cast<std::size_t>(schema->num_fields())));
    input = {project_to(input, kept, std::move(fewer))};
    places = std::move(narrower);
  }

  Places rebuild(plan::Node& node) {
    std::vector<Places> in;
    for (const plan::Input& input : node.inputs) in.push_back(places_of_input(input));
    if (auto* source = dynamic_cast<plan::SourceNode*>(&node)) return rebuild_source(*source);
    if (auto* project = dynamic_cast<plan::ProjectNode*>(&node)) {
      return rebuild_project(*project, in[0]);
    }
    if (passes_columns(node)) return rebuild_passing(node, in);
    if (dynamic_cast<plan::MergeNode*>(&node) != nullptr) return rebuild_merge(node, in);
    if (auto* keyed = dynamic_cast<plan::KeyedNode*>(&node)) return rebuild_keyed(*keyed, in[0]);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const bool same =
          std::is_sorted(in[i].begin(), in[i].end()) && (in[i].empty() || in[i][0] == 0);
      if (!same) node.remap_columns(static_cast<int>(i), in[i]);
    }
    return identity(node.schema == nullptr ? 0 : node.schema->num_fields());
  }

  Places rebuild_source(plan::SourceNode& source) {
    const int width = source.schema->num_fields();
    // A source that is not a connector's returns all its columns; and the program's own function
    // of a row may look at any.
    if (source.instance != nullptr || options_.sources.contains(source.name) ||
        source.watermark.extract) {
      return identity(width);
    }
    Used used = used_[&source];
    mark(source.watermark.column, used);
    if (source.schema->rowtime) mark(*source.schema->rowtime, used);
    if (source.event_time != nullptr) mark_columns(source.event_time, used);
    if (source_upserts(source, options_)) {
      for (int column : source.schema->primary_key) mark(column, used);
    }
    std::vector<int> kept = kept_of(used);
    if (kept.empty()) kept.push_back(cheapest_column(*source.schema));
    if (static_cast<int>(kept.size()) == width) return identity(width);
    source.keep_columns(kept);
    return places_of(kept, used.size());
  }

  static int cheapest_column(const Schema& schema) {
    for (int i = 0; i < schema.num_fields(); ++i) {
      if (schema.field(i).type.is_numeric()) return i;
    }
    return 0;
  }

  Places rebuild_project(plan::ProjectNode& project, const Places& in) {
    const std::vector<int> kept = kept_columns(project);
    std::vector<ExprPtr> columns;
    for (int i : kept) {
      columns.push_back(remap_columns(project.columns[static_cast<std::size_t>(i)], in));
    }
    const Places places = places_of(kept, project.columns.size());
    if (kept.size() < project.columns.size()) {
      project.schema = narrowed(*project.schema, places);
    }
    project.columns = std::move(columns);
    return places;
  }

  Places rebuild_merge(plan::Node& merge, std::vector<Places>& in) {
    Used used = used_[&merge];
    if (kept_of(used).empty() && !used.empty()) used[0] = true;
    const std::vector<int> kept = kept_of(used);
    const Places places = places_of(kept, used.size());
    merge.schema = narrowed(*merge.schema, places);
    for (std::size_t i = 0; i < in.size(); ++i) {
      plan::Input& input = merge.inputs[i];
      std::vector<int> columns;
      bool same = static_cast<int>(kept.size()) == input.schema()->num_fields();
      for (std::size_t c = 0; c < kept.size(); ++c) {
        columns.push_back(in[i][static_cast<std::size_t>(kept[c])]);
        same = same && columns.back() == static_cast<int>(c);
      }
      if (!same) input = {project_to(input, columns, merge.schema)};
    }
    return places;
  }

  Places rebuild_keyed(plan::KeyedNode& node, const Places& in) {
    const int first = first_result(node);
    const bool same = std::is_sorted(in.begin(), in.end()) && (in.empty() || in[0] == 0);
    if (first < 0) {
      if (!same) node.remap_columns(0, in);
      return identity(node.schema->num_fields());
    }
    const std::vector<std::size_t> calls =
        kept_calls(node.calls.size(), used_[&node], static_cast<std::size_t>(first));
    std::vector<int> kept = identity(first);
    std::vector<plan::AggregateCall> kept_here;
    for (std::size_t i : calls) {
      kept.push_back(first + static_cast<int>(i));
      kept_here.push_back(std::move(node.calls[i]));
    }
    const Places places = places_of(kept, static_cast<std::size_t>(node.schema->num_fields()));
    node.schema = narrowed(*node.schema, places);
    node.calls = std::move(kept_here);
    node.remap_columns(0, in);
    return places;
  }

  /// The columns that pass through, then those that the node adds.
  Places rebuild_passing(plan::Node& node, std::vector<Places>& in) {
    const bool row_wise = dynamic_cast<plan::FilterNode*>(&node) != nullptr ||
                          dynamic_cast<plan::UnnestNode*>(&node) != nullptr ||
                          dynamic_cast<plan::ExpandNode*>(&node) != nullptr ||
                          dynamic_cast<plan::PredictNode*>(&node) != nullptr ||
                          dynamic_cast<plan::WindowFunctionNode*>(&node) != nullptr;
    for (std::size_t i = 0; i < in.size() && !row_wise; ++i) narrow_input(node, i, in[i]);
    const std::size_t old_width = static_cast<std::size_t>(node.schema->num_fields());
    Places places;
    int base = 0;
    for (std::size_t i = 0; i < in.size() && places.size() < old_width; ++i) {
      for (int place : in[i]) places.push_back(place < 0 ? -1 : place + base);
      base += node.inputs[i].schema()->num_fields();
    }
    std::vector<bool> kept_new = rebuild_own(node, in);
    for (std::size_t i = 0; places.size() < old_width; ++i) {
      const bool kept = i >= kept_new.size() || kept_new[i];
      places.push_back(kept ? base++ : -1);
    }
    node.schema = narrowed(*node.schema, places);
    return places;
  }

  static void rebuild_condition(ExprPtr& condition, const plan::Node& node,
                                const std::vector<Places>& in) {
    if (condition == nullptr) return;
    Places both = in[0];
    const int base = node.inputs[0].schema()->num_fields();
    for (int place : in[1]) both.push_back(place < 0 ? -1 : place + base);
    condition = remap_columns(condition, both);
  }

  /// Moves what a node reads itself; answers which of the columns that it adds stay (empty: all).
  std::vector<bool> rebuild_own(plan::Node& node, const std::vector<Places>& in) {
    if (auto* filter = dynamic_cast<plan::FilterNode*>(&node)) {
      filter->condition = remap_columns(filter->condition, in[0]);
    } else if (auto* sort = dynamic_cast<plan::SortNode*>(&node)) {
      move_order(sort->keys, in[0]);
    } else if (auto* unnest = dynamic_cast<plan::UnnestNode*>(&node)) {
      move(unnest->column, in[0]);
    } else if (auto* expand = dynamic_cast<plan::ExpandNode*>(&node)) {
      move(expand->keys, in[0]);
    } else if (auto* predict = dynamic_cast<plan::PredictNode*>(&node)) {
      move(predict->columns, in[0]);
    } else if (auto* window = dynamic_cast<plan::WindowFunctionNode*>(&node)) {
      move(window->time_column, in[0]);
      move(window->gap_column, in[0]);
      move(window->partition, in[0]);
    } else if (auto* over = dynamic_cast<plan::OverNode*>(&node)) {
      return rebuild_over(*over, in[0]);
    } else if (auto* rank = dynamic_cast<plan::RankNode*>(&node)) {
      move(rank->keys, in[0]);
      move_order(rank->order, in[0]);
      return rebuild_number(*rank);
    } else if (auto* rank = dynamic_cast<plan::WindowRankNode*>(&node)) {
      move(rank->keys, in[0]);
      move(rank->window_start, in[0]);
      move(rank->window_end, in[0]);
      move_order(rank->order, in[0]);
      return rebuild_number(*rank);
    } else if (auto* first = dynamic_cast<plan::DeduplicateNode*>(&node)) {
      move(first->keys, in[0]);
      move(first->time_column, in[0]);
      move(first->late_column, in[0]);
    } else if (auto* late = dynamic_cast<plan::DropLateNode*>(&node)) {
      move(late->time_column, in[0]);
    } else {
      rebuild_join(node, in);
    }
    return {};
  }

  void rebuild_join(plan::Node& node, const std::vector<Places>& in) {
    if (auto* join = dynamic_cast<plan::JoinNode*>(&node)) {
      rebuild_condition(join->condition, node, in);
    } else if (auto* join = dynamic_cast<plan::TemporalJoinNode*>(&node)) {
      rebuild_condition(join->condition, node, in);
      move(join->time_column, in[0]);
    } else if (auto* join = dynamic_cast<plan::IntervalJoinNode*>(&node)) {
      rebuild_condition(join->condition, node, in);
      move(join->bounds.left_time, in[0]);
      move(join->bounds.right_time, in[1]);
    } else if (auto* join = dynamic_cast<plan::WindowJoinNode*>(&node)) {
      rebuild_condition(join->condition, node, in);
      for (int* column : {&join->left_window.start, &join->left_window.end}) move(*column, in[0]);
      for (int* column : {&join->right_window.start, &join->right_window.end}) {
        move(*column, in[1]);
      }
    }
  }

  std::vector<bool> rebuild_over(plan::OverNode& over, const Places& in) {
    move(over.partition, in);
    move_order(over.order, in);
    std::vector<bool> kept(over.calls.size(), false);
    std::vector<plan::OverCall> calls;
    for (std::size_t i : kept_calls(over.calls.size(), used_[&over], in.size())) {
      kept[i] = true;
      plan::OverCall call = std::move(over.calls[i]);
      move(call.call.arguments, in);
      move(call.call.filter, in);
      calls.push_back(std::move(call));
    }
    over.calls = std::move(calls);
    return kept;
  }

  template <typename N>
  std::vector<bool> rebuild_number(N& rank) {
    if (!rank.with_number) return {};
    rank.with_number = used_[&rank].back();
    return {rank.with_number};
  }

  const LoweringOptions& options_;
  const std::vector<plan::Node*> order_;
  std::unordered_map<const plan::Node*, Used> used_;               // of outputs
  std::unordered_map<const plan::Node*, std::vector<Used>> read_;  // of inputs
  std::unordered_map<const plan::Node*, Places> places_;
};

}  // namespace

Status prune_columns(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  Pruner(roots, options).run();
  return Status::ok();
}

}  // namespace tidegate
