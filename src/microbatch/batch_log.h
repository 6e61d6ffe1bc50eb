// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob_store.h"
#include "runtime/epoch_planner.h"
#include "tidegate/status.h"

namespace tidegate {

/// A batch is an epoch, counted from 0 as Spark does.
using BatchId = std::uint64_t;

/// Everything that is settled before a batch runs, so that it can be run again just so.
struct BatchPlan {
  BatchId batch = 0;
  std::int64_t time_ms = 0;  ///< the wall clock for all of the batch
  std::uint64_t seed = 0;
  std::map<std::string, std::string> settings;  ///< those that a query cannot change
  /// Of models and whatever else is a VersionedInput, by the uid of the node that uses it.
  std::map<std::string, std::string> versions;
  PlannedEpoch epoch;
};

/// The two logs of a query, a blob per batch:
///
///   metadata    {"id": ...}, the query's identity over restarts
///   offsets/N   the plan of batch N, put before it runs
///   commits/N   batch N is durable and its sinks have it
///
/// Each is a line "v1", a line of JSON and its CRC32C. Blobs of old batches are deleted.
class BatchLog {
 public:
  explicit BatchLog(std::shared_ptr<BlobStore> blobs) : blobs_(std::move(blobs)) {}

  /// The query's id; made up when there is none yet.
  Result<std::string> query_id(const std::string& new_id);
  Status plan(const BatchPlan& plan);
  Status commit(BatchId batch, EventTime next_watermark);
  /// Nothing when batch N has not been planned.
  Result<std::optional<BatchPlan>> planned(BatchId batch) const;
  Result<bool> is_committed(BatchId batch) const;
  /// The newest batch that is committed.
  Result<std::optional<BatchId>> last_committed() const;
  /// Keeps the last `retained` batches up to `batch`.
  Status trim(BatchId batch, std::int64_t retained);
  Status clear() { return blobs_->clear(); }

 private:
  Status put(const std::string& name, std::string_view json);
  Result<std::optional<std::string>> get(const std::string& name) const;

  std::shared_ptr<BlobStore> blobs_;
  std::optional<BatchId> oldest_;  // that may still be there
};

/// A plan as JSON, and back; kStateCorrupt for what is none.
std::string encode_plan(const BatchPlan& plan);
Result<BatchPlan> decode_plan(std::string_view json);

}  // namespace tidegate
