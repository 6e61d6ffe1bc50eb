// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/transactional_writer.h"

#include <utility>

#include "base/check.h"

namespace tidegate::kafka {

namespace {

constexpr std::uint64_t kVersion = 1;

bool take_text(std::string_view& text, std::string_view& taken) {
  std::uint64_t size = 0;
  return take_varint(text, size) && take_bytes(text, size, taken);
}

}  // namespace

std::string PreparedMessages::to_string() const {
  std::string text;
  append_varint(text, kVersion);
  append_varint(text, static_cast<std::uint64_t>(run));
  append_varint(text, static_cast<std::uint64_t>(prepared_ms));
  for (const std::string_view part : {id, topic}) {
    append_varint(text, part.size());
    text += part;
  }
  text += journal;
  return text;
}

Result<PreparedMessages> PreparedMessages::parse(std::string_view committable) {
  PreparedMessages prepared;
  std::uint64_t version = 0, run = 0, at = 0;
  if (!take_varint(committable, version) || version != kVersion || !take_varint(committable, run) ||
      !take_varint(committable, at) || !take_text(committable, prepared.id) ||
      !take_text(committable, prepared.topic))
    return error(ErrorCode::kStateCorrupt,
                 "what a Kafka sink has prepared cannot be read (version {}, {} bytes left)",
                 version, committable.size());
  prepared.run = static_cast<std::int64_t>(run);
  prepared.prepared_ms = static_cast<std::int64_t>(at);
  prepared.journal = committable;
  return prepared;
}

TransactionalWriter::TransactionalWriter(const SinkSettings& settings, Wrap wrap,
                                         std::int32_t partition_count,
                                         std::unique_ptr<MessageEncoder> encoder,
                                         OperatorContext& context)
    : settings_(settings),
      wrap_(std::move(wrap)),
      partition_count_(partition_count),
      encoder_(std::move(encoder)),
      check_(settings, partition_count, context.metrics()),
      next_partition_(context.subtask() % partition_count) {
  // Nothing is visible before the end of the epoch, so that is when the last rows are known.
  if (settings.flush_rows > 0)
    kept_.emplace(settings.flush_rows, settings.flush_interval, context.clock());
}

Result<Progress> TransactionalWriter::write(Batch batch) {
  const auto in_topic = [&](Status status) {
    return std::move(status).with_context(fmt::format("topic '{}'", settings_.topic));
  };
  TG_RETURN_IF_ERROR(in_topic(encoder_->start(std::move(batch))));
  for (std::int64_t row = 0; row < encoder_->num_rows(); ++row)
    TG_RETURN_IF_ERROR(in_topic(check_.pass(take(row))));
  return Progress::kDone;
}

/// Once the epoch is durable a message that nobody takes would stand in the way of all others.
Status TransactionalWriter::take(std::int64_t row) {
  TG_ASSIGN_OR_RETURN(Outgoing message, encoder_->encode(row));
  TG_RETURN_IF_ERROR(check_.check(message));
  if (!kept_) return add(message);
  kept_->put(std::move(message));
  return Status::ok();
}

Status TransactionalWriter::add(Outgoing& message) {
  if (message.partition != RD_KAFKA_PARTITION_UA) return journal_.add(message);
  if (settings_.partitioner != SinkSettings::Partitioner::kDefault)
    message.partition = next_partition_;
  if (settings_.partitioner == SinkSettings::Partitioner::kRoundRobin)
    next_partition_ = (next_partition_ + 1) % partition_count_;
  return journal_.add(message);
}

Result<std::string> TransactionalWriter::prepare(EpochId) {
  if (kept_) {
    TG_RETURN_IF_ERROR(kept_
                           ->drain([&](Outgoing& message) -> Result<bool> {
                             TG_RETURN_IF_ERROR(add(message));
                             return true;
                           })
                           .status());
  }
  if (journal_.empty()) return std::string();
  TG_ASSIGN_OR_RETURN(const std::string journal, journal_.take());
  return wrap_(journal);
}

}  // namespace tidegate::kafka
