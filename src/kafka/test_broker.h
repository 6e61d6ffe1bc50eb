// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "kafka/handles.h"

/// What stands on the other side in tests: plain librdkafka, and its imitation of
/// a broker. What goes wrong here stops the test.
namespace tidegate::kafka {

/// A message as tests write and read it.
struct TestMessage {
  std::optional<std::string> key = {};
  std::optional<std::string> value = {};
  std::int64_t timestamp_ms = 1'000;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::int32_t partition = 0;
};

using TestSettings = std::vector<std::pair<std::string, std::string>>;

inline void check_delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  TG_CHECK(message->err == RD_KAFKA_RESP_ERR_NO_ERROR, "{}", rd_kafka_err2str(message->err));
}

inline HandlePtr make_test_handle(rd_kafka_type_t type, const TestSettings& settings) {
  char reason[512] = "";
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf, &check_delivered);
  for (const auto& [name, value] : settings) {
    const auto set = rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason);
    TG_CHECK(set == RD_KAFKA_CONF_OK, "{}: {}", name, reason);
  }
  HandlePtr handle(rd_kafka_new(type, conf, reason, sizeof reason));
  TG_CHECK(handle != nullptr, "{}", reason);
  return handle;
}

inline void check_no_error(rd_kafka_error_t* failed) {
  const ErrorPtr owner(failed);
  TG_CHECK(failed == nullptr, "{}", rd_kafka_error_string(failed));
}

/// Sends messages one after the other; destroyed only when all have arrived.
class TestProducer {
 public:
  TestProducer(const std::string& brokers, TestSettings settings = {}) {
    settings.emplace_back("bootstrap.servers", brokers);
    settings.emplace_back("linger.ms", "0");
    handle_ = make_test_handle(RD_KAFKA_PRODUCER, settings);
  }
  ~TestProducer() { flush(); }

  rd_kafka_t* handle() const { return handle_.get(); }

  void send(const std::string& topic, const TestMessage& message) {
    std::vector<rd_kafka_vu_t> arguments;
    const auto next = [&](rd_kafka_vtype_t type) -> auto& {
      arguments.emplace_back().vtype = type;
      return arguments.back().u;
    };
    next(RD_KAFKA_VTYPE_TOPIC).cstr = topic.c_str();
    next(RD_KAFKA_VTYPE_PARTITION).i32 = message.partition;
    next(RD_KAFKA_VTYPE_MSGFLAGS).i = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_BLOCK;
    next(RD_KAFKA_VTYPE_TIMESTAMP).i64 = message.timestamp_ms;
    if (message.key) {
      auto& key = next(RD_KAFKA_VTYPE_KEY).mem;
      key.ptr = const_cast<char*>(message.key->data());
      key.size = message.key->size();
    }
    if (message.value) {
      auto& value = next(RD_KAFKA_VTYPE_VALUE).mem;
      value.ptr = const_cast<char*>(message.value->data());
      value.size = message.value->size();
    }
    for (const auto& [name, value] : message.headers) {
      auto& header = next(RD_KAFKA_VTYPE_HEADER).header;
      header.name = name.c_str();
      header.val = value.data();
      header.size = static_cast<ssize_t>(value.size());
    }
    check_no_error(rd_kafka_produceva(handle(), arguments.data(), arguments.size()));
  }
  void send_values(const std::string& topic, const std::vector<std::string>& values,
                   std::int32_t partition = 0) {
    for (const std::string& value : values) {
      TestMessage message;
      message.value = value;
      message.partition = partition;
      send(topic, message);
    }
  }
  void flush() {
    TG_CHECK(rd_kafka_flush(handle(), 300'000) == RD_KAFKA_RESP_ERR_NO_ERROR, "not delivered");
  }

 private:
  HandlePtr handle_;
};

/// All messages of a topic in the order of partition and offset.
inline std::vector<TestMessage> consume_all(const std::string& brokers, const std::string& topic,
                                            std::int32_t partitions = 1) {
  const HandlePtr handle = make_test_handle(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                                {"enable.partition.eof", "true"},
                                                                {"fetch.wait.max.ms", "20"}});
  const TopicPtr rkt(rd_kafka_topic_new(handle.get(), topic.c_str(), nullptr));
  std::vector<TestMessage> all;
  for (std::int32_t partition = 0; partition < partitions; ++partition) {
    TG_CHECK(rd_kafka_consume_start(rkt.get(), partition, RD_KAFKA_OFFSET_BEGINNING) == 0, "start");
    while (true) {
      rd_kafka_message_t* message = rd_kafka_consume(rkt.get(), partition, 60'000);
      TG_CHECK(message != nullptr, "nothing from topic {} partition {}", topic, partition);
      const rd_kafka_resp_err_t error = message->err;
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
        TestMessage& read = all.emplace_back();
        read.partition = partition;
        read.timestamp_ms = rd_kafka_message_timestamp(message, nullptr);
        if (message->key != nullptr)
          read.key.emplace(static_cast<const char*>(message->key), message->key_len);
        if (message->payload != nullptr)
          read.value.emplace(static_cast<const char*>(message->payload), message->len);
        rd_kafka_headers_t* headers = nullptr;
        if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
          const char* name = nullptr;
          const void* value = nullptr;
          std::size_t size = 0;
          for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) ==
                                  RD_KAFKA_RESP_ERR_NO_ERROR;
               ++i)
            read.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
        }
      }
      rd_kafka_message_destroy(message);
      if (error == RD_KAFKA_RESP_ERR__PARTITION_EOF) break;
    }
    rd_kafka_consume_stop(rkt.get(), partition);
  }
  return all;
}

/// librdkafka's own imitation of a broker, in this process. It knows neither transactions of
/// readers nor offsets by time.
class MockBroker {
 public:
  MockBroker()
      : handle_(make_test_handle(RD_KAFKA_PRODUCER, {{"test.mock.num.brokers", "1"}})),
        cluster_(rd_kafka_handle_mock_cluster(handle_.get())),
        address_(rd_kafka_mock_cluster_bootstraps(cluster_)) {}

  const std::string& address() const { return address_; }
  rd_kafka_mock_cluster_t* cluster() const { return cluster_; }
  void create_topic(const std::string& name, int partitions = 1) {
    const auto made = rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1);
    TG_CHECK(made == RD_KAFKA_RESP_ERR_NO_ERROR, "{}", rd_kafka_err2str(made));
  }
  void go_down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
  void come_up() { rd_kafka_mock_broker_set_up(cluster_, 1); }

 private:
  HandlePtr handle_;
  rd_kafka_mock_cluster_t* cluster_;  // of the handle
  std::string address_;
};

}  // namespace tidegate::kafka
