// SPDX-License-Identifier: Apache-2.0
#include "library/base_slices.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "base/check.h"
#include "epoch/fold_deltas.h"
#include "state/delta.h"

namespace tidegate::library {

namespace {

constexpr std::int64_t kRowBytes = 16;  // of a row's own, about

Status for_each_row(const EpochRecord& record, const StateDelta& delta,
                    const std::function<void(std::size_t, const DeltaRecord&)>& visit) {
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta.bytes));
  DeltaRecord row;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(row));
    if (!more) return Status::ok();
    visit(static_cast<std::size_t>(key_group_of(row.hash, record.key_groups)), row);
  }
}

/// Which slice each key group goes to.
std::vector<std::size_t> cut(const std::vector<std::int64_t>& sizes, std::int64_t slice_bytes) {
  std::vector<std::size_t> slices;
  std::size_t slice = 0;
  std::int64_t bytes = 0;
  for (const std::int64_t size : sizes) {
    if (bytes > 0 && bytes + size > slice_bytes) {
      ++slice;
      bytes = 0;
    }
    bytes += size;
    slices.push_back(slice);
  }
  return slices;
}

}  // namespace

Result<std::deque<BaseSlice>> slice_state(EpochRecord record, std::int64_t slice_bytes) {
  TG_RETURN_IF_ERROR(fold_state(record));
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(record.key_groups), 0);
  for (const OperatorState& state : record.operators) {
    for (const StateDelta& delta : state.deltas) {
      TG_RETURN_IF_ERROR(
          for_each_row(record, delta, [&](std::size_t group, const DeltaRecord& row) {
            sizes[group] +=
                static_cast<std::int64_t>(row.key.size() + row.value.size()) + kRowBytes;
          }));
    }
  }
  const std::vector<std::size_t> slice_of = cut(sizes, slice_bytes);
  std::deque<BaseSlice> slices;
  for (int group = 0; group < record.key_groups; ++group) {
    const std::size_t slice = slice_of[static_cast<std::size_t>(group)];
    if (slice == slices.size())
      slices.push_back({record.epoch, {group, group, record.key_groups}, {}});
    slices[slice].key_groups.end = group + 1;
  }
  for (const OperatorState& state : record.operators) {
    for (const StateDelta& delta : state.deltas) {
      TG_ASSIGN_OR_RETURN(const DeltaReader header, DeltaReader::open(delta.bytes));
      std::vector<std::optional<DeltaWriter>> writers(slices.size());
      TG_RETURN_IF_ERROR(
          for_each_row(record, delta, [&](std::size_t group, const DeltaRecord& row) {
            std::optional<DeltaWriter>& writer = writers[slice_of[group]];
            if (!writer) writer.emplace(header.fingerprint(), slices[slice_of[group]].key_groups);
            writer->put(row.name_space, row.hash, row.key, row.value);
          }));
      for (std::size_t i = 0; i < slices.size(); ++i) {
        if (writers[i])
          slices[i].tables.push_back(
              {state.uid, {record.epoch, delta.table, writers[i]->finish()}});
      }
    }
  }
  return slices;
}

}  // namespace tidegate::library
