// SPDX-License-Identifier: Apache-2.0
#include "formats/json_decoder.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 16;

Status describe(JsonIndex::Fault fault) {
  switch (fault) {
    case JsonIndex::Fault::kInvalidUtf8:
      return error(ErrorCode::kInvalidUtf8, "not valid UTF-8");
    case JsonIndex::Fault::kControlCharacter:
      return error(ErrorCode::kMalformedRecord,
                   "a string is not closed or holds a raw control character");
    case JsonIndex::Fault::kUnclosedString:
      return error(ErrorCode::kMalformedRecord, "a string is not closed");
    default:
      return error(ErrorCode::kOutOfMemory, "no memory to parse a record");
  }
}

}  // namespace

JsonDecoder::JsonDecoder(const LogicalType& columns, const JsonReadOptions& options,
                         std::int64_t max_record_bytes)
    : max_record_bytes_(max_record_bytes), reader_(columns, options), rows_(columns) {}

// Every value takes up no more bytes in a column than in the input, so this bounds the offsets.
Status JsonDecoder::check_capacity(std::size_t bytes) {
  constexpr auto kMaxBytes = static_cast<std::int64_t>(std::numeric_limits<std::int32_t>::max());
  input_bytes_ += static_cast<std::int64_t>(bytes);
  if (input_bytes_ < kMaxBytes) return Status::ok();
  return error(ErrorCode::kLimitExceeded, "{} bytes of JSON make too large a batch", input_bytes_);
}

Status JsonDecoder::decode(std::string_view input, const BadRecordHandler& on_bad) {
  TG_RETURN_IF_ERROR(check_capacity(input.size()));
  messages_ = false;
  Place place;
  while (!input.empty()) {
    std::size_t size = std::min(input.size(), kPieceBytes);
    const std::size_t last = input.substr(0, size).rfind('\n');
    const std::size_t newline = last != std::string_view::npos ? last : input.find('\n', size);
    if (newline == std::string_view::npos) {
      joined_.assign(input);
      joined_ += '\n';
      joined_.append(kPadding, '\0');
      TG_RETURN_IF_ERROR(
          decode_lines(std::string_view(joined_).substr(0, input.size() + 1), place, on_bad));
      break;
    }
    size = newline + 1;
    TG_RETURN_IF_ERROR(decode_lines(input.substr(0, size), place, on_bad));
    input.remove_prefix(size);
  }
  return Status::ok();
}

Status JsonDecoder::decode_lines(std::string_view lines, Place& place,
                                 const BadRecordHandler& on_bad) {
  const std::size_t count = count_newlines(lines.data(), lines.size());
  const Place here = place;
  place.offset += static_cast<std::int64_t>(lines.size());
  place.record += static_cast<std::int64_t>(count);
  num_lines_ += static_cast<std::int64_t>(count);

  const JsonIndex::Fault fault = index_.run(lines);
  if (fault == JsonIndex::Fault::kNone) {
    const std::int64_t row = rows_.size();
    reader_.start(index_, lines.data());
    const auto max_bytes = static_cast<std::uint32_t>(
        std::min<std::int64_t>(max_record_bytes_, std::numeric_limits<std::int32_t>::max()));
    if (reader_.read_records(rows_, static_cast<std::uint32_t>(lines.size()), count, max_bytes) &&
        (!check_ || check_(rows_, row).is_ok()))
      return Status::ok();
    rows_.truncate(row);
  }
  ends_.clear();
  for (std::size_t at = 0; at < lines.size(); ++at) {
    at = lines.find('\n', at);
    ends_.push_back(static_cast<std::uint32_t>(at));
  }
  if (fault == JsonIndex::Fault::kNone) return read_records(lines, ends_, 0, here, on_bad);
  return decode_piece(lines, ends_, 0, here, on_bad);
}

Status JsonDecoder::decode_message(std::string_view message, const BadRecordHandler& on_bad) {
  return decode_messages({&message, 1}, on_bad);
}

