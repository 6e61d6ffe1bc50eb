// SPDX-License-Identifier: Apache-2.0
//
// Library mode on a real broker: the program `tidegate` with --application-id, from topic to topic,
// exactly once, an epoch every 100 ms. bench/compare-kafka-streams runs it beside Kafka Streams.
//
//   library [--json] [--events N] [--minutes N] [--brokers HOST:PORT] [CASE ...]
//
//   regroup     clicks keyed by user, counted by URL in 5-minute windows: exact, or the case fails
//   keyed       the same of a topic whose keys are the URLs
//   delay       time from a click to the new count of its user, at 10,000 clicks a second;
//               delay-keyed: of a topic whose keys are the users
//   sustained   clicks regrouped without a pause, --minutes (1) at a million a second;
//               sustained-raw: without adding up in front of the repartition topic
//   start       from the start of the program to the first row that a reader sees
//   restore     a million keys out of the changelog
//   load        sends the clicks to the topics clicks-user and clicks-url, and no more
//   check=TOPIC the windows in a topic against the truth, of whoever has written them
//   delay=IN,OUT  sends and reads as `delay` does; somebody else counts
//
// Without --brokers a broker is started with tools/kafka and stopped at the end. Its CPU time does
// not count.

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "click_file.h"
#include "click_topics.h"
#include "measured_child.h"

namespace tidegate::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using Windows = std::map<std::pair<std::int64_t, std::string>, std::int64_t>;

constexpr std::int64_t kWindowMs = 300'000;
constexpr std::int64_t kDelayWarmUp = 60'000, kDelayClicks = 200'000, kDelayRate = 10'000;
constexpr std::int64_t kRestoredKeys = 1'000'000;

struct Settings {
  bool json = false;
  std::int64_t events = 5'000'000;
  int minutes = 1;
  std::string brokers;
  fs::path folder;
};

std::int64_t now_ms() { return system_clock().wall_ms(); }

void print_json(const std::string& name, const std::string& fields) {
  std::printf("{\"bench\":\"library\",\"case\":\"%s\",%s}\n", name.c_str(), fields.c_str());
  std::fflush(stdout);
}

Windows truth(const std::string& path) {
  const std::string text = require(read_file(local_file_system(), path));
  Windows windows;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    const std::int64_t start = json_number(line, "ts") / kWindowMs * kWindowMs;
    ++windows[{start, std::string(json_field(line, "url"))}];
    begin = end + 1;
  }
  return windows;
}

/// Compares what is committed in a topic. Windows that are still open are not there: `whole` is
/// false for somebody who leaves the last ones open.
bool check(const Settings& settings, const std::string& topic, bool whole) {
  Windows expected = truth(click_file(settings.events));
  if (!whole) {
    const std::int64_t last = expected.rbegin()->first.first;
    std::erase_if(expected, [&](const auto& window) { return window.first.first == last; });
  }
  CommittedReader reader(settings.brokers, topic);
  std::int64_t exact = 0, twice = 0, events = 0, missing = 0;
  Windows found;
  while (!reader.ended()) {
    reader.take(1000, [&](std::string_view row) {
      const std::int64_t n = json_number(row, "n");
      const std::pair window{json_number(row, "starts"), std::string(json_field(row, "url"))};
      twice += !found.emplace(window, n).second;
    });
  }
  for (const auto& [window, n] : expected) {
    const auto there = found.find(window);
    exact += there != found.end() && there->second == n;
    missing += n - (there == found.end() ? 0 : there->second);
    events += n;
  }
  char text[200];
  std::snprintf(text, sizeof text,
                "\"windows\":%zu,\"exact\":%lld,\"twice\":%lld,\"events\":%lld,\"lost\":%lld",
                expected.size(), static_cast<long long>(exact), static_cast<long long>(twice),
                static_cast<long long>(events), static_cast<long long>(missing));
  print_json("check", text);
  return exact == static_cast<std::int64_t>(expected.size()) && twice == 0;
}

