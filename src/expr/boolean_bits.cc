// SPDX-License-Identifier: Apache-2.0
#include "expr/boolean_bits.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <bit>
#include <cstring>
#include <utility>

#include "types/arrow_status.h"

namespace tidegate {

namespace {

constexpr std::uint64_t kOnes = ~std::uint64_t{0};

std::size_t word_count(std::int64_t num_rows) {
  return static_cast<std::size_t>((num_rows + 63) / 64);
}

/// Ones for the rows of word `word` that are there.
std::uint64_t rows_mask(std::int64_t num_rows, std::size_t word) {
  const std::int64_t left = num_rows - static_cast<std::int64_t>(word) * 64;
  return left >= 64 ? kOnes : (std::uint64_t{1} << left) - 1;
}

/// Up to 64 bits of a bitmap from `position` on; reads no byte behind the last bit.
std::uint64_t load_bits(const std::uint8_t* bits, std::int64_t position, std::int64_t count) {
  const std::uint8_t* from = bits + position / 8;
  const auto shift = static_cast<int>(position % 8);
  if (count >= 64) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, sizeof(word));
    if (shift == 0) return word;
    return word >> shift | static_cast<std::uint64_t>(from[8]) << (64 - shift);
  }
  std::uint64_t word = 0;
  for (int bit = 0; bit < shift + count; bit += 8) {
    const auto byte = static_cast<std::uint64_t>(from[bit / 8]);
    word |= bit >= shift ? byte << (bit - shift) : byte >> (shift - bit);
  }
  return word & ((std::uint64_t{1} << count) - 1);
}

Result<std::shared_ptr<arrow::Buffer>> to_bitmap(const std::vector<std::uint64_t>& words,
                                                 std::int64_t num_rows) {
  const std::int64_t bytes = (num_rows + 7) / 8;
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer, arrow::AllocateBuffer(bytes),
                            "make a BOOLEAN column");
  if (bytes > 0) std::memcpy(buffer->mutable_data(), words.data(), static_cast<std::size_t>(bytes));
  return buffer;
}

Result<ArrayPtr> to_column(const std::vector<std::uint64_t>& words, std::int64_t num_rows) {
  TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> values, to_bitmap(words, num_rows));
  return arrow::MakeArray(
      arrow::ArrayData::Make(arrow::boolean(), num_rows, {nullptr, std::move(values)}, 0));
}

bool test(const std::vector<std::uint64_t>& bits, std::int32_t row) {
  return (bits[static_cast<std::size_t>(row) / 64] >> (row % 64) & 1) != 0;
}
void put(std::vector<std::uint64_t>& bits, std::int32_t row, bool value) {
  std::uint64_t& word = bits[static_cast<std::size_t>(row) / 64];
  const std::uint64_t bit = std::uint64_t{1} << (row % 64);
  word = value ? word | bit : word & ~bit;
}

}  // namespace

BooleanBits::BooleanBits(std::int64_t num_rows, bool value)
    : num_rows_(num_rows), true_(word_count(num_rows)), false_(word_count(num_rows)) {
  std::vector<std::uint64_t>& all = value ? true_ : false_;
  for (std::size_t w = 0; w < all.size(); ++w) all[w] = rows_mask(num_rows, w);
}

BooleanBits BooleanBits::of(const Argument& argument, std::int64_t num_rows) {
  const auto& array = static_cast<const arrow::BooleanArray&>(*argument.array);
  if (argument.is_constant) {
    BooleanBits constant(num_rows, array.IsValid(0) && array.Value(0));
    if (array.IsNull(0)) constant.false_.assign(constant.false_.size(), 0);
    return constant;
  }
  BooleanBits out(num_rows, false);
  const std::uint8_t* values = array.data()->buffers[1]->data();
  const std::uint8_t* valid = array.null_count() > 0 ? array.null_bitmap_data() : nullptr;
  for (std::size_t w = 0; w < out.true_.size(); ++w) {
    const std::int64_t first = static_cast<std::int64_t>(w) * 64;
    const std::int64_t position = array.offset() + first;
    const std::uint64_t value = load_bits(values, position, num_rows - first);
    const std::uint64_t known =
        valid == nullptr ? rows_mask(num_rows, w) : load_bits(valid, position, num_rows - first);
    out.true_[w] = value & known;
    out.false_[w] = ~value & known;
  }
  return out;
}

void BooleanBits::and_with(const BooleanBits& other) {
  for (std::size_t w = 0; w < true_.size(); ++w) {
    true_[w] &= other.true_[w];
    false_[w] |= other.false_[w];
  }
}

void BooleanBits::or_with(const BooleanBits& other) {
  for (std::size_t w = 0; w < true_.size(); ++w) {
    true_[w] |= other.true_[w];
    false_[w] &= other.false_[w];
  }
}

void BooleanBits::and_with(const BooleanBits& other, const std::vector<std::int32_t>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto from = static_cast<std::int32_t>(i);
    if (!test(other.true_, from)) put(true_, rows[i], false);
    if (test(other.false_, from)) put(false_, rows[i], true);
  }
}

void BooleanBits::or_with(const BooleanBits& other, const std::vector<std::int32_t>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto from = static_cast<std::int32_t>(i);
    if (test(other.true_, from)) put(true_, rows[i], true);
    if (!test(other.false_, from)) put(false_, rows[i], false);
  }
}

Result<ArrayPtr> BooleanBits::to_array() const {
  TG_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> values, to_bitmap(true_, num_rows_));
  std::vector<std::uint64_t> known(true_.size());
  bool all_known = true;
  for (std::size_t w = 0; w < known.size(); ++w) {
    known[w] = true_[w] | false_[w];
    all_known = all_known && known[w] == rows_mask(num_rows_, w);
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (!all_known) {
    TG_ASSIGN_OR_RETURN(validity, to_bitmap(known, num_rows_));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(arrow::boolean(), num_rows_,
                                                 {std::move(validity), std::move(values)},
                                                 all_known ? 0 : arrow::kUnknownNullCount));
}

Result<ArrayPtr> BooleanBits::is_true() const { return to_column(true_, num_rows_); }
Result<ArrayPtr> BooleanBits::is_false() const { return to_column(false_, num_rows_); }

void BooleanBits::append_rows(const std::vector<std::uint64_t>& bits, bool wanted,
                              std::vector<std::int32_t>& rows) const {
  // Room for all, filled through a pointer: the loop has no branch per row but the one on the bits.
  rows.resize(static_cast<std::size_t>(num_rows_));
  std::int32_t* next = rows.data();
  for (std::size_t w = 0; w < bits.size(); ++w) {
    std::uint64_t left = (wanted ? bits[w] : ~bits[w]) & rows_mask(num_rows_, w);
    const auto first = static_cast<std::int32_t>(w * 64);
    if (left == kOnes) {
      for (std::int32_t i = 0; i < 64; ++i) next[i] = first + i;
      next += 64;
      continue;
    }
    for (; left != 0; left &= left - 1) *next++ = first + std::countr_zero(left);
  }
  rows.resize(static_cast<std::size_t>(next - rows.data()));
}

void BooleanBits::rows_true(std::vector<std::int32_t>& rows) const {
  append_rows(true_, true, rows);
}
void BooleanBits::rows_not_true(std::vector<std::int32_t>& rows) const {
  append_rows(true_, false, rows);
}
void BooleanBits::rows_not_false(std::vector<std::int32_t>& rows) const {
  append_rows(false_, false, rows);
}

}  // namespace tidegate
