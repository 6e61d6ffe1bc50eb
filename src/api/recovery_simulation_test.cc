// SPDX-License-Identifier: Apache-2.0
//
// Jobs from files to files on one thread, in an order that a seed gives, whose machine loses power
// again and again: what is published in the end is what the input says. TIDEGATE_SIMULATION_SEEDS
// says how many seeds there are.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/blob_store.h"
#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"
#include "base/failpoints.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "dataflow/connector.h"
#include "epoch/checkpoint_store.h"
#include "expr/function_registry.h"
#include "formats/format.h"
#include "planner/lowering.h"
#include "runtime/job.h"
#include "sql/binder.h"
#include "sql/parser.h"

namespace tidegate {
namespace {

constexpr std::string_view kScript = R"(
CREATE TABLE clicks (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = '/in', 'format' = 'json');
CREATE TABLE counts (ws TIMESTAMP(3), n BIGINT, s BIGINT, k INT) PARTITIONED BY (k)
WITH ('connector' = 'filesystem', 'path' = '/out', 'format' = 'csv');
INSERT INTO counts
SELECT window_start, COUNT(*), SUM(v), k
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, k;
)";

template <typename Registry>
const Registry& all(void (*add)(Registry&)) {
  static const Registry* const registry = [add] {
    auto* made = new Registry;  // lives for the process
    add(*made);
    return made;
  }();
  return *registry;
}

Result<Graph> plan(FileSystem& files, int parallelism) {
  const auto text = std::make_shared<const std::string>(kScript);
  const sql::SourceText source{"simulation", *text, text};
  TG_ASSIGN_OR_RETURN(const std::vector<sql::Statement> statements, sql::parse_script(source));
  sql::Catalog catalog;
  std::vector<plan::NodePtr> sinks;
  for (const sql::Statement& statement : statements) {
    if (const auto* create = std::get_if<sql::CreateTable>(&statement.node)) {
      TG_RETURN_IF_ERROR(catalog.apply(*create, text));
    } else if (const auto* insert = std::get_if<sql::Insert>(&statement.node)) {
      sql::Binder binder(catalog, builtin_functions(), source);
      TG_ASSIGN_OR_RETURN(plan::NodePtr sink, binder.bind_insert(*insert));
      sinks.push_back(std::move(sink));
    }
  }
  LoweringOptions options;
  options.job_name = "simulation";
  options.parallelism = parallelism;
  options.connectors = &all<ConnectorRegistry>(register_all_connectors);
  options.formats = &all<FormatRegistry>(register_all_formats);
  options.functions = &builtin_functions();
  options.files = &files;
  return lower(sinks, options);
}

using Rows = std::multiset<std::string>;

/// A machine that loses power, and the same job on it over and over until it has finished.
class Machine {
 public:
  explicit Machine(std::uint64_t seed) : random_(seed), clock_(1'000), files_(clock_) {
    write_input();
  }

  /// Empty: the job has finished.
  Status run() {
    constexpr int kMostLives = 8;
    for (int life = 1; life <= kMostLives; ++life) {
      TG_ASSIGN_OR_RETURN(const bool finished,
                          live(life < kMostLives ? random_.below(150) : INT64_MAX));
      if (finished) return Status::ok();
      ++power_cuts;
    }
    return error(ErrorCode::kInternal, "the job does not end");
  }

  /// What is there when the power has gone once more.
  Rows published() {
    files_.crash();
    Rows rows;
    Result<std::vector<FileInfo>> found = find_files(files_, "/out");
    if (!found.is_ok()) return {found.status().to_string()};
    for (const FileInfo& file : *found) {
      const Result<std::string> content = read_file(files_, file.path);
      if (!content.is_ok()) return {content.status().to_string()};
      const std::string folder = file.path.substr(0, file.path.rfind('/'));
      std::string_view rest = *content;
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
        rows.insert(folder.substr(folder.rfind('/') + 1) + ' ' + std::string(rest.substr(0, end)));
        rest.remove_prefix(end + 1);
      }
    }
    return rows;
  }
  const Rows& truth() const { return truth_; }
  std::int64_t file_operations() const { return files_.operations(); }
  int power_cuts = 0;

 private:
  // True: finished; false: the power went after so many file operations.
  Result<bool> live(std::int64_t operations) {
    bool is_off = false;
    files_.set_fault([&is_off, operations](FileOperation, std::string_view) mutable {
      is_off = is_off || operations-- <= 0;
      return is_off ? Status(ErrorCode::kFileIo, "the power is off") : Status::ok();
    });
    const Result<bool> finished = live_until(is_off);
    if (is_off) files_.crash();
    files_.set_fault({});
    if (is_off) return false;
    return finished;
  }

