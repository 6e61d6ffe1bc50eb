// SPDX-License-Identifier: Apache-2.0
#include "formats/csv_decoder.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "formats/json_scan.h"
#include "formats/row_type.h"
#include "formats/text_value.h"
#include "formats/utf8.h"

namespace tidegate {

namespace {

using Stop = CsvScanner::Stop;

bool is_blank(std::string_view line) { return line.empty() || line == "\r"; }

}  // namespace

CsvDecoder::CsvDecoder(const Schema& schema, const std::vector<int>& projection,
                       const CsvDialect& dialect, bool ignore_parse_errors,
                       std::int64_t max_record_bytes)
    : dialect_(dialect),
      ignore_parse_errors_(ignore_parse_errors),
      max_record_bytes_(max_record_bytes),
      scanner_(dialect),
      targets_(static_cast<std::size_t>(schema.num_fields()), kUnread),
      rows_(row_type(schema, projection)) {
  for (const Field& field : schema.fields()) names_.push_back(field.name);
  for (std::size_t i = 0; i < projection.size(); ++i)
    targets_[static_cast<std::size_t>(projection[i])] = static_cast<int>(i);
}

Status CsvDecoder::decode(std::string_view input, const BadRecordHandler& on_bad) {
  // Every value takes up no more bytes in a column than in the input, so this bounds the offsets.
  input_bytes_ += static_cast<std::int64_t>(input.size());
  if (input_bytes_ >= std::numeric_limits<std::int32_t>::max())
    return error(ErrorCode::kLimitExceeded, "{} bytes of CSV make too large a batch", input_bytes_);
  check_utf8_ = !is_valid_utf8(input);
  return decode_records(input, on_bad);
}

Status CsvDecoder::decode_message(std::string_view message, const BadRecordHandler& on_bad) {
  padded_.assign(message);
  padded_.append(kPadding, '\0');
  const std::int64_t lines = num_lines_;
  const std::int64_t rows = rows_.size();
  std::int64_t bad_records = 0;
  TG_RETURN_IF_ERROR(
      decode(std::string_view(padded_).substr(0, message.size()), [&](const BadRecord& bad) {
        return bad_records++ == 0 ? on_bad({bad.reason, 0, 0, message}) : Status::ok();
      }));
  num_lines_ = lines;
  if (bad_records == 0 && rows_.size() == rows + 1) return Status::ok();
  const std::int64_t got = rows_.size() - rows;
  rows_.truncate(rows);
  if (bad_records > 0) return Status::ok();
  return on_bad(
      {error(ErrorCode::kMalformedRecord, "a message of {} records", got), 0, 0, message});
}

Status CsvDecoder::decode_records(std::string_view input, const BadRecordHandler& on_bad) {
  const char* const end = input.data() + input.size();
  std::int64_t line = 0;
  scanner_.start(input);
  while (!scanner_.at_end()) {
    const char* const begin = scanner_.at();
    const auto line_end = [&] {
      const std::size_t at = input.find('\n', static_cast<std::size_t>(begin - input.data()));
      return at == std::string_view::npos ? end : input.data() + at + 1;
    };
    if (*begin == '\n' || (*begin == '\r' && is_blank({begin, line_end() - 1})) ||
        (dialect_.comments && *begin == '#')) {
      scanner_.move_to(line_end());
      ++line;
      continue;
    }
    const std::int64_t row = rows_.size();
    Stop stop;
    Status reason = read_record(stop);
    if (!reason.is_ok()) [[unlikely]] {
      rows_.truncate(row);
      stop = scanner_.skip_record(stop);
    }
    // What follows an open quote may well be good: only its first line is given up.
    if (stop == Stop::kUnclosed) scanner_.move_to(line_end());
    std::string_view record(begin, static_cast<std::size_t>(scanner_.at() - begin));
    const auto lines = static_cast<std::int64_t>(count_newlines(begin, record.size()));
    if (record.ends_with('\n')) record.remove_suffix(1);
    if (reason.is_ok() && static_cast<std::int64_t>(record.size()) > max_record_bytes_) {
      reason = error(ErrorCode::kRecordTooLarge, "{} bytes, more than the limit of {}",
                     record.size(), max_record_bytes_);
      rows_.truncate(row);
    }
    if (check_utf8_ && !is_valid_utf8(record)) {
      reason = error(ErrorCode::kInvalidUtf8, "not valid UTF-8");
      rows_.truncate(row);
    }
    if (!reason.is_ok())
      TG_RETURN_IF_ERROR(on_bad({std::move(reason), begin - input.data(), line, record}));
    line += lines;
  }
  num_lines_ += line + (!input.empty() && input.back() != '\n' ? 1 : 0);
  return Status::ok();
}

Status CsvDecoder::read_record(Stop& stop) {
  stop = Stop::kField;
  CsvField field;
  std::size_t column = 0;
  for (; stop == Stop::kField; ++column) {
    stop = scanner_.next(field);
    if (stop == Stop::kUnclosed)
      return error(ErrorCode::kMalformedRecord, "a quoted field is not closed");
    if (stop == Stop::kJunk)
      return error(ErrorCode::kMalformedRecord, "something follows the closing quote of field {}",
                   column + 1);
    if (column < targets_.size() && targets_[column] != kUnread) {
      Status appended = append_field(field, column);
      if (!appended.is_ok())
        return std::move(appended).with_context(fmt::format("field '{}'", names_[column]));
    }
  }
  if (column != targets_.size() && !ignore_parse_errors_)
    return error(ErrorCode::kMalformedRecord, "{} fields expected, got {}", targets_.size(),
                 column);
  for (; column < targets_.size(); ++column) {
    if (targets_[column] == kUnread) continue;
    ColumnBuilder& child = rows_.child(static_cast<std::size_t>(targets_[column]));
    if (!child.type().nullable())
      return error(ErrorCode::kMissingField, "field '{}' is missing and the column is NOT NULL",
                   names_[column]);
    child.append_null();
  }
  rows_.end_row();
  return Status::ok();
}

Status CsvDecoder::append_field(const CsvField& field, std::size_t column) {
  ColumnBuilder& child = rows_.child(static_cast<std::size_t>(targets_[column]));
  if (is_null(field, child.type())) {
    if (!child.type().nullable())
      return error(ErrorCode::kMissingField, "the value is null and the column is NOT NULL");
    child.append_null();
    return Status::ok();
  }
  const std::int64_t size = child.size();
  Status appended = append_value(field, child);
  if (appended.is_ok() || !ignore_parse_errors_ || !child.type().nullable()) return appended;
  child.truncate(size);
  child.append_null();
  return Status::ok();
}

bool CsvDecoder::is_null(const CsvField& field, const LogicalType& type) const {
  if (field.quoted) return false;
  if (dialect_.null_literal && field.text == *dialect_.null_literal) return true;
  // An empty text is no value of these types.
  return field.text.empty() && !type.is_character() && !type.is_bytes() && !type.is_nested();
}

Status CsvDecoder::append_value(const CsvField& field, ColumnBuilder& column) {
  return column.type().is_nested() ? append_elements(field.text, column)
                                   : append_text(column, field.text);
}

Status CsvDecoder::append_elements(std::string_view text, ColumnBuilder& column) {
  const bool is_row = column.type().kind() == TypeKind::kRow;
  std::size_t count = 0;
  // An empty text is an array without elements.
  for (bool more = is_row || !text.empty(); more; ++count) {
    const std::size_t cut = text.find(dialect_.array_delimiter);
    const CsvField element{text.substr(0, cut), false};
    more = cut != std::string_view::npos;
    if (more) text.remove_prefix(cut + dialect_.array_delimiter.size());
    if (is_row && count == column.num_children()) {
      return error(ErrorCode::kWrongFieldType, "{} expected, got more than {} parts",
                   column.type().to_string(), count);
    }
    ColumnBuilder& child = column.child(is_row ? count : 0);
    if (is_null(element, child.type())) {
      child.append_null();
    } else {
      TG_RETURN_IF_ERROR(append_text(child, element.text));
    }
  }
  if (!is_row) {
    column.end_list();
    return Status::ok();
  }
  if (count != column.num_children())
    return error(ErrorCode::kWrongFieldType, "{} expected, got {} parts", column.type().to_string(),
                 count);
  column.end_row();
  return Status::ok();
}

Result<Batch> CsvDecoder::take() {
  const std::int64_t count = rows_.size();
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (std::size_t i = 0; i < rows_.num_children(); ++i) columns.push_back(rows_.child(i).take());
  rows_.truncate(0);
  input_bytes_ = 0;
  return Batch(count, std::move(columns));
}

Status check_csv_type(const LogicalType& type) {
  const bool deep =
      std::any_of(type.children().begin(), type.children().end(),
                  [](const LogicalType::Child& child) { return child.type.is_nested(); });
  if (deep || type.kind() == TypeKind::kMap || type.kind() == TypeKind::kMultiset)
    return error(ErrorCode::kNotSupported, "csv: a column of type {}", type.to_string());
  return Status::ok();
}

}  // namespace tidegate
