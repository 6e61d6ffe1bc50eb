// SPDX-License-Identifier: Apache-2.0
//
// Micro-batches, the same work as bench/peers/spark, which compare-spark runs beside it:
//
//   available-now, file-by-file   clicks per URL in 5-minute windows from a folder of files, into
//                                 files; in one batch and in a batch per file
//   small-batches                 files of 100 rows, each put there when the one before is through;
//                                 counts per window and URL in `update`, state and both logs
//                                 durable
//   update, complete              counts per URL of a million of them, a batch per file
//
//   microbatch [--json] [--events N] [--files N] [--batches N] [--urls N]

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "click_folder.h"
#include "measured_child.h"
#include "tidegate/tidegate.h"

namespace tidegate::bench {

struct Click {
  std::string_view url;
  std::int64_t ts;
};
BOOST_DESCRIBE_STRUCT(Click, (), (url, ts))

struct Count {
  std::int64_t start;
  std::string url;
  std::int64_t count;
};
BOOST_DESCRIBE_STRUCT(Count, (), (start, url, count))

namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr int kRowsOfASmallBatch = 100;

struct Workload {
  std::int64_t events = 5'000'000;
  int files = 20;
  int batches = 1'000;
  int urls = 1'000'000;
};

/// A folder in the benchmarks' own, empty.
fs::path fresh_folder(const char* name) {
  const fs::path folder = bench_folder() / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

/// Two events per URL on average, in `files` files.
fs::path folder_of_urls(const Workload& work) {
  const int files = 10;
  const fs::path folder = bench_folder() / ("urls-" + std::to_string(work.urls));
  if (fs::exists(folder)) return folder;
  const fs::path part = folder.string() + ".part";
  fs::create_directories(part);
  Random random(11);
  for (int file = 0; file < files; ++file) {
    std::ofstream out(part / (std::to_string(file) + ".json"));
    for (int i = 0; i < 2 * work.urls / files; ++i) {
      out << "{\"user_id\":1,\"url\":\"/page" << random.below(static_cast<std::uint64_t>(work.urls))
          << "\",\"ts\":1700000000000}\n";
    }
  }
  fs::rename(part, folder);
  return folder;
}

/// A number that depends on every row of the published files, in any order.
std::uint64_t answer_of(const fs::path& folder) {
  std::uint64_t answer = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) {
      long long start = 0;
      long long page = 0;
      long long count = 0;
      if (std::sscanf(line.c_str(), R"({"start":%lld,"url":"/page%lld","count":%lld})", &start,
                      &page, &count) != 3)
        return 0;
      answer += static_cast<std::uint64_t>(start) * 0x9E3779B97F4A7C15u ^
                static_cast<std::uint64_t>(page) * 0x100000001B3u ^
                static_cast<std::uint64_t>(count) * 0xC2B2AE3D27D4EB4Fu;
    }
  }
  return answer;
}

