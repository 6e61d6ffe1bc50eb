// SPDX-License-Identifier: Apache-2.0
//
// Clicks per URL in 5-minute windows, up to 1 minute late.
//
//   click_analytics                      counts the bundled access log and prints the top windows
//   click_analytics --input PATH         the same for other files (JSON lines with url and ts)
//   click_analytics --from T --to T2     from one Kafka topic to another
//                   --brokers HOST:PORT
//   click_analytics --kafka HOST:PORT    likewise from `clicks` to `click-counts`, as an instance
//   of the
//                   --state-dir DIR      application `click-analytics`: start it again, with
//                   another
//                                        folder, for one more
//
// All options of App::run (--parallelism, --progress, --explain, ...) can follow.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tidegate/tidegate.h"

using namespace std::chrono_literals;

struct Click {
  std::string_view url;  // points into the batch: no copy per row
  tidegate::Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Click, (), (url, ts))

using Count = tidegate::Windowed<std::string, std::int64_t>;

namespace {

struct Arguments {
  std::string input = EXAMPLE_DATA "/apache_access.json.gz";
  std::string brokers, from, to;
  std::string kafka;
  std::vector<char*> others;  // for App::run
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  arguments.others.push_back(argv[0]);
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    std::string* value = name == "--input"     ? &arguments.input
                         : name == "--brokers" ? &arguments.brokers
                         : name == "--from"    ? &arguments.from
                         : name == "--to"      ? &arguments.to
                         : name == "--kafka"   ? &arguments.kafka
                                               : nullptr;
    if (value == nullptr || i + 1 == argc) {
      arguments.others.push_back(argv[i]);
    } else {
      *value = argv[++i];
    }
  }
  return arguments;
}

tidegate::Stream<Count> count_clicks(const tidegate::Stream<Click>& clicks) {
  return clicks.event_time(&Click::ts, tidegate::bounded_disorder(1min))
      .key_by(&Click::url)
      .window(tidegate::tumbling(5min))
      .count(tidegate::as("clicks-per-url"));
}

std::string time_text(tidegate::Timestamp t) {
  const std::chrono::sys_seconds seconds{std::chrono::seconds(t.ms / 1000)};
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()));
  return text;
}

void print_top(std::vector<Count> counts, std::size_t limit) {
  std::sort(counts.begin(), counts.end(), [](const Count& a, const Count& b) {
    return std::tuple(-a.value, a.window_start, a.key) <
           std::tuple(-b.value, b.window_start, b.key);
  });
  std::printf("%-17s %-6s %8s  %s\n", "window", "", "clicks", "url");
  for (std::size_t i = 0; i < std::min(limit, counts.size()); ++i) {
    const Count& count = counts[i];
    std::printf("%-17s -%s %8lld  %s\n", time_text(count.window_start).c_str(),
                time_text(count.window_end).substr(11).c_str(), static_cast<long long>(count.value),
                count.key.c_str());
  }
  std::printf("... %zu windows in all\n", counts.size());
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments = parse(argc, argv);
  char as_instance[] = "--application-id=click-analytics";
  if (!arguments.kafka.empty()) {
    arguments.brokers = arguments.kafka;
    arguments.from = "clicks";
    arguments.to = "click-counts";
    arguments.others.push_back(as_instance);
  }
  const int others = static_cast<int>(arguments.others.size());
  tidegate::App app("click-analytics");

  if (!arguments.from.empty()) {
    const auto topic = [&](const std::string& name) {
      return tidegate::kafka(name)
          .option("properties.bootstrap.servers", arguments.brokers)
          .format(tidegate::json());
    };
    count_clicks(app.source<Click>(topic(arguments.from))).sink(topic(arguments.to));
    return app.run(others, arguments.others.data());
  }

  std::vector<Count> counts;
  count_clicks(app.source<Click>(tidegate::files(arguments.input).format(tidegate::json())))
      .for_each([&](const Count& count) { counts.push_back(count); });
  const int exit_code = app.run(others, arguments.others.data());
  if (exit_code == 0 && !counts.empty()) print_top(std::move(counts), 10);
  return exit_code;
}
