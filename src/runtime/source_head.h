// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "dataflow/event.h"
#include "dataflow/graph.h"
#include "runtime/open_split.h"
#include "runtime/split_enumerator.h"
#include "runtime/task.h"
#include "runtime/watermark_alignment.h"
#include "runtime/watermark_merger.h"

namespace tidegate {

class Counter;  // base/metrics.h

/// Reads the splits of one subtask of a source into its chain: whose turn it is, what they say
/// together about event time, and where the barriers go.
class SourceHead final : public TaskHead {
 public:
  struct Spec {
    const Node* node = nullptr;
    int index = 0;  ///< of the node in the graph
    std::string label;
    int subtask = 0;
    TimeGrain grain;
    SplitEnumerator* enumerator = nullptr;
    WatermarkAlignment* alignment = nullptr;  ///< null: none
    EpochId restored_epoch = 0;
  };
  SourceHead(Spec spec, TaskHost& host, Activation& task);

  /// Any thread: the epoch ends where the source is now.
  void request_barrier(Barrier barrier);
  /// Any thread: tells readers that the epoch is durable.
  void epoch_committed(EpochId epoch);

  void control(Chain& chain) override;
  bool feed(Chain& chain) override;
  std::optional<std::int64_t> wake_at_ns() const override;

 private:
  void collect_splits();
  void open_assigned();
  void admit();
  void inject_barriers(Chain& chain);
  void confirm_committed(Chain& chain);
  void end_planned_epoch(Chain& chain);
  Result<SourceAck> make_ack(EpochId epoch);

  OpenSplit* choose();
  OpenSplit* choose_below_limit();
  OpenSplit* choose_in_turn();
  bool may_read(OpenSplit& split);
  void poll(OpenSplit& split, Chain& chain);
  void remove(OpenSplit& split);
  void announce(Chain& chain);
  void announce_epoch(EventTime watermark, Chain& chain);
  MergedTime merge() const;
  void publish_alignment();
  bool is_exhausted() const;
  bool says_what_it_reads(Chain& chain);
  void come_to_end(Chain& chain);
  void end(Chain& chain);

  const Spec spec_;
  TaskHost& host_;
  Activation& task_;
  MetricGroup& metrics_;
  Counter& rows_out_;
  Counter& watermark_ms_;
  const bool has_event_time_;
  const bool in_sequence_;
  const bool planned_;
  const bool watermark_per_epoch_;

  std::vector<std::unique_ptr<OpenSplit>> splits_;  // in order
  SplitEnumerator::Supply supply_ = SplitEnumerator::Supply::kUnknown;
  std::vector<SplitState> assignments_;           // reused
  std::vector<SplitRange> admitted_;              // reused
  std::vector<WatermarkAssigner::Piece> pieces_;  // reused
  std::vector<std::string> ended_ids_;            // since the last barrier
  std::size_t turn_ = 0;
  EventTime limit_ = kMaxWatermark;  // of the alignment
  bool waits_for_others_ = false;
  bool was_paused_ = false;

  EventTime ended_watermark_ = kMinWatermark;  // the highest of the splits that have ended
  MergedTime merged_;                          // what the splits say together
  EventTime announced_ = kMinWatermark;        // the point of the grain that downstream has heard
  EpochId epoch_;                              // of the last barrier
  std::int64_t planned_epochs_ended_ = 0;
  std::int64_t rows_since_epoch_ = 0;  // for JobOptions::epoch_rows
  bool over_ = false;                  // the end, or a barrier that stops, is in the chain
  bool exhausted_ = false;             // and the coordinator was told so
  bool has_said_ = false;              // whether it has anything to read

  std::mutex mutex_;
  std::vector<Barrier> requested_;  // under mutex_
  std::atomic<bool> has_requests_{false};
  std::atomic<EpochId> committed_{0};
  EpochId confirmed_ = 0;
};

}  // namespace tidegate
