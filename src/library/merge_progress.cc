// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>

#include "library/instance.h"

namespace tidegate::library {
namespace {

template <typename T>
T& of_name(std::vector<T>& all, const std::string& name) {
  for (T& one : all)
    if (one.name == name) return one;
  T& added = all.emplace_back();
  added.name = name;
  added.watermark = kMaxWatermark;
  return added;
}

void add(const SourceProgress& task, SourceProgress& all) {
  all.rows_out += task.rows_out;
  all.rows_bad += task.rows_bad;
  all.splits.insert(all.splits.end(), task.splits.begin(), task.splits.end());
  all.splits_waiting += task.splits_waiting;
  all.splits_ended += task.splits_ended;
  if (task.watermark < all.watermark) all.held_back_by = task.held_back_by;
  all.watermark = std::min(all.watermark, task.watermark);
}

void add(const OperatorProgress& task, OperatorProgress& all) {
  all.rows_in += task.rows_in;
  all.rows_out += task.rows_out;
  all.rows_late += task.rows_late;
  all.rows_bad += task.rows_bad;
  all.state_bytes += task.state_bytes;
  all.watermark = std::min(all.watermark, task.watermark);
}

}  // namespace

JobProgress merge_progress(const std::vector<JobProgress>& tasks) {
  JobProgress all;
  for (const JobProgress& task : tasks) {
    for (const SourceProgress& source : task.sources)
      add(source, of_name(all.sources, source.name));
    for (const OperatorProgress& each : task.operators)
      add(each, of_name(all.operators, each.name));
    if (task.published_epoch < all.published_epoch) continue;
    all.published_epoch = task.published_epoch;
    all.epochs = task.epochs;
  }
  return all;
}

}  // namespace tidegate::library
