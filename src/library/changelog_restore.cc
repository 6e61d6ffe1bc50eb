// SPDX-License-Identifier: Apache-2.0
#include "library/changelog_restore.h"

#include <memory>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "kafka/client.h"
#include "kafka/handles.h"

namespace tidegate::library {

namespace {

using std::chrono::milliseconds;

constexpr int kMostMessages = 256;  // at once

struct MessageDeleter {
  void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
};
using MessagePtr = std::unique_ptr<rd_kafka_message_t, MessageDeleter>;

/// One pass over a changelog.
class Pass {
 public:
  Pass(kafka::Client& client, rd_kafka_topic_t* topic, const ChangelogRange& range,
       const ChangelogProgress& progress)
      : client_(client), topic_(topic), range_(range), progress_(progress) {
    if (range_.base) reader_ = ChangelogReader(*range_.base);
  }
  ~Pass() {
    if (started_) rd_kafka_consume_stop(topic_, range_.changelog.partition);
  }

  Status run(milliseconds timeout) {
    const std::int64_t begin = range_.base ? range_.base->offset : RD_KAFKA_OFFSET_BEGINNING;
    if (rd_kafka_consume_start(topic_, range_.changelog.partition, begin) != 0)
      return kafka::kafka_status(rd_kafka_last_error(), place());
    started_ = true;
    std::int64_t quiet_since_ns = system_clock().monotonic_ns();
    while (!done_) {
      TG_ASSIGN_OR_RETURN(const bool moved, read_some());
      const std::int64_t now_ns = system_clock().monotonic_ns();
      if (moved) {
        quiet_since_ns = now_ns;
      } else if (now_ns - quiet_since_ns > timeout.count() * std::int64_t{1'000'000}) {
        return stuck(timeout);
      }
    }
    return Status::ok();
  }
  Result<ChangelogReader::Restored> finish() {
    auto restored = reader_.finish();
    if (!restored.is_ok()) return std::move(restored).status().with_context(place());
    return restored;
  }

 private:
  std::string place() const {
    return fmt::format("topic '{}' partition {}", range_.changelog.topic,
                       range_.changelog.partition);
  }

  Status stuck(milliseconds timeout) const {
    if (!held_up_at_) return client_.unreachable(timeout).with_context(place());
    return Status(ErrorCode::kServiceTimeout,
                  fmt::format("{}: a transaction that began at offset {} is still open after {} ms",
                              place(), *held_up_at_, timeout.count()),
                  "If nobody ends it, the broker has lost track of it: find it with "
                  "kafka-transactions.sh (find-hanging), and abort it.");
  }

  Result<bool> read_some() {
    constexpr int kWaitMs = 500;
    rd_kafka_message_t* raw[kMostMessages];
    const auto count =
        rd_kafka_consume_batch(topic_, range_.changelog.partition, kWaitMs, raw, kMostMessages);
    client_.serve();
    std::vector<MessagePtr> messages(raw, raw + (count < 0 ? 0 : count));
    bool moved = false;
    for (const MessagePtr& message : messages) {
      if (done_) break;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        moved = true;
        TG_RETURN_IF_ERROR(take(*message).with_context(place()));
      } else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        TG_RETURN_IF_ERROR(at_end(message->offset).with_context(place()));
      } else if (range_.base && message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET) {
        return error(ErrorCode::kStateMismatch, "offset {} is not there (any more)",
                     range_.base->offset);
      } else if (!kafka::is_passing(message->err)) {
        return kafka::kafka_status(message->err, place(), rd_kafka_message_errstr(message.get()));
      }
    }
    if (moved && progress_) progress_(messages_, bytes_, range_.end - first_offset_);
    return moved;
  }

  Status take(const rd_kafka_message_t& message) {
    held_up_at_.reset();
    if (messages_++ == 0) first_offset_ = message.offset;
    bytes_ += static_cast<std::int64_t>(message.len);
    TG_RETURN_IF_ERROR(
        reader_.add(message.offset, {static_cast<const char*>(message.payload), message.len}));
    done_ = range_.mark && reader_.last() == range_.mark->epoch;
    return Status::ok();
  }

  /// Behind all that is committed for now. Whether something follows is known only when no
  /// transaction is open in front of the end.
  Status at_end(std::int64_t offset) {
    if (offset < range_.end) {
      held_up_at_ = offset;
      return Status::ok();
    }
    if (range_.mark && reader_.last() < range_.mark->epoch)
      return Status(ErrorCode::kStateCorrupt,
                    fmt::format("the changelog ends with epoch {}, but epoch {} was committed",
                                reader_.last(), range_.mark->epoch),
                    "The topic was deleted or cut: restore it; or delete the application's "
                    "consumer group too, to process all input again.");
    done_ = true;
    return Status::ok();
  }

  kafka::Client& client_;
  rd_kafka_topic_t* topic_;
  const ChangelogRange& range_;
  const ChangelogProgress& progress_;
  ChangelogReader reader_;
  bool started_ = false;
  bool done_ = false;
  std::int64_t messages_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t first_offset_ = 0;
  std::optional<std::int64_t> held_up_at_;  // by an open transaction
};

}  // namespace

Result<ChangelogReader::Restored> read_changelog(const kafka::ClientProperties& client,
                                                 const ChangelogRange& range, milliseconds timeout,
                                                 const ChangelogProgress& progress) {
  kafka::ClientProperties properties = client;
  std::erase_if(properties.settings, [](const auto& setting) {
    return setting.first.starts_with("group.") || setting.first.starts_with("transaction");
  });
  properties.settings.emplace_back("isolation.level", "read_committed");
  properties.settings.emplace_back("fetch.wait.max.ms", "50");
  // A base's place that is gone is told, and not another one taken.
  properties.settings.emplace_back("auto.offset.reset", range.base ? "error" : "earliest");
  TG_ASSIGN_OR_RETURN(const auto consumer,
                      kafka::Client::make(kafka::Client::Role::kConsumer, properties, {}));
  const kafka::TopicPtr topic = consumer->topic(range.changelog.topic);
  if (topic == nullptr)
    return error(ErrorCode::kInvalidArgument, "'{}' is not a topic's name", range.changelog.topic);
  Pass pass(*consumer, topic.get(), range, progress);
  TG_RETURN_IF_ERROR(pass.run(timeout));
  return pass.finish();
}

}  // namespace tidegate::library
