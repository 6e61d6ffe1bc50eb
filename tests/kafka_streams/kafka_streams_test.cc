// SPDX-License-Identifier: Apache-2.0
//
// Pipelines of tables and streams against what Kafka Streams answers: cases/ holds records that
// record/ has made of it, record by record. Where we differ, the difference is named here.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "tidegate/cogroup.h"
#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Event {
  std::optional<std::string> key;
  std::optional<std::string> value;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Event, (), (key, value, ts))

namespace {

using namespace std::chrono_literals;

using Text = std::optional<std::string>;
using Out = std::pair<Text, Text>;
using TimedOut = std::tuple<Text, Text, Timestamp>;

std::string text(const Text& text) { return text.value_or("null"); }
const auto kPlus = [](const std::string& a, const std::string& b) { return a + "+" + b; };
const auto kPlusMaybe = [](const std::string& a, const Text& b) { return a + "+" + text(b); };
const auto kPlusBoth = [](const Text& a, const Text& b) { return text(a) + "+" + text(b); };
std::string first(const std::string& value) { return value.substr(0, 1); }
std::string upper(const std::string& value) {
  return std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(value[0]))));
}

/// The values one after another.
struct Sum {
  using Accumulator = std::string;
  Accumulator create() const { return {}; }
  void add(Accumulator& sum, const std::string& value) const { sum += "+" + value; }
  void retract(Accumulator& sum, const std::string& value) const { sum += "-" + value; }
  std::string result(const Accumulator& sum) const { return sum; }
};
struct SumToNothing : Sum {
  using Accumulator = std::pair<std::string, bool>;
  Accumulator create() const { return {}; }
  void add(Accumulator& sum, const std::string& value) const {
    sum.first += "+" + value;
    sum.second = false;
  }
  void retract(Accumulator& sum, const std::string&) const { sum = {"", true}; }
  Text result(const Accumulator& sum) const {
    if (sum.second) return std::nullopt;
    return sum.first;
  }
};
struct SumOfEvents {
  using Accumulator = std::string;
  Accumulator create() const { return {}; }
  void add(Accumulator& sum, const Event& event) const { sum += "+" + text(event.value); }
  void merge(Accumulator& into, const Accumulator& from) const { into += from; }
  std::string result(const Accumulator& sum) const { return sum; }
};

struct ReduceEvents {
  using Accumulator = Text;
  Accumulator create() const { return {}; }
  void add(Accumulator& sum, const Event& event) const {
    sum = sum ? *sum + "+" + text(event.value) : event.value;
  }
  Text result(const Accumulator& sum) const { return sum; }
};
const auto kAdd = [](std::string& sum, const Event& event) { sum += "+" + text(event.value); };
const auto kAddRight = [](std::string& sum, const Event& event) { sum += "/" + text(event.value); };
const Window kTens = tumbling(10ms);

class Topology {
 public:
  explicit Topology(App& app) : app_(app) {}

  Stream<Event> stream(const std::string& topic) {
    return app_.source<Event>(kafka(topic)).event_time(&Event::ts, monotonic());
  }
  Table<std::string, std::string> table(const std::string& topic) {
    return stream(topic).to_table(&Event::key, &Event::value);
  }
  VersionedTable<std::string, std::string> versioned(const std::string& topic) {
    return stream(topic).to_versioned_table(&Event::key, &Event::value, 30ms);
  }
  Stream<Event> with_value(const std::string& topic) {
    return stream(topic).filter([](const Event& event) { return event.value.has_value(); });
  }
  KeyedStream<Text, Event> keyed(const std::string& topic) {
    return with_value(topic).key_by(&Event::key);
  }
  /// Without rows that have no key.
  KeyedStream<std::string, Event> grouped(const std::string& topic) {
    return stream(topic)
        .filter([](const Event& event) { return event.key.has_value(); })
        .key_by([](const Event& event) { return *event.key; });
  }
  /// Without rows that have no key or no value.
  KeyedStream<std::string, Event> with_both(const std::string& topic) {
    return with_value(topic)
        .filter([](const Event& event) { return event.key.has_value(); })
        .key_by([](const Event& event) { return *event.key; });
  }
  Stream<Windowed<std::string, std::string>> windows(const std::string& topic, Window window) {
    return grouped(topic)
        .window(window, grace(5ms))
        .emit(Emit::kOnEveryUpdate)
        .aggregate(SumOfEvents());
  }
  Table<WindowKey<std::string>, std::string> reduced(const std::string& topic) {
    return grouped(topic)
        .window(kTens, grace(5ms))
        .emit(Emit::kOnEveryUpdate)
        .aggregate(ReduceEvents())
        .to_table();
  }
  GroupedTable<std::string, std::string> by_first() {
    return table("left").group_by([](const std::string&, const std::string& value) {
      return std::pair(value[0] == 'z' ? Text() : Text(first(value)), value);
    });
  }

