// SPDX-License-Identifier: Apache-2.0
//
// Micro-batches: click counts (5-minute windows per URL) from files, all that is there in one batch
// and a batch per file, beside the embedded mode; and what a batch of 100 rows with state costs
// when both logs and the state are written to the disk.
//
//   microbatch [--json] [--events N] [--files N] [--batches N]
//
// Spark's figures for the same work come from its own benchmark on the same machine; README.md
// says how to compare them.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "click_file.h"
#include "measured_child.h"
#include "tidegate/tidegate.h"

namespace tidegate::bench {

struct Click {
  std::string_view url;
  std::int64_t ts;
};
BOOST_DESCRIBE_STRUCT(Click, (), (url, ts))

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

struct Workload {
  std::int64_t events = 5'000'000;
  int files = 20;
  int batches = 1'000;
};

/// The click file in pieces, in a folder of its own.
fs::path click_folder(const Workload& work) {
  const fs::path whole = click_file(work.events);
  const fs::path folder = whole.string() + "-in-" + std::to_string(work.files);
  if (fs::exists(folder)) return folder;
  fs::create_directories(folder.string() + ".part");
  std::ifstream in(whole);
  std::string line;
  for (int i = 0; i < work.files; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "/%05d.json", i);
    std::ofstream out(folder.string() + ".part" + name);
    for (std::int64_t n = 0; n < work.events / work.files && std::getline(in, line); ++n)
      out << line << '\n';
  }
  fs::rename(folder.string() + ".part", folder);
  return folder;
}

/// A folder for checkpoints, empty.
std::string fresh_folder() {
  const fs::path folder = fs::path(click_file(1'000)).parent_path() / "microbatch-state";
  fs::remove_all(folder);
  return folder;
}

/// The sum of all counts, and how many there are.
std::uint64_t count_clicks(const fs::path& in, RunOptions options) {
  App app("clicks");
  std::uint64_t answer = 0;
  app.source<Click>(files(in).format(json()))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .count()
      .for_each([&](const Windowed<std::string, std::int64_t>& count) {
        answer += static_cast<std::uint64_t>(count.value) + (std::uint64_t{1} << 40);
      });
  options.parallelism = 2;
  options.checkpoint_dir = fresh_folder();
  Result<RunningJob> job = app.start(options);
  const Status status = job.is_ok() ? job->await() : job.status();
  if (!status.is_ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return status.is_ok() ? answer : 0;
}

/// A hundred rows per split, each split a batch; the times of the batches go to `durations_ms`.
class SmallReader final : public CustomReader<Click> {
 public:
  explicit SmallReader(std::int64_t number) : number_(number) {}
  Result<State> poll(Collector<Click>& out, std::int64_t) override {
    if (std::exchange(done_, true)) return State::kEnd;
    for (std::int64_t i = 0; i < 100; ++i) out.emit(Click{"/page", number_ * 1'000 + i});
    return State::kRows;
  }
  std::string position() const override { return done_ ? "1" : "0"; }

 private:
  const std::int64_t number_;
  bool done_ = false;
};

class SmallSource final : public CustomSource<Click> {
 public:
  explicit SmallSource(int splits) : splits_(splits) {}
  Result<std::vector<std::string>> splits() override {
    std::vector<std::string> names;
    for (int i = 0; i < splits_; ++i) names.push_back(std::to_string(i));
    return names;
  }
  Result<std::unique_ptr<CustomReader<Click>>> open(const std::string& split,
                                                    const std::optional<std::string>&,
                                                    std::function<void()>) override {
    return std::unique_ptr<CustomReader<Click>>(std::make_unique<SmallReader>(std::stoll(split)));
  }

 private:
  const int splits_;
};

std::uint64_t small_batches(const Workload& work, bool json) {
  App app("small");
  app.source<Click>(std::make_shared<SmallSource>(work.batches))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .count()
      .for_each([](const Windowed<std::string, std::int64_t>&) {});
  RunOptions options;
  options.mode = "micro-batch";
  options.parallelism = 1;
  options.max_files_per_trigger = 1;
  options.checkpoint_dir = fresh_folder();
  std::vector<double> durations_ms;
  options.on_batch = [&](const BatchProgress& batch) {
    const double rows = static_cast<double>(batch.num_input_rows);
    if (batch.processed_rows_per_second > 0)
      durations_ms.push_back(rows / batch.processed_rows_per_second * 1e3);
  };
  Result<RunningJob> job = app.start(options);
  const Status status = job.is_ok() ? job->await() : job.status();
  if (!status.is_ok() || durations_ms.empty()) {
    std::fprintf(stderr, "%s\n", status.to_string().c_str());
    return 0;
  }
  std::ranges::sort(durations_ms);
  const double p50 = durations_ms[durations_ms.size() / 2];
  const double p99 = durations_ms[durations_ms.size() * 99 / 100];
  std::printf(json ? "{\"bench\":\"microbatch\",\"case\":\"small-batch-latency\",\"batches\":%zu,"
                     "\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n"
                   : "small batches: %zu, p50 %.2f ms, p99 %.2f ms\n",
              durations_ms.size(), p50, p99);
  return durations_ms.size();
}

int run(int argc, char** argv) {
  bool json = false;
  Workload work;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--json") json = true;
    if (i + 1 == argc) break;
    if (name == "--events") work.events = std::atoll(argv[i + 1]);
    if (name == "--files") work.files = std::atoi(argv[i + 1]);
    if (name == "--batches") work.batches = std::atoi(argv[i + 1]);
  }
  const fs::path in = click_folder(work);
  const Cost embedded = measure([&] { return count_clicks(in, {}); });
  report(json, "microbatch", "embedded", work.events, embedded);
  bool wrong = embedded.failed;
  RunOptions at_once;
  at_once.mode = "micro-batch";
  RunOptions by_file = at_once;
  by_file.max_files_per_trigger = 1;
  for (const auto& [name, options] : {std::pair("one-batch", at_once), {"file-by-file", by_file}}) {
    const Cost cost = measure([&] { return count_clicks(in, options); });
    wrong |= cost.failed || cost.answer != embedded.answer;
    report(json, "microbatch", name, work.events, cost, "embedded", embedded.cpu_s / cost.cpu_s);
  }
  const Cost small = measure([&] { return small_batches(work, json); });
  wrong |= small.failed || small.answer == 0;
  report(json, "microbatch", "small-batches", static_cast<std::int64_t>(work.batches) * 100, small);
  if (wrong) std::fprintf(stderr, "WRONG ANSWER\n");
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
