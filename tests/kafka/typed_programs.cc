// SPDX-License-Identifier: Apache-2.0
#include "tests/kafka/typed_programs.h"

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "tidegate/cogroup.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct Purchase {
  std::string buyer;
  std::int64_t amount = 0;
};
BOOST_DESCRIBE_STRUCT(Purchase, (), (buyer, amount))
struct Person {
  std::string city;
};
BOOST_DESCRIBE_STRUCT(Person, (), (city))
struct Payment {
  std::int64_t paid = 0;
};
BOOST_DESCRIBE_STRUCT(Payment, (), (paid))
struct Sent {
  std::string city;
  std::int64_t amount = 0;
};
BOOST_DESCRIBE_STRUCT(Sent, (), (city, amount))
struct Owed {
  std::int64_t amount = 0;
  std::int64_t paid = 0;
};
BOOST_DESCRIBE_STRUCT(Owed, (), (amount, paid))
struct Visit {
  std::string who;
  std::int64_t n = 0;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Visit, (), (who, n, ts))
struct Seen {
  std::string who;
  std::int64_t start = 0;
  std::int64_t n = 0;
};
BOOST_DESCRIBE_STRUCT(Seen, (), (who, start, n))

struct Click {
  std::string url;
  Headers headers;
  std::int64_t offset = 0;
  Timestamp at;
};
BOOST_DESCRIBE_STRUCT(Click, (), (url, headers, offset, at))
struct Routed {
  std::string url;
  std::int64_t n = 0;
  Headers headers;
  std::int32_t to = 0;
  Timestamp at;
};
BOOST_DESCRIBE_STRUCT(Routed, (), (url, n, headers, to, at))

namespace {

using namespace std::chrono_literals;

ConnectorSpec topic_of(const std::string& connector_name, const TablesRun& where,
                       const std::string& name) {
  return connector(connector_name)
      .named(name)
      .option("topic", where.application + "." + name)
      .option("properties.bootstrap.servers", where.brokers)
      .option("properties.session.timeout.ms", "6000")
      .option("properties.heartbeat.interval.ms", "500");
}
ConnectorSpec upserts(const TablesRun& where, const std::string& name) {
  return topic_of("upsert-kafka", where, name)
      .option("key.format", "raw")
      .option("value.format", "json")
      .option("value.fields-include", "EXCEPT_KEY");
}
Stream<Visit> visits(App& app, const TablesRun& where, const std::string& name) {
  return app
      .source<Visit>(topic_of("kafka", where, name)
                         .option("format", "json")
                         .option("scan.startup.mode", "earliest-offset"))
      .event_time(&Visit::ts, monotonic());
}

void build(App& app, const TablesRun& where) {
  const auto orders = app.table<std::string, Purchase>(upserts(where, "orders"), as("orders"));
  const auto people = app.table<std::string, Person>(upserts(where, "people"), as("people"));
  const auto payments = app.table<std::string, Payment>(upserts(where, "payments"), as("payments"));
  const auto by_buyer = orders.group_by([](const std::string&, const Purchase& purchase) {
    return std::pair(purchase.buyer, purchase.amount);
  });
  by_buyer.count(as("count")).sink(upserts(where, "counts"));
  by_buyer.reduce(std::plus<>(), std::minus<>(), as("sum")).sink(upserts(where, "spent"));
  orders
      .join(
          people, &Purchase::buyer,
          [](const Purchase& purchase, const Person& person) {
            return Sent{person.city, purchase.amount};
          },
          as("to-city"))
      .sink(upserts(where, "joined"));
  orders
      .left_join(
          payments,
          [](const Purchase& purchase, const std::optional<Payment>& payment) {
            return Owed{purchase.amount, payment ? payment->paid : 0};
          },
          as("with-payment"))
      .sink(upserts(where, "owed"));

  const auto left = visits(app, where, "left");
  const auto add = [](std::int64_t& sum, const Visit& visit) { sum += visit.n; };
  const auto take = [](std::int64_t& sum, const Visit& visit) { sum -= 2 * visit.n; };
  cogroup<std::int64_t>(left.key_by(&Visit::who), add)
      .with(visits(app, where, "right").key_by(&Visit::who), take)
      .aggregate(as("cogroup"))
      .to_table(as("visits"))
      .sink(upserts(where, "visits"));
  left.key_by(&Visit::who)
      .window(tumbling(std::chrono::milliseconds(kTablesWindowMs)))
      .emit(Emit::kOnEveryUpdate)
      .count(as("windows"))
      .to_table(as("window-table"))
      .suppress_until_close({}, as("closed"))
      .to_stream([](const WindowKey<std::string>& key, const std::optional<std::int64_t>& n) {
        return Seen{key.key, key.start.ms, n.value_or(-1)};
      })
      .sink(topic_of("kafka", where, "windows").option("format", "json"));
}

ConnectorSpec clicks(const std::string& brokers) {
  return kafka("clicks")
      .format(json())
      .option("properties.bootstrap.servers", brokers)
      .option("scan.startup.mode", "earliest-offset")
      .option("scan.bounded.mode", "latest-offset")
      .metadata("headers")
      .metadata("offset")
      .metadata("at", "timestamp");
}
ConnectorSpec routed(const std::string& brokers) {
  return kafka("routed")
      .format(json())
      .option("properties.bootstrap.servers", brokers)
      .metadata("headers")
      .metadata("to", "partition")
      .metadata("at", "timestamp");
}
Routed route(const Click& click) {
  Routed out{click.url, click.offset, click.headers, static_cast<std::int32_t>(click.offset % 3),
             Timestamp(click.at.ms + 1)};
  out.headers.remove("secret");
  out.headers.add("last", out.headers.last("h"));
  return out;
}

}  // namespace

int run_tables(const TablesRun& run) {
  App app("tables");
  build(app, run);
  RunOptions options;
  options.application_id = run.application;
  options.state_dir = run.folder;
  options.state = run.state;
  options.parallelism = 2;
  options.epoch_interval = 100ms;
  return app.run(options);
}

Status route_clicks(const std::string& brokers, const std::string& error_policy) {
  App app("route");
  app.source<Click>(clicks(brokers))
      .map(route)
      .sink(routed(brokers).option("sink.error-policy", error_policy));
  RunOptions options;
  options.settings["restart-strategy.type"] = "none";
  Result<RunningJob> job = app.start(options);
  return job.is_ok() ? job->await() : job.status();
}

}  // namespace tidegate
