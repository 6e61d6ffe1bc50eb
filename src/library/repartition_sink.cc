// SPDX-License-Identifier: Apache-2.0
#include "library/repartition_sink.h"

#include <algorithm>
#include <span>
#include <utility>

#include "base/check.h"
#include "kafka/message_journal.h"
#include "kafka/produce.h"
#include "kafka/topic_journal.h"
#include "library/repartition_block.h"
#include "runtime/key_hasher.h"
#include "state/state_bytes.h"
#include "state/state_table.h"
#include "types/key_group.h"

namespace tidegate::library {
namespace {

/// A block stays below what brokers take by default (1 MB), also when nothing can be compressed.
constexpr std::int64_t kBlockBytes = 512 << 10;
constexpr std::int64_t kBlockRows = 65'536;
constexpr std::size_t kMostMessageBytes = 1'000'000;

/// What waits for one partition.
struct Waiting {
  std::vector<Batch> batches;
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::vector<TimeMark> marks;
  std::uint64_t sequence = 0;  // of its last block
};

class RepartitionWriter final : public SinkWriter {
 public:
  explicit RepartitionWriter(const RepartitionSinkSpec& spec)
      : spec_(spec),
        hasher_(*spec.schema, spec.keys),
        waiting_(static_cast<std::size_t>(spec.partitions)) {}

  Status open(OperatorContext& context) {
    hash_ = task_hash(context.key_groups());
    TG_ASSIGN_OR_RETURN(table_,
                        context.state().table({"sequences", std::make_shared<BytesLayout>()}));
    const std::byte* value = table_->find(0, {"", hash_});
    if (value == nullptr) return Status::ok();
    std::string_view rest = BytesLayout::view(value);
    for (Waiting& waiting : waiting_) {
      if (!kafka::take_varint(rest, waiting.sequence)) return other_partitions();
    }
    return rest.empty() ? Status::ok() : other_partitions();
  }

  Result<Progress> write(Batch batch) override {
    batch.set_key_hashes(nullptr);
    if (waiting_.size() == 1) {
      TG_RETURN_IF_ERROR(add(0, std::move(batch)));
      return Progress::kDone;
    }
    TG_RETURN_IF_ERROR(hasher_.hash(batch));
    TG_RETURN_IF_ERROR(spread(std::move(batch)));
    return Progress::kDone;
  }

  Status advance(EventTime watermark) override {
    moved_ = true;
    for (Waiting& waiting : waiting_) {
      if (waiting.marks.empty() || waiting.marks.back().row < waiting.rows)
        waiting.marks.push_back({waiting.rows, watermark});
      else
        waiting.marks.back().watermark = watermark;
    }
    return Status::ok();
  }

  void idle(bool idle) override {
    moved_ = moved_ || idle != idle_;
    idle_ = idle;
  }

  Result<Progress> finish() override {
    moved_ = ended_ = true;
    return Progress::kDone;
  }

  Result<std::string> prepare(EpochId) override {
    for (std::size_t partition = 0; partition < waiting_.size(); ++partition) {
      if (moved_ || waiting_[partition].rows > 0) TG_RETURN_IF_ERROR(close_block(partition));
    }
    moved_ = false;
    if (journal_.empty()) return std::string();
    TG_RETURN_IF_ERROR(keep_sequences());
    TG_ASSIGN_OR_RETURN(const std::string journal, journal_.take());
    return kafka::TopicJournal{spec_.topic, journal}.to_string();
  }

 private:
  Status other_partitions() const {
    return error(ErrorCode::kStateMismatch, "topic '{}' has {} partitions, and had others",
                 spec_.topic, spec_.partitions);
  }

  /// A counting sort by partition, and one take of rows per partition.
  Status spread(Batch batch) {
    const std::span<const std::uint64_t> hashes = batch.key_hashes();
    partition_of_row_.resize(hashes.size());
    ends_.assign(waiting_.size(), 0);
    for (std::size_t row = 0; row < hashes.size(); ++row) {
      const int group = key_group_of(hashes[row], spec_.key_groups);
      const auto partition = static_cast<std::uint32_t>(
          subtask_of_key_group(group, spec_.key_groups, spec_.partitions));
      partition_of_row_[row] = partition;
      ++ends_[partition];
    }
    std::size_t start = 0;
    for (std::size_t& end : ends_) start += std::exchange(end, start);
    rows_.resize(hashes.size());
    for (std::size_t row = 0; row < hashes.size(); ++row)
      rows_[ends_[partition_of_row_[row]]++] = static_cast<std::int32_t>(row);
    batch.set_key_hashes(nullptr);
    start = 0;
    for (std::size_t partition = 0; partition < waiting_.size(); ++partition) {
      const std::span<const std::int32_t> rows(rows_.data() + start, ends_[partition] - start);
      start = ends_[partition];
      if (rows.empty()) continue;
      TG_ASSIGN_OR_RETURN(Batch part, batch.take(rows));
      TG_RETURN_IF_ERROR(add(partition, std::move(part)));
    }
    return Status::ok();
  }

