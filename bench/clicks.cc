// SPDX-License-Identifier: Apache-2.0
//
// Click analytics from a file: JSON lines, 1,000 URLs, 5-minute windows, exact results. The limit
// is a hand-written loop that does only this (simdjson and a hash map); the ratio of events per
// CPU-second to it is what the engine costs.
//
//   clicks [--json] [--events N]

#include <boost/unordered/unordered_flat_map.hpp>

#include <fcntl.h>
#include <simdjson.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "click_file.h"
#include "measured_child.h"
#include "tidegate/tidegate.h"

namespace tidegate::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kWindowMs = 300'000;

/// A number that depends on every (window, url, count), in any order.
std::uint64_t mix(std::int64_t start, std::string_view url, std::int64_t count) {
  std::uint64_t h = static_cast<std::uint64_t>(start) * 0x9E3779B97F4A7C15u;
  for (char c : url) h = (h ^ static_cast<std::uint8_t>(c)) * 0x100000001B3u;
  h ^= static_cast<std::uint64_t>(count) * 0xC2B2AE3D27D4EB4Fu;
  return h ^ (h >> 29);
}

/// Strings by hash without making one for a look-up.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
};

/// The limit: one thread, blocks of whole lines, simdjson, a hash map from URL to dense counts.
std::uint64_t hand_written(const std::string& path) {
  boost::unordered_flat_map<std::string, std::uint32_t, StringHash, std::equal_to<>> ids;
  std::vector<std::string> urls;
  std::map<std::int64_t, std::vector<std::int64_t>> windows;
  simdjson::ondemand::parser parser;
  const int file = open(path.c_str(), O_RDONLY);
  constexpr std::size_t kBlock = 1 << 20;
  std::vector<char> buffer(2 * kBlock + simdjson::SIMDJSON_PADDING);
  std::size_t have = 0;
  for (;;) {
    const ssize_t got = read(file, buffer.data() + have, kBlock);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
    const auto* last = static_cast<const char*>(memrchr(buffer.data(), '\n', have));
    if (last == nullptr) continue;
    const auto whole = static_cast<std::size_t>(last + 1 - buffer.data());
    simdjson::ondemand::document_stream lines;
    if (parser.iterate_many(buffer.data(), whole, whole).get(lines)) return 0;
    std::int64_t window = INT64_MIN;
    std::vector<std::int64_t>* counts = nullptr;
    for (auto line : lines) {
      std::string_view url;
      std::int64_t ts = 0;
      if (line.find_field("url").get(url) || line.find_field("ts").get(ts)) return 0;
      auto id = ids.find(url);
      if (id == ids.end()) {
        id = ids.emplace(std::string(url), static_cast<std::uint32_t>(urls.size())).first;
        urls.emplace_back(url);
      }
      if (ts / kWindowMs != window) counts = &windows[window = ts / kWindowMs];
      if (counts->size() <= id->second) counts->resize(id->second + 1024);
      ++(*counts)[id->second];
    }
    have -= whole;
    std::memmove(buffer.data(), buffer.data() + whole, have);
  }
  close(file);
  std::uint64_t answer = 0;
  for (const auto& [window, counts] : windows) {
    for (std::size_t i = 0; i < urls.size() && i < counts.size(); ++i) {
      if (counts[i] > 0) answer += mix(window * kWindowMs, urls[i], counts[i]);
    }
  }
  return answer;
}

}  // namespace

struct Click {
  std::string_view url;
  std::int64_t ts;
};
BOOST_DESCRIBE_STRUCT(Click, (), (url, ts))

namespace {

std::uint64_t with_tidegate(const std::string& path, int parallelism) {
  App app("clicks");
  std::uint64_t answer = 0;
  app.source<Click>(files(path).format(json()))
      .event_time(&Click::ts, bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .count()
      .for_each([&](const Windowed<std::string, std::int64_t>& count) {
        answer += mix(count.window_start.ms, count.key, count.value);
      });
  RunOptions options;
  options.parallelism = parallelism;
  Result<RunningJob> job = app.start(options);
  const Status status = job.is_ok() ? job->await() : job.status();
  if (!status.is_ok()) {
    std::fprintf(stderr, "%s\n", status.to_string().c_str());
    return 0;
  }
  return answer;
}

int run(int argc, char** argv) {
  bool json = false;
  std::int64_t events = 10'000'000;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--json") json = true;
    if (std::string_view(argv[i]) == "--events" && i + 1 < argc) events = std::atoll(argv[++i]);
  }
  const std::string path = click_file(events);
  measure([&] { return hand_written(path); });  // fills the page cache
  const Cost limit = measure([&] { return hand_written(path); });
  report(json, "clicks", "hand-written", events, limit);
  Cost one;
  bool wrong = limit.failed;
  for (int parallelism : {1, 2}) {
    const Cost cost = measure([&] { return with_tidegate(path, parallelism); });
    wrong |= cost.failed || cost.answer != limit.answer;
    report(json, "clicks", "tidegate-" + std::to_string(parallelism), events, cost, "hand-written",
           limit.cpu_s / cost.cpu_s);
    if (parallelism == 1) {
      one = cost;
    } else {
      report(json, "clicks", "speed-up-of-2-workers", events, cost, "tidegate-1",
             one.wall_s / cost.wall_s);
    }
  }
  if (wrong) std::fprintf(stderr, "the answers differ\n");
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
