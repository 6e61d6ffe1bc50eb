// SPDX-License-Identifier: Apache-2.0
#include "connectors/datagen/generator.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "types/civil_time.h"
#include "types/decimal.h"

namespace tidegate {

namespace {

constexpr std::int64_t kDefaultLength = 100;
constexpr std::int64_t kDefaultElements = 3;
constexpr std::int64_t kMaxLength = std::int64_t{1} << 20;

// Fields without a seed of their own must differ from each other, the same in every run.
std::int64_t default_seed(std::string_view path) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : path) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return static_cast<std::int64_t>(hash);
}

std::int64_t between(Random& random, std::int64_t min, std::int64_t max) {
  const std::uint64_t span = static_cast<std::uint64_t>(max) - static_cast<std::uint64_t>(min) + 1;
  const std::uint64_t step = span == 0 ? random.next() : random.below(span);
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(min) + step);
}

Result<double> get_real_or(const Options& options, const std::string& name, double fallback) {
  if (!options.has(name)) return fallback;
  const std::string text = options.get_string_or(name, "");
  double value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size())
    return error(ErrorCode::kInvalidOption, "option '{}' is '{}'; it must be a number", name, text);
  return value;
}

// Smallest and largest value of an integer type, else 0 and 0.
std::pair<std::int64_t, std::int64_t> range_of(TypeKind kind) {
  const auto of = []<typename T>(T) {
    return std::pair<std::int64_t, std::int64_t>(std::numeric_limits<T>::min(),
                                                 std::numeric_limits<T>::max());
  };
  switch (kind) {
    case TypeKind::kTinyInt:
      return of(std::int8_t{});
    case TypeKind::kSmallInt:
      return of(std::int16_t{});
    case TypeKind::kInt:
    case TypeKind::kIntervalYearMonth:
      return of(std::int32_t{});
    case TypeKind::kBigInt:
    case TypeKind::kIntervalDayTime:
      return of(std::int64_t{});
    default:
      return {0, 0};
  }
}

double largest_real(const LogicalType& type) {
  if (type.kind() == TypeKind::kFloat) return std::numeric_limits<float>::max();
  if (type.kind() == TypeKind::kDouble) return std::numeric_limits<double>::max();
  // One below what is too large, as far as doubles can say.
  return type.kind() == TypeKind::kDecimal
             ? std::nextafter(std::pow(10.0, type.precision() - type.scale()), 0.0)
             : 0;
}

}  // namespace

Result<ValueGenerator> ValueGenerator::make(const LogicalType& type, const std::string& path,
                                            const Options& options) {
  ValueGenerator generator;
  generator.type_ = type;
  switch (type.kind()) {
    case TypeKind::kNull:
      return error(ErrorCode::kNotSupported, "datagen: field '{}' of type {}", path,
                   type.to_string());
    case TypeKind::kRow:
      for (const LogicalType::Child& child : type.children()) {
        TG_ASSIGN_OR_RETURN(generator.children_.emplace_back(),
                            make(child.type, path + '.' + child.name, options));
      }
      break;
    case TypeKind::kArray:
    case TypeKind::kMultiset: {
      TG_ASSIGN_OR_RETURN(generator.children_.emplace_back(),
                          make(type.children()[0].type, path + ".element", options));
      break;
    }
    case TypeKind::kMap: {
      TG_ASSIGN_OR_RETURN(generator.children_.emplace_back(),
                          make(type.children()[0].type, path + ".key", options));
      TG_ASSIGN_OR_RETURN(generator.children_.emplace_back(),
                          make(type.children()[1].type, path + ".value", options));
      break;
    }
    default:
      break;
  }
  TG_RETURN_IF_ERROR(generator.configure(path, options));
  return generator;
}