Status JsonDecoder::decode_messages(std::span<const std::string_view> messages,
                                    const BadRecordHandler& on_bad) {
  messages_ = true;
  Place place;  // offsets are of no use to messages, but must not be wrong
  while (!messages.empty()) {
    joined_.clear();
    ends_.clear();
    do {
      joined_ += messages[ends_.size()];
      ends_.push_back(static_cast<std::uint32_t>(joined_.size()));
      joined_ += '\n';
    } while (ends_.size() < messages.size() &&
             joined_.size() + messages[ends_.size()].size() < kPieceBytes);
    const std::size_t size = joined_.size();
    TG_RETURN_IF_ERROR(check_capacity(size));
    joined_.append(kPadding, '\0');
    TG_RETURN_IF_ERROR(
        decode_piece(std::string_view(joined_).substr(0, size), ends_, 0, place, on_bad));
    place.record += static_cast<std::int64_t>(ends_.size());
    messages = messages.subspan(ends_.size());
  }
  return Status::ok();
}

Status JsonDecoder::decode_piece(std::string_view piece, std::span<const std::uint32_t> ends,
                                 std::uint32_t skipped, Place place,
                                 const BadRecordHandler& on_bad) {
  const JsonIndex::Fault fault = index_.run(piece);
  if (fault == JsonIndex::Fault::kNone) return read_records(piece, ends, skipped, place, on_bad);
  if (fault == JsonIndex::Fault::kOutOfMemory) return describe(fault);
  if (ends.size() == 1)
    return on_bad({describe(fault), place.offset, place.record, piece.substr(0, piece.size() - 1)});
  const std::size_t half = ends.size() / 2;
  const std::uint32_t cut = ends[half - 1] + 1 - skipped;
  TG_RETURN_IF_ERROR(decode_piece(piece.substr(0, cut), ends.first(half), skipped, place, on_bad));
  place.offset += cut;
  place.record += static_cast<std::int64_t>(half);
  return decode_piece(piece.substr(cut), ends.subspan(half), skipped + cut, place, on_bad);
}

Status JsonDecoder::read_records(std::string_view piece, std::span<const std::uint32_t> ends,
                                 std::uint32_t skipped, Place place,
                                 const BadRecordHandler& on_bad) {
  reader_.start(index_, piece.data());
  std::uint32_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    const std::uint32_t end = ends[i] - skipped;
    Status reason;
    if (end - begin > max_record_bytes_) [[unlikely]] {
      reason = error(ErrorCode::kRecordTooLarge, "{} bytes, more than the limit of {}", end - begin,
                     max_record_bytes_);
    } else if (reader_.next_offset() >= end) {
      if (messages_) reason = error(ErrorCode::kMalformedRecord, "an empty message");
    } else {
      const std::int64_t row = rows_.size();
      if (!reader_.read_record(rows_, end)) [[unlikely]] {
        reason = reader_.take_error();
        rows_.truncate(row);
      } else if (reader_.next_offset() < end || reader_.last_offset() > end) [[unlikely]] {
        reason = error(ErrorCode::kMalformedRecord, "{}",
                       reader_.next_offset() < end ? "something follows the object"
                                                   : "the record ends before its object does");
        rows_.truncate(row);
      } else if (check_) {
        reason = check_(rows_, row);
        if (!reason.is_ok()) rows_.truncate(row);
      }
    }
    if (!reason.is_ok()) [[unlikely]] {
      // An unclosed object may have been read into the records behind it.
      reader_.move_to(end);
      BadRecord bad{std::move(reason), place.offset + begin,
                    place.record + static_cast<std::int64_t>(i), piece.substr(begin, end - begin)};
      TG_RETURN_IF_ERROR(on_bad(bad));
    }
    begin = end + 1;
  }
  return Status::ok();
}

Result<Batch> JsonDecoder::take() {
  const std::int64_t count = rows_.size();
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (std::size_t i = 0; i < rows_.num_children(); ++i) columns.push_back(rows_.child(i).take());
  rows_.truncate(0);
  input_bytes_ = 0;
  return Batch(count, std::move(columns));
}

}  // namespace tidegate
