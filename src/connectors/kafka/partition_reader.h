// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/kafka/dead_letters.h"
#include "connectors/kafka/message_decoder.h"
#include "dataflow/source.h"
#include "kafka/consumer.h"
#include "kafka/message_journal.h"
#include "kafka/partition_split.h"

namespace tidegate::kafka {

/// Reads one partition in order. Its position is the offset of the next message. The end of a
/// bounded one is not found by counting: markers of transactions, aborted and compacted messages
/// take up offsets too, so it is the first message behind the end, or the broker's word that there
/// is nothing more in front of it.
class PartitionReader final : public SplitReader {
 public:
  /// What readers of a source share. `letters`: for the dead-letter policy.
  struct Shared {
    std::shared_ptr<Consumer> consumer;
    std::shared_ptr<DeadLetters> letters;
    /// For that policy, when the letters go into positions instead: their topic.
    std::string letter_topic;
    RecordErrorPolicy error_policy = RecordErrorPolicy::kFail;
    bool commits_offsets = false;
    /// Not 0: each key is where murmur2 puts it among so many partitions, or the job fails.
    std::int32_t key_partitions = 0;
  };

  /// Goes on at `offset`, which may be kEarliest. Does not block.
  static Result<std::unique_ptr<SplitReader>> open(Shared shared, PartitionSplit split,
                                                   std::int64_t offset,
                                                   std::unique_ptr<MessageDecoder> decoder,
                                                   SourceContext& context);

  Result<Polled> poll(std::int64_t max_rows) override;
  ~PartitionReader() override;
  Status read_until(const std::string& end) override;
  /// Once for each epoch: takes the letters with it.
  std::string position() const override;
  void committed(const std::string& position) override;

 private:
  PartitionReader(Shared shared, PartitionSplit split, std::int64_t offset,
                  std::unique_ptr<MessageDecoder> decoder, SourceContext& context);
  /// Messages of one call of librdkafka's; given back with their memory.
  class Fetched;
  Result<bool> fetch(std::int64_t max_messages, Fetched& fetched);
  Result<Batch> decode(const Fetched& fetched);
  Status check_partition(const rd_kafka_message_t& message) const;
  void note_lag();
  Result<std::size_t> fill_buffer(std::int64_t max_messages);
  void keep_for_later(std::size_t first, std::size_t count);
  bool is_behind_limit(const rd_kafka_message_t& message) const {
    return limit_ && message.err == RD_KAFKA_RESP_ERR_NO_ERROR && message.offset >= *limit_;
  }
  bool at_limit() const { return limit_ && next_ >= *limit_; }
  bool past_end(std::int64_t offset) const { return split_.stop && offset >= *split_.stop; }
  Status fetch_error(const rd_kafka_message_t& message) const;
  Status handle_bad(const Fetched& fetched, const std::vector<BadMessage>& bad);
  std::string place(std::int64_t offset) const;
  Result<Polled> release_held();

  const Shared shared_;
  const PartitionSplit split_;
  const std::string lag_metric_;
  const std::unique_ptr<MessageDecoder> decoder_;
  MetricGroup& metrics_;
  std::int64_t position_;  // behind what poll() has returned
  std::int64_t next_;      // behind what was fetched
  bool ended_ = false;
  std::optional<std::int64_t> limit_;       // of read_until()
  std::deque<rd_kafka_message_t*> behind_;  // what was fetched from behind it
  std::vector<rd_kafka_message_t*> buffer_;
  std::int64_t lag_ = 0;
  std::int64_t messages_since_look_ = 0;
  std::int64_t bytes_since_look_ = 0;
  mutable MessageJournal letters_;  // since the last position, where they go into positions
  /// Rows that wait for the dead letters from between them to arrive: an epoch that holds their
  /// position must hold the letters as well.
  std::optional<Batch> held_;
  std::shared_ptr<DeadLetters::Tally> tally_;
  std::unique_ptr<Consumer::Fetch> fetch_;  // null: nothing to read
};

}  // namespace tidegate::kafka
