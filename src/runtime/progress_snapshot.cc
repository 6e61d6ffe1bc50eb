// SPDX-License-Identifier: Apache-2.0
#include "runtime/progress_snapshot.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.h"

namespace tidegate {
namespace {

// The metrics of one node over its subtasks: sums, but for the watermark.
class NodeMetrics {
 public:
  void add(const MetricSample& sample) {
    if (sample.name == "watermark_ms") {
      lowest_ = std::min(lowest_, sample.value);
      highest_ = std::max(highest_, sample.value);
    } else {
      sums_[sample.name] += sample.value;
    }
  }
  std::int64_t sum(std::string_view name, std::int64_t otherwise = 0) const {
    const auto found = sums_.find(name);
    return found == sums_.end() ? otherwise : found->second;
  }
  EventTime lowest_watermark() const { return lowest_; }
  EventTime highest_watermark() const { return highest_; }

 private:
  std::map<std::string, std::int64_t, std::less<>> sums_;
  EventTime lowest_ = kMaxWatermark;
  EventTime highest_ = kMinWatermark;
};

// Where the slowest split is that is not idle. With none of that kind the furthest subtask counts:
// one that has no splits holds nobody back.
EventTime source_watermark(const SourceProgress& source, const NodeMetrics& node) {
  std::optional<EventTime> slowest;
  for (const SplitProgress& split : source.splits)
    if (!split.idle) slowest = std::min(slowest.value_or(kMaxWatermark), split.watermark);
  return slowest.value_or(node.highest_watermark());
}

}  // namespace

JobProgress collect_progress(const Graph& graph, const ExecutionPlan& plan, const JobParts& parts,
                             const MetricRegistry& metrics) {
  std::map<std::string, NodeMetrics> by_label;
  for (const MetricSample& sample : metrics.snapshot()) by_label[sample.operator_name].add(sample);
  JobProgress progress;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].source != nullptr) continue;
    const NodeMetrics& node = by_label[plan.nodes[i].label];
    progress.operators.push_back({plan.nodes[i].label, node.sum("rows_in"), node.sum("rows_out"),
                                  node.sum("rows_late"), node.sum("rows_bad"),
                                  node.sum("state_bytes"), node.lowest_watermark(),
                                  node.sum("state_rows"), node.sum("state_rows_written")});
  }
  for (const EpochCoordinator::SourceTasks& tasks : parts.sources) {
    SourceProgress source;
    source.name = plan.nodes[static_cast<std::size_t>(tasks.node)].label;
    const NodeMetrics& node = by_label[source.name];
    source.rows_out = node.sum("rows_out");
    source.rows_bad = node.sum("rows_bad");
    tasks.enumerator->add_progress(source);
    for (SplitProgress& split : source.splits) split.lag = node.sum("records_lag." + split.id, -1);
    source.watermark = source_watermark(source, node);
    progress.sources.push_back(std::move(source));
  }
  return progress;
}

}  // namespace tidegate
