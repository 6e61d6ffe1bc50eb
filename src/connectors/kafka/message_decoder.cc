// SPDX-License-Identifier: Apache-2.0
#include "connectors/kafka/message_decoder.h"

#include <arrow/array.h>
#include <arrow/buffer.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"
#include "types/column.h"

namespace tidegate::kafka {

namespace {

using Messages = std::span<rd_kafka_message_t* const>;

std::string_view view(const void* bytes, std::size_t size) {
  return {static_cast<const char*>(bytes), size};
}

int position_in(const std::vector<int>& columns, int column) {
  const auto found = std::find(columns.begin(), columns.end(), column);
  return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
}

Result<std::unique_ptr<Decoder>> make_part(const Format& format, SchemaPtr schema,
                                           std::vector<int> projection, const Options& options) {
  if (!format.make_decoder)
    return error(ErrorCode::kNotSupported, "format '{}' cannot be read from messages", format.name);
  return format.make_decoder(DecodeRequest{std::move(schema), std::move(projection), options});
}

bool by_message(const BadMessage& a, const BadMessage& b) { return a.message < b.message; }

bool is_identity(std::span<const std::int32_t> rows, std::int64_t size) {
  if (static_cast<std::int64_t>(rows.size()) != size) return false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != static_cast<std::int32_t>(i)) return false;
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<MessageDecoder>> MessageDecoder::make(const ConnectorRequest& request,
                                                             const MessageFormats& formats) {
  std::unique_ptr<MessageDecoder> decoder(new MessageDecoder());
  std::vector<int> value_columns, key_columns;
  decoder->upsert_ = formats.kind == TableKind::kUpsert;
  for (int column : request.projection) {
    const int in_key = position_in(formats.key_columns, column);
    const auto beside = std::find_if(request.metadata.begin(), request.metadata.end(),
                                     [&](const MetadataColumn& m) { return m.column == column; });
    if (beside != request.metadata.end()) {
      TG_ASSIGN_OR_RETURN(MessageMetadata metadata, MessageMetadata::make(*beside, request));
      decoder->origins_.push_back({Part::kMetadata, decoder->metadata_.size()});
      decoder->metadata_.push_back(std::move(metadata));
    } else if (const int in_value = position_in(formats.value_columns, column);
               in_value >= 0 && !(decoder->upsert_ && in_key >= 0)) {
      decoder->origins_.push_back({Part::kValue, value_columns.size()});
      value_columns.push_back(in_value);
    } else {
      decoder->origins_.push_back({Part::kKey, key_columns.size()});
      key_columns.push_back(in_key);
    }
  }
  for (int column : key_columns) {
    if (decoder->upsert_ || !formats.key_schema->field(column).type.nullable())
      decoder->key_may_be_null_ = false;
  }
  if (!key_columns.empty()) {
    TG_ASSIGN_OR_RETURN(decoder->key_, make_part(*formats.key, formats.key_schema,
                                                 std::move(key_columns), formats.key_options));
  }
  TG_ASSIGN_OR_RETURN(decoder->value_, make_part(*formats.value, formats.value_schema,
                                                 std::move(value_columns), formats.value_options));
  decoder->value_is_changelog_ = formats.value->changelog;
  return decoder;
}

Result<Batch> MessageDecoder::decode(Messages messages, std::vector<BadMessage>& bad) {
  bad_values_.clear();
  bad_keys_.clear();
  TG_RETURN_IF_ERROR(decode_values(messages));
  TG_ASSIGN_OR_RETURN(Batch values, value_->take());
  if (upsert_) TG_RETURN_IF_ERROR(add_deletes(messages, values));
  std::vector<ArrayPtr> key_columns;
  if (key_ != nullptr) {
    TG_RETURN_IF_ERROR(decode_keys(messages));
    TG_ASSIGN_OR_RETURN(values, join_keys(std::move(values), key_columns));
  }

  std::vector<ArrayPtr> columns;
  for (const Origin& origin : origins_) {
    switch (origin.part) {
      case Part::kValue:
        columns.push_back(values.column(static_cast<int>(origin.index)));
        break;
      case Part::kKey:
        columns.push_back(key_columns[origin.index]);
        break;
      case Part::kMetadata: {
        TG_ASSIGN_OR_RETURN(ArrayPtr column, metadata_[origin.index].column(messages, rows_));
        columns.push_back(std::move(column));
        break;
      }
    }
  }
  Batch batch = values.with_columns(std::move(columns));
  TG_RETURN_IF_ERROR(attach_times(messages, batch));

  // A message may be bad in both parts.
  std::merge(std::make_move_iterator(bad_values_.begin()),
             std::make_move_iterator(bad_values_.end()), std::make_move_iterator(bad_keys_.begin()),
             std::make_move_iterator(bad_keys_.end()), std::back_inserter(bad), by_message);
  bad.erase(
      std::unique(bad.begin(), bad.end(),
                  [](const BadMessage& a, const BadMessage& b) { return a.message == b.message; }),
      bad.end());
  return batch;
}

Status MessageDecoder::decode_values(Messages messages) {
  texts_.clear();
  text_message_.clear();
  rows_.clear();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const rd_kafka_message_t& message = *messages[i];
    if (message.payload == nullptr) {
      ++num_tombstones_;
      continue;
    }
    texts_.push_back(view(message.payload, message.len));
    text_message_.push_back(static_cast<std::int32_t>(i));
  }
  if (value_is_changelog_) return decode_values_singly();

