// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "kafka/handles.h"
#include "kafka/test_broker.h"
#include "tidegate/status.h"

/// The clicks of click_file.h in topics of a real broker, sent and read with bare librdkafka.
namespace tidegate::bench {

inline constexpr int kPartitions = 4;

inline void require(const Status& status) {
  if (status.is_ok()) return;
  std::fprintf(stderr, "%s\n", status.to_string().c_str());
  std::_Exit(1);
}

template <typename T>
T require(Result<T> result) {
  require(result.status());
  return *std::move(result);
}

/// Nothing happens when it is there already.
inline void make_topic(const std::string& brokers, const std::string& name) {
  const kafka::HandlePtr handle =
      kafka::make_test_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers}});
  const kafka::QueuePtr queue(rd_kafka_queue_new(handle.get()));
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), kPartitions, 1, nullptr, 0);
  rd_kafka_CreateTopics(handle.get(), &topic, 1, nullptr, queue.get());
  rd_kafka_event_destroy(rd_kafka_queue_poll(queue.get(), 60'000));
  rd_kafka_NewTopic_destroy(topic);
}

/// What the producers of benchmarks have in common. Keys go to the partitions that Java's clients
/// would give them.
inline kafka::TestSettings producer_settings(const std::string& brokers) {
  return {{"bootstrap.servers", brokers},
          {"enable.idempotence", "true"},
          {"compression.type", "lz4"},
          {"partitioner", "murmur2_random"},
          {"queue.buffering.max.kbytes", "32768"}};
}

/// A topic that is written to. Messages are sent in order.
class TopicWriter {
 public:
  TopicWriter(const std::string& brokers, const std::string& topic,
              const kafka::TestSettings& more = {}) {
    kafka::TestSettings settings = producer_settings(brokers);
    settings.insert(settings.end(), more.begin(), more.end());
    handle_ = kafka::make_test_handle(RD_KAFKA_PRODUCER, settings);
    topic_.reset(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  }
  ~TopicWriter() { rd_kafka_flush(handle_.get(), 60'000); }

  void send(std::string_view key, std::string_view value, std::int64_t time_ms) {
    rd_kafka_vu_t arguments[5];
    arguments[0].vtype = RD_KAFKA_VTYPE_RKT;
    arguments[0].u.rkt = topic_.get();
    arguments[1].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    arguments[1].u.i = RD_KAFKA_MSG_F_COPY;
    arguments[2].vtype = RD_KAFKA_VTYPE_VALUE;
    arguments[2].u.mem = {const_cast<char*>(value.data()), value.size()};
    arguments[3].vtype = RD_KAFKA_VTYPE_KEY;
    arguments[3].u.mem = {const_cast<char*>(key.data()), key.size()};
    arguments[4].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    arguments[4].u.i64 = time_ms;
    while (true) {
      const kafka::ErrorPtr failed(rd_kafka_produceva(handle_.get(), arguments, 5));
      if (failed == nullptr) break;
      rd_kafka_poll(handle_.get(), 1);
    }
    if (++sent_ % 1024 == 0) serve();
  }
  void serve() { rd_kafka_poll(handle_.get(), 0); }

 private:
  kafka::HandlePtr handle_;
  kafka::TopicPtr topic_;
  std::uint64_t sent_ = 0;
};

enum class ClickKey { kUser, kUrl };

/// The lines of the click file to a topic, `times` times, each time behind the last in event time.
inline std::uint64_t send_clicks(const std::string& brokers, const std::string& topic,
                                 const std::string& path, ClickKey by, int times = 1) {
  std::string text = require(read_file(local_file_system(), path));
  TopicWriter writer(brokers, topic);
  std::uint64_t count = 0;
  for (int round = 0; round < times; ++round) {
    const std::uint64_t lines_before = count;
    for (std::size_t begin = 0; begin < text.size(); ++count) {
      const std::size_t end = text.find('\n', begin);
      const std::size_t user = begin + std::string_view("{\"user_id\":").size();
      const std::size_t url = text.find("\"url\":\"", user) + std::string_view("\"url\":\"").size();
      const std::size_t user_end = text.find(',', user), url_end = text.find('"', url);
      const std::string_view key = by == ClickKey::kUser
                                       ? std::string_view(text).substr(user, user_end - user)
                                       : std::string_view(text).substr(url, url_end - url);
      writer.send(key, std::string_view(text).substr(begin, end - begin),
                  1'700'000'000'000 + static_cast<std::int64_t>(count));
      begin = end + 1;
    }
    if (round + 1 == times) break;
    // All times have 13 digits.
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      char* const digits = text.data() + text.rfind(':', end) + 1;
      std::int64_t time = 0;
      std::from_chars(digits, digits + 13, time);
      std::to_chars(digits, digits + 13, time + static_cast<std::int64_t>(count - lines_before));
      begin = end + 1;
    }
  }
  return count;
}

/// Reads what is committed in a topic, from its beginning.
class CommittedReader {
 public:
  CommittedReader(const std::string& brokers, const std::string& topic)
      : handle_(kafka::make_test_handle(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                            {"isolation.level", "read_committed"},
                                                            {"fetch.wait.max.ms", "10"},
                                                            {"enable.partition.eof", "true"}})),
        topic_(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr)),
        queue_(rd_kafka_queue_new(handle_.get())),
        messages_(8192) {
    for (int p = 0; p < kPartitions; ++p)
      rd_kafka_consume_start_queue(topic_.get(), p, RD_KAFKA_OFFSET_BEGINNING, queue_.get());
  }
  ~CommittedReader() {
    for (int p = 0; p < kPartitions; ++p) rd_kafka_consume_stop(topic_.get(), p);
  }

  /// The messages that come within `wait_ms`, at once.
  void take(int wait_ms, const std::function<void(std::string_view value)>& each) {
    const ssize_t count =
        rd_kafka_consume_batch_queue(queue_.get(), wait_ms, messages_.data(), messages_.size());
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* const message = messages_[static_cast<std::size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
        each({static_cast<const char*>(message->payload), message->len});
      ended_ += message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
      rd_kafka_message_destroy(message);
    }
    kafka::ErrorPtr(rd_kafka_sasl_set_credentials(handle_.get(), "", ""));  // as in kafka.cc
  }
  /// True when the end of each partition was reached, once.
  bool ended() const { return ended_ >= kPartitions; }

 private:
  const kafka::HandlePtr handle_;
  const kafka::TopicPtr topic_;
  const kafka::QueuePtr queue_;
  std::vector<rd_kafka_message_t*> messages_;
  int ended_ = 0;
};

/// The number or the text of a field in a flat JSON object without blanks.
inline std::string_view json_field(std::string_view object, std::string_view name) {
  const std::size_t found = object.find("\"" + std::string(name) + "\":");
  if (found == std::string_view::npos) return {};
  const std::size_t begin = found + name.size() + 3;
  if (object[begin] == '"')
    return object.substr(begin + 1, object.find('"', begin + 1) - begin - 1);
  return object.substr(begin, object.find_first_of(",}", begin) - begin);
}

inline std::int64_t json_number(std::string_view object, std::string_view name) {
  const std::string_view text = json_field(object, name);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace tidegate::bench
