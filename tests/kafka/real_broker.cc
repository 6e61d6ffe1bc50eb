// SPDX-License-Identifier: Apache-2.0
#include "tests/kafka/real_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "base/check.h"
#include "connectors/kafka/test_broker.h"

namespace tidegate::kafka {

namespace {

bool succeeds(const std::string& command) { return std::system(command.c_str()) == 0; }

bool is_free(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool is_free = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return is_free;
}

/// A port that is free together with the one 1000 above, which the broker uses as well. Not one of
/// those that the system gives to clients: while the broker is away, a client that keeps trying to
/// connect would end up connected to itself.
int find_port() {
  constexpr int kFirst = 20'000, kCount = 10'000;
  for (int i = 0; i < kCount; ++i) {
    const int port = kFirst + (getpid() * 7 + i) % kCount;
    if (is_free(port) && is_free(port + 1000)) return port;
  }
  TG_CHECK(false, "no two free ports");
}

/// Runs one administrative call and checks its outcome.
void administer(
    const std::string& address,
    const std::function<void(rd_kafka_t*, rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& call) {
  const HandlePtr handle = make_test_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", address}});
  const QueuePtr queue(rd_kafka_queue_new(handle.get()));
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(handle.get(), RD_KAFKA_ADMIN_OP_ANY);
  char reason[256];
  rd_kafka_AdminOptions_set_operation_timeout(options, 30'000, reason, sizeof reason);
  call(handle.get(), options, queue.get());
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue.get(), 60'000);
  TG_CHECK(event != nullptr, "the broker does not answer");
  TG_CHECK(rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR, "{}",
           rd_kafka_event_error_string(event));
  if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_CREATETOPICS_RESULT) {
    std::size_t count = 0;
    const rd_kafka_topic_result_t** results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (std::size_t i = 0; i < count; ++i)
      TG_CHECK(rd_kafka_topic_result_error(results[i]) == RD_KAFKA_RESP_ERR_NO_ERROR, "{}",
               rd_kafka_topic_result_error_string(results[i]));
  }
  rd_kafka_event_destroy(event);
  rd_kafka_AdminOptions_destroy(options);
}

}  // namespace

std::string RealBroker::missing() {
  if (!succeeds("command -v java >/dev/null")) return "Java is missing";
  if (!succeeds("command -v mvn >/dev/null || "
                "ls \"${KAFKA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tidegate/kafka}\"/*/.done "
                ">/dev/null 2>&1"))
    return "Maven is missing, and no Kafka has been fetched before";
  return "";
}

RealBroker::RealBroker() : port_(find_port()), address_(fmt::format("127.0.0.1:{}", port_)) {
  char folder[] = "/tmp/tidegate-kafka-test-XXXXXX";
  TG_CHECK(mkdtemp(folder) != nullptr, "no temporary folder");
  folder_ = folder;
  start();
}

RealBroker::~RealBroker() {
  succeeds(fmt::format("tools/kafka wipe --dir {} >/dev/null 2>&1", folder_));
}

void RealBroker::start() {
  // The log goes to a file: what holds this program's own output keeps those who read it waiting.
  const std::string log = folder_ + "/start.log";
  TG_CHECK(succeeds(fmt::format("tools/kafka start --port {} --dir {} >{} 2>&1 </dev/null", port_,
                                folder_, log)) ||
               !succeeds(fmt::format("cat {} >&2", log)),
           "tools/kafka start failed");
}

void RealBroker::kill() {
  TG_CHECK(succeeds(fmt::format("tools/kafka stop --dir {} --kill >/dev/null", folder_)),
           "tools/kafka stop failed");
}

void RealBroker::create_topic(const std::string& name, int partitions,
                              const std::vector<std::pair<std::string, std::string>>& configs) {
  rd_kafka_NewTopic_t* topic = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, nullptr, 0);
  for (const auto& [key, value] : configs)
    rd_kafka_NewTopic_set_config(topic, key.c_str(), value.c_str());
  administer(address_,
             [&](rd_kafka_t* handle, rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
               rd_kafka_CreateTopics(handle, &topic, 1, options, queue);
             });
  rd_kafka_NewTopic_destroy(topic);
}

void RealBroker::add_partitions(const std::string& topic, int total) {
  rd_kafka_NewPartitions_t* partitions =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(total), nullptr, 0);
  administer(address_,
             [&](rd_kafka_t* handle, rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
               rd_kafka_CreatePartitions(handle, &partitions, 1, options, queue);
             });
  rd_kafka_NewPartitions_destroy(partitions);
}

void RealBroker::delete_records(const std::string& topic, std::int32_t partition,
                                std::int64_t offset) {
  const PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  rd_kafka_DeleteRecords_t* records = rd_kafka_DeleteRecords_new(list.get());
  administer(address_,
             [&](rd_kafka_t* handle, rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
               rd_kafka_DeleteRecords(handle, &records, 1, options, queue);
             });
  rd_kafka_DeleteRecords_destroy(records);
}

}  // namespace tidegate::kafka
