// SPDX-License-Identifier: Apache-2.0
#include "microbatch/batch_watermark.h"

#include <algorithm>

#include "base/check.h"

namespace tidegate {

Result<BatchWatermark> BatchWatermark::make(const Graph& graph,
                                            const std::vector<std::string>& uids, Policy policy) {
  BatchWatermark watermark;
  watermark.policy_ = policy;
  std::size_t source = 0;
  for (const Node& node : graph.nodes) {
    if (node.source == nullptr) continue;
    const std::string& uid = uids.at(source++);
    if (node.watermark.kind == WatermarkStrategy::Kind::kNone) continue;
    if (node.watermark.kind == WatermarkStrategy::Kind::kCustom) {
      return Status(ErrorCode::kNotSupported,
                    fmt::format("source '{}': a watermark generator of the program's own cannot "
                                "follow watermark.rule=per-batch",
                                node.name),
                    "Use bounded_disorder(), or watermark.rule=per-row.");
    }
    watermark.sources_.push_back({uid, node.watermark.delay_ms, 0});
  }
  return watermark;
}

void BatchWatermark::add(const std::vector<SourceRead>& reads) {
  if (sources_.empty()) return;
  EventTime lowest = kMaxWatermark;
  EventTime highest = kMinWatermark;
  for (SourceTime& source : sources_) {
    const auto read = std::ranges::find(reads, source.uid, &SourceRead::uid);
    if (read != reads.end() && read->times > 0) {
      EventTime reached = 0;
      if (!__builtin_sub_overflow(read->max_time, source.delay_ms, &reached))
        source.watermark = std::max(source.watermark, reached);
    }
    lowest = std::min(lowest, source.watermark);
    highest = std::max(highest, source.watermark);
  }
  const EventTime chosen = policy_ == Policy::kMin ? lowest : highest;
  watermark_ = std::max(watermark_, std::min(chosen, kMaxWatermark - 1));
}

}  // namespace tidegate
