// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dataflow/graph.h"
#include "dataflow/source.h"
#include "runtime/activation.h"
#include "runtime/epoch_planner.h"
#include "runtime/epoch_record.h"
#include "runtime/task_host.h"
#include "runtime/tether.h"
#include "tidegate/job_progress.h"
#include "tidegate/status.h"

namespace tidegate {

/// What progress shows of an open split; its task writes, any thread reads.
struct SplitGauge {
  std::string id;
  int subtask = 0;
  std::atomic<std::int64_t> rows{0};
  std::atomic<EventTime> watermark{kMinWatermark};
  std::atomic<bool> idle{false};
};

/// Finds the splits of one source and hands them to its tasks, in order, each to the one with the
/// fewest (or all to one, see Source::splits_in_sequence()). Splits that end are open in a limited
/// number at a time. Thread-safe.
///
/// With a planner it looks for nothing: tasks get what admit() says, and read no further.
class SplitEnumerator final : private SourceContext {
 public:
  /// Whether a task may get further splits.
  enum class Supply : std::uint8_t {
    kUnknown,  ///< nothing was found yet, nobody has looked to the end
    kLater,
    kNone,
  };
  /// What an epoch holds of the enumeration; taken before any task passes the barrier.
  struct Snapshot {
    std::vector<SplitState> assigned;  ///< not taken up by their tasks yet
    std::vector<Split> unassigned;
    std::vector<std::string> known;
    bool complete = false;
  };

  SplitEnumerator(const Node& node, std::string label, int parallelism, TaskHost& host);
  ~SplitEnumerator() override { cut_off(); }
  /// Timers and wakers do nothing from now on.
  void cut_off() { tether_.cut(); }

  /// While the job is built.
  void set_reader(int subtask, Activation& task);
  void restore(const SourceState& state);

  /// Opens the source. Blocks.
  Status open();
  /// Begins to look for splits.
  void start();

  /// The splits that are new for this subtask, and where to begin with each.
  Supply collect(int subtask, std::vector<SplitState>& assignments);
  /// A task has told those behind it that it has nothing to read, or is about to read. Once each;
  /// the last one wakes all.
  void reader_has_said();
  bool all_have_said() const { return silent_readers_.load(std::memory_order_acquire) <= 0; }
  /// A split of this subtask has ended.
  void ended(int subtask, const std::string& split);
  Snapshot snapshot() const;

  /// What a planned epoch reads of this source.
  void admit(const SourceRange& range, const PlannedEpoch& epoch);
  /// The splits of this subtask that it may read (on), and how far; each once per planned epoch.
  void collect_admitted(int subtask, std::vector<SplitRange>& admitted);
  /// A task has read its part of a split; `read` is what came of it.
  void part_read(const SourceRead& read);
  /// What was read in the planned epoch so far.
  SourceRead read_of_epoch() const;
  /// How many planned epochs there have been.
  std::int64_t epochs_admitted() const { return epochs_admitted_.load(std::memory_order_acquire); }
  /// See PlannedEpoch.
  EventTime watermark_before_epoch() const {
    return watermark_before_.load(std::memory_order_acquire);
  }
  EventTime watermark_of_epoch() const { return watermark_.load(std::memory_order_acquire); }

  void add_gauge(std::shared_ptr<SplitGauge> gauge);
  void remove_gauge(const SplitGauge* gauge);
  void add_progress(SourceProgress& progress) const;

 private:
  struct Reader {
    Activation* task = nullptr;
    std::vector<SplitState> mailbox;
    std::vector<SplitRange> admitted;
    int open = 0;  // splits in the mailbox and in the task
  };

  // SourceContext, for the source as a whole.
  const std::string& source_name() const override { return label_; }
  const Clock& clock() const override { return host_.clock(); }
  Executor& executor() override { return host_.executor(); }
  MetricGroup& metrics() override { return metrics_; }
  Waker waker() override { return waker_; }

  void discover();
  void look();
  void found(Discovery discovery);
  void discover_later();
  // With the lock held: who has got something, to be woken without it.
  std::vector<Activation*> assign();
  void give(int subtask, SplitState split);
  // Who gets the next split.
  int next_reader() const;
  void admit_locked(const SplitRange& part);

  const Node& node_;
  const std::string label_;
  TaskHost& host_;
  const bool planned_;
  MetricGroup& metrics_;
  Tether<SplitEnumerator> tether_{*this};
  Waker waker_;
  int most_open_;
  std::atomic<int> silent_readers_;

  mutable std::mutex mutex_;
  std::vector<Reader> readers_;
  std::deque<Split> unassigned_;
  std::vector<Split> not_admitted_;  // of the restored epoch: found, not begun
  std::vector<std::string> known_;
  std::unordered_set<std::string> known_set_;
  std::vector<std::shared_ptr<SplitGauge>> gauges_;
  std::int64_t next_order_ = 0;
  std::int64_t num_ended_ = 0;
  int open_ = 0;
  bool looked_ = false;    // the first discovery is done
  bool complete_ = false;  // so is the last one
  bool looking_ = false;
  bool look_again_ = false;

  // With a planner.
  std::unordered_map<std::string, int> owners_;                         // subtasks of open splits
  std::unordered_map<std::string, std::optional<std::string>> ranges_;  // ends of unassigned splits
  std::size_t unread_parts_ = 0;
  SourceRead read_;
  std::atomic<std::int64_t> epochs_admitted_{0};
  std::atomic<EventTime> watermark_before_{kMinWatermark};
  std::atomic<EventTime> watermark_{kMinWatermark};
};

}  // namespace tidegate