bool ran(Result<RunningJob> job) {
  const Status status = job.is_ok() ? job->await() : job.status();
  if (!status.is_ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return status.is_ok();
}

/// Windows that the watermark has closed, as Spark leaves them: the last ones stay open.
std::uint64_t count_clicks(const fs::path& in, std::int64_t files_per_batch) {
  const fs::path out = fresh_folder("microbatch-out");
  App app("clicks");
  app.source<Click>(files(in).format(json()))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .count()
      .map([](const Windowed<std::string, std::int64_t>& row) -> Count {
        return {row.window_start.ms, row.key, row.value};
      })
      .sink(files(out).format(json()));
  RunOptions options;
  options.mode = "micro-batch";
  options.trigger.kind = Trigger::Kind::kAvailableNow;
  options.output_mode = "append";
  options.max_files_per_trigger = files_per_batch;
  options.parallelism = 2;
  options.checkpoint_dir = fresh_folder("microbatch-state");
  return ran(app.start(options)) ? answer_of(out) : 0;
}

/// Seconds of this process.
double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// What the folder holds, in bytes.
std::int64_t bytes_in(const fs::path& folder) {
  std::int64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += static_cast<std::int64_t>(entry.file_size());
  return bytes;
}

void put_small_file(const fs::path& in, int number) {
  const fs::path part = in / (".part" + std::to_string(number));
  {
    std::ofstream out(part);
    for (int i = 0; i < kRowsOfASmallBatch; ++i) {
      out << "{\"user_id\":" << i << ",\"url\":\"/page" << i
          << "\",\"ts\":" << 1'700'000'000'000 + i << "}\n";
    }
  }
  fs::rename(part, in / (std::to_string(100'000 + number) + ".json"));
}

/// The first quarter warms up (as Spark's does); prints what a batch took after that.
std::uint64_t small_batches(int batches, bool as_json) {
  const fs::path in = fresh_folder("microbatch-in");
  App app("small");
  app.source<Click>(files(in).format(json()).option("source.monitor-interval", "1 h"))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .count()
      .sink(blackhole());
  RunOptions options;
  options.mode = "micro-batch";
  options.output_mode = "update";
  options.parallelism = 1;
  options.checkpoint_dir = fresh_folder("microbatch-state");
  std::vector<double> batch_ms;
  options.on_batch = [&](const BatchProgress& batch) {
    if (batch.processed_rows_per_second <= 0) return;
    batch_ms.push_back(static_cast<double>(batch.num_input_rows) / batch.processed_rows_per_second *
                       1e3);
  };
  Result<RunningJob> job = app.start(options);
  double cpu_before = 0;
  std::int64_t bytes_before = 0;
  const int first = batches / 4;
  Status status = job.is_ok() ? Status::ok() : job.status();
  for (int i = 0; i < batches && status.is_ok(); ++i) {
    if (i == first) {
      cpu_before = cpu_s();
      bytes_before = bytes_in(options.checkpoint_dir);
    }
    put_small_file(in, i);
    status = job->process_available();
  }
  const double cpu_ms = (cpu_s() - cpu_before) * 1e3 / (batches - first);
  if (status.is_ok()) {
    job->stop();
    status = job->await();
  }
  if (!status.is_ok() || static_cast<int>(batch_ms.size()) != batches) {
    std::fprintf(stderr, "%zu batches; %s\n", batch_ms.size(), status.to_string().c_str());
    return 0;
  }
  batch_ms.erase(batch_ms.begin(), batch_ms.begin() + first);
  std::ranges::sort(batch_ms);
  const double p50 = batch_ms[batch_ms.size() / 2];
  const double p99 = batch_ms[batch_ms.size() * 99 / 100];
  const auto kib = [](std::int64_t bytes) { return static_cast<long long>(bytes / 1024); };
  std::printf(as_json ? "{\"bench\":\"microbatch\",\"case\":\"small-batch\",\"batches\":%zu,"
                        "\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"cpu_ms\":%.3f,\"kib_before\":%lld,"
                        "\"kib_after\":%lld}\n"
                      : "small batches: %zu, p50 %.2f ms, p99 %.2f ms, %.3f ms of CPU each; the "
                        "checkpoint grew from %lld to %lld KiB\n",
              batch_ms.size(), p50, p99, cpu_ms, kib(bytes_before),
              kib(bytes_in(options.checkpoint_dir)));
  return batch_ms.size();
}

/// Answers how many rows were told.
std::uint64_t count_urls(const fs::path& in, const char* output_mode) {
  App app("urls");
  std::uint64_t told = 0;
  app.source<Click>(files(in).format(json()))
      .key_by(&Click::url)
      .count()
      .for_each([&](const auto&) { ++told; });
  RunOptions options;
  options.mode = "micro-batch";
  options.trigger.kind = Trigger::Kind::kAvailableNow;
  options.output_mode = output_mode;
  options.max_files_per_trigger = 1;
  options.parallelism = 2;
  options.checkpoint_dir = fresh_folder("microbatch-state");
  return ran(app.start(options)) ? told : 0;
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
    if (name == "--urls") work.urls = std::atoi(argv[i + 1]);
  }
  bool wrong = false;
  const fs::path clicks = click_folder(work.events, work.files);
  const Cost whole = measure([&] { return count_clicks(clicks, 0); });
  report(json, "microbatch", "available-now", work.events, whole);
  const Cost by_file = measure([&] { return count_clicks(clicks, 1); });
  report(json, "microbatch", "file-by-file", work.events, by_file, "available-now",
         whole.cpu_s / by_file.cpu_s);
  wrong |= whole.answer == 0 || whole.answer != by_file.answer;

  const Cost small = measure([&] { return small_batches(work.batches, json); });
  report(json, "microbatch", "small-batches",
         static_cast<std::int64_t>(work.batches) * kRowsOfASmallBatch, small);

  const fs::path urls = folder_of_urls(work);
  const Cost update = measure([&] { return count_urls(urls, "update"); });
  report(json, "microbatch", "update", 2 * work.urls, update);
  const Cost complete = measure([&] { return count_urls(urls, "complete"); });
  report(json, "microbatch", "complete", 2 * work.urls, complete, "update",
         update.cpu_s / complete.cpu_s);
  wrong |= small.answer == 0 || update.answer == 0 || complete.answer < update.answer;
  for (const Cost& cost : {whole, by_file, small, update, complete}) wrong |= cost.failed;
  if (wrong) std::fprintf(stderr, "WRONG ANSWER\n");
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
