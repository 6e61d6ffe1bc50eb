// SPDX-License-Identifier: Apache-2.0
#include "planner/time_properties.h"

#include <algorithm>

#include "plan/aggregate.h"
#include "plan/changelog.h"
#include "plan/drop_late.h"
#include "plan/join.h"
#include "plan/lookup_join.h"
#include "plan/native.h"
#include "plan/predict.h"
#include "plan/relational.h"
#include "plan/source.h"
#include "plan/time_join.h"
#include "plan/top_n.h"
#include "plan/window.h"
#include "plan/window_group.h"
#include "planner/node_table.h"

namespace tidegate {
namespace {

/// Columns that go on as they are, in the same places; new ones are no time.
void pass_on(const plan::Node& node, InputFacts inputs, StreamFacts& facts) {
  facts.times = inputs[0]->times;
  facts.times.resize(static_cast<std::size_t>(node.schema->num_fields()), TimeAttribute::kNone);
  facts.windows = inputs[0]->windows;
}

void source(const plan::SourceNode& node, InputFacts, StreamFacts& facts) {
  const bool has_watermark = node.watermark.kind != WatermarkStrategy::Kind::kNone;
  for (const Field& field : node.schema->fields()) {
    facts.times.push_back(field.time == TimeAttribute::kRowtime && !has_watermark
                              ? TimeAttribute::kNone
                              : field.time);
  }
  const auto mark = [&](int column) {
    facts.times[static_cast<std::size_t>(column)] = TimeAttribute::kRowtime;
  };
  if (has_watermark && node.watermark.column >= 0) mark(node.watermark.column);
  if (has_watermark && node.schema->rowtime) mark(*node.schema->rowtime);
}

bool reads_source(const plan::Node& node) {
  if (const auto* source = dynamic_cast<const plan::SourceNode*>(&node)) {
    return source->watermark.kind != WatermarkStrategy::Kind::kNone;
  }
  const bool row_wise = dynamic_cast<const plan::ProjectNode*>(&node) != nullptr ||
                        dynamic_cast<const plan::FilterNode*>(&node) != nullptr;
  return row_wise && reads_source(*node.inputs[0].node);
}

void project(const plan::ProjectNode& node, InputFacts inputs, StreamFacts& facts) {
  const StreamFacts& in = *inputs[0];
  std::vector<int> place(in.times.size(), -1);
  for (std::size_t i = 0; i < node.columns.size(); ++i) {
    const Expr& column = *node.columns[i];
    const TimeAttribute declared = node.schema->field(static_cast<int>(i)).time;
    TimeAttribute time = TimeAttribute::kNone;
    if (column.kind() == Expr::Kind::kColumn) {
      const auto from = static_cast<std::size_t>(column.column());
      time = in.times[from];
      if (place[from] < 0) place[from] = static_cast<int>(i);
    } else if (declared == TimeAttribute::kProctime) {
      time = declared;  // PROCTIME()
    }
    // A computed row-time column of a table: the source takes its event time from the same value.
    if (declared == TimeAttribute::kRowtime && time == TimeAttribute::kNone &&
        reads_source(*node.inputs[0].node)) {
      time = declared;
    }
    facts.times.push_back(time);
  }
  const auto moved = [&](int column) {
    return column < 0 ? -1 : place[static_cast<std::size_t>(column)];
  };
  facts.windows = in.windows;
  facts.windows.start = moved(in.windows.start);
  facts.windows.end = moved(in.windows.end);
  facts.windows.time = moved(in.windows.time);
}

void to_changelog(const plan::ToChangelogNode&, InputFacts inputs, StreamFacts& facts) {
  facts.times = inputs[0]->times;
  facts.times.insert(facts.times.begin(), TimeAttribute::kNone);
}

void from_changelog(const plan::FromChangelogNode& node, InputFacts inputs, StreamFacts& facts) {
  facts.times = inputs[0]->times;
  facts.times.erase(facts.times.begin() + node.op_column);
}

void merge(const plan::MergeNode& node, InputFacts inputs, StreamFacts& facts) {
  pass_on(node, inputs, facts);
  for (const StreamFacts* input : inputs) {
    for (std::size_t i = 0; i < facts.times.size(); ++i) {
      if (input->times.size() != facts.times.size() || input->times[i] != facts.times[i]) {
        facts.times[i] = TimeAttribute::kNone;
      }
    }
    const WindowColumns& windows = input->windows;
    if (windows.start != facts.windows.start || windows.end != facts.windows.end ||
        windows.by_processing_time != facts.windows.by_processing_time) {
      facts.windows = {};
    }
  }
}

void nothing(const plan::Node& node, StreamFacts& facts) {
  if (node.schema == nullptr) return;
  facts.times.assign(static_cast<std::size_t>(node.schema->num_fields()), TimeAttribute::kNone);
}

void window_function(const plan::WindowFunctionNode& node, InputFacts inputs, StreamFacts& facts) {
  const TimeAttribute time = inputs[0]->times[static_cast<std::size_t>(node.time_column)];
  for (TimeAttribute each : inputs[0]->times) {
    facts.times.push_back(each == TimeAttribute::kRowtime ? TimeAttribute::kNone : each);
  }
  const int first = static_cast<int>(facts.times.size());
  facts.times.resize(facts.times.size() + 2, TimeAttribute::kNone);
  facts.times.push_back(time);
  facts.windows.start = first;
  facts.windows.end = first + 1;
  facts.windows.time = first + 2;
  facts.windows.by_processing_time = time == TimeAttribute::kProctime;
  facts.windows.time_type = node.schema->field(first + 2).type;
}

void window_group(const plan::WindowGroupNode& node, InputFacts inputs, StreamFacts& facts) {
  nothing(node, facts);
  const int start = static_cast<int>(node.keys.size());
  facts.windows.start = start;
  facts.windows.end = start + 1;
  facts.windows.time = start + 2;
  facts.windows.by_processing_time =
      node.windows.window ? node.by_processing_time() : inputs[0]->windows.by_processing_time;
  facts.windows.time_type = node.time_type;
  facts.times[static_cast<std::size_t>(start) + 2] = node.schema->field(start + 2).time;
}

/// Expand sets key columns to null: those of windows must be in all sets.
void expand(const plan::ExpandNode& node, InputFacts inputs, StreamFacts& facts) {
  pass_on(node, inputs, facts);
  for (std::size_t k = 0; k < node.keys.size(); ++k) {
    const bool always = std::all_of(node.sets.begin(), node.sets.end(),
                                    [&](const std::vector<bool>& set) { return set[k]; });
    if (always) continue;
    facts.times[static_cast<std::size_t>(node.keys[k])] = TimeAttribute::kNone;
    for (int* column : {&facts.windows.start, &facts.windows.end, &facts.windows.time}) {
      if (*column == node.keys[k]) *column = -1;
    }
  }
}

void both_sides(const plan::Node& node, InputFacts inputs, StreamFacts& facts) {
  facts.times = inputs[0]->times;
  facts.times.insert(facts.times.end(), inputs[1]->times.begin(), inputs[1]->times.end());
  facts.times.resize(static_cast<std::size_t>(node.schema->num_fields()));
}

void interval_join(const plan::IntervalJoinNode& node, InputFacts inputs, StreamFacts& facts) {
  both_sides(node, inputs, facts);
  // Of windows that must be equal.
  const WindowColumns& windows = inputs[0]->windows;
  if (windows.end >= 0 && node.bounds.left_time == windows.end) facts.windows = windows;
}

void window_join(const plan::WindowJoinNode& node, InputFacts inputs, StreamFacts& facts) {
  both_sides(node, inputs, facts);
  // Of an outer join the side that is always there says the window.
  facts.windows = inputs[0]->windows;
  const auto move_right = [&](int column) {
    return column < 0 ? -1 : column + node.inputs[0].schema()->num_fields();
  };
  if (node.type == plan::JoinType::kRight) {
    facts.windows.start = move_right(inputs[1]->windows.start);
    facts.windows.end = move_right(inputs[1]->windows.end);
    facts.windows.time = move_right(inputs[1]->windows.time);
  } else if (node.type == plan::JoinType::kFull) {
    facts.windows = {};
  }
}

/// Each left row at its time; the times of versions are gone.
void temporal_join(const plan::TemporalJoinNode& node, InputFacts inputs, StreamFacts& facts) {
  pass_on(node, inputs, facts);
  // By processing time as well: rows come out as they come in.
  for (std::size_t i = inputs[0]->times.size(); i < facts.times.size(); ++i) {
    facts.times[i] = TimeAttribute::kNone;
  }
}

/// Rows that come out as the watermark lets them, or at once as they came.
void over(const plan::OverNode& node, InputFacts inputs, StreamFacts& facts) {
  pass_on(node, inputs, facts);
  if (facts.retracts) {
    nothing(node, facts);
    facts.windows = {};
  }
}

template <typename N>
void passes(const N& node, InputFacts inputs, StreamFacts& facts) {
  pass_on(node, inputs, facts);
}

/// By arrival the first row goes out at once; else it may be taken back, but in no other order than
/// that of its rows, so time stays what it was.
void deduplicate(const plan::DeduplicateNode& node, InputFacts inputs, StreamFacts& facts) {
  pass_on(node, inputs, facts);
}

const NodeTable<void, InputFacts, StreamFacts&>& table() {
  static const auto* const made = [] {
    auto* table = new NodeTable<void, InputFacts, StreamFacts&>;  // lives for the process
    table->on<plan::SourceNode>(source);
    table->on<plan::ProjectNode>(project);
    table->on<plan::MergeNode>(merge);
    table->on<plan::ToChangelogNode>(to_changelog);
    table->on<plan::FromChangelogNode>(from_changelog);
    table->on<plan::WindowFunctionNode>(window_function);
    table->on<plan::WindowGroupNode>(window_group);
    table->on<plan::ExpandNode>(expand);
    table->on<plan::IntervalJoinNode>(interval_join);
    table->on<plan::WindowJoinNode>(window_join);
    table->on<plan::TemporalJoinNode>(temporal_join);
    table->on<plan::OverNode>(over);
    table->on<plan::DeduplicateNode>(deduplicate);
    table->on<plan::LookupJoinNode>(passes<plan::LookupJoinNode>);
    table->on<plan::FilterNode>(passes<plan::FilterNode>);
    table->on<plan::DropLateNode>(passes<plan::DropLateNode>);
    table->on<plan::PredictNode>(passes<plan::PredictNode>);
    table->on<plan::UnnestNode>(passes<plan::UnnestNode>);
    table->on<plan::WindowRankNode>(passes<plan::WindowRankNode>);
    table->on<plan::SortNode>(passes<plan::SortNode>);
    return table;
  }();
  return *made;
}

}  // namespace

void infer_time_properties(const plan::Node& node, InputFacts inputs, StreamFacts& facts) {
  if (table().has(node)) {
    table()(node, inputs, facts);
  } else {
    nothing(node, facts);
  }
}

}  // namespace tidegate
