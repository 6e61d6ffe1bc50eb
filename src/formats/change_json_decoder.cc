// SPDX-License-Identifier: Apache-2.0
#include "formats/change_json_decoder.h"

#include <arrow/array/array_nested.h>
#include <arrow/buffer.h>
#include <arrow/util/checked_cast.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "formats/text_value.h"
#include "types/column.h"

namespace tidegate {

namespace {

// Places in the envelope.
constexpr std::size_t kBefore = 0;
constexpr std::size_t kAfter = 1;
constexpr std::size_t kKind = 2;

LogicalType envelope_type(const ChangeEnvelope& envelope, const LogicalType& columns) {
  const LogicalType row = columns.with_nullable(true);
  LogicalType type = LogicalType::row(
      {{envelope.before, row}, {envelope.after, row}, {envelope.kind, LogicalType::string()}},
      /*nullable=*/envelope.with_schema);
  if (!envelope.with_schema) return type;
  return LogicalType::row({{"payload", std::move(type)}}, /*nullable=*/false);
}

bool contains(const char* const* names, std::string_view name) {
  for (; *names != nullptr; ++names) {
    if (name == *names) return true;
  }
  return false;
}

/// The fields of a column of rows as columns; those of a null hold nulls.
std::vector<ArrayPtr> fields_of(const arrow::Array& rows) {
  return arrow::internal::checked_cast<const arrow::StructArray&>(rows).fields();
}

}  // namespace

ChangeJsonDecoder::ChangeJsonDecoder(const ChangeEnvelope& envelope, const LogicalType& columns,
                                     const JsonReadOptions& options, std::int64_t max_record_bytes)
    : envelope_(envelope), json_(envelope_type(envelope, columns), options, max_record_bytes) {
  json_.set_row_check(
      [this](const ColumnBuilder& rows, std::int64_t first) { return accept(rows, first); });
}

Status ChangeJsonDecoder::accept(const ColumnBuilder& rows, std::int64_t first) {
  TG_CHECK(static_cast<std::size_t>(first) == changes_.size(), "rows={} changes={}", first,
           changes_.size());
  const ColumnBuilder& envelope = envelope_.with_schema ? rows.child(0) : rows;
  const std::int64_t num_rows = num_rows_;
  for (std::int64_t row = first; row < rows.size(); ++row) {
    Status accepted = accept_row(envelope, row);
    if (accepted.is_ok()) [[likely]]
      continue;
    changes_.resize(static_cast<std::size_t>(first));
    num_rows_ = num_rows;
    return accepted;
  }
  return Status::ok();
}

Status ChangeJsonDecoder::accept_row(const ColumnBuilder& envelope, std::int64_t row) {
  const ColumnBuilder& kinds = envelope.child(kKind);
  if (kinds.is_null(row))
    return error(ErrorCode::kMissingField, "field '{}', the kind of change, is missing or null",
                 envelope_.kind);
  TG_ASSIGN_OR_RETURN(const Change change, change_of(kinds.bytes_at(row)));
  if (change != Change::kInsert && envelope.child(kBefore).is_null(row)) {
    return Status(
        ErrorCode::kMissingField,
        fmt::format("field '{}' is missing or null in a change of kind '{}'", envelope_.before,
                    kinds.bytes_at(row)),
        "Let the source tell the old row as well; for PostgreSQL: ALTER TABLE ... REPLICA "
        "IDENTITY FULL.");
  }
  if (change != Change::kDelete && envelope.child(kAfter).is_null(row))
    return error(ErrorCode::kMissingField, "field '{}' is missing or null in a change of kind '{}'",
                 envelope_.after, kinds.bytes_at(row));
  changes_.push_back(change);
  only_inserts_ = only_inserts_ && change == Change::kInsert;
  num_rows_ += change == Change::kUpdate ? 2 : 1;
  return Status::ok();
}

Result<ChangeJsonDecoder::Change> ChangeJsonDecoder::change_of(std::string_view kind) const {
  if (contains(envelope_.insert, kind)) return Change::kInsert;
  if (contains(envelope_.update, kind)) return Change::kUpdate;
  if (contains(envelope_.remove, kind)) return Change::kDelete;
  return error(ErrorCode::kMalformedRecord, "field '{}' is {}, which is no kind of change for {}",
               envelope_.kind, quoted_excerpt(kind), envelope_.format);
}

Status ChangeJsonDecoder::decode(std::string_view input, const BadRecordHandler& on_bad) {
  return json_.decode(input, on_bad);
}

Status ChangeJsonDecoder::decode_message(std::string_view message, const BadRecordHandler& on_bad) {
  return message.empty() ? Status::ok() : json_.decode_message(message, on_bad);
}

Status ChangeJsonDecoder::decode_messages(std::span<const std::string_view> messages,
                                          const BadRecordHandler& on_bad) {
  const bool any_empty = std::any_of(messages.begin(), messages.end(),
                                     [](std::string_view message) { return message.empty(); });
  return any_empty ? Decoder::decode_messages(messages, on_bad)
                   : json_.decode_messages(messages, on_bad);
}

Result<Batch> ChangeJsonDecoder::take() {
  TG_ASSIGN_OR_RETURN(const Batch envelopes, json_.take());
  std::vector<ArrayPtr> fields = envelopes.columns();
  if (envelope_.with_schema) fields = fields_of(*fields[0]);
  const Batch before(envelopes.num_rows(), fields_of(*fields[kBefore]));
  const Batch after(envelopes.num_rows(), fields_of(*fields[kAfter]));
  Result<Batch> rows = only_inserts_ ? Result<Batch>(after) : pick(before, after);
  changes_.clear();
  only_inserts_ = true;
  num_rows_ = 0;
  return rows;
}

Result<Batch> ChangeJsonDecoder::pick(const Batch& before, const Batch& after) const {
  std::vector<std::int32_t> rows;
  std::string kinds;
  rows.reserve(static_cast<std::size_t>(num_rows_));
  kinds.reserve(static_cast<std::size_t>(num_rows_));
  const auto add = [&](RowKind kind, std::int64_t row) {
    rows.push_back(static_cast<std::int32_t>(row));
    kinds += static_cast<char>(kind);
  };
  // The old rows stand in front of the new ones.
  const std::int64_t count = before.num_rows();
  for (std::int64_t row = 0; row < count; ++row) {
    switch (changes_[static_cast<std::size_t>(row)]) {
      case Change::kInsert:
        add(RowKind::kInsert, count + row);
        break;
      case Change::kUpdate:
        add(RowKind::kUpdateBefore, row);
        add(RowKind::kUpdateAfter, count + row);
        break;
      case Change::kDelete:
        add(RowKind::kDelete, row);
    }
  }
  const std::array<Batch, 2> both = {before, after};
  TG_ASSIGN_OR_RETURN(const Batch all, Batch::concatenate(both));
  TG_ASSIGN_OR_RETURN(Batch picked, all.take(rows));
  picked.set_row_kinds(arrow::Buffer::FromString(std::move(kinds)));
  return picked;
}

}  // namespace tidegate
