// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/partition_reader.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "kafka/position_letters.h"
#include "kafka/topic_journal.h"

namespace tidegate::kafka {

class PartitionReader::Fetched {
 public:
  explicit Fetched(std::vector<rd_kafka_message_t*>& buffer) : buffer_(buffer) {}
  ~Fetched() {
    for (std::size_t i = 0; i < taken_; ++i) rd_kafka_message_destroy(buffer_[i]);
  }
  Fetched(const Fetched&) = delete;
  Fetched& operator=(const Fetched&) = delete;

  /// The first `count` entries of the buffer are to be given back.
  void own(std::size_t count) { taken_ = count; }
  /// And the first `count` of them are records.
  void keep(std::size_t count) { records_ = count; }
  std::span<rd_kafka_message_t* const> records() const { return {buffer_.data(), records_}; }

 private:
  std::vector<rd_kafka_message_t*>& buffer_;
  std::size_t taken_ = 0;
  std::size_t records_ = 0;
};

namespace {

Polled answer(Polled::State state) {
  Polled polled;
  polled.state = state;
  return polled;
}

}  // namespace

Result<std::unique_ptr<SplitReader>> PartitionReader::open(Shared shared, PartitionSplit split,
                                                           std::int64_t offset,
                                                           std::unique_ptr<MessageDecoder> decoder,
                                                           SourceContext& context) {
  std::unique_ptr<PartitionReader> reader(new PartitionReader(std::move(shared), std::move(split),
                                                              offset, std::move(decoder), context));
  const PartitionSplit& read = reader->split_;
  reader->ended_ = read.stop && (offset >= *read.stop || *read.stop == 0);
  if (!reader->ended_) {
    TG_ASSIGN_OR_RETURN(reader->fetch_, reader->shared_.consumer->fetch(read.topic, read.partition,
                                                                        offset, context.waker()));
  }
  return std::unique_ptr<SplitReader>(std::move(reader));
}

PartitionReader::PartitionReader(Shared shared, PartitionSplit split, std::int64_t offset,
                                 std::unique_ptr<MessageDecoder> decoder, SourceContext& context)
    : shared_(std::move(shared)),
      split_(std::move(split)),
      lag_metric_("records_lag." + split_.to_split().id),
      decoder_(std::move(decoder)),
      metrics_(context.metrics()),
      position_(offset),
      next_(offset),
      tally_(std::make_shared<DeadLetters::Tally>()) {
  tally_->waker = context.waker();
}

Result<Polled> PartitionReader::poll(std::int64_t max_rows) {
  if (held_) return release_held();
  TG_RETURN_IF_ERROR(shared_.consumer->failure());
  // Messages without rows (tombstones, bad ones) are passed over, but not for ever in one call.
  constexpr int kRounds = 8;
  for (int round = 0; round < kRounds && !ended_; ++round) {
    if (at_limit()) break;
    Fetched fetched(buffer_);
    TG_ASSIGN_OR_RETURN(const bool emptied, fetch(max_rows, fetched));
    if (!fetched.records().empty()) {
      TG_ASSIGN_OR_RETURN(Batch batch, decode(fetched));
      held_ = std::move(batch);
      if (tally_->outstanding.load() > 0 || !held_->empty()) return release_held();
      held_.reset();
    }
    position_ = next_;
    if (emptied && !ended_ && !at_limit()) return answer(Polled::State::kPending);
  }
  if (!ended_ && at_limit()) return answer(Polled::State::kLimit);
  // Of a split that has ended no epoch holds a position.
  if (ended_ && !letters_.empty()) return answer(Polled::State::kPending);
  return answer(ended_ ? Polled::State::kEnd : Polled::State::kRows);
}

std::string PartitionReader::position() const {
  std::string position = offset_text(position_);
  if (letters_.empty()) return position;
  const Result<std::string> journal = letters_.take();
  TG_CHECK(journal.is_ok(), "{}", journal.status().to_string());
  tally_->waker.wake();  // the end may wait
  return with_letters(std::move(position),
                      TopicJournal{shared_.letter_topic, *journal}.to_string());
}

Result<Polled> PartitionReader::release_held() {
  if (tally_->outstanding.load() > 0) {
    TG_RETURN_IF_ERROR(shared_.letters->failure());
    return answer(Polled::State::kPending);
  }
  Polled polled = answer(Polled::State::kRows);
  polled.batch = *std::move(held_);
  held_.reset();
  position_ = next_;
  return polled;
}

/// A wrong promise would give wrong results.
Status PartitionReader::check_partition(const rd_kafka_message_t& message) const {
  constexpr const char* kRemedy =
      "Partitions were added, or the writer spreads keys in another way: remove "
      "'scan.key-partitioner', or set it to 'any' if each key is always in the same partition.";
  if (message.key == nullptr)
    return Status(
        ErrorCode::kNullKey,
        fmt::format("{}: a message without a key, but 'scan.key-partitioner' is 'murmur2'",
                    place(message.offset)),
        kRemedy);
  const std::int32_t expected = rd_kafka_msg_partitioner_murmur2(
      message.rkt, message.key, message.key_len, shared_.key_partitions, nullptr, nullptr);
  if (expected == split_.partition) return Status::ok();
  return Status(ErrorCode::kInvalidOption,
                fmt::format("{}: 'scan.key-partitioner' is 'murmur2', which puts this key into "
                            "partition {} of {}",
                            place(message.offset), expected, shared_.key_partitions),
                kRemedy);
}

Result<Batch> PartitionReader::decode(const Fetched& fetched) {
  for (const rd_kafka_message_t* message : fetched.records())
    if (shared_.key_partitions > 0) TG_RETURN_IF_ERROR(check_partition(*message));
  std::vector<BadMessage> bad;
  const std::int64_t tombstones = decoder_->num_tombstones();
  Result<Batch> batch = decoder_->decode(fetched.records(), bad);
  if (!batch.is_ok())
    return std::move(batch).status().with_context(place(fetched.records().front()->offset));
  if (decoder_->num_tombstones() > tombstones)
    metrics_.counter("messages_without_value").add(decoder_->num_tombstones() - tombstones);
  TG_RETURN_IF_ERROR(handle_bad(fetched, bad));
  return batch;
}

/// True when the queue was emptied: then its waker will tell of the next message.
Result<bool> PartitionReader::fetch(std::int64_t max_messages, Fetched& fetched) {
  TG_ASSIGN_OR_RETURN(const std::size_t count, fill_buffer(max_messages));
  fetched.own(count);

  std::size_t records = 0;
  for (std::size_t i = 0; i < count && !ended_; ++i) {
    rd_kafka_message_t& message = *buffer_[i];
    if (is_behind_limit(message)) {
      keep_for_later(i, count);
      fetched.own(i);
      next_ = std::max(next_, *limit_);
      break;
    }
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      bytes_since_look_ += static_cast<std::int64_t>(message.len + message.key_len);
      ended_ = past_end(message.offset);
      if (ended_) break;
      next_ = message.offset + 1;
      std::swap(buffer_[records++], buffer_[i]);
    } else if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      next_ = std::max(next_, message.offset);
      ended_ = past_end(message.offset);
    } else if (!is_passing(message.err)) {
      return fetch_error(message);
    }
  }
  fetched.keep(records);
  if (next_ >= 0 && past_end(next_)) ended_ = true;
  note_lag();

  messages_since_look_ += static_cast<std::int64_t>(count);
  const Client::QueueLimits& limits = shared_.consumer->client().queue_limits();
  if (messages_since_look_ * 2 >= limits.messages || bytes_since_look_ * 2 >= limits.bytes) {
    messages_since_look_ = bytes_since_look_ = 0;
    shared_.consumer->client().look_for_room();
  }
  return count < buffer_.size();
}

