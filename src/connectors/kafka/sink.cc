// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/sink.h"

#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "connectors/kafka/message_encoder.h"
#include "connectors/kafka/transactional_writer.h"
#include "connectors/kafka/writer.h"
#include "kafka/client.h"
#include "kafka/topic_journal.h"

namespace tidegate::kafka {

namespace {

/// Brokers forget the offsets of groups that nobody uses (offsets.retention.minutes, 7 days), and
/// with them the marks.
constexpr std::int64_t kMarksLastMs = std::int64_t{6} * 24 * 3'600'000;

Status publish(EpochTransactions& transactions, const EpochMark& mark, std::int64_t prepared_ms,
               std::span<const std::string_view> journals) {
  if (transactions.mark() == EpochMark() && system_clock().wall_ms() - prepared_ms > kMarksLastMs)
    return Status(
        ErrorCode::kStateMismatch,
        fmt::format("transactions '{}': it cannot be told any more whether epoch {} was published: "
                    "it is older than 6 days, and the group '{}' has no offsets",
                    transactions.id(), mark.epoch, transactions.id()),
        "Look into the topic. Start afresh, or restore from a savepoint.");
  return transactions.publish(mark, journals);
}

}  // namespace

Result<std::shared_ptr<Sink>> KafkaSink::make(const ConnectorRequest& request, TableKind kind) {
  TG_ASSIGN_OR_RETURN(MessageFormats formats, read_formats(request, kind));
  TG_ASSIGN_OR_RETURN(SinkSettings settings, read_sink_settings(request, kind));
  TG_RETURN_IF_ERROR(MessageEncoder::make(request, formats).status());
  // As Java's default; a property of the user's comes later and wins.
  settings.client.settings.emplace(settings.client.settings.begin(), "partitioner",
                                   "murmur2_random");
  return std::shared_ptr<Sink>(new KafkaSink(request, std::move(settings), std::move(formats)));
}

KafkaSink::KafkaSink(const ConnectorRequest& request, SinkSettings settings, MessageFormats formats)
    : request_(request), settings_(std::move(settings)), formats_(std::move(formats)) {}

Status KafkaSink::open() {
  TG_ASSIGN_OR_RETURN(const auto client,
                      Client::make(Client::Role::kProducer, settings_.client, {}));
  const TopicPtr topic = client->topic(settings_.topic);
  if (topic == nullptr)
    return error(ErrorCode::kInvalidOption, "option 'topic': '{}' is not a topic's name",
                 settings_.topic);
  TG_ASSIGN_OR_RETURN(const MetadataPtr metadata,
                      client->metadata(topic.get(), settings_.connect_timeout));
  partition_count_ = metadata->topics[0].partition_cnt;
  if (joins_ || !is_transactional()) return Status::ok();
  // Two jobs of one script may write to the same table at the same time.
  std::string id = settings_.transactional_id_prefix;
  for (const std::string& part : {request_.job, request_.uid}) {
    if (!part.empty()) id += "-" + part;
  }
  transactions_ = std::make_unique<EpochTransactions>(settings_, settings_.topic, std::move(id));
  return transactions_->begin_run();
}

std::optional<LogTopics> KafkaSink::join_transaction() {
  joins_ = true;
  return LogTopics{{settings_.topic}, client_options(request_.options), settings_.client.brokers};
}

SinkGuarantee KafkaSink::guarantee() const {
  if (joins_ || is_transactional()) return SinkGuarantee::kTransactional;
  const bool by_key = formats_.kind == TableKind::kUpsert;
  return by_key && settings_.guarantee == SinkSettings::Guarantee::kAtLeastOnce
             ? SinkGuarantee::kIdempotent
             : SinkGuarantee::kAtLeastOnce;
}

Result<std::unique_ptr<SinkWriter>> KafkaSink::open_writer(OperatorContext& context) {
  TG_CHECK(partition_count_ > 0, "sink '{}' is not open", context.operator_name());
  TG_ASSIGN_OR_RETURN(auto encoder, MessageEncoder::make(request_, formats_));
  if (joins_ || is_transactional())
    return std::make_unique<TransactionalWriter>(
        settings_,
        [this](std::string_view journal) {
          if (joins_) return TopicJournal{settings_.topic, journal}.to_string();
          return PreparedMessages{transactions_->run(), system_clock().wall_ms(),
                                  transactions_->id(), settings_.topic, journal}
              .to_string();
        },
        partition_count_, std::move(encoder), context);
  return KafkaWriter::make(settings_, partition_count_, std::move(encoder), context);
}

Status KafkaSink::commit_all(EpochId epoch, std::span<const std::string> committables) {
  if (joins_ || committables.empty()) return Status::ok();
  std::vector<std::string_view> journals;
  PreparedMessages first;
  for (const std::string& committable : committables) {
    TG_ASSIGN_OR_RETURN(const PreparedMessages prepared, PreparedMessages::parse(committable));
    if (journals.empty()) first = prepared;
    if (prepared.id != first.id || prepared.topic != first.topic || prepared.run != first.run)
      return error(ErrorCode::kStateCorrupt, "epoch {} holds output of different runs", epoch);
    journals.push_back(prepared.journal);
  }
  const EpochMark mark{first.run, epoch};
  if (transactions_ != nullptr && first.id == transactions_->id() && first.topic == settings_.topic)
    return publish(*transactions_, mark, first.prepared_ms, journals);
  // The table's options were changed since the epoch was prepared.
  EpochTransactions earlier(settings_, std::string(first.topic), std::string(first.id));
  TG_RETURN_IF_ERROR(earlier.begin_run());
  return publish(earlier, mark, first.prepared_ms, journals);
}

}  // namespace tidegate::kafka
