// SPDX-License-Identifier: Apache-2.0
//
// The way back from the bytes of key_encoding.h. Keys may come from a disk, so every read checks
// what is left; how deep the reading recurses is given by the type and not by the bytes.
#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"
#include "types/key_encoding.h"
#include "types/key_value_codec.h"

namespace tidegate {

namespace {

using key_values::is_fixed_width;
using key_values::is_text;
using key_values::with_fixed_width;

constexpr const char* kDecodeKeys = "decode keys";

Status corrupt(const LogicalType& type) {
  return error(ErrorCode::kStateCorrupt, "a stored key does not hold a value of type {}",
               type.to_string());
}

/// Takes `size` bytes off the front of `in`; null when there are fewer.
const char* take_bytes(std::string_view& in, std::size_t size) {
  if (in.size() < size) return nullptr;
  const char* bytes = in.data();
  in.remove_prefix(size);
  return bytes;
}

/// Takes the marker in front of a value: 1 for a value, 0 for null, -1 when it is neither.
int take_marker(std::string_view& in) {
  const char* marker = take_bytes(in, 1);
  if (marker == nullptr || (*marker != 0x00 && *marker != 0x01)) return -1;
  return *marker;
}

/// Takes an escaped text with its end off the front of `in`; a view into `in` where nothing was
/// escaped, else into `scratch`.
bool take_text(std::string_view& in, std::string& scratch, std::string_view& text) {
  const std::size_t first_zero = in.find('\0');
  if (first_zero == std::string_view::npos) return false;
  const auto is_end = [&in](std::size_t at) { return at + 1 == in.size() || in[at + 1] != '\xff'; };
  if (is_end(first_zero)) {
    text = in.substr(0, first_zero);
    in.remove_prefix(first_zero + 1);
    return true;
  }
  scratch.clear();
  for (std::size_t from = 0;;) {
    const std::size_t zero = in.find('\0', from);
    if (zero == std::string_view::npos) return false;
    scratch.append(in, from, zero - from);
    if (is_end(zero)) {
      in.remove_prefix(zero + 1);
      text = scratch;
      return true;
    }
    scratch += '\0';
    from = zero + 2;
  }
}

template <typename Builder, typename Value>
Status append_as(arrow::ArrayBuilder& builder, Value value) {
  TG_RETURN_IF_ARROW_ERROR(static_cast<Builder&>(builder).Append(value), kDecodeKeys);
  return Status::ok();
}

template <typename Value>
Status append_fixed(const LogicalType& type, arrow::ArrayBuilder& builder, Value value) {
  if constexpr (std::is_same_v<Value, bool>)
    return append_as<arrow::BooleanBuilder>(builder, value);
  if constexpr (std::is_same_v<Value, std::int8_t>)
    return append_as<arrow::Int8Builder>(builder, value);
  if constexpr (std::is_same_v<Value, std::int16_t>)
    return append_as<arrow::Int16Builder>(builder, value);
  if constexpr (std::is_same_v<Value, float>) return append_as<arrow::FloatBuilder>(builder, value);
  if constexpr (std::is_same_v<Value, double>)
    return append_as<arrow::DoubleBuilder>(builder, value);
  if constexpr (std::is_same_v<Value, std::int32_t>) {
    if (type.kind() == TypeKind::kDate) return append_as<arrow::Date32Builder>(builder, value);
    if (type.kind() == TypeKind::kTime) return append_as<arrow::Time32Builder>(builder, value);
    return append_as<arrow::Int32Builder>(builder, value);
  }
  if constexpr (std::is_same_v<Value, std::int64_t>) {
    if (type.is_timestamp()) return append_as<arrow::TimestampBuilder>(builder, value);
    if (type.kind() == TypeKind::kTime) return append_as<arrow::Time64Builder>(builder, value);
    return append_as<arrow::Int64Builder>(builder, value);
  }
  if constexpr (std::is_same_v<Value, key_values::DecimalValue::Value>) {
    return append_as<arrow::Decimal128Builder>(builder, std::string_view(value));
  }
}

Status append_null(arrow::ArrayBuilder& builder) {
  TG_RETURN_IF_ARROW_ERROR(builder.AppendNull(), kDecodeKeys);
  return Status::ok();
}

Status append_value(const LogicalType& type, std::string_view& in, arrow::ArrayBuilder& builder);

Status append_nullable(const LogicalType& type, std::string_view& in,
                       arrow::ArrayBuilder& builder) {
  const int marker = take_marker(in);
  if (marker < 0) return corrupt(type);
  return marker == 0 ? append_null(builder) : append_value(type, in, builder);
}

Status append_row(const LogicalType& type, std::string_view& in, arrow::StructBuilder& builder) {
  TG_RETURN_IF_ARROW_ERROR(builder.Append(), kDecodeKeys);
  for (int f = 0; f < static_cast<int>(type.children().size()); ++f) {
    TG_RETURN_IF_ERROR(append_nullable(type.children()[static_cast<std::size_t>(f)].type, in,
                                       *builder.field_builder(f)));
  }
  return Status::ok();
}

Status append_array(const LogicalType& type, std::string_view& in, arrow::ListBuilder& builder) {
  TG_RETURN_IF_ARROW_ERROR(builder.Append(), kDecodeKeys);
  for (;;) {
    const char* marker = take_bytes(in, 1);
    if (marker == nullptr || *marker < 0x00 || *marker > 0x02) return corrupt(type);
    if (*marker == 0x00) return Status::ok();
    TG_RETURN_IF_ERROR(*marker == 0x01
                           ? append_null(*builder.value_builder())
                           : append_value(type.children()[0].type, in, *builder.value_builder()));
  }
}

Status append_map(const LogicalType& type, std::string_view& in, arrow::MapBuilder& builder) {
  TG_RETURN_IF_ARROW_ERROR(builder.Append(), kDecodeKeys);
  const LogicalType count_type(TypeKind::kInt);
  const bool multiset = type.kind() == TypeKind::kMultiset;
  for (;;) {
    const char* marker = take_bytes(in, 1);
    if (marker == nullptr || (*marker != 0x00 && *marker != 0x02)) return corrupt(type);
    if (*marker == 0x00) return Status::ok();
    if (in.empty() || in[0] != 0x01) return corrupt(type);  // Arrow's maps have no null keys
    TG_RETURN_IF_ERROR(append_nullable(type.children()[0].type, in, *builder.key_builder()));
    TG_RETURN_IF_ERROR(append_nullable(multiset ? count_type : type.children()[1].type, in,
                                       *builder.item_builder()));
  }
}

Status append_value(const LogicalType& type, std::string_view& in, arrow::ArrayBuilder& builder) {
  if (is_fixed_width(type)) {
    return with_fixed_width(type, [&]<typename Codec>() {
      const char* bytes = take_bytes(in, Codec::kWidth);
      return bytes == nullptr ? corrupt(type) : append_fixed(type, builder, Codec::read(bytes));
    });
  }
  if (is_text(type)) {
    std::string scratch;
    std::string_view text;
    if (!take_text(in, scratch, text)) return corrupt(type);
    return append_as<arrow::BinaryBuilder>(builder, text);
  }
  switch (type.kind()) {
    case TypeKind::kRow:
      return append_row(type, in, static_cast<arrow::StructBuilder&>(builder));
    case TypeKind::kArray:
      return append_array(type, in, static_cast<arrow::ListBuilder&>(builder));
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return append_map(type, in, static_cast<arrow::MapBuilder&>(builder));
    default:
      return corrupt(type);  // a value of type NULL
  }
}

/// A column of keys of one scalar column: no markers, null is the empty key.
Status append_whole_key(const LogicalType& type, std::string_view key,
                        arrow::ArrayBuilder& builder) {
  if (key.empty()) return append_null(builder);
  if (is_text(type)) {
    if (key[0] == '\0') key.remove_prefix(1);
    return append_as<arrow::BinaryBuilder>(builder, key);
  }
  TG_RETURN_IF_ERROR(append_value(type, key, builder));
  return key.empty() ? Status::ok() : corrupt(type);
}

Result<std::unique_ptr<arrow::ArrayBuilder>> make_builder(const LogicalType& type,
                                                          std::size_t num_rows) {
  TG_ASSIGN_ARROW_OR_RETURN(std::unique_ptr<arrow::ArrayBuilder> builder,
                            arrow::MakeBuilder(type.arrow_type()), kDecodeKeys);
  TG_RETURN_IF_ARROW_ERROR(builder->Reserve(static_cast<std::int64_t>(num_rows)), kDecodeKeys);
  return builder;
}

Result<ArrayPtr> finish(arrow::ArrayBuilder& builder) {
  TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr array, builder.Finish(), kDecodeKeys);
  return array;
}

}  // namespace

Result<std::vector<ArrayPtr>> KeyCodec::decode(std::span<const std::string_view> keys) const {
  std::vector<ArrayPtr> columns;
  if (single_) {
    TG_ASSIGN_OR_RETURN(auto builder, make_builder(types_[0], keys.size()));
    for (std::string_view key : keys)
      TG_RETURN_IF_ERROR(append_whole_key(types_[0], key, *builder));
    TG_ASSIGN_OR_RETURN(columns.emplace_back(), finish(*builder));
    return columns;
  }
  std::vector<std::string_view> rest(keys.begin(), keys.end());
  for (const LogicalType& type : types_) {
    TG_ASSIGN_OR_RETURN(auto builder, make_builder(type, keys.size()));
    for (std::string_view& key : rest) TG_RETURN_IF_ERROR(append_nullable(type, key, *builder));
    TG_ASSIGN_OR_RETURN(columns.emplace_back(), finish(*builder));
  }
  for (std::string_view left : rest) {
    if (!left.empty())
      return error(ErrorCode::kStateCorrupt, "a stored key has {} bytes too many", left.size());
  }
  return columns;
}

}  // namespace tidegate