/// What was kept back goes first.
Result<std::size_t> PartitionReader::fill_buffer(std::int64_t max_messages) {
  buffer_.resize(static_cast<std::size_t>(std::max<std::int64_t>(max_messages, 1)));
  std::size_t count = 0;
  for (; count < buffer_.size() && !behind_.empty(); behind_.pop_front())
    buffer_[count++] = behind_.front();
  if (count == buffer_.size()) return count;
  const ssize_t fetched = rd_kafka_consume_batch_queue(fetch_->queue(), 0, buffer_.data() + count,
                                                       buffer_.size() - count);
  if (fetched < 0) {
    keep_for_later(0, count);
    return kafka_status(rd_kafka_last_error(), place(next_));
  }
  return count + static_cast<std::size_t>(fetched);
}

void PartitionReader::keep_for_later(std::size_t first, std::size_t count) {
  behind_.insert(behind_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(first),
                 buffer_.begin() + static_cast<std::ptrdiff_t>(count));
}

Status PartitionReader::read_until(const std::string& end) {
  limit_.reset();
  if (!end.empty()) {
    TG_ASSIGN_OR_RETURN(limit_, parse_offset(end));
  }
  return Status::ok();
}

PartitionReader::~PartitionReader() {
  for (rd_kafka_message_t* message : behind_) rd_kafka_message_destroy(message);
}

