// SPDX-License-Identifier: Apache-2.0
#include "operators/interval_join.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "operators/late_rows.h"
#include "operators/row_keys.h"
#include "operators/row_layout.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"
#include "windows/sliced_window.h"

namespace tidegate {
namespace {

constexpr int kLeft = 0;
constexpr int kRight = 1;
/// 36 million years; sums with times then saturate where they should.
constexpr std::int64_t kLongestBoundMs = std::int64_t{1} << 60;

/// State: a table per side. Namespace: the end of a bucket of time. Key: the join key. Value: the
/// rows of the key in that bucket, in order of arrival, each
///   event time (8) | matched (1) | length (varint) | the row (row_codec.h)
struct Entry {
  EventTime time = 0;
  bool matched = false;
  std::string_view row;
};
/// Where `matched` stands in an entry.
constexpr std::size_t kMatchedOffset = 8;

/// Reads the entry at `offset` and moves it behind.
Result<Entry> read_entry(std::string_view list, std::size_t& offset) {
  std::string_view rest = list.substr(offset);
  Entry entry;
  if (!read_fixed(rest, entry.time) || !read_fixed(rest, entry.matched) ||
      !read_bytes(rest, entry.row)) {
    return error(ErrorCode::kStateCorrupt, "the stored rows of an interval join are cut short");
  }
  offset = list.size() - rest.size();
  return entry;
}

class IntervalJoin final : public Operator {
 public:
  explicit IntervalJoin(IntervalJoinOptions options)
      : options_(std::move(options)),
        sides_{Side(options_.left), Side(options_.right)},
        joined_(options_.left.types, options_.right.types) {
    const std::int64_t lower = options_.lower_ms + (options_.lower_inclusive ? 0 : 1);
    const std::int64_t upper = options_.upper_ms - (options_.upper_inclusive ? 0 : 1);
    // A row of either side matches rows of the other one in [time + from, time + to].
    sides_[kLeft].from = lower;
    sides_[kLeft].to = upper;
    sides_[kRight].from = -upper;
    sides_[kRight].to = -lower;
    sides_[kLeft].outer = options_.kind == JoinKind::kLeft || options_.kind == JoinKind::kFull;
    sides_[kRight].outer = options_.kind == JoinKind::kRight || options_.kind == JoinKind::kFull;
    sides_[kLeft].marks = sides_[kLeft].outer || options_.kind == JoinKind::kSemi;
    sides_[kRight].marks = sides_[kRight].outer;
    bucket_ms_ = options_.exact_times ? 1 : std::max<std::int64_t>(1, (upper - lower + 1) / 4);
    early_ms_ = options_.exact_times && lower == 0 && upper == 0 ? 1 : 0;
    sides_[kLeft].timed = options_.left_follows_watermark;
    sides_[kRight].timed = options_.right_follows_watermark;
    for (const int s : {kLeft, kRight}) {
      const Side& side = sides_[s];
      if (!sides_[1 - s].timed) continue;
      hold_ms_ = std::max(hold_ms_, side.to + (side.outer ? bucket_ms_ - 1 : 0));
    }
    if (options_.exact_times && early_ms_ == 0) ++hold_ms_;
  }

  Status open(OperatorContext& context) override {
    for (Side& side : sides_) {
      side.late_rows.emplace(context.metrics(), side.input->time_column, side.input->late_output);
    }
    const auto layout = [](int side) { return std::make_shared<RowLayout>("* 8 1 v:row", side); };
    TG_ASSIGN_OR_RETURN(sides_[kLeft].table, context.state().table({"left", layout(kLeft)}));
    TG_ASSIGN_OR_RETURN(sides_[kRight].table, context.state().table({"right", layout(kRight)}));
    return Status::ok();
  }

  Result<Progress> process(int input, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(check_insert_only(batch));
    side_ = input;
    Side& own = sides_[side_];
    EventTime late_before = options_.exact_times ? add_saturating(watermark_, 1) : watermark_;
    if (!own.timed) late_before = kMinWatermark;
    TG_ASSIGN_OR_RETURN(batch_, own.late_rows->remove(std::move(batch), late_before, out));
    if (batch_.empty()) return Progress::kDone;
    TG_RETURN_IF_ERROR(own.keys.read(batch_));
    encoder_.emplace(batch_);
    matched_.assign(static_cast<std::size_t>(batch_.num_rows()), !own.marks);
    row_ = 0;
    begin_row();
    return probe(out);
  }

