// SPDX-License-Identifier: Apache-2.0
//
// Our own modes side by side: what an event costs, and how long it takes to come out.
//
//   Cost: clicks per URL in 5-minute windows from a folder of files to their end (as clicks.cc),
//   with checkpoints where the mode has them. Latency: files of 50 events, one every 50 ms, so
//   1,000 events a second; the newest time per URL as it changes. From when a file is there until
//   its rows are with the sink; folders are looked at every 10 ms. And the same events from a
//   source of the program's own, which says when it has some.
//
//   modes [--json | --markdown] [--events N] [--seconds N]
//
// --markdown prints the table of docs/how-to/choose-a-mode.md.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "click_folder.h"
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

constexpr int kFiles = 20;
constexpr int kRowsOfAFile = 50;
constexpr auto kBetweenFiles = 50ms;

struct Way {
  const char* name;
  const char* mode;
  Trigger trigger;
  bool checkpoints = false;
  std::int64_t files_per_batch = 0;
};

const std::vector<Way>& ways() {
  using Kind = Trigger::Kind;
  static const std::vector<Way> all = {
      {"embedded", "embedded", {}},
      {"embedded, epochs in files", "embedded", {}, true},
      {"micro-batch", "micro-batch", {}, true},
      {"micro-batch, a file each", "micro-batch", {}, true, 1},
      {"micro-batch, 100 ms", "micro-batch", {Kind::kInterval, 100ms}, true},
      {"micro-batch, 1 s", "micro-batch", {Kind::kInterval, 1s}, true},
      {"micro-batch, available-now", "micro-batch", {Kind::kAvailableNow}, true},
  };
  return all;
}