/// records_lag of a task is the sum of its partitions'; records_lag.clicks-0 is that of one.
void PartitionReader::note_lag() {
  std::int64_t low = 0, high = 0;
  if (next_ < 0 ||
      rd_kafka_get_watermark_offsets(shared_.consumer->client().handle(), split_.topic.c_str(),
                                     split_.partition, &low, &high) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return;
  const std::int64_t lag = std::max<std::int64_t>(high - next_, 0);
  metrics_.counter("records_lag").add(lag - std::exchange(lag_, lag));
  metrics_.counter(lag_metric_).set(lag);
}

Status PartitionReader::fetch_error(const rd_kafka_message_t& message) const {
  const Status status = kafka_status(message.err, place(next_), rd_kafka_message_errstr(&message));
  if (status.code() != ErrorCode::kOffsetOutOfRange) return status;
  return Status(status.code(), status.message(),
                "The records there are gone (retention) or were never written. Set "
                "properties.auto.offset.reset to earliest or latest to go on there, or start "
                "afresh.");
}

Status PartitionReader::handle_bad(const Fetched& fetched, const std::vector<BadMessage>& bad) {
  for (const BadMessage& one : bad) {
    const rd_kafka_message_t& message = *fetched.records()[one.message];
    if (shared_.error_policy == RecordErrorPolicy::kFail)
      return Status(one.reason).with_context(place(message.offset));
    if (shared_.error_policy != RecordErrorPolicy::kDeadLetter) continue;
    if (shared_.letters != nullptr) {
      shared_.letters->send(message, one.reason, tally_);
    } else {
      TG_RETURN_IF_ERROR(letters_.add(dead_letter(message, one.reason)));
    }
  }
  if (!bad.empty()) metrics_.counter("rows_bad").add(static_cast<std::int64_t>(bad.size()));
  return Status::ok();
}

std::string PartitionReader::place(std::int64_t offset) const {
  return fmt::format("topic '{}' partition {} offset {}", split_.topic, split_.partition,
                     offset_text(offset));
}

void PartitionReader::committed(const std::string& position) {
  if (!shared_.commits_offsets) return;
  const Result<std::int64_t> offset = offset_of_position(position);
  if (offset.is_ok() && *offset >= 0)
    shared_.consumer->commit(split_.topic, split_.partition, *offset);
  const std::int64_t failed = shared_.consumer->take_failed_commits();
  if (failed > 0) metrics_.counter("commits_failed").add(failed);
}

}  // namespace tidegate::kafka
