// SPDX-License-Identifier: Apache-2.0
#include "state/migrate_rows.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/util.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "state/delta.h"
#include "state/state_memory.h"
#include "types/arrow_status.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

constexpr std::size_t kBatchRows = 4096;
constexpr std::size_t kStampBytes = 8;

/// Values as they stand in deltas.
class EncodedLayout final : public BytesLayout {
 public:
  void serialize(const std::byte* value, std::string& out) const override { out += view(value); }
  Status deserialize(std::string_view& in, std::byte* value) const override {
    assign(value, in);
    in = {};
    return Status::ok();
  }
};

Result<std::vector<LogicalType>> types_of(const std::vector<StateColumn>& columns) {
  std::vector<LogicalType> types;
  for (const StateColumn& column : columns) {
    TG_ASSIGN_OR_RETURN(LogicalType type, LogicalType::parse(column.type));
    types.push_back(std::move(type));
  }
  return types;
}

template <typename From, typename To>
Result<ArrayPtr> widen(const arrow::Array& array) {
  const auto& values = static_cast<const arrow::NumericArray<From>&>(array);
  arrow::NumericBuilder<To> builder;
  for (std::int64_t i = 0; i < values.length(); ++i) {
    const arrow::Status appended =
        values.IsNull(i) ? builder.AppendNull()
                         : builder.Append(static_cast<typename To::c_type>(values.Value(i)));
    TG_RETURN_IF_ARROW_ERROR(appended, "widen a key");
  }
  ArrayPtr out;
  TG_RETURN_IF_ARROW_ERROR(builder.Finish(&out), "widen a key");
  return out;
}

template <typename From>
Result<ArrayPtr> widen_integer(const arrow::Array& array, TypeKind to) {
  switch (to) {
    case TypeKind::kSmallInt:
      return widen<From, arrow::Int16Type>(array);
    case TypeKind::kInt:
      return widen<From, arrow::Int32Type>(array);
    default:
      return widen<From, arrow::Int64Type>(array);
  }
}

}  // namespace

bool is_widening(const LogicalType& from, const LogicalType& to) {
  if (from.nullable() && !to.nullable()) return false;
  if (from.same_but_nullability(to)) return true;
  if (from.is_integer() && to.is_integer()) return from.kind() < to.kind();
  if (from.kind() == TypeKind::kDecimal && to.kind() == TypeKind::kDecimal) {
    return from.scale() == to.scale() && from.precision() < to.precision();
  }
  // A CHAR is padded to its length, so it is not one of another length.
  if (from.is_character() || from.is_bytes()) {
    const bool is_variable =
        to.kind() == (from.is_character() ? TypeKind::kVarchar : TypeKind::kVarbinary);
    return is_variable && from.length() <= to.length();
  }
  return from.kind() == TypeKind::kFloat && to.kind() == TypeKind::kDouble;
}

Result<ArrayPtr> widen_column(const ArrayPtr& array, const LogicalType& from,
                              const LogicalType& to) {
  if (from.kind() == to.kind() && from.kind() != TypeKind::kDecimal) return array;
  switch (from.kind()) {
    case TypeKind::kTinyInt:
      return widen_integer<arrow::Int8Type>(*array, to.kind());
    case TypeKind::kSmallInt:
      return widen_integer<arrow::Int16Type>(*array, to.kind());
    case TypeKind::kInt:
      return widen_integer<arrow::Int32Type>(*array, to.kind());
    case TypeKind::kFloat:
      return widen<arrow::FloatType, arrow::DoubleType>(*array);
    case TypeKind::kDecimal: {
      const auto data = array->data()->Copy();
      data->type = to.arrow_type();
      return arrow::MakeArray(data);
    }
    default:
      return array;  // of texts and bytes
  }
}

Result<RowMigration> RowMigration::plan(const StateTableSpec& spec, const StateSchema& old,
                                        const StateSchema& now, bool may_drop) {
  RowMigration migration;
  migration.name_ = spec.name;
  migration.schema_ = now.to_string();
  migration.is_stamped_ = spec.stamped;
  const auto refuse = [&](const std::string& why) {
    return Status(ErrorCode::kStateMismatch,
                  fmt::format("state '{}' does not fit the program: {}", spec.name, why),
                  "Widen types or add columns instead, go on with the old program, or begin "
                  "without this state.");
  };
  if (old.keys.size() != now.keys.size()) {
    return refuse(
        fmt::format("it is by {} key columns, was by {}", now.keys.size(), old.keys.size()));
  }
  TG_ASSIGN_OR_RETURN(const std::vector<LogicalType> from, types_of(old.keys));
  TG_ASSIGN_OR_RETURN(const std::vector<LogicalType> to, types_of(now.keys));
  for (std::size_t i = 0; i < from.size(); ++i) {
    // Keys are encoded alike whether they may be null or not.
    if (!is_widening(from[i].with_nullable(true), to[i].with_nullable(true))) {
      return refuse(fmt::format("key '{}' was {}, is {}", now.keys[i].name, old.keys[i].type,
                                now.keys[i].type));
    }
    if (from[i].kind() == to[i].kind() || from[i].is_character() || from[i].is_bytes()) continue;
    migration.old_keys_ = from;
    migration.new_keys_ = to;
  }
  if (old.layout != now.layout || old.columns != now.columns) {
    auto values = spec.layout->migration(old, now, may_drop);
    if (!values.is_ok()) return refuse(values.status().message());
    migration.values_ = *std::move(values);
  }
  return migration;
}