  void out(const Stream<Out>& rows) {
    untyped::Plan* plan = rows.plan();
    const untyped::NodeRef timed = plan->map(
        rows.node(), "timed", record_columns<TimedOut>(), [](const BatchView& in, BatchWriter& to) {
          for_each_row(in, [&](std::int64_t row) {
            const Out out = Record<Out>::read(in, 0, row);
            Record<TimedOut>::write(to, 0, {out.first, out.second, Timestamp(in.event_times[row])});
            to.end_row(static_cast<std::int32_t>(row));
          });
        });
    Stream<TimedOut>(plan, timed).sink(kafka("out"));
  }
  template <typename V>
  void out(const Table<std::string, V>& table) {
    out(table.to_stream([](const std::string& key, const std::optional<V>& value) -> Out {
      if (!value) return {key, std::nullopt};
      return {key, fmt::format("{}", *value)};
    }));
  }
  void out(const Table<WindowKey<std::string>, std::string>& table) {
    out(table.to_stream([](const WindowKey<std::string>& key, const Text& value) -> Out {
      return {fmt::format("{}[{},{})", key.key, key.start.ms, key.end.ms), value};
    }));
  }

 private:
  App& app_;
};

using Build = std::function<void(Topology&)>;

const std::map<std::string, Build>& topologies() {
  static const auto foreign_key = [](const std::string& value) {
    return value[0] == 'z' ? Text() : Text(upper(value));
  };
  static const auto event_plus = [](const Event& event, const std::string& value) -> Out {
    return {event.key, text(event.value) + "+" + value};
  };
  static const auto event_plus_maybe = [](const Event& event, const Text& value) -> Out {
    return {event.key, text(event.value) + "+" + text(value)};
  };
  static const auto by_value = [](const Event& event) -> Text {
    return event.value ? Text(upper(*event.value)) : std::nullopt;
  };
  static const std::map<std::string, Build> made = {
      {"table", [](Topology& t) { t.out(t.table("left")); }},
      {"stream-to-table", [](Topology& t) { t.out(t.table("left")); }},
      {"table-filter",
       [](Topology& t) {
         t.out(t.table("left")
                   .filter([](const std::string& value) { return value[0] != 'a'; })
                   .map_values([](const std::string& value) { return value + "!"; }));
       }},
      {"table-join-inner",
       [](Topology& t) { t.out(t.table("left").join(t.table("right"), kPlus)); }},
      {"table-join-left",
       [](Topology& t) { t.out(t.table("left").left_join(t.table("right"), kPlusMaybe)); }},
      {"table-join-outer",
       [](Topology& t) { t.out(t.table("left").outer_join(t.table("right"), kPlusBoth)); }},
      {"foreign-key-join-inner",
       [](Topology& t) { t.out(t.table("left").join(t.table("right"), foreign_key, kPlus)); }},
      {"foreign-key-join-left",
       [](Topology& t) {
         t.out(t.table("left").left_join(t.table("right"), foreign_key, kPlusMaybe));
       }},
      {"stream-table-join-inner",
       [](Topology& t) { t.out(t.keyed("left").join(t.table("right"), event_plus)); }},
      {"stream-table-join-left",
       [](Topology& t) { t.out(t.keyed("left").left_join(t.table("right"), event_plus_maybe)); }},
      {"global-join-inner",
       [](Topology& t) {
         t.out(t.with_value("left").join(
             t.stream("right").to_global_table(&Event::key, &Event::value), by_value, event_plus));
       }},
      {"global-join-left",
       [](Topology& t) {
         t.out(t.with_value("left").left_join(
             t.stream("right").to_global_table(&Event::key, &Event::value), by_value,
             event_plus_maybe));
       }},
      {"stream-versioned-join-inner",
       [](Topology& t) {
         t.out(t.keyed("left").join(t.versioned("right"), event_plus, grace(5ms)));
       }},
      {"stream-versioned-join-left",
       [](Topology& t) {
         t.out(t.keyed("left").left_join(t.versioned("right"), event_plus_maybe, grace(5ms)));
       }},
      {"stream-versioned-join-now",
       [](Topology& t) {
         t.out(t.keyed("left").left_join(t.versioned("right"), event_plus_maybe));
       }},
      {"versioned-table-join",
       [](Topology& t) { t.out(t.versioned("left").join(t.versioned("right"), kPlus)); }},
      {"versioned-table-reduce",
       [](Topology& t) {
         t.out(t.versioned("left")
                   .group_by([](const std::string&, const std::string& value) {
                     return std::pair(first(value), value);
                   })
                   .aggregate(Sum()));
       }},
      {"table-count", [](Topology& t) { t.out(t.by_first().count()); }},
      {"table-reduce",
       [](Topology& t) {
         t.out(t.by_first().reduce(
             kPlus, [](const std::string& a, const std::string& b) { return a + "-" + b; }));
       }},
      {"table-aggregate", [](Topology& t) { t.out(t.by_first().aggregate(Sum())); }},
      {"table-aggregate-to-nothing",
       [](Topology& t) { t.out(t.by_first().aggregate(SumToNothing())); }},
      {"suppress-time-limit", [](Topology& t) { t.out(t.table("left").suppress(10ms)); }},
      {"stream-count", [](Topology& t) { t.out(t.with_both("left").count().to_table()); }},
      {"stream-reduce",
       [](Topology& t) { t.out(t.with_both("left").aggregate(ReduceEvents()).to_table()); }},
      {"window-tumbling", [](Topology& t) { t.out(t.windows("left", kTens).to_table()); }},
      {"window-hopping",
       [](Topology& t) { t.out(t.windows("left", hopping(10ms, 5ms)).to_table()); }},
      {"suppress-window-closes",
       [](Topology& t) {
         t.out(t.windows("left", kTens).to_table().suppress_until_close(grace(5ms)));
       }},
      {"window-join",
       [](Topology& t) { t.out(t.reduced("left").outer_join(t.reduced("right"), kPlusBoth)); }},
      {"cogroup",
       [](Topology& t) {
         t.out(cogroup<std::string>(t.with_both("left"), kAdd)
                   .with(t.with_both("right"), kAddRight)
                   .aggregate()
                   .to_table());
       }},
      {"cogroup-window",
       [](Topology& t) {
         t.out(cogroup<std::string>(t.grouped("left"), kAdd)
                   .with(t.grouped("right"), kAddRight)
                   .window(kTens, grace(5ms), Emit::kOnEveryUpdate)
                   .to_table());
       }},
      {"split",
       [](Topology& t) {
         const auto [a, b, rest] = t.stream("left").split(
             [](const Event& event) { return event.value && event.value->starts_with("a"); },
             [](const Event& event) { return event.value && *event.value < "c"; });
         const auto labelled = [](const std::string& label) {
           return [label](const Event& event) -> Out {
             return {event.key, label + ":" + text(event.value)};
           };
         };
         t.out(a.map(labelled("a")).merge(b.map(labelled("b")), rest.map(labelled("rest"))));
       }},
      {"stream-join-inner",
       [](Topology& t) {
         t.out(
             t.keyed("left")
                 .interval_join(t.keyed("right"), between(-10ms, 10ms))
                 .map([](const std::pair<Event, Event>& pair) -> Out {
                   return {pair.first.key, text(pair.first.value) + "+" + text(pair.second.value)};
                 }));
       }},
      {"stream-join-ahead",
       [](Topology& t) {
         t.out(
             t.keyed("left")
                 .interval_join(t.keyed("right"), between(0ms, 10ms))
                 .map([](const std::pair<Event, Event>& pair) -> Out {
                   return {pair.first.key, text(pair.first.value) + "+" + text(pair.second.value)};
                 }));
       }},
      {"stream-join-left",
       [](Topology& t) {
         t.out(t.keyed("left")
                   .interval_join<JoinType::kLeft>(t.keyed("right"), between(-10ms, 10ms))
                   .map([](const std::pair<Event, std::optional<Event>>& pair) -> Out {
                     const Text right = pair.second ? pair.second->value : std::nullopt;
                     return {pair.first.key, text(pair.first.value) + "+" + text(right)};
                   }));
       }},
      {"stream-join-outer",
       [](Topology& t) {
         t.out(
             t.keyed("left")
                 .interval_join<JoinType::kFull>(t.keyed("right"), between(-10ms, 10ms))
                 .map([](const std::pair<std::optional<Event>, std::optional<Event>>& pair) -> Out {
                   const Text left = pair.first ? pair.first->value : std::nullopt;
                   const Text right = pair.second ? pair.second->value : std::nullopt;
                   return {pair.first ? pair.first->key : pair.second->key,
                           text(left) + "+" + text(right)};
                 }));
       }},
  };
  return made;
}

