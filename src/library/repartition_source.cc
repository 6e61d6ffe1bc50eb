// SPDX-License-Identifier: Apache-2.0
#include "library/repartition_source.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include "base/check.h"
#include "kafka/partition_split.h"

namespace tidegate::library {
namespace {

Polled answer(Polled::State state) {
  Polled polled;
  polled.state = state;
  return polled;
}

template <typename Number>
bool take_number(std::string_view& text, Number& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return true;
}

std::vector<InputTime> times_of(const auto& upstreams) {
  std::vector<InputTime> times;
  for (const auto& upstream : upstreams) times.push_back(upstream.time);
  return times;
}

}  // namespace

BlockMerger::BlockMerger(RepartitionSourceSpec spec, std::int64_t first_offset)
    : spec_(std::move(spec)),
      offset_(first_offset),
      upstreams_(static_cast<std::size_t>(spec_.upstreams)) {}

std::string BlockMerger::position() const {
  std::string text = fmt::format("{} {} {} {}", kafka::offset_text(offset_), marks_passed_,
                                 rows_passed_, watermark_);
  for (const Upstream& upstream : upstreams_) {
    text += fmt::format(" {} {} {}", upstream.sequence, upstream.time.watermark,
                        (upstream.time.idle ? 1 : 0) + (upstream.time.ended ? 2 : 0));
  }
  return text;
}

Status BlockMerger::seek(std::string_view position) {
  const auto corrupt = [&] {
    return error(ErrorCode::kStateCorrupt,
                 "'{}' is no position in topic '{}' with {} upstream tasks", position, spec_.topic,
                 spec_.upstreams);
  };
  TG_ASSIGN_OR_RETURN(offset_, kafka::offset_of_position(position));
  std::string_view rest = position.substr(std::min(position.find(' '), position.size() - 1) + 1);
  if (!take_number(rest, marks_passed_) || !take_number(rest, rows_passed_) ||
      !take_number(rest, watermark_))
    return corrupt();
  for (Upstream& upstream : upstreams_) {
    int flags = 0;
    if (!take_number(rest, upstream.sequence) || !take_number(rest, upstream.time.watermark) ||
        !take_number(rest, flags))
      return corrupt();
    upstream.time.idle = (flags & 1) != 0;
    upstream.time.ended = (flags & 2) != 0;
  }
  return rest.empty() ? Status::ok() : corrupt();
}

Status BlockMerger::check(const RepartitionBlock& block) const {
  if (block.upstreams != spec_.upstreams)
    return error(ErrorCode::kStateMismatch,
                 "it was written by one of {} upstream tasks, and there are {}", block.upstreams,
                 spec_.upstreams);
  const Upstream& upstream = upstreams_[static_cast<std::size_t>(block.upstream)];
  const bool is_known = marks_passed_ > 0 || rows_passed_ > 0;  // the position is inside of it
  const std::uint64_t expected = upstream.sequence + (is_known ? 0 : 1);
  if (block.sequence != expected)
    return error(ErrorCode::kStateCorrupt,
                 "block {} of upstream task {} stands where its block {} should", block.sequence,
                 block.upstream, expected);
  if (marks_passed_ > block.marks.size() || rows_passed_ > block.rows.num_rows() ||
      (upstream.time.ended && !is_known))
    return error(ErrorCode::kStateCorrupt, "block {} of upstream task {} is another one",
                 block.sequence, block.upstream);
  return Status::ok();
}

Status BlockMerger::take(std::int64_t offset, std::string_view bytes) {
  const auto place = [&] {
    return fmt::format("topic '{}' partition {} offset {}", spec_.topic, spec_.partition, offset);
  };
  Result<RepartitionBlock> block = decode_block(bytes, *spec_.schema);
  if (!block.is_ok()) return std::move(block).status().with_context(place());
  TG_RETURN_IF_ERROR(check(*block).with_context(place()));
  offset_ = offset;
  block_ = *std::move(block);
  open_ = true;
  Upstream& upstream = upstreams_[static_cast<std::size_t>(block_.upstream)];
  upstream.sequence = block_.sequence;
  if (!block_.rows.empty()) upstream.time.idle = false;
  return Status::ok();
}

Polled BlockMerger::next() {
  Polled polled = answer(Polled::State::kRows);
  Upstream& upstream = upstreams_[static_cast<std::size_t>(block_.upstream)];
  const std::int64_t first = rows_passed_;
  std::int64_t last = block_.rows.num_rows();
  EventTime reached = watermark_;
  while (marks_passed_ < block_.marks.size() && reached == watermark_) {
    const TimeMark& mark = block_.marks[marks_passed_++];
    upstream.time.watermark = std::max(upstream.time.watermark, mark.watermark);
    reached = merge_times(times_of(upstreams_), watermark_).watermark;
    if (reached > watermark_) last = mark.row;
  }
  polled.batch = block_.rows.slice(first, last - first);
  rows_passed_ = last;
  if (rows_passed_ == block_.rows.num_rows() && marks_passed_ == block_.marks.size()) {
    upstream.time.idle = block_.idle;
    upstream.time.ended = block_.ended;
    close();
  }
  const MergedTime merged = merge_times(times_of(upstreams_), std::max(reached, watermark_));
  watermark_ = merged.watermark;
  if (watermark_ > kMinWatermark) polled.watermark = watermark_;
  polled.idle = merged.idle;
  return polled;
}

void BlockMerger::close() {
  block_ = RepartitionBlock();
  open_ = false;
  ++offset_;
  marks_passed_ = 0;
  rows_passed_ = 0;
}

bool BlockMerger::ended() const {
  return std::all_of(upstreams_.begin(), upstreams_.end(),
                     [](const Upstream& upstream) { return upstream.time.ended; });
}

namespace {

class RepartitionReader final : public SplitReader {
 public:
  RepartitionReader(const RepartitionSourceSpec& spec, std::shared_ptr<kafka::Consumer> consumer)
      : spec_(spec), consumer_(std::move(consumer)), merger_(spec, kafka::kEarliest) {}