  TG_RETURN_IF_ERROR(value_->decode_messages(texts_, [&](const BadRecord& bad) {
    const auto text = static_cast<std::size_t>(bad.line);
    bad_values_.push_back({static_cast<std::size_t>(text_message_[text]), bad.reason});
    return Status::ok();
  }));
  if (value_->num_rows() != static_cast<std::int64_t>(texts_.size() - bad_values_.size())) {
    // Some message gave no row, or several; which one must be known.
    TG_RETURN_IF_ERROR(value_->take().status());
    bad_values_.clear();
    return decode_values_singly();
  }
  std::sort(bad_values_.begin(), bad_values_.end(), by_message);
  auto bad = bad_values_.begin();
  for (const std::int32_t message : text_message_) {
    if (bad != bad_values_.end() && bad->message == static_cast<std::size_t>(message)) {
      ++bad;
    } else {
      rows_.push_back(message);
    }
  }
  return Status::ok();
}

Status MessageDecoder::decode_values_singly() {
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const std::int64_t before = value_->num_rows();
    TG_RETURN_IF_ERROR(value_->decode_message(texts_[i], [&](const BadRecord& bad) {
      bad_values_.push_back({static_cast<std::size_t>(text_message_[i]), bad.reason});
      return Status::ok();
    }));
    rows_.insert(rows_.end(), static_cast<std::size_t>(value_->num_rows() - before),
                 text_message_[i]);
  }
  return Status::ok();
}

Status MessageDecoder::add_deletes(Messages messages, Batch& values) {
  const std::int64_t good = values.num_rows();
  std::vector<std::int32_t> sources, owners;  // the row of `values`, and the message, of each row
  std::vector<RowKind> kinds;
  std::size_t next = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const auto message = static_cast<std::int32_t>(i);
    const bool deletes = messages[i]->payload == nullptr;
    for (; next < rows_.size() && rows_[next] == message; ++next) {
      sources.push_back(static_cast<std::int32_t>(next));
      owners.push_back(message);
      kinds.push_back(RowKind::kUpdateAfter);
    }
    if (!deletes) continue;
    sources.push_back(static_cast<std::int32_t>(good));
    owners.push_back(message);
    kinds.push_back(RowKind::kDelete);
  }
  if (owners.size() > rows_.size()) {
    std::vector<ArrayPtr> columns;
    for (const ArrayPtr& column : values.columns()) {
      TG_ASSIGN_OR_RETURN(ArrayPtr null, null_column(column->type(), 1));
      const std::array<ArrayPtr, 2> parts = {column, std::move(null)};
      TG_ASSIGN_OR_RETURN(const ArrayPtr extended, concatenate_columns(parts));
      TG_ASSIGN_OR_RETURN(ArrayPtr taken, take_column(extended, sources));
      columns.push_back(std::move(taken));
    }
    values = Batch(static_cast<std::int64_t>(owners.size()), std::move(columns));
    rows_ = std::move(owners);
  }
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                            arrow::AllocateBuffer(static_cast<std::int64_t>(kinds.size())),
                            "kinds of rows");
  std::memcpy(buffer->mutable_data(), kinds.data(), kinds.size());
  values.set_row_kinds(std::move(buffer));
  return Status::ok();
}