  Result<bool> live_until(const bool& is_off) {
    const auto executor =
        make_simulated_executor(random_.next(), clock_, static_cast<int>(1 + random_.below(3)));
    auto epochs = std::make_shared<CheckpointStore>(make_local_blob_store(files_, "/epochs"));
    TG_ASSIGN_OR_RETURN(std::optional<EpochRecord> found, epochs->load());
    JobOptions options;
    options.parallelism = static_cast<int>(1 + random_.below(3));
    options.executor = executor.get();
    options.clock = &clock_;
    options.commit_policy = epochs;
    options.max_batch_rows = static_cast<std::int64_t>(1 + random_.below(20));
    options.epoch_rows = static_cast<std::int64_t>(1 + random_.below(30));
    if (found) options.restore = std::make_shared<const EpochRecord>(*std::move(found));
    TG_ASSIGN_OR_RETURN(Graph graph, plan(files_, options.parallelism));
    TG_ASSIGN_OR_RETURN(std::unique_ptr<Job> job, Job::create(std::move(graph), options));
    TG_RETURN_IF_ERROR(job->start());
    while (!is_off && !is_terminal(job->state()) && executor->run_one()) {
    }
    if (is_terminal(job->state())) TG_RETURN_IF_ERROR(job->await());
    return true;
  }

  void write_input() {
    std::map<std::pair<int, int>, std::pair<int, int>> windows;
    for (int file = 0; file < 3; ++file) {
      std::string lines;
      for (int i = 0; i < 60; ++i) {
        const int key = static_cast<int>(random_.below(4));
        const int second = file * 20 + i / 3;
        lines += fmt::format("{{\"k\":{},\"v\":{},\"ts\":\"2026-01-01 00:00:{:02}\"}}\n", key, i,
                             second);
        auto& [count, sum] = windows[{second / 10, key}];
        ++count;
        sum += i;
      }
      clock_.advance_to_ms(clock_.wall_ms() + 1000);
      const Status written = write_file_atomically(files_, fmt::format("/in/{}.json", file), lines);
      TG_CHECK(written.is_ok(), "{}", written.to_string());
    }
    for (const auto& [place, value] : windows)
      truth_.insert(fmt::format("k={} 2026-01-01 00:00:{:02},{},{}", place.second, place.first * 10,
                                value.first, value.second));
  }

  Random random_;
  VirtualClock clock_;
  MemoryFileSystem files_;
  Rows truth_;
};

std::uint64_t num_seeds(std::uint64_t fallback) {
  const char* const text = std::getenv("TIDEGATE_SIMULATION_SEEDS");
  return text == nullptr ? fallback : std::strtoull(text, nullptr, 10);
}

/// What is wrong with the run of a seed; empty: nothing.
std::string problem_of(std::uint64_t seed, int* power_cuts = nullptr) {
  Machine machine(seed);
  const Status status = machine.run();
  if (power_cuts != nullptr) *power_cuts += machine.power_cuts;
  if (!status.is_ok()) return status.to_string();
  const Rows rows = machine.published();
  if (rows == machine.truth()) return "";
  std::string text = fmt::format("{} rows instead of {}", rows.size(), machine.truth().size());
  for (const std::string& row : rows)
    if (rows.count(row) != machine.truth().count(row)) text += "\n  + " + row;
  for (const std::string& row : machine.truth())
    if (!rows.contains(row)) text += "\n  - " + row;
  return text;
}

TEST(RecoverySimulation, NothingIsLostAndNothingComesTwice) {
  int power_cuts = 0;
  for (std::uint64_t seed = 1; seed <= num_seeds(150); ++seed)
    ASSERT_EQ(problem_of(seed, &power_cuts), "") << "seed " << seed;
  EXPECT_GT(power_cuts, 100);
  RecordProperty("power_cuts", power_cuts);
}

TEST(RecoverySimulation, SameSeedSameRun) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Machine first(seed);
    Machine second(seed);
    ASSERT_TRUE(first.run().is_ok());
    ASSERT_TRUE(second.run().is_ok());
    EXPECT_EQ(first.file_operations(), second.file_operations());
    EXPECT_EQ(first.power_cuts, second.power_cuts);
  }
}

#ifndef TIDEGATE_NO_FAILPOINTS
/// A protection that is taken away must be missed.
class WithoutProtection : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    arm_failpoint(std::string("unprotected.") + GetParam(),
                  [] { return Status(ErrorCode::kInternal, "planted"); });
  }
  void TearDown() override { disarm_failpoints(); }
};

TEST_P(WithoutProtection, TheSimulationFindsIt) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed)
    if (!problem_of(seed).empty()) return;
  FAIL() << "nothing was missed";
}

INSTANTIATE_TEST_SUITE_P(Planted, WithoutProtection,
                         testing::Values("fsync", "commit-first", "manifest-last"));
#endif

}  // namespace
}  // namespace tidegate
