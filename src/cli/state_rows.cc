// SPDX-License-Identifier: Apache-2.0
#include "cli/state_rows.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "epoch/data_files.h"
#include "formats/json_writer.h"
#include "types/batch.h"
#include "types/key_hash.h"
#include "types/schema.h"
#include "types/time_text.h"

namespace tidegate {
namespace {

constexpr std::size_t kBatchRows = 4096;
/// 9999-12-31 23:59:59.999, the last time that people can read.
constexpr std::int64_t kLastReadableMs = 253'402'300'799'999;

std::string hex_of(std::string_view bytes) {
  std::string text = "0x";
  for (const char c : bytes) {
    fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string_view without_null(std::string_view type) {
  constexpr std::string_view kNotNull = " NOT NULL";
  if (type.ends_with(kNotNull)) type.remove_suffix(kNotNull.size());
  return type;
}

}  // namespace

void JsonRow::begin(std::string_view name) {
  if (out_.size() > 1) out_ += ',';
  append_json_string(name, out_);
  out_ += ':';
}
void JsonRow::text(std::string_view name, std::string_view value) {
  begin(name);
  append_json_string(value, out_);
}
void JsonRow::number(std::string_view name, std::int64_t value) {
  begin(name);
  out_ += std::to_string(value);
}
void JsonRow::flag(std::string_view name, bool value) {
  begin(name);
  out_ += value ? "true" : "false";
}
void JsonRow::time(std::string_view name, EventTime value) {
  if (value == kMinWatermark) return;
  begin(name);
  out_ += '"';
  append_timestamp(std::min(value, kLastReadableMs), 3, ' ', Fraction::kFixed, out_);
  out_ += '"';
}
void JsonRow::bytes(std::string_view name, std::string_view value) {
  const bool is_printable = std::ranges::all_of(value, [](char c) { return c >= ' ' && c <= '~'; });
  text(name, is_printable ? std::string(value) : hex_of(value));
}
void JsonRow::hex(std::string_view name, std::string_view value) { text(name, hex_of(value)); }
void JsonRow::members(std::string_view object) {
  if (object.size() <= 2) return;  // {}
  if (out_.size() > 1) out_ += ',';
  out_ += object.substr(1, object.rfind('}') - 1);
}

StateRows::StateRows(BlobStore& blobs, const TableState& table, int key_groups,
                     const OperatorInfo* info, const FormatRegistry& formats)
    : blobs_(blobs), table_(table), key_groups_(key_groups), info_(info), formats_(formats) {}

void StateRows::prepare() {
  if (std::exchange(is_prepared_, true)) return;
  const auto json = formats_.find("json");
  if (!json.is_ok()) return;
  if (const auto schema = StateSchema::parse(table_.layout); schema.is_ok()) {
    values_ = StateValues::of(*schema);
  }
  if (values_ != nullptr) {
    auto encoder = (*json)->make_encoder(std::make_shared<Schema>(values_->fields()), Options());
    if (encoder.is_ok()) {
      value_encoder_ = *std::move(encoder);
    } else {
      values_ = nullptr;
    }
  }
  if (info_ == nullptr) return;
  const OperatorInfo* info = info_;
  keys_ = info->keys;
  // Rows that were aggregated in part on their way have names of no meaning; keys come out in
  // front.
  bool are_in_front = info->output.size() >= keys_.size();
  for (std::size_t i = 0; are_in_front && i < keys_.size(); ++i) {
    are_in_front = without_null(info->output[i].type) == without_null(keys_[i].type);
  }
  for (std::size_t i = 0; are_in_front && i < keys_.size(); ++i) {
    keys_[i].name = info->output[i].name;
  }
  std::vector<Field> fields;
  std::vector<LogicalType> types;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    const auto type = LogicalType::parse(keys_[i].type);
    if (!type.is_ok()) return;
    types.push_back(*type);
    // Rows that are values have them, too.
    const bool is_value =
        values_ != nullptr && std::ranges::find(values_->fields(), keys_[i].name, &Field::name) !=
                                  values_->fields().end();
    if (is_value) continue;
    fields.push_back({keys_[i].name, *type});
    shown_keys_.push_back(static_cast<int>(i));
  }
  if (types.empty()) return;
  auto encoder = (*json)->make_encoder(std::make_shared<Schema>(std::move(fields)), Options());
  if (!encoder.is_ok()) return;
  codec_ = std::make_unique<KeyCodec>(std::move(types));
  encoder_ = *std::move(encoder);
  // Whether these are the keys of this table is seen from its rows: the hash tells.
  std::vector<DeltaRecord> sample;
  bool fits = true;
  const Status read = fold_table(
      blobs_, table_, key_groups_, [] { return true; },
      [&](const std::string& delta) -> Status {
        TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
        DeltaRecord record;
        while (fits) {
          TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
          if (!more) break;
          sample.assign(1, record);
          fits = are_keys(sample);
        }
        return Status::ok();
      });
  if (read.is_ok() && fits) return;
  codec_ = nullptr;
}

bool StateRows::are_keys(const std::vector<DeltaRecord>& rows) const {
  std::vector<std::string_view> keys;
  for (const DeltaRecord& row : rows) {
    if (hash_key(row.key) != row.hash) return false;
    keys.push_back(row.key);
  }
  const auto columns = codec_->decode(keys);
  if (!columns.is_ok()) return false;
  EncodedKeys again;
  if (!codec_->encode(*columns, std::ssize(rows), again).is_ok()) return false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (again.key(static_cast<std::int64_t>(i)) != rows[i].key) return false;
  }
  return true;
}

std::string StateRows::columns() {
  prepare();
  std::string text;
  if (codec_ == nullptr) text = "`key` STRING";
  for (const int shown : codec_ == nullptr ? std::vector<int>() : shown_keys_) {
    const NamedType& key = keys_[static_cast<std::size_t>(shown)];
    text += fmt::format("{}`{}` {}", text.empty() ? "" : ", ", key.name, key.type);
  }
  text += text.empty() ? "" : ", ";
  text += "`namespace` BIGINT, namespace_time TIMESTAMP(3), key_group INT";
  if (values_ == nullptr) return text + ", `value` STRING";
  for (const Field& field : values_->fields()) {
    text += fmt::format(", `{}` {}", field.name, field.type.with_nullable(true).to_string());
  }
  return text;
}

Status StateRows::read(const std::function<Status(std::string_view)>& line) {
  prepare();
  return fold_table(
      blobs_, table_, key_groups_, [] { return true; },
      [&](const std::string& delta) -> Status {
        TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
        std::vector<DeltaRecord> rows;
        while (true) {
          DeltaRecord record;
          TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
          if (!more) break;
          rows.push_back(record);
          if (rows.size() == kBatchRows) TG_RETURN_IF_ERROR(read_batch(rows, line));
        }
        return read_batch(rows, line);
      });
}

Status StateRows::read_batch(std::vector<DeltaRecord>& rows,
                             const std::function<Status(std::string_view)>& line) {
  std::optional<Batch> keys;
  if (codec_ != nullptr) {
    std::vector<std::string_view> bytes;
    for (const DeltaRecord& row : rows) bytes.push_back(row.key);
    TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, codec_->decode(bytes));
    std::vector<ArrayPtr> shown;
    for (const int key : shown_keys_) shown.push_back(columns[static_cast<std::size_t>(key)]);
    keys.emplace(std::ssize(rows), std::move(shown));
  }
  std::optional<Batch> values;
  std::vector<std::int64_t> rows_of;
  if (values_ != nullptr) {
    TG_ASSIGN_OR_RETURN(values, values_->read(rows, rows_of));
  }
  std::int64_t next = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    JsonRow row;
    TG_RETURN_IF_ERROR(write_key(rows[i], keys ? &*keys : nullptr, i, row));
    if (!values) {
      row.hex("value", rows[i].value);
      TG_RETURN_IF_ERROR(line(row.take()));
      continue;
    }
    for (std::int64_t left = rows_of[i]; left > 0; --left) {
      JsonRow whole = row;
      std::string object;
      TG_RETURN_IF_ERROR(value_encoder_->encode_message(*values, next++, object));
      whole.members(object);
      TG_RETURN_IF_ERROR(line(whole.take()));
    }
  }
  rows.clear();
  return Status::ok();
}

Status StateRows::write_key(const DeltaRecord& record, const Batch* keys, std::size_t index,
                            JsonRow& row) const {
  if (keys == nullptr) {
    row.hex("key", record.key);
  } else if (!shown_keys_.empty()) {
    std::string object;
    TG_RETURN_IF_ERROR(encoder_->encode_message(*keys, static_cast<std::int64_t>(index), object));
    row.members(object);
  }
  row.number("namespace", record.name_space);
  const bool is_time = record.name_space > 0 && record.name_space <= kLastReadableMs;
  if (is_time) row.time("namespace_time", record.name_space);
  row.number("key_group", key_group_of(record.hash, key_groups_));
  return Status::ok();
}

}  // namespace tidegate