Status MessageDecoder::decode_keys(Messages messages) {
  texts_.clear();
  text_message_.clear();
  key_rows_.assign(messages.size(), kNoKey);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const rd_kafka_message_t& message = *messages[i];
    if (message.payload == nullptr && !upsert_) continue;
    if (message.key == nullptr) {
      if (key_may_be_null_) continue;
      key_rows_[i] = kBadKey;
      bad_keys_.push_back(
          {i, error(ErrorCode::kNullKey, "the message has no key, and its columns are NOT NULL")});
      continue;
    }
    texts_.push_back(view(message.key, message.key_len));
    text_message_.push_back(static_cast<std::int32_t>(i));
  }
  TG_RETURN_IF_ERROR(key_->decode_messages(texts_, [&](const BadRecord& bad) {
    const auto message =
        static_cast<std::size_t>(text_message_[static_cast<std::size_t>(bad.line)]);
    key_rows_[message] = kBadKey;
    bad_keys_.push_back({message, Status(bad.reason).with_context("key")});
    return Status::ok();
  }));
  std::sort(bad_keys_.begin(), bad_keys_.end(), by_message);
  std::int32_t row = 0;
  for (const std::int32_t message : text_message_) {
    std::int32_t& key_row = key_rows_[static_cast<std::size_t>(message)];
    if (key_row != kBadKey) key_row = row++;
  }
  if (key_->num_rows() != row)
    return error(ErrorCode::kNotSupported,
                 "the format of the keys makes {} rows of {} keys; it must make one of each",
                 key_->num_rows(), row);
  return Status::ok();
}

Result<Batch> MessageDecoder::join_keys(Batch values, std::vector<ArrayPtr>& key_columns) {
  TG_ASSIGN_OR_RETURN(const Batch keys, key_->take());
  std::vector<std::int32_t> kept, key_rows;
  for (std::size_t row = 0; row < rows_.size(); ++row) {
    const std::int32_t key_row = key_rows_[static_cast<std::size_t>(rows_[row])];
    if (key_row == kBadKey) continue;
    kept.push_back(static_cast<std::int32_t>(row));
    key_rows.push_back(key_row);
  }
  if (kept.size() < rows_.size()) {
    TG_ASSIGN_OR_RETURN(values, values.take(kept));
    for (std::size_t i = 0; i < kept.size(); ++i)
      rows_[i] = rows_[static_cast<std::size_t>(kept[i])];
    rows_.resize(kept.size());
  }
  const bool as_they_are = is_identity(key_rows, keys.num_rows());
  for (const ArrayPtr& keys_column : keys.columns()) {
    if (as_they_are) {
      key_columns.push_back(keys_column);
      continue;
    }
    TG_ASSIGN_OR_RETURN(ArrayPtr column, key_column(keys_column, key_rows));
    key_columns.push_back(std::move(column));
  }
  return values;
}

Result<ArrayPtr> MessageDecoder::key_column(const ArrayPtr& keys,
                                            std::span<const std::int32_t> rows) const {
  if (std::find(rows.begin(), rows.end(), kNoKey) == rows.end()) return take_column(keys, rows);
  // A null behind the last key stands in for the keys that are not there.
  TG_ASSIGN_OR_RETURN(ArrayPtr null, null_column(keys->type(), 1));
  const std::array<ArrayPtr, 2> parts = {keys, std::move(null)};
  TG_ASSIGN_OR_RETURN(const ArrayPtr extended, concatenate_columns(parts));
  std::vector<std::int32_t> shifted(rows.begin(), rows.end());
  std::replace(shifted.begin(), shifted.end(), kNoKey, static_cast<std::int32_t>(keys->length()));
  return take_column(extended, shifted);
}

Status MessageDecoder::attach_times(Messages messages, Batch& batch) const {
  TG_ASSIGN_ARROW_OR_RETURN(
      std::shared_ptr<arrow::Buffer> buffer,
      arrow::AllocateBuffer(static_cast<std::int64_t>(rows_.size() * sizeof(EventTime))),
      "times of messages");
  auto* times = reinterpret_cast<EventTime*>(buffer->mutable_data());
  for (std::size_t row = 0; row < rows_.size(); ++row)
    times[row] =
        rd_kafka_message_timestamp(messages[static_cast<std::size_t>(rows_[row])], nullptr);
  batch.set_event_times(std::move(buffer));
  return Status::ok();
}

}  // namespace tidegate::kafka
