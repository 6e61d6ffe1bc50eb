// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/writer.h"

#include <utility>

#include "base/check.h"

namespace tidegate::kafka {

Result<std::unique_ptr<SinkWriter>> KafkaWriter::make(const SinkSettings& settings,
                                                      std::int32_t partition_count,
                                                      std::unique_ptr<MessageEncoder> encoder,
                                                      OperatorContext& context) {
  std::unique_ptr<KafkaWriter> writer(
      new KafkaWriter(settings, partition_count, std::move(encoder), context));
  Client::Events events;
  events.delivered = [raw = writer.get()](const rd_kafka_message_t& m) { raw->delivered(m); };
  TG_ASSIGN_OR_RETURN(writer->client_,
                      Client::make(Client::Role::kProducer, settings.client, std::move(events)));
  writer->client_->on_ready([raw = writer.get()] {
    if (raw->waits_.exchange(false)) raw->waker_.wake();
  });
  writer->topic_ = writer->client_->topic(settings.topic);
  TG_CHECK(writer->topic_ != nullptr, "topic '{}' cannot be named", settings.topic);
  return std::unique_ptr<SinkWriter>(std::move(writer));
}

KafkaWriter::KafkaWriter(const SinkSettings& settings, std::int32_t partition_count,
                         std::unique_ptr<MessageEncoder> encoder, OperatorContext& context)
    : topic_name_(settings.topic),
      partitioner_(settings.partitioner),
      waits_for_delivery_(settings.guarantee != SinkSettings::Guarantee::kNone),
      partition_count_(partition_count),
      encoder_(std::move(encoder)),
      check_(settings, partition_count, context.metrics()),
      waker_(context.waker()),
      next_partition_(context.subtask() % partition_count) {
  if (settings.flush_rows > 0)
    kept_.emplace(settings.flush_rows, settings.flush_interval, context.clock());
}

KafkaWriter::~KafkaWriter() {
  constexpr int kPatienceMs = 5'000;
  if (client_ != nullptr && !waits_for_delivery_ && failure_.is_ok())
    rd_kafka_flush(client_->handle(), kPatienceMs);
}

Result<Progress> KafkaWriter::write(Batch batch) {
  TG_CHECK(row_ == encoder_->num_rows(), "a batch while one of {} rows is at {}",
           encoder_->num_rows(), row_);
  TG_RETURN_IF_ERROR(
      encoder_->start(std::move(batch)).with_context(fmt::format("topic '{}'", topic_name_)));
  row_ = 0;
  return send_rows();
}

Result<Progress> KafkaWriter::resume() { return flushing_ ? flush() : send_rows(); }

Result<Progress> KafkaWriter::send_rows() {
  for (; row_ < encoder_->num_rows(); ++row_) {
    TG_ASSIGN_OR_RETURN(const bool sent, send_row());
    if (!sent) return Progress::kBlocked;
  }
  if (kept_ && kept_->is_due()) return send_kept();
  waits_ = false;
  client_->serve();
  if (!failure_.is_ok()) return failure_;
  return Progress::kDone;
}

Result<bool> KafkaWriter::send_row() {
  Result<bool> sent = try_send_row();
  if (sent.is_ok()) return sent;
  TG_RETURN_IF_ERROR(check_.pass(std::move(sent).status()));
  return true;
}

Result<bool> KafkaWriter::try_send_row() {
  TG_ASSIGN_OR_RETURN(Outgoing message, encoder_->encode(row_));
  TG_RETURN_IF_ERROR(check_.check(message));
  if (kept_) {
    kept_->put(std::move(message));
    return true;
  }
  return send_or_wait([&] { return send(message); });
}

Result<Progress> KafkaWriter::send_kept() {
  TG_ASSIGN_OR_RETURN(const bool sent, send_or_wait([&] {
                        return kept_->drain([&](Outgoing& message) { return send(message); });
                      }));
  return sent ? Progress::kDone : Progress::kBlocked;
}

template <typename Send>
Result<bool> KafkaWriter::send_or_wait(const Send& send) {
  TG_ASSIGN_OR_RETURN(bool sent, send());
  if (sent) return true;
  // Whatever is reported from here on wakes the task.
  waits_ = true;
  client_->serve();
  TG_ASSIGN_OR_RETURN(sent, send());
  if (!sent && !failure_.is_ok()) return failure_;
  return sent;
}

Result<bool> KafkaWriter::send(Outgoing& message) {
  const bool says_where = message.partition != RD_KAFKA_PARTITION_UA;
  if (!says_where) message.partition = choose_partition();
  TG_ASSIGN_OR_RETURN(const bool sent, produce(*client_, topic_.get(), message));
  if (!sent) {
    if (!says_where) message.partition = RD_KAFKA_PARTITION_UA;
    return false;
  }
  ++outstanding_;
  if (says_where) return true;
  if (partitioner_ == SinkSettings::Partitioner::kRoundRobin)
    next_partition_ = (next_partition_ + 1) % partition_count_;
  return true;
}

std::int32_t KafkaWriter::choose_partition() {
  return partitioner_ == SinkSettings::Partitioner::kDefault ? RD_KAFKA_PARTITION_UA
                                                             : next_partition_;
}

Result<Progress> KafkaWriter::flush() {
  flushing_ = true;
  if (kept_) {
    TG_ASSIGN_OR_RETURN(const Progress sent, send_kept());
    if (sent != Progress::kDone) return sent;
  }
  TG_ASSIGN_OR_RETURN(const Progress progress, wait_for_deliveries());
  flushing_ = progress != Progress::kDone;
  return progress;
}

Result<Progress> KafkaWriter::wait_for_deliveries() {
  waits_ = waits_for_delivery_;
  client_->serve();
  if (!failure_.is_ok()) return failure_;
  if (outstanding_ > 0 && waits_for_delivery_) return Progress::kBlocked;
  waits_ = false;
  return Progress::kDone;
}

Result<std::string> KafkaWriter::prepare(EpochId) {
  TG_CHECK(outstanding_ == 0 || !waits_for_delivery_, "{} messages are on their way", outstanding_);
  return std::string();
}

void KafkaWriter::delivered(const rd_kafka_message_t& message) {
  --outstanding_;
  if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR || !failure_.is_ok()) return;
  const std::string what = fmt::format("topic '{}' partition {}", topic_name_, message.partition);
  if (message.err == RD_KAFKA_RESP_ERR__FATAL) {
    failure_ = client_->fatal();
    return;
  }
  failure_ = kafka_status(message.err, what, rd_kafka_err2str(message.err));
  if (failure_.kind() == ErrorKind::kUnavailable)
    failure_ = error(ErrorCode::kDeliveryFailed, "{}: a message was not delivered: {}{}", what,
                     rd_kafka_err2str(message.err), client_->trouble());
}

}  // namespace tidegate::kafka