  /// Rows that are many are cut, so that no block gets too large.
  Status add(std::size_t partition, Batch batch) {
    const std::int64_t bytes = std::max<std::int64_t>(batch.byte_size(), 1);
    const std::int64_t most =
        std::clamp<std::int64_t>(batch.num_rows() * kBlockBytes / bytes, 1, kBlockRows);
    for (std::int64_t first = 0; first < batch.num_rows(); first += most) {
      const std::int64_t rows = std::min(most, batch.num_rows() - first);
      const std::int64_t share = bytes * rows / batch.num_rows();
      Waiting& waiting = waiting_[partition];
      if (waiting.rows > 0 &&
          (waiting.rows + rows > kBlockRows || waiting.bytes + share > kBlockBytes))
        TG_RETURN_IF_ERROR(close_block(partition));
      waiting.batches.push_back(rows == batch.num_rows() ? batch : batch.slice(first, rows));
      waiting.rows += rows;
      waiting.bytes += share;
    }
    return Status::ok();
  }

  Status close_block(std::size_t partition) {
    Waiting& waiting = waiting_[partition];
    RepartitionBlock block;
    block.upstream = spec_.upstream;
    block.upstreams = spec_.upstreams;
    block.sequence = ++waiting.sequence;
    block.marks = std::exchange(waiting.marks, {});
    block.idle = idle_;
    block.ended = ended_;
    if (waiting.rows > 0) {
      TG_ASSIGN_OR_RETURN(block.rows, Batch::concatenate(waiting.batches));
    }
    waiting.batches.clear();
    waiting.rows = waiting.bytes = 0;
    TG_ASSIGN_OR_RETURN(const std::string bytes, encode_block(block, *spec_.schema));
    if (bytes.size() > kMostMessageBytes)
      return kafka::message_too_large(spec_.topic, bytes.size());
    kafka::Outgoing message;
    message.value = bytes;
    message.partition = static_cast<std::int32_t>(partition);
    return journal_.add(message);
  }

  Status keep_sequences() {
    std::string text;
    for (const Waiting& waiting : waiting_) kafka::append_varint(text, waiting.sequence);
    TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(0, {"", hash_}));
    BytesLayout::assign(value, text);
    return Status::ok();
  }

  const RepartitionSinkSpec& spec_;
  KeyHasher hasher_;
  std::vector<Waiting> waiting_;  // by partition
  kafka::MessageJournal journal_;
  bool idle_ = false;
  bool ended_ = false;
  bool moved_ = false;  // there is something to say that is not rows
  std::uint64_t hash_ = 0;
  StateTable* table_ = nullptr;

  std::vector<std::uint32_t> partition_of_row_;  // reused from batch to batch
  std::vector<std::int32_t> rows_;               // likewise
  std::vector<std::size_t> ends_;                // likewise
};

class RepartitionSink final : public Sink {
 public:
  explicit RepartitionSink(RepartitionSinkSpec spec) : spec_(std::move(spec)) {}

  SinkGuarantee guarantee() const override { return SinkGuarantee::kTransactional; }
  std::optional<LogTopics> join_transaction() override { return LogTopics{{spec_.topic}, {}, ""}; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override {
    auto writer = std::make_unique<RepartitionWriter>(spec_);
    TG_RETURN_IF_ERROR(writer->open(context));
    return writer;
  }
  Status commit_all(EpochId, std::span<const std::string>) override { return Status::ok(); }

 private:
  const RepartitionSinkSpec spec_;
};

}  // namespace

std::shared_ptr<Sink> make_repartition_sink(RepartitionSinkSpec spec) {
  return std::make_shared<RepartitionSink>(std::move(spec));
}

}  // namespace tidegate::library
