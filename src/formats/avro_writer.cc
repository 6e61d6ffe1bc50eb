// SPDX-License-Identifier: Apache-2.0
#include "formats/avro_writer.h"

#include <cstddef>

#include "base/check.h"
#include "types/decimal.h"

namespace tidegate {

namespace {

constexpr std::int64_t kNanosPerMicro = 1000;

/// Little-endian, as the numbers lie in memory.
template <typename T>
void append_fixed(T value, std::string& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

}  // namespace

void append_avro_long(std::int64_t value, std::string& out) {
  auto bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
  while (bits >= 0x80) {
    out += static_cast<char>(bits | 0x80);
    bits >>= 7;
  }
  out += static_cast<char>(bits);
}

AvroWriter::AvroWriter(const LogicalType& type) : BoundValues(type) {
  for (const LogicalType::Child& child : type.children()) children_.emplace_back(child.type);
  if (type.kind() == TypeKind::kMultiset)
    children_.emplace_back(LogicalType(TypeKind::kInt, /*nullable=*/false));
}

Status AvroWriter::write(std::int64_t row, std::string& out) const {
  if (type_.kind() == TypeKind::kNull) return Status::ok();
  if (type_.nullable()) {
    // The branch of the union: null is the first, the value the second.
    const bool null = is_null(row);
    out += static_cast<char>(null ? 0 : 2);
    if (null) return Status::ok();
  }
  return write_value(row, out);
}

Status AvroWriter::write_value(std::int64_t row, std::string& out) const {
  switch (type_.kind()) {
    case TypeKind::kBoolean:
      out += static_cast<char>(boolean(row) ? 1 : 0);
      break;
    case TypeKind::kTinyInt:
      append_avro_long(value<std::int8_t>(row), out);
      break;
    case TypeKind::kSmallInt:
      append_avro_long(value<std::int16_t>(row), out);
      break;
    case TypeKind::kInt:
    case TypeKind::kDate:
      append_avro_long(value<std::int32_t>(row), out);
      break;
    case TypeKind::kTime:
      append_avro_long(type_.precision() <= 3 ? value<std::int32_t>(row)
                                              : value<std::int64_t>(row) / kNanosPerMicro,
                       out);
      break;
    case TypeKind::kBigInt:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz:
      append_avro_long(value<std::int64_t>(row), out);
      break;
    case TypeKind::kFloat:
      append_fixed(value<std::int32_t>(row), out);
      break;
    case TypeKind::kDouble:
      append_fixed(value<std::int64_t>(row), out);
      break;
    case TypeKind::kDecimal:
      write_decimal(row, out);
      break;
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return write_list(row, out);
    case TypeKind::kRow:
      for (const AvroWriter& child : children_) TG_RETURN_IF_ERROR(child.write(row, out));
      break;
    default: {
      const std::string_view text = bytes(row);
      append_avro_long(static_cast<std::int64_t>(text.size()), out);
      out += text;
    }
  }
  return Status::ok();
}

// Two's complement, the highest byte first, and as few bytes as hold the sign.
void AvroWriter::write_decimal(std::int64_t row, std::string& out) const {
  const auto unscaled = value<Int128>(row);
  int size = 1;
  while (size < 16 && unscaled >> (8 * size - 1) != 0 && unscaled >> (8 * size - 1) != -1) ++size;
  append_avro_long(size, out);
  for (int i = size - 1; i >= 0; --i) out += static_cast<char>(unscaled >> (8 * i));
}

// One block with all elements, then the empty one that ends every list.
Status AvroWriter::write_list(std::int64_t row, std::string& out) const {
  const auto begin = value<std::int32_t>(row);
  const auto end = value<std::int32_t>(row + 1);
  const bool with_keys = children_.size() == 2;
  if (end > begin) append_avro_long(end - begin, out);
  for (std::int32_t i = begin; i < end; ++i) {
    if (with_keys) {
      // Keys are strings that are never null, whatever the type says.
      if (children_[0].is_null(i))
        return error(ErrorCode::kNullKey, "a map has a null key, which Avro cannot say");
      const std::string_view key = children_[0].bytes(i);
      append_avro_long(static_cast<std::int64_t>(key.size()), out);
      out += key;
    }
    TG_RETURN_IF_ERROR(children_.back().write(i, out));
  }
  append_avro_long(0, out);
  return Status::ok();
}

}  // namespace tidegate
