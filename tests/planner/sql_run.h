// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "connectors/memory/memory.h"
#include "plan/source.h"
#include "planner/lowering.h"
#include "planner/test_sql_plan.h"
#include "runtime/job.h"
#include "tests/support/batch_literal.h"

namespace tidegate {

// Queries from text to rows, in one process and one thread: the order in which tasks run comes from
// a seed.

/// Rows of a table: JSON arrays, one per row.
struct Rows {
  std::vector<std::string> json;
  std::vector<RowKind> kinds = {};  ///< none: all +I
};
using Tables = std::map<std::string, Rows>;

struct How {
  int parallelism = 1;
  std::size_t batch_rows = 1000;
  std::vector<std::string> disabled = {};
  std::uint64_t seed = 7;  ///< of the order in which tasks run
};

inline std::vector<Batch> batches_of(const SchemaPtr& schema, const Rows& rows,
                                     std::size_t batch_rows) {
  std::vector<Batch> batches;
  for (std::size_t begin = 0; begin < rows.json.size(); begin += batch_rows) {
    const std::size_t end = std::min(rows.json.size(), begin + batch_rows);
    std::string text = "[";
    for (std::size_t i = begin; i < end; ++i) text += (i > begin ? ", " : "") + rows.json[i];
    Batch batch = batch_of(schema, text + "]");
    if (!rows.kinds.empty()) {
      batch = with_row_kinds(batch, {rows.kinds.begin() + static_cast<std::ptrdiff_t>(begin),
                                     rows.kinds.begin() + static_cast<std::ptrdiff_t>(end)});
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

/// Everything that the sink got, in order; or the error.
inline std::vector<std::string> changes(const std::string& script, const Tables& tables,
                                        How how = {}, Options settings = {}) {
  auto roots = plan_of(script);
  if (!roots.is_ok()) return {"binder: " + roots.status().message()};
  LoweringOptions options;
  options.job_name = "test";
  options.functions = &builtin_functions();
  options.disabled_rules = how.disabled;
  options.settings = std::move(settings);
  for (plan::Node* node : plan::topological_order(*roots)) {
    auto* source = dynamic_cast<plan::SourceNode*>(node);
    if (source == nullptr) continue;
    const Rows& rows = tables.at(source->name);
    source->changelog = !rows.kinds.empty();
    options.sources[source->name] = std::make_shared<MemorySource>(
        source->table,
        std::vector<std::vector<Batch>>{batches_of(source->table, rows, how.batch_rows)});
  }
  const auto sink = std::make_shared<CollectSink>();
  options.sinks[(*roots)[0]->name] = sink;
  Result<Graph> graph = lower(*roots, options);
  if (!graph.is_ok()) return {graph.status().message()};
  VirtualClock clock(1'000);
  const auto executor = make_simulated_executor(how.seed, clock);
  JobOptions job_options;
  job_options.parallelism = how.parallelism;
  job_options.executor = executor.get();
  job_options.clock = &clock;
  Result<std::unique_ptr<Job>> job = Job::create(*std::move(graph), std::move(job_options));
  if (!job.is_ok()) return {job.status().message()};
  Status status = (*job)->start();
  if (status.is_ok()) status = (*job)->await();
  if (!status.is_ok()) return {status.message()};
  std::vector<std::string> rows;
  for (const Batch& batch : sink->written()) {
    Batch plain = batch;
    plain.set_event_times(nullptr);
    for (std::string& row : text_rows(plain)) rows.push_back(std::move(row));
  }
  return rows;
}

/// The table that the changes make, sorted.
inline std::vector<std::string> folded(const std::vector<std::string>& changes) {
  std::map<std::string, int> counts;
  for (const std::string& change : changes) {
    if (change.size() < 2 || (change[0] != '+' && change[0] != '-')) return changes;
    counts[change.substr(2)] += change[0] == '+' ? 1 : -1;
  }
  std::vector<std::string> rows;
  for (const auto& [row, count] : counts) {
    if (count < 0) rows.push_back(row + " taken back " + std::to_string(-count) + " times");
    for (int i = 0; i < count; ++i) rows.push_back(row);
  }
  return rows;
}

}  // namespace tidegate
