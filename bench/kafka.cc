// SPDX-License-Identifier: Apache-2.0
//
// What the kafka connector costs beside librdkafka, on which it stands: clicks into a topic of 4
// partitions, and out of it. The limits are loops that only send and only take messages.
//
//   kafka [--json] [--events N] [--brokers HOST:PORT]
//
// Without --brokers a broker is started with tools/kafka and stopped at the end. The broker is a
// process of its own, so its CPU time does not count.

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <librdkafka/rdkafka.h>

#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/metrics.h"
#include "click_file.h"
#include "click_topics.h"
#include "connectors/kafka/sink.h"
#include "connectors/kafka/source.h"
#include "connectors/kafka/test_table.h"
#include "formats/format.h"
#include "measured_child.h"

namespace tidegate::bench {
namespace {

using kafka::ErrorPtr;
using kafka::HandlePtr;
using kafka::KafkaSink;
using kafka::KafkaSource;
using kafka::QueuePtr;
using kafka::TestSettings;
using kafka::TestTable;
using kafka::TopicPtr;

constexpr const char* kTopic = "clicks";
constexpr const char* kCopy = "clicks-copy";
constexpr const char* kColumns = "user_id BIGINT, url STRING, ts BIGINT";

/// Wakes the loop below, as it would a task.
class Sleeper {
 public:
  Waker waker() {
    return Waker(std::make_shared<const std::function<void()>>([this] {
      const std::lock_guard lock(mutex_);
      awake_ = true;
      changed_.notify_one();
    }));
  }
  void sleep() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return awake_; });
    awake_ = false;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool awake_ = false;
};

/// What a source and a writer need around them.
class Surroundings final : public SourceContext, public OperatorContext {
 public:
  const std::string& source_name() const override { return name_; }
  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return 0; }
  int parallelism() const override { return 1; }
  KeyGroupRange key_groups() const override { return {}; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { return *executor_; }
  MetricGroup& metrics() override { return metrics_->group(name_, 0); }
  Waker waker() override { return sleeper.waker(); }
  StateBackend& state() override { std::abort(); }
  void request_wake_at(std::int64_t) override {}

  Sleeper sleeper;

 private:
  const std::string name_ = "kafka";
  std::unique_ptr<MetricRegistry> metrics_ = make_metric_registry();
  std::unique_ptr<Executor> executor_ = make_thread_executor(1, 2);
};

/// Takes `events` messages and looks at nothing but their size.
std::uint64_t bare_consume(const std::string& brokers, std::int64_t events) {
  const HandlePtr handle =
      kafka::make_test_handle(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                  {"queued.min.messages", "20000"},
                                                  {"queued.max.messages.kbytes", "16384"}});
  const TopicPtr topic(rd_kafka_topic_new(handle.get(), kTopic, nullptr));
  const QueuePtr queue(rd_kafka_queue_new(handle.get()));
  for (int p = 0; p < kPartitions; ++p)
    rd_kafka_consume_start_queue(topic.get(), p, RD_KAFKA_OFFSET_BEGINNING, queue.get());
  std::vector<rd_kafka_message_t*> messages(8192);
  std::uint64_t bytes = 0;
  for (std::int64_t count = 0; count < events;) {
    const ssize_t got =
        rd_kafka_consume_batch_queue(queue.get(), 1000, messages.data(), messages.size());
    for (ssize_t i = 0; i < got; ++i) {
      bytes += messages[static_cast<std::size_t>(i)]->len;
      rd_kafka_message_destroy(messages[static_cast<std::size_t>(i)]);
    }
    count += got;
    // As the connector does; without it librdkafka 2.0 sleeps for up to a second at full queues.
    ErrorPtr(rd_kafka_sasl_set_credentials(handle.get(), "", ""));
  }
  for (int p = 0; p < kPartitions; ++p) rd_kafka_consume_stop(topic.get(), p);
  return bytes;
}

TestTable table(const std::string& brokers, const char* topic) {
  return TestTable(kColumns, brokers,
                   {{"topic", topic},
                    {"format", "json"},
                    {"key.format", "csv"},
                    {"key.fields", "user_id"},
                    {"scan.startup.mode", "earliest-offset"}});
}

/// The source alone: `columns` of the messages as batches, each looked at once.
std::uint64_t with_source(const std::string& brokers, std::int64_t events,
                          std::vector<int> columns) {
  Surroundings around;
  TestTable clicks = table(brokers, kTopic);
  clicks.request.projection = std::move(columns);
  const auto source = require(KafkaSource::make(clicks.request));
  require(source->open(around));
  std::vector<std::unique_ptr<SplitReader>> readers;
  for (const Split& split : require(source->discover({})).splits)
    readers.push_back(require(source->open_split(split, {}, around)));
  std::uint64_t answer = 0;
  for (std::int64_t count = 0; count < events;) {
    bool any = false;
    for (const auto& reader : readers) {
      const Polled polled = require(reader->poll(8192));
      if (polled.state != Polled::State::kRows) continue;
      any = true;
      count += polled.batch.num_rows();
      answer += static_cast<std::uint64_t>(polled.batch.num_rows());
    }
    if (!any) around.sleeper.sleep();
  }
  return answer;
}