struct Step {
  std::string topic;
  Event event;
  std::vector<TimedOut> out;
};
using Script = std::vector<Step>;

Text field(std::istream& line) {
  std::string word;
  line >> word;
  if (word == "-") return std::nullopt;
  return word == "''" ? "" : word;
}

std::vector<Script> read_scripts(const std::string& name) {
  std::ifstream file("tests/kafka_streams/cases/" + name + ".txt");
  EXPECT_TRUE(file.good()) << name;
  std::vector<Script> scripts;
  for (std::string text; std::getline(file, text);) {
    std::istringstream line(text);
    std::string word;
    line >> word;
    if (word == "#") continue;
    if (word == "script") {
      scripts.emplace_back();
      continue;
    }
    const Text key = field(line);
    const Text value = field(line);
    char at = 0;
    std::int64_t time = 0;
    line >> at >> time;
    if (word == ">") {
      scripts.back().back().out.emplace_back(key, value, Timestamp(time));
    } else {
      scripts.back().push_back({word, {key, value, Timestamp(time)}, {}});
    }
  }
  return scripts;
}

/// What differs, by the name of the case.
struct Differences {
  explicit Differences(const std::string& name)
      : table(!name.starts_with("stream-table") && !name.starts_with("stream-v") &&
              !name.starts_with("stream-join") && !name.starts_with("global") && name != "split"),
        times(name.find("window") == std::string::npos && name != "stream-count" &&
              name != "stream-reduce" && name != "cogroup"),
        left_time(name.starts_with("stream-versioned")),
        suppress(name.starts_with("suppress")),
        in_order(name == "cogroup-window" || name == "window-join" ||
                 name.starts_with("stream-join") || name.starts_with("stream-versioned-join-")),
        at_end(name == "stream-join-left" || name == "stream-join-outer" ||
               name == "stream-versioned-join-left" || name == "stream-versioned-join-inner") {}
  /// Kafka Streams deletes keys that are not there, and says twice what is there.
  bool table;
  /// The time of a window's result is its last millisecond here, that of a stream's aggregate the
  /// time of its row; there both are that of the latest row.
  bool times;
  /// Rows that wait for versions wait for the time of their own stream alone there.
  bool left_time;
  /// Rows without a key do not move the time of suppress there.
  bool suppress;
  /// What becomes of late rows depends on how long stores keep rows there.
  bool in_order;
  /// Rows that have waited come with the next row of the stream there.
  bool at_end;
};