fs::path fresh_folder(const char* name) {
  const fs::path folder = bench_folder() / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

RunOptions options_of(const Way& way, int parallelism) {
  RunOptions options;
  options.mode = way.mode;
  options.trigger = way.trigger;
  options.max_files_per_trigger = way.files_per_batch;
  options.parallelism = parallelism;
  if (way.checkpoints) options.checkpoint_dir = fresh_folder("modes-state");
  return options;
}

std::int64_t now_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

std::uint64_t count_clicks(const fs::path& in, const Way& way) {
  App app("clicks");
  std::uint64_t counted = 0;
  app.source<Click>(files(in).format(json()))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .count()
      .for_each([&](const Windowed<std::string, std::int64_t>& count) {
        counted += static_cast<std::uint64_t>(count.value);
      });
  Result<RunningJob> job = app.start(options_of(way, 2));
  const Status status = job.is_ok() ? job->await() : job.status();
  if (!status.is_ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return counted;
}

/// Times of rows that came out, less those of the first second.
class Latencies {
 public:
  void add(std::int64_t made_us) {
    const std::int64_t now = now_us();
    const std::lock_guard lock(mutex_);
    if (first_us_ == 0) first_us_ = now;
    if (now - first_us_ > 1'000'000) all_us_.push_back(now - made_us);
  }
  /// p50 and p99 in microseconds, one above the other; 0: nothing came.
  std::uint64_t percentiles() {
    const std::lock_guard lock(mutex_);
    if (all_us_.empty()) return 0;
    std::ranges::sort(all_us_);
    return static_cast<std::uint64_t>(all_us_[all_us_.size() / 2]) << 32 |
           static_cast<std::uint64_t>(all_us_[all_us_.size() * 99 / 100]);
  }

 private:
  std::mutex mutex_;
  std::int64_t first_us_ = 0;
  std::vector<std::int64_t> all_us_;
};

void put_file(const fs::path& in, int number) {
  const fs::path part = in / (".part" + std::to_string(number));
  {
    std::ofstream out(part);
    const std::int64_t now = now_us();
    for (int i = 0; i < kRowsOfAFile; ++i)
      out << "{\"url\":\"/page" << (number * 7 + i) % 1'000 << "\",\"ts\":" << now << "}\n";
  }
  fs::rename(part, in / (std::to_string(1'000'000 + number) + ".json"));
}

/// Hands out rows as they are made, ten every 10 ms.
class LiveReader final : public CustomReader<Click> {
 public:
  explicit LiveReader(std::function<void()> wake)
      : maker_([this, wake = std::move(wake)](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            std::this_thread::sleep_for(10ms);
            made_us_.store(now_us());
            wake();
          }
        }) {}
  Result<State> poll(Collector<Click>& out, std::int64_t) override {
    const std::int64_t made_us = made_us_.exchange(0);
    if (made_us == 0) return State::kPending;
    for (int i = 0; i < 10; ++i) out.emit(Click{"/page", made_us});
    return State::kRows;
  }
  std::string position() const override { return "0"; }

 private:
  std::atomic<std::int64_t> made_us_{0};
  std::jthread maker_;
};

class LiveSource final : public CustomSource<Click> {
 public:
  Result<std::vector<std::string>> splits() override { return std::vector<std::string>{"live"}; }
  bool is_bounded() const override { return false; }
  Result<std::unique_ptr<CustomReader<Click>>> open(const std::string&,
                                                    const std::optional<std::string>&,
                                                    std::function<void()> wake) override {
    return std::unique_ptr<CustomReader<Click>>(std::make_unique<LiveReader>(std::move(wake)));
  }
};

std::uint64_t measure_latency(const Way& way, bool live, int seconds) {
  const fs::path in = fresh_folder("modes-in");
  Latencies latencies;
  App app("latency");
  const auto clicks =
      live ? app.source<Click>(std::make_shared<LiveSource>())
           : app.source<Click>(files(in).format(json()).option("source.monitor-interval", "10 ms"));
  const auto newest = clicks.key_by(&Click::url).max(&Click::ts);
  using Newest = Keyed<std::string, std::int64_t>;
  if (std::string_view(way.mode) == "embedded") {
    newest.for_each([&](const Newest& row) { latencies.add(row.value); });
  } else {
    // When the batch is through, as whoever reads its output sees it.
    newest.for_each_batch([&](std::uint64_t, const std::vector<Newest>& rows) {
      for (const Newest& row : rows) latencies.add(row.value);
    });
  }
  Result<RunningJob> job = app.start(options_of(way, 1));
  if (!job.is_ok()) {
    std::fprintf(stderr, "%s\n", job.status().to_string().c_str());
    return 0;
  }
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; std::chrono::steady_clock::now() - start < std::chrono::seconds(seconds); ++i) {
    std::this_thread::sleep_until(start + i * kBetweenFiles);
    if (!live) put_file(in, i);
  }
  job->stop();
  const Status status = job->await();
  if (!status.is_ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return latencies.percentiles();
}

enum class Form : std::uint8_t { kText, kJson, kMarkdown };

/// What one way gave; 0: not measured.
struct Figures {
  double events_per_cpu_s = 0;
  double p50_ms = 0;
  double p99_ms = 0;
};

Figures figures_of(const Cost& latency) {
  return {0, static_cast<double>(latency.answer >> 32) / 1e3,
          static_cast<double>(latency.answer & 0xffff'ffff) / 1e3};
}

void print_latency(const char* name, const Figures& figures, const Cost& cost, int seconds,
                   Form form) {
  if (form == Form::kMarkdown) return;
  std::printf(form == Form::kJson
                  ? "{\"bench\":\"modes\",\"case\":\"latency: %s\",\"p50_ms\":%.3f,"
                    "\"p99_ms\":%.3f,\"cores\":%.4f}\n"
                  : "modes      latency: %-28s p50 %.3f ms, p99 %.3f ms, %.4f cores\n",
              name, figures.p50_ms, figures.p99_ms, cost.cpu_s / seconds);
}

void print_row(const char* name, const Figures& figures) {
  const auto cell = [](double value, const char* form) {
    char text[32] = "";
    if (value > 0) std::snprintf(text, sizeof text, form, value);
    return std::string(text);
  };
  std::printf("| %s | %s | %s | %s |\n", name, cell(figures.p50_ms, "%.1f").c_str(),
              cell(figures.p99_ms, "%.1f").c_str(),
              cell(figures.events_per_cpu_s / 1e6, "%.1f").c_str());
}

int run(int argc, char** argv) {
  Form form = Form::kText;
  std::int64_t events = 5'000'000;
  int seconds = 10;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--json") form = Form::kJson;
    if (name == "--markdown") form = Form::kMarkdown;
    if (i + 1 == argc) break;
    if (name == "--events") events = std::atoll(argv[i + 1]);
    if (name == "--seconds") seconds = std::atoi(argv[i + 1]);
  }
  bool wrong = false;
  const fs::path clicks = click_folder(events, kFiles);
  measure([&] { return count_clicks(clicks, ways().front()); });  // fills the page cache
  Cost embedded;
  std::vector<Figures> all(ways().size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Way& way = ways()[i];
    if (way.trigger.kind == Trigger::Kind::kInterval) continue;  // no batch waits for another here
    const Cost cost = measure([&] { return count_clicks(clicks, way); });
    if (embedded.answer == 0) embedded = cost;
    // Those that stop with what is there leave the last windows open.
    const bool stops = way.trigger.kind == Trigger::Kind::kAvailableNow;
    wrong |= cost.failed || cost.answer == 0 || (!stops && cost.answer != embedded.answer);
    all[i].events_per_cpu_s = static_cast<double>(events) / cost.cpu_s;
    if (form == Form::kMarkdown) continue;
    report(form == Form::kJson, "modes", way.name, events, cost, "embedded",
           embedded.cpu_s / cost.cpu_s);
  }
  const auto latency = [&](const Way& way, bool live, const char* name) {
    const Cost cost = measure([&] { return measure_latency(way, live, seconds); });
    wrong |= cost.failed || cost.answer == 0;
    print_latency(name, figures_of(cost), cost, seconds, form);
    return figures_of(cost);
  };
  const Figures live = latency(ways().front(), true, "embedded, a live source");
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (ways()[i].trigger.kind == Trigger::Kind::kAvailableNow) continue;
    const Figures measured = latency(ways()[i], false, ways()[i].name);
    all[i].p50_ms = measured.p50_ms;
    all[i].p99_ms = measured.p99_ms;
  }
  if (form == Form::kMarkdown) {
    std::printf("| mode | p50 ms | p99 ms | M events/CPU-s |\n|---|--:|--:|--:|\n");
    print_row("embedded, a live source", live);
    for (std::size_t i = 0; i < all.size(); ++i) print_row(ways()[i].name, all[i]);
  }
  if (wrong) std::fprintf(stderr, "WRONG ANSWER\n");
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