  Result<Progress> advance(EventTime watermark, Output& out) override {
    watermark_ = watermark;
    return expire(out);
  }

  Result<Progress> resume(Output& out) override {
    return batch_.empty() ? expire(out) : probe(out);
  }

  EventTime output_watermark(EventTime watermark) const override {
    if (watermark == kMaxWatermark || watermark == kMinWatermark) return watermark;
    return add_saturating(watermark, -hold_ms_);
  }

 private:
  struct Side {
    explicit Side(const JoinInput& join_input)
        : input(&join_input), keys(join_input.keys, join_key_types(join_input)) {}
    EventTime time(std::int64_t row) const { return late_rows->time(row); }

    const JoinInput* input;
    RowKeys keys;
    std::optional<LateRows> late_rows;
    StateTable* table = nullptr;
    std::int64_t from = 0;
    std::int64_t to = 0;
    bool outer = false;
    bool marks = false;  // which of its rows have matched
    bool timed = true;   // the watermark is about its times
  };
  /// A pair that may join: a row of the batch and a stored one, or none.
  struct Candidate {
    std::int64_t row;
    EventTime bucket_end;
    std::byte* value;  // null: the row matches nothing
    std::size_t offset;
  };

  EventTime bucket_end(EventTime time) const {
    return add_saturating(floor_time(time, bucket_ms_, 0), bucket_ms_);
  }
  Side& other() { return sides_[1 - side_]; }

  // ---- rows that come in

  void begin_row() {
    row_bytes_.clear();
    has_candidates_ = false;
    offset_ = 0;
    if (row_ == batch_.num_rows()) return;
    const Side& own = sides_[side_];
    bucket_ = bucket_end(add_saturating(own.time(row_), own.from));
  }