/// An application: a script, and the command that runs it.
class Application {
 public:
  Application(const Settings& settings, const std::string& name, const std::string& script,
              std::vector<std::string> more = {})
      : folder_(settings.folder / name) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::FILE* const file = std::fopen((folder_ / "job.sql").c_str(), "w");
    std::fwrite(script.data(), 1, script.size(), file);
    std::fclose(file);
    const fs::path program =
        fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "tidegate";
    command_ = {program,
                "run",
                folder_ / "job.sql",
                "--progress",
                "none",
                "--application-id",
                name + "-" + std::to_string(now_ms()),
                "--state-dir",
                folder_ / "state",
                "--parallelism",
                "2",
                "--set",
                "table.local-time-zone=UTC"};
    command_.insert(command_.end(), more.begin(), more.end());
  }
  Cost run() const { return measure_program(command_, folder_ / "log"); }
  pid_t start() const { return start_program(command_, folder_ / "log"); }
  void lose_state() const { fs::remove_all(folder_ / "state"); }

 private:
  fs::path folder_;
  std::vector<std::string> command_;
};

std::string table(const Settings& settings, const std::string& name, const std::string& columns,
                  const std::string& topic, const std::string& more) {
  return "CREATE TABLE " + name + " (" + columns + ") WITH ('topic' = '" + topic +
         "', 'properties.bootstrap.servers' = '" + settings.brokers + "', " + more + ");\n";
}

std::string clicks(const Settings& settings, const std::string& topic, const std::string& more) {
  return table(settings, "clicks",
               "user_id BIGINT, url STRING, ts BIGINT, at AS TO_TIMESTAMP_LTZ(ts, 3), "
               "WATERMARK FOR at AS at - INTERVAL '1' MINUTE",
               topic,
               "'connector' = 'kafka', 'value.format' = 'json', "
               "'scan.startup.mode' = 'earliest-offset'" +
                   more);
}

std::string count_windows(const Settings& settings, const std::string& out) {
  return table(settings, "counts", "url STRING, starts BIGINT, n BIGINT", out,
               "'connector' = 'kafka', 'format' = 'json'") +
         "INSERT INTO counts SELECT url, UNIX_TIMESTAMP(CAST(window_start AS STRING)) * 1000, "
         "COUNT(*) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '5' MINUTE)) "
         "GROUP BY window_start, window_end, url;";
}

std::string fresh_topic(const Settings& settings, const std::string& name) {
  const std::string topic = name + "-" + std::to_string(now_ms());
  make_topic(settings.brokers, topic);
  return topic;
}

constexpr const char* kBounded = ", 'scan.bounded.mode' = 'latest-offset'";
constexpr const char* kByUrl =
    ", 'key.format' = 'raw', 'key.fields' = 'url', 'scan.key-partitioner' = 'murmur2'";

bool windows(const Settings& settings, const std::string& name, bool keyed) {
  const std::string out = fresh_topic(settings, name);
  const std::string in = keyed ? "clicks-url" : "clicks-user";
  const Application application(
      settings, name,
      clicks(settings, in, std::string(kBounded) + (keyed ? kByUrl : "")) +
          count_windows(settings, out));
  const Cost cost = application.run();
  report(settings.json, "library", name, settings.events, cost);
  return check(settings, out, true) && !cost.failed;
}

