// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "dataflow/source.h"
#include "runtime/epoch_planner.h"
#include "runtime/epoch_record.h"
#include "tidegate/status.h"

namespace tidegate {

/// What batches have not read of one source yet: splits that were found and not begun, and where
/// those stand that have no end of their own. It is always ahead of the job: a range counts as read
/// once it is planned.
class SourceBacklog {
 public:
  SourceBacklog(std::string name, std::string uid, std::shared_ptr<Source> source,
                BatchLimits limits);

  /// Goes on after an epoch; null: from the beginning.
  void restore(const SourceState* state);
  /// The range of an earlier plan, which is run again.
  void replay(const SourceRange& range);

  /// Looks for new splits, unless enough is known for the next batch. May block.
  Status look();
  /// The same ahead of time: when it finds something, the next look() is left out.
  Status look_ahead();
  /// From now on there is no more than what is there now. Looks.
  Status fix_end();

  /// What the next batch reads. `any_rows` tells whether there is anything; splits without rows may
  /// be among the ranges for the source's sake. `ignore_limits` takes everything. May block.
  Result<SourceRange> take(bool ignore_limits, bool& any_rows);
  /// The batch with this range runs. One that reads no rows at all may be dropped instead.
  void begin(const SourceRange& range);
  /// A bounded source has nothing left.
  bool is_exhausted() const;

  const std::string& name() const { return name_; }
  const std::string& uid() const { return uid_; }
  /// Where batches have got to, as JSON.
  std::string offsets() const;
  std::int64_t discovery_interval_ms() const { return source_->discovery_interval_ms(); }
  bool is_bounded() const { return source_->is_bounded(); }
  /// New data can be found by asking for the ends of splits, which is cheap.
  bool has_endless_splits() const { return !source_->splits_end(); }

 private:
  struct OpenSplit {
    Split split;
    std::optional<std::string> position;
    bool begun = false;                     ///< some batch has it
    std::optional<std::int64_t> rows_left;  ///< until the end that was fixed
    std::optional<std::string> fixed_end;
  };

  Result<BatchEnd> end_of(const OpenSplit& split, std::int64_t max_rows);
  Status take_open(std::int64_t max_rows, SourceRange& range, bool& any_rows);
  Status take_files(bool ignore_limits, SourceRange& range, bool& any_rows);
  Result<std::int64_t> rows_behind(std::vector<std::int64_t>& rows);
  void advance(OpenSplit& split, const BatchEnd& end, SourceRange& range);

  const std::string name_;
  const std::string uid_;
  const std::shared_ptr<Source> source_;
  const BatchLimits limits_;
  Status find();
  void add_known(const std::string& id);

  std::vector<std::string> known_;
  std::unordered_set<std::string> known_set_;
  std::deque<Split> files_;      ///< splits that end, not begun
  std::vector<OpenSplit> open_;  ///< that are read piece by piece, in order
  std::int64_t splits_read_ = 0;
  bool complete_ = false;  ///< no further splits will come
  bool fixed_ = false;
  bool looked_ahead_ = false;
};

}  // namespace tidegate