  ~RepartitionReader() override {
    for (rd_kafka_message_t* message : fetched_) rd_kafka_message_destroy(message);
  }

  Status open(const std::optional<std::string>& position, SourceContext& context) {
    if (position) TG_RETURN_IF_ERROR(merger_.seek(*position));
    TG_ASSIGN_OR_RETURN(
        fetch_, consumer_->fetch(spec_.topic, spec_.partition, merger_.offset(), context.waker()));
    return Status::ok();
  }

  Result<Polled> poll(std::int64_t) override {
    TG_RETURN_IF_ERROR(consumer_->failure());
    while (merger_.needs_block()) {
      if (merger_.ended()) return answer(Polled::State::kEnd);
      TG_ASSIGN_OR_RETURN(const bool came, take_message());
      if (!came) return answer(Polled::State::kPending);
    }
    return merger_.next();
  }

  std::string position() const override { return merger_.position(); }

 private:
  /// False when nothing is there; the waker tells of what comes then.
  Result<bool> take_message() {
    if (fetched_.empty()) TG_RETURN_IF_ERROR(fetch());
    if (fetched_.empty()) return false;
    rd_kafka_message_t* const message = fetched_.front();
    fetched_.pop_front();
    Status taken;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      taken =
          merger_.take(message->offset, {static_cast<const char*>(message->payload), message->len});
    } else if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF &&
               !kafka::is_passing(message->err)) {
      taken =
          kafka::kafka_status(message->err,
                              fmt::format("topic '{}' partition {} offset {}", spec_.topic,
                                          spec_.partition, kafka::offset_text(merger_.offset())),
                              rd_kafka_message_errstr(message));
    }
    bytes_since_look_ += static_cast<std::int64_t>(message->len);
    rd_kafka_message_destroy(message);
    TG_RETURN_IF_ERROR(std::move(taken));
    return true;
  }

  Status fetch() {
    constexpr std::size_t kMessages = 64;
    rd_kafka_message_t* messages[kMessages];
    const ssize_t count = rd_kafka_consume_batch_queue(fetch_->queue(), 0, messages, kMessages);
    if (count < 0)
      return kafka::kafka_status(rd_kafka_last_error(), fmt::format("topic '{}' partition {}",
                                                                    spec_.topic, spec_.partition));
    fetched_.assign(messages, messages + count);
    // Blocks are large: the queue is full of few of them.
    const kafka::Client::QueueLimits& limits = consumer_->client().queue_limits();
    if (bytes_since_look_ * 4 >= limits.bytes) {
      bytes_since_look_ = 0;
      consumer_->client().look_for_room();
    }
    return Status::ok();
  }

  const RepartitionSourceSpec& spec_;
  const std::shared_ptr<kafka::Consumer> consumer_;
  BlockMerger merger_;
  std::deque<rd_kafka_message_t*> fetched_;
  std::int64_t bytes_since_look_ = 0;
  std::unique_ptr<kafka::Consumer::Fetch> fetch_;  // goes before what it fetches with
};

class RepartitionSource final : public Source {
 public:
  RepartitionSource(RepartitionSourceSpec spec, std::shared_ptr<kafka::Consumer> consumer)
      : spec_(std::move(spec)), consumer_(std::move(consumer)) {}

  const SchemaPtr& schema() const override { return spec_.schema; }
  // It ends when all that write to it have ended, and cannot tell before whether they will.
  bool is_bounded() const override { return false; }

  Status open(SourceContext&) override { return Status::ok(); }

  Result<Discovery> discover(const std::vector<std::string>& known) override {
    kafka::PartitionSplit partition;
    partition.topic = spec_.topic;
    partition.partition = spec_.partition;
    Discovery discovery;
    discovery.splits.push_back(partition.to_split());
    std::erase_if(discovery.splits, [&](const Split& split) {
      return std::find(known.begin(), known.end(), split.id) != known.end();
    });
    return discovery;
  }

  Result<std::unique_ptr<SplitReader>> open_split(const Split&,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override {
    auto reader = std::make_unique<RepartitionReader>(spec_, consumer_);
    TG_RETURN_IF_ERROR(reader->open(position, context));
    return reader;
  }

 private:
  const RepartitionSourceSpec spec_;
  const std::shared_ptr<kafka::Consumer> consumer_;
};

}  // namespace

std::shared_ptr<Source> make_repartition_source(RepartitionSourceSpec spec,
                                                std::shared_ptr<kafka::Consumer> consumer) {
  return std::make_shared<RepartitionSource>(std::move(spec), std::move(consumer));
}

}  // namespace tidegate::library