std::string print(const std::vector<TimedOut>& rows, bool times) {
  std::string out;
  for (const auto& [key, value, time] : rows) {
    out += fmt::format("> {} {}", key.value_or("-"), value.value_or("-"));
    // The time of a delete depends on how it went from step to step.
    out += times && value ? fmt::format(" @{}\n", time.ms) : "\n";
  }
  return out;
}

/// Leaves out what changes nothing in a table.
void leave_out_repeats(std::vector<TimedOut>& rows, std::map<Text, Text>& present) {
  std::erase_if(rows, [&](const TimedOut& row) {
    const auto& [key, value, time] = row;
    return std::exchange(present[key], value) == value;
  });
}

class KafkaStreams : public testing::TestWithParam<std::string> {
 protected:
  void run(const Script& script, const Differences& differences) {
    App app("case");
    Topology topology(app);
    topologies().at(GetParam())(topology);
    TestDriver driver(app);
    const bool two = std::ranges::any_of(script, [](const Step& s) { return s.topic == "right"; });
    if (two && differences.left_time) driver.advance_event_time("right", Timestamp(1'000'000));
    std::map<Text, Text> expected_table;
    std::map<Text, Text> table;
    std::multiset<TimedOut> expected_rows;
    std::multiset<TimedOut> rows;
    std::string history;
    std::int64_t now = 0;
    for (const Step& step : script) {
      if (differences.suppress && !step.event.key) continue;
      history += fmt::format("{} {} {} @{}\n", step.topic, step.event.key.value_or("-"),
                             step.event.value.value_or("-"), step.event.ts.ms);
      driver.push(step.topic, step.event);
      // The time of a task is there the highest of any of its records.
      now = std::max(now, step.event.ts.ms);
      if (two && !differences.left_time) {
        driver.advance_event_time(step.topic == "left" ? "right" : "left", Timestamp(now));
      }
      ASSERT_TRUE(driver.status().is_ok()) << driver.status().to_string();
      std::vector<TimedOut> answer = driver.read<TimedOut>("out");
      std::vector<TimedOut> expected = step.out;
      if (differences.at_end) {
        rows.insert(answer.begin(), answer.end());
        expected_rows.insert(expected.begin(), expected.end());
        continue;
      }
      if (differences.table) {
        leave_out_repeats(answer, table);
        leave_out_repeats(expected, expected_table);
      }
      const bool times = differences.times;
      ASSERT_EQ(print(answer, times), print(expected, times)) << history;
      history += print(expected, times);
    }
    if (!differences.at_end) return;
    driver.end_input();
    for (TimedOut& row : driver.read<TimedOut>("out")) rows.insert(std::move(row));
    for (const TimedOut& row : expected_rows) {
      EXPECT_EQ(rows.erase(row), expected_rows.count(row)) << print({row}, true) << history;
    }
    for (const TimedOut& row : rows) {  // still open there
      EXPECT_GE(std::get<2>(row).ms, now - 15) << print({row}, true) << history;
    }
  }
};

TEST_P(KafkaStreams, AnswersTheSame) {
  const Differences differences(GetParam());
  std::vector<Script> scripts = read_scripts(GetParam());
  if (differences.in_order) scripts.resize(1);  // the one that is in order
  for (const Script& script : scripts) run(script, differences);
}

std::vector<std::string> names() {
  std::vector<std::string> names;
  for (const auto& [name, build] : topologies()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, KafkaStreams, testing::ValuesIn(names()), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace tidegate