  /// Looks for the matches of the rest of the batch, then stores its rows.
  Result<Progress> probe(Output& out) {
    while (row_ < batch_.num_rows()) {
      TG_ASSIGN_OR_RETURN(const bool row_done, probe_row());
      if (row_done) {
        TG_RETURN_IF_ERROR(end_row(out));
        ++row_;
        begin_row();
      }
      if (!joined_.full()) continue;
      TG_RETURN_IF_ERROR(flush(out));
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(flush(out));
    TG_RETURN_IF_ERROR(store_rows());
    batch_ = Batch();
    return Progress::kDone;
  }

  /// Collects candidates for the row until there are no more (true) or enough for a batch.
  Result<bool> probe_row() {
    Side& own = sides_[side_];
    if (own.keys.has_null(row_)) return true;
    const EventTime first = add_saturating(own.time(row_), own.from);
    const EventTime last = add_saturating(own.time(row_), own.to);
    const StateTable& table = *other().table;
    for (auto bucket = table.namespace_at_or_above(bucket_); bucket && *bucket <= bucket_end(last);
         offset_ = 0, bucket = table.namespace_above(bucket_)) {
      bucket_ = *bucket;
      std::byte* value = table.find(bucket_, own.keys[row_]);
      if (value == nullptr) continue;
      const std::string_view list = BytesLayout::view(value);
      while (offset_ < list.size()) {
        const std::size_t at = offset_;
        TG_ASSIGN_OR_RETURN(const Entry entry, read_entry(list, offset_));
        if (entry.time < first || entry.time > last) continue;
        TG_RETURN_IF_ERROR(add({row_, bucket_, value, at}, entry));
        if (joined_.full()) return false;
      }
    }
    return true;
  }

  /// Of a semi join, when its left row is out already.
  bool is_out(const Candidate& candidate) const {
    if (options_.kind != JoinKind::kSemi) return false;
    if (side_ == kLeft) return matched_[static_cast<std::size_t>(candidate.row)];
    return BytesLayout::view(candidate.value)[candidate.offset + kMatchedOffset] != 0;
  }

  Status add(const Candidate& candidate, const Entry& entry) {
    if (is_out(candidate)) return Status::ok();
    const EventTime time = std::max(entry.time, sides_[side_].time(row_));
    TG_RETURN_IF_ERROR(side_ == kLeft ? joined_.add(row_bytes(), entry.row, time)
                                      : joined_.add(entry.row, row_bytes(), time));
    has_candidates_ = true;
    if (options_.condition) {
      candidates_.push_back(candidate);
    } else {
      mark_matched(candidate);
    }
    return Status::ok();
  }

  std::string_view row_bytes() {
    if (row_bytes_.empty()) encoder_->append(row_, row_bytes_);
    return row_bytes_;
  }

  void mark_matched(const Candidate& candidate) {
    matched_[static_cast<std::size_t>(candidate.row)] = true;
    if (!other().marks) return;
    // The length stays, so the byte is changed where it is.
    const std::string_view list = BytesLayout::view(candidate.value);
    char& matched = const_cast<char*>(list.data())[candidate.offset + kMatchedOffset];
    if (matched != 0) return;
    matched = 1;
    other().table->touch(candidate.bucket_end, candidate.value);
  }

  /// A row of an outer side that will not be stored must say now that it matches nothing.
  Status end_row(Output& out) {
    const Side& own = sides_[side_];
    if (!own.outer || is_kept(row_)) return Status::ok();
    if (options_.condition && has_candidates_) TG_RETURN_IF_ERROR(flush(out));
    if (matched_[static_cast<std::size_t>(row_)]) return Status::ok();
    if (options_.condition) candidates_.push_back({row_, 0, nullptr, 0});
    return add_unmatched(side_, row_bytes(), own.time(row_));
  }

  /// Rows of the other side may still come that match.
  bool is_kept(std::int64_t row) const {
    const Side& own = sides_[side_];
    if (own.keys.has_null(row) && !(options_.exact_times && own.outer)) return false;
    if (options_.kind == JoinKind::kSemi && side_ == kLeft &&
        matched_[static_cast<std::size_t>(row)]) {
      return false;
    }
    return !sides_[1 - side_].timed ||
           add_saturating(own.time(row), own.to) >= add_saturating(watermark_, early_ms_);
  }

  Status store_rows() {
    Side& own = sides_[side_];
    std::string entry;
    for (std::int64_t row = 0; row < batch_.num_rows(); ++row) {
      if (!is_kept(row)) continue;
      entry.clear();
      write_fixed(entry, own.time(row));
      write_fixed(entry, static_cast<bool>(matched_[static_cast<std::size_t>(row)]));
      row_bytes_.clear();
      encoder_->append(row, row_bytes_);
      write_bytes(entry, row_bytes_);
      TG_ASSIGN_OR_RETURN(std::byte * value,
                          own.table->find_or_create(bucket_end(own.time(row)), own.keys[row]));
      append_bytes(*own.table, value, entry);
    }
    return own.table->check_budget();
  }

  // ---- rows that nothing can match any more

  /// The rows of one bucket of an outer side, by key, on their way out.
  struct Expiry {
    int side = kLeft;
    EventTime bucket_end = 0;
    std::vector<std::byte*> lists = {};
    std::size_t list = 0;
    std::size_t offset = 0;
  };

  Result<Progress> expire(Output& out) {
    while (expiry_ || begin_expiry()) {
      TG_ASSIGN_OR_RETURN(const bool bucket_done, expire_rows());
      if (bucket_done) {
        sides_[expiry_->side].table->drop(expiry_->bucket_end);
        expiry_.reset();
      }
      if (!joined_.full()) continue;
      TG_RETURN_IF_ERROR(flush(out));
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(flush(out));
    return Progress::kDone;
  }

  /// The bucket that ends first, if its time has come.
  bool begin_expiry() {
    EventTime earliest = kMaxWatermark;
    for (const int s : {kLeft, kRight}) {
      const auto first = sides_[s].table->first_namespace();
      if (!first || !sides_[1 - s].timed) continue;
      const EventTime time = add_saturating(*first, sides_[s].to);
      if (time > add_saturating(watermark_, early_ms_) || (expiry_ && time >= earliest)) continue;
      earliest = time;
      expiry_ = Expiry{.side = s, .bucket_end = *first};
    }
    if (!expiry_) return false;
    const Side& side = sides_[expiry_->side];
    if (side.outer) expiry_->lists = rows_by_key(*side.table, expiry_->bucket_end);
    return true;
  }

  /// Emits what has matched nothing until the bucket is done (true) or a batch is full.
  Result<bool> expire_rows() {
    Expiry& now = *expiry_;
    for (; now.list < now.lists.size(); ++now.list, now.offset = 0) {
      const std::string_view list = BytesLayout::view(now.lists[now.list]);
      while (now.offset < list.size()) {
        TG_ASSIGN_OR_RETURN(const Entry entry, read_entry(list, now.offset));
        if (entry.matched) continue;
        TG_RETURN_IF_ERROR(add_unmatched(now.side, entry.row, entry.time));
        if (joined_.full()) return false;
      }
    }
    return true;
  }

  // ---- output

  Status add_unmatched(int side, std::string_view row, EventTime time) {
    return side == kLeft ? joined_.add(row, std::nullopt, time)
                         : joined_.add(std::nullopt, row, time);
  }

  Status flush(Output& out) {
    if (joined_.num_rows() == 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch joined, joined_.take());
    const std::vector<Candidate> candidates = std::exchange(candidates_, {});
    if (!candidates.empty()) {
      TG_ASSIGN_OR_RETURN(joined, where_condition_holds(joined, candidates));
    }
    if (options_.kind == JoinKind::kSemi) {
      std::vector<ArrayPtr> columns = joined.columns();
      columns.resize(options_.left.types.size());
      joined = joined.with_columns(std::move(columns));
    }
    out.emit(std::move(joined));
    return Status::ok();
  }

  /// Candidate i made row i.
  Result<Batch> where_condition_holds(const Batch& joined,
                                      const std::vector<Candidate>& candidates) {
    std::vector<std::int32_t> holds;
    TG_RETURN_IF_ERROR(options_.condition(joined, holds));
    std::vector<std::int32_t> kept;
    auto next = holds.begin();
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(candidates.size()); ++i) {
      const Candidate& candidate = candidates[static_cast<std::size_t>(i)];
      bool held = next != holds.end() && *next == i;
      if (held) ++next;
      if (held && candidate.value != nullptr && is_out(candidate)) held = false;
      if (held && candidate.value != nullptr) mark_matched(candidate);
      if (held || candidate.value == nullptr) kept.push_back(i);
    }
    return joined.take(kept);
  }

  IntervalJoinOptions options_;
  std::array<Side, 2> sides_;
  std::int64_t bucket_ms_ = 1;
  std::int64_t hold_ms_ = 0;
  std::int64_t early_ms_ = 0;  // how much sooner rows leave than when the watermark is past them
  EventTime watermark_ = kMinWatermark;

  // The batch that is being joined, and how far that has come.
  int side_ = kLeft;
  Batch batch_;
  std::optional<RowEncoder> encoder_;
  std::vector<bool> matched_;  // rows of the batch; all true on a side that is not outer
  std::int64_t row_ = 0;
  EventTime bucket_ = 0;
  std::size_t offset_ = 0;  // in the list of the row's key in that bucket
  bool has_candidates_ = false;
  std::string row_bytes_;  // of the row, once needed

  std::optional<Expiry> expiry_;
  JoinedRows joined_;
  std::vector<Candidate> candidates_;  // of the rows in joined_, if there is a condition
};

}  // namespace

Result<std::unique_ptr<Operator>> make_interval_join(IntervalJoinOptions options) {
  TG_RETURN_IF_ERROR(check_join_inputs(options.left, options.right));
  if (options.kind == JoinKind::kAnti) {
    return error(ErrorCode::kInvalidArgument, "an interval join is inner, outer or a semi join");
  }
  if (std::max(std::abs(options.lower_ms), std::abs(options.upper_ms)) > kLongestBoundMs) {
    return error(ErrorCode::kInvalidArgument,
                 "interval join: the bounds {} ms and {} ms are too far", options.lower_ms,
                 options.upper_ms);
  }
  if (options.lower_ms > options.upper_ms) {
    return error(ErrorCode::kInvalidArgument,
                 "interval join: the lower bound {} ms is above the upper bound {} ms",
                 options.lower_ms, options.upper_ms);
  }
  return std::make_unique<IntervalJoin>(std::move(options));
}

}  // namespace tidegate