Status ValueGenerator::configure(const std::string& path, const Options& options) {
  const std::string prefix = "fields." + path + '.';
  const std::string kind = options.get_string_or(prefix + "kind", "random");
  if (kind != "random" && kind != "sequence")
    return error(ErrorCode::kInvalidOption, "option '{}kind' is '{}'; it is random or sequence",
                 prefix, kind);
  TG_ASSIGN_OR_RETURN(const std::int64_t seed,
                      options.get_int_or(prefix + "seed", default_seed(path)));
  seed_ = static_cast<std::uint64_t>(seed);
  if (kind == "sequence") return configure_sequence(path, options);

  const auto [lowest, highest] = range_of(type_.kind());
  if (lowest < highest) {
    TG_ASSIGN_OR_RETURN(min_, options.get_int_or(prefix + "min", lowest));
    TG_ASSIGN_OR_RETURN(max_, options.get_int_or(prefix + "max", highest));
    if (min_ < lowest || max_ > highest || min_ > max_)
      return error(ErrorCode::kInvalidOption, "datagen: field '{}' from {} to {} is no range of {}",
                   path, min_, max_, type_.to_string());
  } else {
    const double largest = largest_real(type_);
    TG_ASSIGN_OR_RETURN(real_min_, get_real_or(options, prefix + "min", -largest));
    TG_ASSIGN_OR_RETURN(real_max_, get_real_or(options, prefix + "max", largest));
    if (real_min_ < -largest || real_max_ > largest || !(real_min_ <= real_max_))
      return error(ErrorCode::kInvalidOption, "datagen: field '{}' from {} to {} is no range of {}",
                   path, real_min_, real_max_, type_.to_string());
  }
  const bool fixed = type_.kind() == TypeKind::kChar || type_.kind() == TypeKind::kBinary;
  const bool bounded =
      (type_.is_character() || type_.is_bytes()) && type_.length() != LogicalType::kMaxLength;
  const std::int64_t length = bounded             ? type_.length()
                              : type_.is_nested() ? kDefaultElements
                                                  : kDefaultLength;
  TG_ASSIGN_OR_RETURN(length_, options.get_int_or(prefix + "length", length));
  if (length_ < 0 || length_ > (bounded ? type_.length() : kMaxLength) ||
      (fixed && length_ != type_.length()))
    return error(ErrorCode::kInvalidOption, "option '{}length' is {}, which {} cannot have", prefix,
                 length_, type_.to_string());
  TG_ASSIGN_OR_RETURN(varying_length_, options.get_bool_or(prefix + "var-len", false));
  TG_ASSIGN_OR_RETURN(null_rate_, get_real_or(options, prefix + "null-rate", 0));
  if (null_rate_ < 0 || null_rate_ > 1 || (null_rate_ > 0 && !type_.nullable()))
    return error(ErrorCode::kInvalidOption,
                 "option '{}null-rate' is {}; it must be 0 to 1, and 0 for NOT NULL", prefix,
                 null_rate_);
  TG_ASSIGN_OR_RETURN(const std::chrono::milliseconds past,
                      options.get_duration_or(prefix + "max-past", {}));
  max_past_ms_ = past.count();
  return Status::ok();
}

Status ValueGenerator::configure_sequence(const std::string& path, const Options& options) {
  const std::string prefix = "fields." + path + '.';
  for (const char* name : {"start", "end"}) {
    if (!options.has(prefix + name))
      return error(ErrorCode::kMissingOption, "datagen: a sequence needs the option '{}{}'", prefix,
                   name);
  }
  TG_ASSIGN_OR_RETURN(start_, options.get_int_or(prefix + "start", 0));
  TG_ASSIGN_OR_RETURN(end_, options.get_int_or(prefix + "end", 0));
  const auto [lowest, highest] = range_of(type_.kind());
  const bool number =
      lowest < highest || type_.kind() == TypeKind::kFloat || type_.kind() == TypeKind::kDouble;
  if (!number && !type_.is_character())
    return error(ErrorCode::kNotSupported, "datagen: field '{}': a sequence of type {}", path,
                 type_.to_string());
  if (start_ > end_ || (lowest < highest && (start_ < lowest || end_ > highest)))
    return error(ErrorCode::kInvalidOption,
                 "datagen: field '{}' from {} to {} is no sequence of {}", path, start_, end_,
                 type_.to_string());
  sequence_ = true;
  return Status::ok();
}

std::int64_t ValueGenerator::num_rows() const {
  std::int64_t rows = std::numeric_limits<std::int64_t>::max();
  // Full ranges have more values than can be counted, let alone read.
  if (sequence_ && end_ - start_ + 1 > 0) rows = end_ - start_ + 1;
  for (const ValueGenerator& child : children_) rows = std::min(rows, child.num_rows());
  return rows;
}

