// SPDX-License-Identifier: Apache-2.0
#include "tests/kafka/real_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <memory>

#include "base/check.h"
#include "kafka/test_broker.h"

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

using AdminCall = std::function<void(rd_kafka_t*, rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;
using EventPtr = std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)>;

/// What went wrong with the topics or partitions of an administrative call: an event without an
/// error of its own still holds theirs.
rd_kafka_resp_err_t error_of(rd_kafka_event_t* event) {
  if (const auto error = rd_kafka_event_error(event)) return error;
  std::size_t count = 0;
  const rd_kafka_topic_result_t** topics = nullptr;
  if (const auto* created = rd_kafka_event_CreateTopics_result(event))
    topics = rd_kafka_CreateTopics_result_topics(created, &count);
  if (const auto* grown = rd_kafka_event_CreatePartitions_result(event))
    topics = rd_kafka_CreatePartitions_result_topics(grown, &count);
  for (std::size_t i = 0; i < count; ++i)
    if (const auto error = rd_kafka_topic_result_error(topics[i])) return error;
  if (const auto* deleted = rd_kafka_event_DeleteRecords_result(event)) {
    const auto* offsets = rd_kafka_DeleteRecords_result_offsets(deleted);
    for (int i = 0; i < offsets->cnt; ++i)
      if (offsets->elems[i].err) return offsets->elems[i].err;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

/// Makes one administrative call, again while what is wrong with it will pass.
void administer(const std::string& address, const AdminCall& call) {
  const HandlePtr handle = make_test_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", address}});
  const QueuePtr queue(rd_kafka_queue_new(handle.get()));
  rd_kafka_AdminOptions_t* options = rd_kafka_AdminOptions_new(handle.get(), RD_KAFKA_ADMIN_OP_ANY);
  char reason[256];
  rd_kafka_AdminOptions_set_operation_timeout(options, 30'000, reason, sizeof reason);
  constexpr int kAttempts = 600, kPauseMs = 100;
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    call(handle.get(), options, queue.get());
    const EventPtr event(rd_kafka_queue_poll(queue.get(), 120'000), &rd_kafka_event_destroy);
    TG_CHECK(event != nullptr, "the broker does not answer");
    error = error_of(event.get());
    const bool again = is_passing(error) || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (!again || (attempt > 0 && error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)) break;
    rd_kafka_poll(handle.get(), kPauseMs);
  }
  rd_kafka_AdminOptions_destroy(options);
  TG_CHECK(error == RD_KAFKA_RESP_ERR_NO_ERROR, "{}", rd_kafka_err2str(error));
}

/// Waits until the broker shows all partitions of a topic, with leaders: it answers requests to
/// change them before everybody who asks it will see that.
void wait_for_partitions(const std::string& address, const std::string& name, int partitions) {
  const HandlePtr handle = make_test_handle(RD_KAFKA_PRODUCER, {{"bootstrap.servers", address}});
  const TopicPtr topic(rd_kafka_topic_new(handle.get(), name.c_str(), nullptr));
  constexpr int kAttempts = 1200, kPauseMs = 50;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const rd_kafka_metadata_t* raw = nullptr;
    if (rd_kafka_metadata(handle.get(), 0, topic.get(), &raw, 60'000) == 0) {
      const MetadataPtr metadata(raw);
      const rd_kafka_metadata_topic_t& found = metadata->topics[0];
      int led = 0;
      for (int i = 0; i < found.partition_cnt; ++i) led += found.partitions[i].leader >= 0 ? 1 : 0;
      if (led >= partitions) return;
    }
    rd_kafka_poll(handle.get(), kPauseMs);
  }
  TG_CHECK(false, "topic '{}' does not get {} partitions", name, partitions);
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

RealBroker::RealBroker(const std::string& properties)
    : port_(find_port()), address_(fmt::format("127.0.0.1:{}", port_)) {
  char folder[] = "/tmp/tidegate-kafka-test-XXXXXX";
  TG_CHECK(mkdtemp(folder) != nullptr, "no temporary folder");
  folder_ = folder;
  if (!properties.empty())
    TG_CHECK(succeeds(fmt::format("echo '{}' >{}/more.properties", properties, folder_)),
             "cannot write more.properties");
  start();
}

RealBroker::~RealBroker() {
  succeeds(fmt::format("tools/kafka wipe --dir {} >/dev/null 2>&1", folder_));
}

void RealBroker::start() {
  // The log goes to a file: what holds this program's own output keeps those who read it waiting.
  const std::string log = folder_ + "/start.log";
  const std::string more = folder_ + "/more.properties";
  TG_CHECK(succeeds(fmt::format("[ ! -f {0} ] || export KAFKA_PROPS={0}; KAFKA_WAIT=240 "
                                "tools/kafka start --port {1} --dir {2} >{3} 2>&1 </dev/null",
                                more, port_, folder_, log)) ||
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
  wait_for_partitions(address_, name, partitions);
}

void RealBroker::add_partitions(const std::string& topic, int total) {
  rd_kafka_NewPartitions_t* partitions =
      rd_kafka_NewPartitions_new(topic.c_str(), static_cast<std::size_t>(total), nullptr, 0);
  administer(address_,
             [&](rd_kafka_t* handle, rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
               rd_kafka_CreatePartitions(handle, &partitions, 1, options, queue);
             });
  rd_kafka_NewPartitions_destroy(partitions);
  wait_for_partitions(address_, topic, total);
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
