// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

#include "runtime/epoch_record.h"
#include "state/delta.h"

namespace tidegate {

// Epoch records for tests: one source, one operator "count" with a table "rows", one sink.

/// The hash of a key in the lower or upper half of the key groups.
inline constexpr std::uint64_t kLow = 1;
inline constexpr std::uint64_t kHigh = std::uint64_t{1} << 63;

inline std::string delta(KeyGroupRange writer, const std::function<void(DeltaWriter&)>& write) {
  DeltaWriter out("bytes", writer);
  write(out);
  return out.finish();
}

/// "namespace:key" -> value of all puts.
inline std::map<std::string, std::string> rows_of(const std::string& bytes) {
  std::map<std::string, std::string> rows;
  DeltaReader reader = *DeltaReader::open(bytes);
  DeltaRecord record;
  while (*reader.next(record)) {
    rows[std::to_string(record.name_space) + ":" + std::string(record.key)] = record.value;
  }
  return rows;
}

/// An epoch that has put `value` at `key`.
inline EpochRecord record_of(EpochId epoch, const std::string& key, const std::string& value) {
  EpochRecord record;
  record.epoch = epoch;
  record.sources.emplace_back().uid = "source";
  SplitState& split = record.sources[0].open.emplace_back();
  split.split = {"a.json", "payload"};
  split.position = "17";
  record.sources[0].known = {"a.json"};
  OperatorState state;
  state.uid = "count";
  state.subtasks.push_back({.watermark = 5});
  state.deltas.push_back({epoch, "rows", delta({0, 128, 128}, [&](DeltaWriter& out) {
                            out.put(0, kLow, key, value);
                          })});
  record.operators.push_back(std::move(state));
  record.committables.push_back({"sink", 1, "file-" + std::to_string(epoch)});
  return record;
}

}  // namespace tidegate
