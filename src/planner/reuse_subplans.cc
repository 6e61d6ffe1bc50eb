// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <typeinfo>

#include "expr/columns_of.h"
#include "plan/aggregate.h"
#include "plan/native.h"
#include "plan/source.h"
#include "plan/window.h"
#include "plan/window_group.h"
#include "planner/expr_properties.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

bool same_value(const ExprPtr& a, const ExprPtr& b) {
  return a == nullptr || b == nullptr ? a == b : same_expr(a, b);
}

bool same_schema(const Schema& a, const Schema& b) {
  if (!(a == b)) return false;
  for (int i = 0; i < a.num_fields(); ++i) {
    if (a.field(i).time != b.field(i).time) return false;
  }
  return true;
}

bool same_window(const Window& a, const Window& b) {
  return a.kind == b.kind && a.size == b.size && a.slide == b.slide && a.offset == b.offset &&
         a.count == b.count;
}

/// Functions of the program's own cannot be compared.
bool same_watermark(const WatermarkStrategy& a, const WatermarkStrategy& b) {
  return !a.extract && !b.extract && !a.custom && !b.custom && a.kind == b.kind &&
         a.column == b.column && a.delay_ms == b.delay_ms && a.inclusive == b.inclusive &&
         a.idle_timeout_ms == b.idle_timeout_ms && a.max_drift_ms == b.max_drift_ms;
}

bool same_calls(const std::vector<plan::AggregateCall>& a,
                const std::vector<plan::AggregateCall>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.aggregator == y.aggregator && x.function == y.function && x.arguments == y.arguments &&
           x.distinct == y.distinct && x.filter == y.filter && x.flatten == y.flatten;
  });
}

class Comparison {
 public:
  explicit Comparison(const FunctionRegistry* functions) : functions_(functions) {}

  bool operator()(const plan::Node& a, const plan::Node& b) const {
    if (typeid(a) != typeid(b) || a.name != b.name || a.parallelism != b.parallelism ||
        a.inputs.size() != b.inputs.size() || !same_schema(*a.schema, *b.schema)) {
      return false;
    }
    for (std::size_t i = 0; i < a.inputs.size(); ++i) {
      if (a.inputs[i].node != b.inputs[i].node || a.inputs[i].side != b.inputs[i].side) {
        return false;
      }
    }
    return same_kind(a, b);
  }

 private:
  template <typename N>
  static const N* as(const plan::Node& node) {
    return dynamic_cast<const N*>(&node);
  }

  bool same_kind(const plan::Node& a, const plan::Node& b) const {
    if (const auto* x = as<plan::SourceNode>(a)) return same_source(*x, *as<plan::SourceNode>(b));
    if (const auto* x = as<plan::ProjectNode>(a)) {
      return same_project(*x, *as<plan::ProjectNode>(b));
    }
    if (const auto* x = as<plan::FilterNode>(a)) {
      return is_deterministic(x->condition, functions_) &&
             same_expr(x->condition, as<plan::FilterNode>(b)->condition);
    }
    if (const auto* x = as<plan::WindowFunctionNode>(a)) {
      const auto* y = as<plan::WindowFunctionNode>(b);
      return same_window(x->window, y->window) && x->time_column == y->time_column &&
             x->partition == y->partition;
    }
    if (const auto* x = as<plan::AggregateNode>(a)) {
      const auto* y = as<plan::AggregateNode>(b);
      return !x->append && !y->append && x->keys == y->keys && same_calls(x->calls, y->calls) &&
             x->emit_empty == y->emit_empty && x->ttl_ms == y->ttl_ms;
    }
    if (const auto* x = as<plan::WindowGroupNode>(a)) {
      return same_group(*x, *as<plan::WindowGroupNode>(b));
    }
    return as<plan::MergeNode>(a) != nullptr;
  }

  static bool same_source(const plan::SourceNode& a, const plan::SourceNode& b) {
    const auto same_metadata = [](const MetadataColumn& x, const MetadataColumn& y) {
      return x.column == y.column && x.key == y.key;
    };
    return a.connector == b.connector && a.options.values() == b.options.values() &&
           *a.table == *b.table && a.projection == b.projection && a.instance == b.instance &&
           a.changelog == b.changelog && same_watermark(a.watermark, b.watermark) &&
           same_value(a.event_time, b.event_time) &&
           std::equal(a.metadata.begin(), a.metadata.end(), b.metadata.begin(), b.metadata.end(),
                      same_metadata);
  }

  bool same_project(const plan::ProjectNode& a, const plan::ProjectNode& b) const {
    for (std::size_t i = 0; i < a.columns.size(); ++i) {
      // Of processing time it does not matter which look at the clock it is.
      const bool is_proctime =
          a.schema->field(static_cast<int>(i)).time == TimeAttribute::kProctime;
      if (!is_proctime && !is_deterministic(a.columns[i], functions_)) return false;
      if (!same_expr(a.columns[i], b.columns[i])) return false;
    }
    return true;
  }

  static bool same_group(const plan::WindowGroupNode& a, const plan::WindowGroupNode& b) {
    const auto& x = a.windows;
    const auto& y = b.windows;
    const bool same = x.window.has_value() == y.window.has_value() &&
                      (!x.window || same_window(*x.window, *y.window)) &&
                      x.time_column == y.time_column && x.start_column == y.start_column &&
                      x.end_column == y.end_column;
    return same && a.keys == b.keys && same_calls(a.calls, b.calls) && a.time_type == b.time_type;
  }

  const FunctionRegistry* functions_;
};

}  // namespace

Status reuse_subplans(const std::vector<plan::NodePtr>& roots, const LoweringOptions& options) {
  const Comparison same(options.functions);
  std::map<std::string, std::vector<plan::NodePtr>> known;
  return rewrite_bottom_up(roots, [&](plan::NodePtr node) -> Result<plan::NodePtr> {
    std::vector<plan::NodePtr>& alike = known[fmt::format("{}[{}]", node->kind(), node->details())];
    for (const plan::NodePtr& each : alike) {
      if (same(*each, *node)) return each;
    }
    alike.push_back(node);
    return node;
  });
}

}  // namespace tidegate