Result<std::vector<std::string>> RowMigration::migrate(std::span<const std::string> deltas,
                                                       KeyGroupRange own) const {
  std::vector<std::string> migrated;
  if (!new_keys_.empty()) {
    TG_ASSIGN_OR_RETURN(migrated.emplace_back(), with_new_keys(deltas, own));
    return migrated;
  }
  for (const std::string& delta : deltas) {
    TG_ASSIGN_OR_RETURN(migrated.emplace_back(), with_new_values(delta));
  }
  return migrated;
}

Status RowMigration::append_value(std::int64_t name_space, std::string_view value,
                                  std::string& out) const {
  out.clear();
  if (!values_) {
    out = value;
    return Status::ok();
  }
  if (is_stamped_) {
    if (value.size() < kStampBytes) {
      return error(ErrorCode::kStateCorrupt, "a row of state '{}' has no time stamp", name_);
    }
    out = value.substr(0, kStampBytes);
    value.remove_prefix(kStampBytes);
  }
  return values_(name_space, value, out);
}

Result<std::string> RowMigration::with_new_values(const std::string& delta) const {
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
  DeltaWriter writer(schema_, reader.key_groups());
  DeltaRecord record;
  std::string value;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
    if (!more) return writer.finish();
    if (record.kind == DeltaRecord::Kind::kDrop) {
      writer.drop(record.name_space);
    } else if (record.kind == DeltaRecord::Kind::kErase) {
      writer.erase(record.name_space, record.hash, record.key);
    } else {
      TG_RETURN_IF_ERROR(append_value(record.name_space, record.value, value));
      writer.put(record.name_space, record.hash, record.key, value);
    }
  }
}

/// Rows move to other key groups, so the deltas are applied first.
Result<std::string> RowMigration::with_new_keys(std::span<const std::string> deltas,
                                                KeyGroupRange own) const {
  const KeyGroupRange all{0, own.total, own.total};
  StateMemory memory(0);
  StateTable table({.name = name_, .layout = std::make_shared<EncodedLayout>()}, all, &memory);
  for (const std::string& delta : deltas) {
    TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
    TG_RETURN_IF_ERROR(table.restore(reader, delta));
  }
  DeltaWriter rows("", all);
  table.dump(rows);
  const std::string folded = rows.finish();
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(folded));
  DeltaWriter writer(schema_, own);
  const KeyCodec old_codec(old_keys_);
  const KeyCodec new_codec(new_keys_);
  std::vector<DeltaRecord> records;
  std::string value;
  bool more = true;
  while (more) {
    records.clear();
    std::vector<std::string_view> keys;
    while (records.size() < kBatchRows) {
      DeltaRecord record;
      TG_ASSIGN_OR_RETURN(more, reader.next(record));
      if (!more) break;
      records.push_back(record);
      keys.push_back(record.key);
    }
    auto columns = old_codec.decode(keys);
    EncodedKeys again;
    bool are_plain = columns.is_ok() && old_codec.encode(*columns, std::ssize(keys), again).is_ok();
    for (std::size_t i = 0; are_plain && i < records.size(); ++i) {
      are_plain = again.key(static_cast<std::int64_t>(i)) == records[i].key &&
                  hash_key(records[i].key) == records[i].hash;
    }
    if (!are_plain) {
      return error(ErrorCode::kStateMismatch,
                   "state '{}' is not by its operator's keys alone, so they cannot be widened",
                   name_);
    }
    for (std::size_t i = 0; i < columns->size(); ++i) {
      TG_ASSIGN_OR_RETURN((*columns)[i], widen_column((*columns)[i], old_keys_[i], new_keys_[i]));
    }
    EncodedKeys encoded;
    TG_RETURN_IF_ERROR(new_codec.encode(*columns, std::ssize(keys), encoded));
    for (std::size_t i = 0; i < records.size(); ++i) {
      const std::string_view key = encoded.key(static_cast<std::int64_t>(i));
      const std::uint64_t hash = hash_key(key);
      if (!own.contains(key_group_of(hash, own.total))) continue;
      TG_RETURN_IF_ERROR(append_value(records[i].name_space, records[i].value, value));
      writer.put(records[i].name_space, hash, key, value);
    }
  }
  return writer.finish();
}

}  // namespace tidegate
