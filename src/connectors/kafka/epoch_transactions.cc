// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/epoch_transactions.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/failpoints.h"
#include "kafka/message_journal.h"

namespace tidegate::kafka {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view kMetadata = "tidegate run ";
/// A transaction is open while an epoch is published, not while it runs. Brokers allow up to 15
/// minutes by default.
constexpr const char* kTransactionTimeoutMs = "300000";
constexpr std::int64_t kDeliveryTimeoutMs = 120'000;

ClientProperties producer_properties(const ClientProperties& base, const std::string& id) {
  ClientProperties properties = base;
  properties.settings.emplace_back("transactional.id", id);
  std::string timeout(properties.find("transaction.timeout.ms"));
  if (timeout.empty()) {
    timeout = kTransactionTimeoutMs;
    properties.settings.emplace_back("transaction.timeout.ms", timeout);
  }
  // librdkafka wants it to be no longer than the transaction's.
  if (properties.find("delivery.timeout.ms").empty()) {
    const std::int64_t delivery =
        std::min<std::int64_t>(std::strtoll(timeout.c_str(), nullptr, 10), kDeliveryTimeoutMs);
    properties.settings.emplace_back("delivery.timeout.ms", std::to_string(delivery));
  }
  return properties;
}

TransactionalProducer::Options producer_options(const SinkSettings& settings,
                                                const ClientProperties& client,
                                                const std::string& id) {
  TransactionalProducer::Options options;
  options.client = client;
  options.id = id;
  options.timeout = settings.connect_timeout;
  options.fenced = "another run of the job has taken over";
  options.remedy =
      "Let only one run of a job write at a time, and give each job a sink.transactional-id-prefix "
      "of its own.";
  return options;
}

/// kStateMismatch when the group is not one of ours.
Result<EpochMark> parse_mark(const rd_kafka_topic_partition_t& found, const std::string& group) {
  EpochMark mark;
  if (found.offset < 0) return mark;
  std::string_view text(static_cast<const char*>(found.metadata), found.metadata_size);
  const bool ours = text.starts_with(kMetadata);
  if (ours) {
    text.remove_prefix(kMetadata.size());
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), mark.run);
    if (failed == std::errc() && mark.run > 0) {
      mark.epoch = static_cast<EpochId>(found.offset);
      return mark;
    }
  }
  return Status(
      ErrorCode::kStateMismatch,
      fmt::format("group '{}' belongs to somebody else: its offset of partition 0 is no mark of an "
                  "epoch",
                  group),
      "Choose another sink.transactional-id-prefix.");
}

}  // namespace

EpochTransactions::EpochTransactions(const SinkSettings& settings, std::string topic,
                                     std::string id)
    : topic_name_(std::move(topic)),
      id_(std::move(id)),
      timeout_(settings.connect_timeout),
      properties_(producer_properties(settings.client, id_)),
      producer_(producer_options(settings, properties_, id_)) {}

Status EpochTransactions::begin_run() {
  TG_RETURN_IF_ERROR(connect());
  run_ = std::max(system_clock().wall_ms(), mark_.run + 1);
  return Status::ok();
}

Status EpochTransactions::publish(const EpochMark& mark,
                                  std::span<const std::string_view> journals) {
  if (!lost_.is_ok()) return lost_;
  if (!producer_.is_connected()) TG_RETURN_IF_ERROR(connect());
  if (mark <= mark_) return Status::ok();
  Status written = write(mark, journals);
  if (written.is_ok()) {
    mark_ = mark;
    if (producer_.lost_connection()) producer_.drop();
    return written;
  }
  // How far it came the next producer will find out.
  producer_.abandon();
  if (written.code() == ErrorCode::kServiceRefused) lost_ = written;
  return written;
}

Status EpochTransactions::connect() {
  Status connected = producer_.connect();
  TG_FAILPOINT("kafka.after-fence");
  if (connected.is_ok()) connected = read_mark();
  if (connected.is_ok() && run_ > 0 && mark_.run > run_)
    connected = lost_ =
        Status(ErrorCode::kServiceRefused,
               fmt::format("transactions '{}': a newer run of the job has taken over", id_));
  if (!connected.is_ok()) producer_.drop();
  return connected;
}

Status EpochTransactions::read_mark() {
  ClientProperties properties = properties_;
  std::erase_if(properties.settings, [](const auto& setting) {
    return setting.first.starts_with("transaction") || setting.first == "group.id";
  });
  properties.settings.emplace_back("group.id", id_);
  properties.settings.emplace_back("isolation.level", "read_committed");
  TG_ASSIGN_OR_RETURN(const auto reader, Client::make(Client::Role::kConsumer, properties, {}));
  const PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_name_.c_str(), 0);
  const rd_kafka_topic_partition_t& found = list->elems[0];
  TG_RETURN_IF_ERROR(reader->ask("cannot read what was published", timeout_, [&](int wait_ms) {
    const auto error = rd_kafka_committed(reader->handle(), list.get(), wait_ms);
    return error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : found.err;
  }));
  TG_ASSIGN_OR_RETURN(mark_, parse_mark(found, id_));
  return Status::ok();
}

Status EpochTransactions::write(const EpochMark& mark, std::span<const std::string_view> journals) {
  TG_RETURN_IF_ERROR(producer_.begin());
  for (const std::string_view journal : journals)
    TG_RETURN_IF_ERROR(read_journal(
        journal, [&](Outgoing& message) { return producer_.send(topic_name_, message); }));
  TG_RETURN_IF_ERROR(producer_.flush());
  TG_FAILPOINT("kafka.before-mark");
  TG_RETURN_IF_ERROR(send_mark(mark));
  TG_FAILPOINT("kafka.before-commit");
  TG_RETURN_IF_ERROR(producer_.commit());
  TG_FAILPOINT("kafka.after-commit");
  return Status::ok();
}

Status EpochTransactions::send_mark(const EpochMark& mark) {
  const PartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t* position =
      rd_kafka_topic_partition_list_add(offsets.get(), topic_name_.c_str(), 0);
  position->offset = static_cast<std::int64_t>(mark.epoch);
  const std::string text = fmt::format("{}{}", kMetadata, mark.run);
  position->metadata = std::malloc(text.size());  // the list frees it
  std::copy(text.begin(), text.end(), static_cast<char*>(position->metadata));
  position->metadata_size = text.size();
  rd_kafka_consumer_group_metadata_t* group = rd_kafka_consumer_group_metadata_new(id_.c_str());
  const Status sent = producer_.send_offsets(*offsets, *group);
  rd_kafka_consumer_group_metadata_destroy(group);
  return sent;
}

}  // namespace tidegate::kafka