/// Columns of the clicks in memory, to be written.
std::vector<Batch> read_clicks(const std::string& path) {
  const TestTable clicks = table("unused:1", kCopy);
  const Format* json = require(clicks.request.formats->find("json"));
  const auto decoder =
      require(json->make_decoder({clicks.request.schema, clicks.request.projection, {}}));
  std::string text = require(read_file(local_file_system(), path));
  const std::size_t size = text.size();
  text.append(Decoder::kPadding, '\0');
  std::vector<Batch> batches;
  for (std::size_t begin = 0; begin < size;) {
    const std::size_t end = text.find('\n', std::min(begin + 500'000, size - 1)) + 1;
    require(decoder->decode(std::string_view(text).substr(begin, end - begin),
                            [](const BadRecord& bad) { return bad.reason; }));
    batches.push_back(require(decoder->take()));
    begin = end;
  }
  return batches;
}

enum class Write { kNothing, kAtLeastOnce, kExactlyOnce };

/// The sink alone, which gets the clicks in batches; exactly-once with an epoch every 100 000 rows.
std::uint64_t with_sink(const std::string& brokers, const std::string& path, Write write) {
  const std::vector<Batch> batches = read_clicks(path);
  if (write == Write::kNothing) return batches.size();
  Surroundings around;
  TestTable copy = table(brokers, kCopy);
  if (write == Write::kExactlyOnce) {
    copy.request.options.set("sink.delivery-guarantee", "exactly-once");
    copy.request.options.set("sink.transactional-id-prefix", "bench");
  }
  const auto sink = require(KafkaSink::make(copy.request));
  require(sink->open());
  const auto writer = require(sink->open_writer(around));
  constexpr std::int64_t kEpochRows = 100'000;
  std::int64_t count = 0, published = 0;
  EpochId epoch = 0;
  const auto finish = [&](Progress progress) {
    while (progress == Progress::kBlocked) {
      around.sleeper.sleep();
      progress = require(writer->resume());
    }
  };
  const auto end_epoch = [&] {
    finish(require(writer->flush()));
    const std::vector<std::string> committables = {require(writer->prepare(++epoch))};
    if (!committables[0].empty()) require(sink->commit_all(epoch, committables));
    published = count;
  };
  for (const Batch& batch : batches) {
    finish(require(writer->write(batch)));
    count += batch.num_rows();
    if (write == Write::kExactlyOnce && count - published >= kEpochRows) end_epoch();
  }
  end_epoch();
  return static_cast<std::uint64_t>(count);
}

int run(int argc, char** argv) {
  bool json = false;
  std::int64_t events = 5'000'000;
  std::string brokers;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--json") json = true;
    if (name == "--events" && i + 1 < argc) events = std::atoll(argv[++i]);
    if (name == "--brokers" && i + 1 < argc) brokers = argv[++i];
  }
  const std::string path = click_file(events);
  const std::string folder = path.substr(0, path.rfind('/')) + "/kafka";
  const bool own_broker = brokers.empty();
  if (own_broker) {
    if (std::system(("tools/kafka start --port 19392 --dir " + folder + " >&2").c_str()) != 0) {
      std::fprintf(stderr, "no broker: run in the project's folder, or give --brokers\n");
      return 1;
    }
    brokers = "127.0.0.1:19392";
  }
  bool failed = false;
  const auto check = [&](Cost cost) {
    failed |= cost.failed;
    return cost;
  };
  // In a child, so that no thread of librdkafka is there when the others are made.
  check(measure([&] {
    make_topic(brokers, kTopic);
    make_topic(brokers, kCopy);
    return 0;
  }));
  const Cost produce =
      check(measure([&] { return send_clicks(brokers, kTopic, path, ClickKey::kUser); }));
  report(json, "kafka", "send-librdkafka", events, produce);
  const Cost reading = check(measure([&] { return with_sink(brokers, path, Write::kNothing); }));
  const std::pair<const char*, Write> writes[] = {{"send-sink", Write::kAtLeastOnce},
                                                  {"send-sink-exactly-once", Write::kExactlyOnce}};
  for (const auto& [name, write] : writes) {
    Cost sink = check(measure([&, how = write] { return with_sink(brokers, path, how); }));
    sink.cpu_s -= reading.cpu_s;  // making the batches is not the sink's
    report(json, "kafka", name, events, sink, "send-librdkafka", produce.cpu_s / sink.cpu_s);
  }

  const Cost consume = check(measure([&] { return bare_consume(brokers, events); }));
  report(json, "kafka", "take-librdkafka", events, consume);
  const std::pair<const char*, std::vector<int>> projections[] = {
      {"take-source-2-columns", {1, 2}}, {"take-source-3-columns", {0, 1, 2}}};
  for (const auto& [name, columns] : projections) {
    const Cost cost = check(measure([&] { return with_source(brokers, events, columns); }));
    failed |= cost.answer < static_cast<std::uint64_t>(events);
    report(json, "kafka", name, events, cost, "take-librdkafka", consume.cpu_s / cost.cpu_s);
  }
  if (own_broker) failed |= std::system(("tools/kafka wipe --dir " + folder + " >&2").c_str()) != 0;
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
