// SPDX-License-Identifier: Apache-2.0
#include "cli/state_rows.h"

#include <algorithm>
#include <charconv>
#include <cstring>
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

/// The number at the front of `text`, which is taken off.
std::optional<std::size_t> take_number(std::string_view& text) {
  std::size_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return number;
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
  if (std::exchange(is_prepared_, true) || info_ == nullptr) return;
  const OperatorInfo* info = info_;
  find_counts(info);
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
  for (const NamedType& key : keys_) {
    const auto type = LogicalType::parse(key.type);
    if (!type.is_ok()) return;
    fields.push_back({key.name, *type});
    types.push_back(*type);
  }
  const auto json = formats_.find("json");
  if (fields.empty() || !json.is_ok()) return;
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
  keys_.clear();
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

/// Accumulators of COUNT are the only ones of 8 bytes with a result that is never null, so the
/// layout tells them. Results are the last output columns, which gives the names where the types
/// agree.
void StateRows::find_counts(const OperatorInfo* info) {
  std::string_view layout = table_.layout;
  std::size_t at = 0;
  const auto take = [&](std::string_view word) {
    if (!layout.starts_with(word)) return false;
    layout.remove_prefix(word.size());
    return true;
  };
  if (take("stamped ")) at += 8;
  if (!take("accumulators head=")) return;
  const auto head = take_number(layout);
  if (!head) return;
  at += *head;
  if (take(" counted")) at += 8;
  std::vector<Count> counts;
  std::vector<std::size_t> numbers;  // of counts_ among the results
  std::vector<std::string_view> types;
  while (!layout.empty()) {
    const std::size_t colon = layout.find(':');
    if (!take(" ") || colon == std::string_view::npos) return;
    const std::string_view type = layout.substr(0, colon - 1);
    layout.remove_prefix(colon);
    const auto size = take_number(layout);
    if (!size) return;
    if (type == "BIGINT NOT NULL" && *size == 8) {
      numbers.push_back(types.size());
      counts.push_back({fmt::format("count_{}", types.size()), at});
    }
    types.push_back(type);
    at += *size;
  }
  const std::vector<NamedType>& output = info->output;
  bool are_last = output.size() >= types.size();
  for (std::size_t i = 0; are_last && i < types.size(); ++i) {
    are_last = output[output.size() - types.size() + i].type == types[i];
  }
  for (std::size_t i = 0; are_last && i < counts.size(); ++i) {
    counts[i].name = output[output.size() - types.size() + numbers[i]].name;
  }
  counts_ = std::move(counts);
  value_bytes_ = at;
}

std::string StateRows::columns() {
  prepare();
  std::string text;
  if (codec_ == nullptr) {
    text = "`key` STRING";
    keys_.clear();
  }
  for (const NamedType& key : keys_) {
    text += fmt::format("{}`{}` {}", text.empty() ? "" : ", ", key.name, key.type);
  }
  text += ", `namespace` BIGINT, namespace_time TIMESTAMP(3), key_group INT";
  for (const Count& count : counts_) text += fmt::format(", `{}` BIGINT", count.name);
  return text + ", `value` STRING";
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
    keys.emplace(std::ssize(rows), std::move(columns));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const DeltaRecord& record = rows[i];
    JsonRow row;
    if (keys) {
      std::string object;
      TG_RETURN_IF_ERROR(encoder_->encode_message(*keys, static_cast<std::int64_t>(i), object));
      row.members(object);
    } else {
      row.hex("key", record.key);
    }
    row.number("namespace", record.name_space);
    const bool is_time = record.name_space > 0 && record.name_space <= kLastReadableMs;
    if (is_time) row.time("namespace_time", record.name_space);
    row.number("key_group", key_group_of(record.hash, key_groups_));
    for (const Count& count : counts_) {
      if (record.value.size() != value_bytes_) continue;
      std::int64_t number = 0;
      std::memcpy(&number, record.value.data() + count.offset, sizeof(number));
      row.number(count.name, number);
    }
    row.hex("value", record.value);
    TG_RETURN_IF_ERROR(line(row.take()));
  }
  rows.clear();
  return Status::ok();
}

}  // namespace tidegate
