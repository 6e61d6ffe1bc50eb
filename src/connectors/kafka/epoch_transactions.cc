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

bool is_fenced(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__FENCED || error == RD_KAFKA_RESP_ERR_PRODUCER_FENCED ||
         error == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH;
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
      properties_(producer_properties(settings.client, id_)) {}

Status EpochTransactions::begin_run() {
  TG_RETURN_IF_ERROR(connect());
  run_ = std::max(system_clock().wall_ms(), mark_.run + 1);
  return Status::ok();
}

Status EpochTransactions::publish(const EpochMark& mark,
                                  std::span<const std::string_view> journals) {
  if (!lost_.is_ok()) return lost_;
  if (client_ == nullptr) TG_RETURN_IF_ERROR(connect());
  if (mark <= mark_) return Status::ok();
  Status written = write(mark, journals);
  if (written.is_ok()) {
    mark_ = mark;
    return written;
  }
  // How far it came the next producer will find out. Readers of committed messages wait for the
  // transaction, so it is not left open where that can be avoided.
  if (lost_.is_ok()) ErrorPtr(rd_kafka_abort_transaction(client_->handle(), 5'000));
  topic_.reset();
  client_.reset();
  return written;
}

Status EpochTransactions::connect() {
  outstanding_ = 0;
  undelivered_ = Status::ok();
  Client::Events events;
  events.delivered = [this](const rd_kafka_message_t& message) { delivered(message); };
  TG_ASSIGN_OR_RETURN(client_,
                      Client::make(Client::Role::kProducer, properties_, std::move(events)));
  topic_ = client_->topic(topic_name_);
  if (topic_ == nullptr)
    return error(ErrorCode::kInvalidOption, "'{}' is not a topic's name", topic_name_);
  Status connected =
      failure_of("cannot begin transactions",
                 rd_kafka_init_transactions(client_->handle(), static_cast<int>(timeout_.count())));
  TG_FAILPOINT("kafka.after-fence");
  if (connected.is_ok()) connected = read_mark();
  if (connected.is_ok() && run_ > 0 && mark_.run > run_)
    connected = lost_ =
        Status(ErrorCode::kServiceRefused,
               fmt::format("transactions '{}': a newer run of the job has taken over", id_));
  if (!connected.is_ok()) {
    topic_.reset();
    client_.reset();
  }
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
  TG_RETURN_IF_ERROR(
      failure_of("cannot begin a transaction", rd_kafka_begin_transaction(client_->handle())));
  for (const std::string_view journal : journals)
    TG_RETURN_IF_ERROR(read_journal(journal, [&](Outgoing& message) { return send(message); }));
  TG_RETURN_IF_ERROR(wait_for_deliveries());
  TG_FAILPOINT("kafka.before-mark");
  TG_RETURN_IF_ERROR(send_mark(mark));
  TG_FAILPOINT("kafka.before-commit");
  TG_RETURN_IF_ERROR(failure_of(
      "cannot commit the transaction",
      rd_kafka_commit_transaction(client_->handle(), static_cast<int>(timeout_.count()))));
  TG_FAILPOINT("kafka.after-commit");
  return Status::ok();
}

Status EpochTransactions::send(Outgoing& message) {
  constexpr milliseconds kWait{100};
  while (true) {
    TG_RETURN_IF_ERROR(undelivered_);
    const Result<bool> sent = produce(*client_, topic_.get(), message);
    if (!sent.is_ok()) {
      TG_RETURN_IF_ERROR(failure_of("cannot write", nullptr));  // what made the producer fail
      return sent.status();
    }
    if (*sent) break;
    client_->serve_for(kWait);
  }
  ++outstanding_;
  constexpr std::int64_t kServeEvery = 256;
  if (outstanding_ % kServeEvery == 0) client_->serve();
  return Status::ok();
}

Status EpochTransactions::wait_for_deliveries() {
  // Without waiting for more to come.
  if (outstanding_ > 0) rd_kafka_flush(client_->handle(), static_cast<int>(kDeliveryTimeoutMs));
  constexpr milliseconds kWait{100};
  while (outstanding_ > 0 && undelivered_.is_ok()) client_->serve_for(kWait);
  return undelivered_;
}

void EpochTransactions::delivered(const rd_kafka_message_t& message) {
  --outstanding_;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR || !undelivered_.is_ok()) return;
  if (!client_->fatal().is_ok() || is_fenced(message.err)) {
    undelivered_ = failure_of("cannot write", nullptr);
    if (!undelivered_.is_ok()) return;
  }
  const std::string what = fmt::format("topic '{}' partition {}", topic_name_, message.partition);
  undelivered_ = kafka_status(message.err, what, rd_kafka_err2str(message.err));
  if (undelivered_.code() != ErrorCode::kRecordTooLarge)
    undelivered_ = error(ErrorCode::kDeliveryFailed, "{}: a message was not delivered: {}{}", what,
                         rd_kafka_err2str(message.err), client_->trouble());
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
  rd_kafka_error_t* failed = rd_kafka_send_offsets_to_transaction(
      client_->handle(), offsets.get(), group, static_cast<int>(timeout_.count()));
  rd_kafka_consumer_group_metadata_destroy(group);
  return failure_of("cannot mark the epoch", failed);
}

Status EpochTransactions::failure_of(std::string_view what, rd_kafka_error_t* failed) {
  const ErrorPtr owner(failed);
  char reason[512] = "";
  rd_kafka_resp_err_t code = rd_kafka_fatal_error(client_->handle(), reason, sizeof reason);
  const bool fatal = code != RD_KAFKA_RESP_ERR_NO_ERROR;
  if (!fatal) {
    if (failed == nullptr) return Status::ok();
    code = rd_kafka_error_code(failed);
  }
  const std::string place =
      fmt::format("transactions '{}' at {}: {}", id_, client_->brokers(), what);
  if (is_fenced(code))
    return lost_ = Status(ErrorCode::kServiceRefused,
                          fmt::format("{}: another run of the job has taken over", place),
                          "Let only one run of a job write at a time, and give each job a "
                          "sink.transactional-id-prefix of its own.");
  if (fatal) return lost_ = kafka_status(code, place, reason);
  const char* text = rd_kafka_error_string(failed);
  if (is_passing(code) || rd_kafka_error_is_retriable(failed) != 0 ||
      rd_kafka_error_txn_requires_abort(failed) != 0)
    return error(ErrorCode::kServiceUnreachable, "{}: {}{}", place, text, client_->trouble());
  return kafka_status(code, place, text);
}

}  // namespace tidegate::kafka