/// Clicks at a steady rate; how long until the count that holds them is seen.
bool send_and_read(const Settings& settings, const std::string& name, const std::string& in,
                   const std::string& out) {
  const pid_t sender = fork();
  if (sender == 0) {
    TopicWriter writer(settings.brokers, in, {{"linger.ms", "0"}});
    const std::int64_t start_ns = system_clock().monotonic_ns();
    std::uint64_t random = 1;
    for (std::int64_t i = 0; i < kDelayWarmUp + kDelayClicks; ++i) {
      const std::int64_t due_ns = start_ns + i * 1'000'000'000 / kDelayRate;
      while (system_clock().monotonic_ns() < due_ns) {
        writer.serve();
        std::this_thread::sleep_for(milliseconds(1));
      }
      random = random * 6'364'136'223'846'793'005 + 1'442'695'040'888'963'407;
      const std::string user = std::to_string((random >> 33) % 100'000);
      char text[96];
      const int size =
          std::snprintf(text, sizeof text, "{\"user_id\":%s,\"url\":\"/page1\",\"ts\":%lld}",
                        user.c_str(), static_cast<long long>(now_ms()));
      writer.send(user, {text, static_cast<std::size_t>(size)}, now_ms());
    }
    writer.serve();
    std::exit(0);
  }
  CommittedReader reader(settings.brokers, out);
  std::vector<std::int64_t> delays;
  const std::int64_t start_ms = now_ms();
  const std::int64_t warm_ms = kDelayWarmUp * 1000 / kDelayRate;
  const std::int64_t all_ms = (kDelayWarmUp + kDelayClicks) * 1000 / kDelayRate;
  while (now_ms() < start_ms + all_ms + 3000) {
    reader.take(100, [&](std::string_view row) {
      const std::int64_t sent = json_number(row, "ts");
      if (sent >= start_ms + warm_ms) delays.push_back(now_ms() - sent);
    });
  }
  waitpid(sender, nullptr, 0);
  std::sort(delays.begin(), delays.end());
  const auto at = [&](double part) {
    if (delays.empty()) return -1LL;
    const auto place = static_cast<std::size_t>(part * static_cast<double>(delays.size() - 1));
    return static_cast<long long>(delays[place]);
  };
  char text[160];
  std::snprintf(text, sizeof text, "\"rows\":%zu,\"p50_ms\":%lld,\"p99_ms\":%lld,\"max_ms\":%lld",
                delays.size(), at(0.5), at(0.99), at(1.0));
  print_json(name, text);
  return delays.size() > kDelayClicks / 2;
}

bool end(pid_t process, std::chrono::steady_clock::time_point start, Cost& cost) {
  kill(process, SIGTERM);
  cost = cost_of(process, start);
  return !cost.failed;
}

constexpr const char* kByUser =
    ", 'key.format' = 'csv', 'key.fields' = 'user_id', 'scan.key-partitioner' = 'murmur2'";

std::string count_users(const Settings& settings, const std::string& in, const std::string& out,
                        const std::string& more) {
  return clicks(settings, in, more) +
         table(settings, "counts",
               "user_id BIGINT, n BIGINT, ts BIGINT, PRIMARY KEY (user_id) NOT ENFORCED", out,
               "'connector' = 'upsert-kafka', 'key.format' = 'csv', 'value.format' = 'json'") +
         "INSERT INTO counts SELECT user_id, COUNT(*), MAX(ts) FROM clicks GROUP BY user_id;";
}

bool delay(const Settings& settings, bool keyed) {
  const std::string name = keyed ? "delay-keyed" : "delay";
  const std::string in = fresh_topic(settings, name + "-in");
  const std::string out = fresh_topic(settings, name + "-out");
  const Application application(settings, name,
                                count_users(settings, in, out, keyed ? kByUser : ""));
  const auto start = std::chrono::steady_clock::now();
  const pid_t process = application.start();
  std::this_thread::sleep_for(milliseconds(3000));
  const bool good = send_and_read(settings, name, in, out);
  Cost cost;
  const bool ended = end(process, start, cost);
  report(settings.json, "library", name + "-cost", kDelayWarmUp + kDelayClicks, cost);
  return good && ended;
}

/// From topic to topic as fast as it goes, of clicks that are there already.
bool sustained(const Settings& settings, bool partial) {
  constexpr std::int64_t kPerMinute = 60'000'000;
  const std::string in = "clicks-" + std::to_string(settings.minutes) + "-minutes";
  const std::string path = click_file(settings.events);
  const auto times = static_cast<int>(settings.minutes * kPerMinute / settings.events);
  const fs::path sent = settings.folder / in;  // both cases read the same topic
  if (!fs::exists(sent)) {
    make_topic(settings.brokers, in);
    if (measure([&] {
          return send_clicks(settings.brokers, in, path, ClickKey::kUser, times);
        }).failed)
      return false;
    fs::create_directories(sent);
  }
  const std::string name = partial ? "sustained" : "sustained-raw";
  const std::string out = fresh_topic(settings, name);
  std::vector<std::string> more;
  if (!partial) more = {"--set", "table.optimizer.agg-phase-strategy=ONE_PHASE"};
  const Application application(
      settings, name, clicks(settings, in, kBounded) + count_windows(settings, out), more);
  const Cost cost = application.run();
  report(settings.json, "library", name, times * settings.events, cost);
  std::int64_t counted = 0;
  CommittedReader reader(settings.brokers, out);
  while (!reader.ended())
    reader.take(1000, [&](std::string_view row) { counted += json_number(row, "n"); });
  return !cost.failed && counted == times * settings.events;
}

/// Waits until a reader has seen `rows` rows, which it shows to `each`.
bool await_rows(const Settings& settings, const std::string& topic, std::int64_t rows,
                const std::function<bool(std::string_view)>& counts) {
  CommittedReader reader(settings.brokers, topic);
  const std::int64_t end_ms = now_ms() + 120'000;
  std::int64_t seen = 0;
  while (seen < rows && now_ms() < end_ms)
    reader.take(10, [&](std::string_view row) { seen += counts(row); });
  return seen >= rows;
}

bool start_to_first_row(const Settings& settings) {
  const std::string in = fresh_topic(settings, "start-in");
  const std::string out = fresh_topic(settings, "start-out");
  {
    TopicWriter writer(settings.brokers, in);
    for (int i = 0; i < 1000; ++i) writer.send(std::to_string(i), R"({"user_id":1,"ts":1})", 1);
  }
  const Application application(settings, "start",
                                clicks(settings, in, "") +
                                    table(settings, "copy", "user_id BIGINT, ts BIGINT", out,
                                          "'connector' = 'kafka', 'format' = 'json'") +
                                    "INSERT INTO copy SELECT user_id, ts FROM clicks;");
  const auto start = std::chrono::steady_clock::now();
  const pid_t process = application.start();
  const bool seen = await_rows(settings, out, 1, [](std::string_view) { return true; });
  const double wall_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  Cost cost;
  const bool ended = end(process, start, cost);
  cost.wall_s = wall_s;
  report(settings.json, "library", "start", 1000, cost);
  return seen && ended;
}

/// What a start costs that has a million keys to restore, above one that has none.
bool restore(const Settings& settings) {
  const auto one_more = [&](const std::string& in, const std::string& out, std::int64_t n,
                            const Application& application, Cost& cost) {
    const auto start = std::chrono::steady_clock::now();
    const pid_t process = application.start();
    TopicWriter(settings.brokers, in).send("7", R"({"user_id":7,"ts":1})", 1);
    const bool seen = await_rows(settings, out, 1, [&](std::string_view row) {
      return json_number(row, "user_id") == 7 && json_number(row, "n") == n;
    });
    const double wall_s =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const bool ended = end(process, start, cost);
    cost.wall_s = wall_s;
    return seen && ended;
  };
  const auto make = [&](const std::string& name, std::string& in, std::string& out) {
    in = fresh_topic(settings, name + "-in");
    out = fresh_topic(settings, name + "-out");
    return Application(settings, name, count_users(settings, in, out, kByUser));
  };
  std::string in, out;
  const Application empty = make("restore-nothing", in, out);
  Cost nothing;
  if (!one_more(in, out, 1, empty, nothing)) return false;

  const Application full = make("restore", in, out);
  const Cost sent = measure([&, topic = in] {
    TopicWriter writer(settings.brokers, topic);
    for (std::int64_t i = 0; i < kRestoredKeys; ++i) {
      const std::string user = std::to_string(i);
      writer.send(user, "{\"user_id\":" + user + ",\"ts\":1}", 1);
    }
    return std::uint64_t{0};
  });
  const auto start = std::chrono::steady_clock::now();
  const pid_t filling = full.start();
  const bool filled =
      await_rows(settings, out, kRestoredKeys, [](std::string_view) { return true; });
  Cost cost;
  end(filling, start, cost);
  full.lose_state();
  const bool good = one_more(in, out, 2, full, cost);
  cost.cpu_s -= nothing.cpu_s;
  cost.wall_s -= nothing.wall_s;
  report(settings.json, "library", "restore", kRestoredKeys, cost);
  return !sent.failed && filled && good;
}

bool load(const Settings& settings) {
  const std::string path = click_file(settings.events);
  const std::pair<const char*, ClickKey> topics[] = {{"clicks-user", ClickKey::kUser},
                                                     {"clicks-url", ClickKey::kUrl}};
  for (const auto& [topic, by] : topics) {
    make_topic(settings.brokers, topic);
    const auto sent = measure(
        [&, name = topic, key = by] { return send_clicks(settings.brokers, name, path, key); });
    if (sent.failed) return false;
  }
  return true;
}

bool run_case(const Settings& settings, std::string_view name) {
  if (name == "load") return load(settings);
  if (name == "regroup") return windows(settings, "regroup", false);
  if (name == "keyed") return windows(settings, "keyed", true);
  if (name == "delay") return delay(settings, false);
  if (name == "delay-keyed") return delay(settings, true);
  if (name == "sustained") return sustained(settings, true);
  if (name == "sustained-raw") return sustained(settings, false);
  if (name == "start") return start_to_first_row(settings);
  if (name == "restore") return restore(settings);
  if (name.starts_with("check=")) {
    check(settings, std::string(name.substr(6)), false);  // somebody else's result
    return true;
  }
  if (const std::size_t comma = name.find(','); name.starts_with("delay=") && comma != name.npos)
    return send_and_read(settings, "delay", std::string(name.substr(6, comma - 6)),
                         std::string(name.substr(comma + 1)));
  std::fprintf(stderr, "library: no case '%s'\n", std::string(name).c_str());
  return false;
}

int run(int argc, char** argv) {
  Settings settings;
  std::vector<std::string> cases;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const bool has_value = i + 1 < argc;
    if (name == "--json") {
      settings.json = true;
    } else if (name == "--events" && has_value) {
      settings.events = std::atoll(argv[++i]);
    } else if (name == "--minutes" && has_value) {
      settings.minutes = std::atoi(argv[++i]);
    } else if (name == "--brokers" && has_value) {
      settings.brokers = argv[++i];
    } else {
      cases.emplace_back(name);
    }
  }
  if (cases.empty())
    cases = {"load",      "regroup",       "keyed", "delay",  "delay-keyed",
             "sustained", "sustained-raw", "start", "restore"};
  settings.folder = fs::path(click_file(settings.events)).parent_path() / "library";
  const std::string broker_folder = settings.folder / "kafka";
  const bool own_broker = settings.brokers.empty();
  if (own_broker) {
    fs::remove_all(settings.folder);
    if (std::system(("tools/kafka start --port 19393 --dir " + broker_folder + " >&2").c_str())) {
      std::fprintf(stderr, "no broker: run in the project's folder, or give --brokers\n");
      return 1;
    }
    settings.brokers = "127.0.0.1:19393";
  }
  bool good = true;
  for (const std::string& each : cases) {
    // In a child, so that no thread of librdkafka is there when the next one forks.
    const Cost cost = measure([&] { return std::uint64_t{run_case(settings, each)}; });
    if (cost.failed || cost.answer != 1) {
      std::fprintf(stderr, "library: the case '%s' failed\n", each.c_str());
      good = false;
    }
  }
  if (own_broker)
    good &= std::system(("tools/kafka wipe --dir " + broker_folder + " >&2").c_str()) == 0;
  return good ? 0 : 1;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