void ValueGenerator::append_block(ColumnBuilder& column, std::int64_t block, std::int64_t count,
                                  std::int64_t now_ms) const {
  Random random(seed_ ^ (static_cast<std::uint64_t>(block) * 0x9e3779b97f4a7c15));
  for (std::int64_t i = 0; i < count; ++i) append(column, random, block * kBlockRows + i, now_ms);
}

void ValueGenerator::append(ColumnBuilder& column, Random& random, std::int64_t row,
                            std::int64_t now_ms) const {
  if (null_rate_ > 0 && random.real() < null_rate_) {
    column.append_null();
  } else if (!sequence_) {
    append_random(column, random, row, now_ms);
  } else if (type_.is_character()) {
    column.append_bytes(std::to_string(start_ + row));
  } else {
    append_integer(column, start_ + row);
  }
}

void ValueGenerator::append_integer(ColumnBuilder& column, std::int64_t value) const {
  switch (type_.kind()) {
    case TypeKind::kTinyInt:
      return column.append(static_cast<std::int8_t>(value));
    case TypeKind::kSmallInt:
      return column.append(static_cast<std::int16_t>(value));
    case TypeKind::kInt:
    case TypeKind::kIntervalYearMonth:
      return column.append(static_cast<std::int32_t>(value));
    case TypeKind::kFloat:
      return column.append(static_cast<float>(value));
    case TypeKind::kDouble:
      return column.append(static_cast<double>(value));
    default:
      return column.append(value);
  }
}

void ValueGenerator::append_random(ColumnBuilder& column, Random& random, std::int64_t row,
                                   std::int64_t now_ms) const {
  const auto real = [&] {
    const double part = random.real();
    return real_min_ * (1 - part) + real_max_ * part;
  };
  switch (type_.kind()) {
    case TypeKind::kBoolean:
      return column.append_bool((random.next() & 1) != 0);
    case TypeKind::kFloat:
      return column.append(static_cast<float>(real()));
    case TypeKind::kDouble:
      return column.append(real());
    case TypeKind::kDecimal: {
      Int128 value = 0;
      double_to_decimal(real(), type_.precision(), type_.scale(), &value);
      return column.append(value);
    }
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return append_text(column, random);
    case TypeKind::kDate:
      return column.append(static_cast<std::int32_t>(floor_div(now_ms, kMsPerDay)));
    case TypeKind::kTime: {
      const std::int64_t ms = floor_mod(now_ms, kMsPerDay);
      if (type_.precision() <= 3) return column.append(static_cast<std::int32_t>(ms));
      return column.append(ms * (time_units_per_second(type_.precision()) / kMsPerSecond));
    }
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      const std::int64_t ms = now_ms - (max_past_ms_ > 0 ? between(random, 0, max_past_ms_) : 0);
      return column.append(ms * (timestamp_units_per_second(type_.precision()) / kMsPerSecond));
    }
    case TypeKind::kRow:
      for (std::size_t i = 0; i < children_.size(); ++i)
        children_[i].append(column.child(i), random, row, now_ms);
      return column.end_row();
    case TypeKind::kArray:
    case TypeKind::kMap:
    case TypeKind::kMultiset:
      return append_collection(column, random, row, now_ms);
    default:
      return append_integer(column, between(random, min_, max_));
  }
}

void ValueGenerator::append_text(ColumnBuilder& column, Random& random) const {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  const std::int64_t length =
      varying_length_ ? between(random, std::min<std::int64_t>(1, length_), length_) : length_;
  std::uint8_t* const to = column.begin_bytes(static_cast<std::size_t>(length));
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < length; ++i) {
    if (i % 8 == 0) bits = random.next();
    to[i] = type_.is_bytes() ? static_cast<std::uint8_t>(bits)
                             : static_cast<std::uint8_t>(kHexDigits[bits & 15]);
    bits >>= 8;
  }
  column.end_bytes(static_cast<std::size_t>(length));
}

void ValueGenerator::append_collection(ColumnBuilder& column, Random& random, std::int64_t row,
                                       std::int64_t now_ms) const {
  for (std::int64_t i = 0; i < length_; ++i) {
    children_[0].append(column.child(0), random, row, now_ms);
    if (type_.kind() == TypeKind::kMap) children_[1].append(column.child(1), random, row, now_ms);
    if (type_.kind() == TypeKind::kMultiset)
      column.child(1).append(static_cast<std::int32_t>(between(random, 1, 10)));
  }
  column.end_list();
}

}  // namespace tidegate
