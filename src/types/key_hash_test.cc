// SPDX-License-Identifier: Apache-2.0
#include "types/key_hash.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "types/key_encoding.h"
#include "types/key_group.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

// The state format: these numbers must never change.
TEST(KeyHashTest, GoldenValues) {
  // Computed by a second implementation, from the description in key_hash.h.
  const std::vector<std::pair<const char*, std::uint64_t>> golden = {
      {"", 0x60c06e5aa6716029ULL},
      {"a", 0x8dec871e9c592646ULL},
      {"/home", 0x482f6791d791c22eULL},
      {"/index.html", 0x9ae16b1bbce7d5a0ULL},
      {"0123456789abcdef", 0x2736f90a959a795fULL},
      {"0123456789abcdef0", 0x4029f53e14b6d594ULL},
      {"0123456789abcdef0123456789abcdef", 0x4b81cda5620533e8ULL},
      {"https://example.com/a/rather/long/page?with=query&and=more", 0xe12b54ca6516a8fcULL}};
  for (const auto& [key, hash] : golden) EXPECT_EQ(hash_key(key), hash) << key;
  EXPECT_EQ(hash_key(std::string_view("\x80\0\0\0\0\0\0\x2a", 8)), 0x2fc9c79906f4ecd1ULL);
}

TEST(KeyHashTest, BatchAndSingleKeysAgree) {
  // Texts of every length around the blocks of 8 and 16 bytes, at every place in a buffer.
  std::string rows = "[";
  for (int size = 1; size < 70; ++size) {
    if (size > 1) rows += ", ";
    rows += "[\"" +
            std::string(static_cast<std::size_t>(size), static_cast<char>('a' + size % 26)) + "\"]";
  }
  rows += "]";
  const Batch batch = batch_of(*schema_of({"k STRING"}), rows);
  const KeyCodec codec({LogicalType::string()});
  for (std::int64_t from = 0; from < batch.num_rows(); ++from) {
    const Batch slice = batch.slice(from, batch.num_rows() - from);
    EncodedKeys keys;
    ASSERT_TRUE(codec.encode(slice.columns(), slice.num_rows(), keys).is_ok());
    std::vector<std::uint64_t> hashes(static_cast<std::size_t>(slice.num_rows()));
    hash_keys(keys, hashes);
    for (std::size_t i = 0; i < hashes.size(); ++i)
      EXPECT_EQ(hashes[i], hash_key(keys.key(static_cast<std::int64_t>(i))));
  }
}

TEST(KeyHashTest, FixedWidthAgrees) {
  const Batch batch = batch_of(*schema_of({"k BIGINT"}), "[[0], [-1], [123456789012]]");
  EncodedKeys keys;
  ASSERT_TRUE(KeyCodec({LogicalType(TypeKind::kBigInt)}).encode(batch.columns(), 3, keys).is_ok());
  std::vector<std::uint64_t> hashes(3);
  hash_keys(keys, hashes);
  for (std::int64_t i = 0; i < 3; ++i)
    EXPECT_EQ(hashes[static_cast<std::size_t>(i)], hash_key(keys.key(i)));
}

TEST(KeyHashTest, LengthAndZerosCount) {
  std::set<std::uint64_t> seen;
  for (std::size_t size = 0; size < 200; ++size) seen.insert(hash_key(std::string(size, '\0')));
  EXPECT_EQ(seen.size(), 200u);
}

TEST(KeyHashTest, EveryInputBitMovesHalfTheOutput) {
  for (std::size_t size : {1, 3, 8, 11, 16, 17, 31, 32, 33, 64}) {
    std::string key(size, '\0');
    for (std::size_t i = 0; i < size; ++i) key[i] = static_cast<char>('a' + i * 7 % 23);
    const std::uint64_t before = hash_key(key);
    double flipped = 0;
    for (std::size_t bit = 0; bit < size * 8; ++bit) {
      std::string changed = key;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
      flipped += std::popcount(before ^ hash_key(changed));
    }
    const double mean = flipped / static_cast<double>(size * 8);
    EXPECT_NEAR(mean, 32.0, size < 8 ? 6.0 : 2.0) << "size " << size;
  }
}

/// How far the counts of n draws over equal buckets are from even, in standard deviations of the
/// chi-squared statistic.
double unevenness(const std::vector<int>& counts, int draws) {
  const double expected = static_cast<double>(draws) / static_cast<double>(counts.size());
  double chi_squared = 0;
  for (int count : counts) chi_squared += (count - expected) * (count - expected) / expected;
  const double freedom = static_cast<double>(counts.size()) - 1;
  return (chi_squared - freedom) / std::sqrt(2 * freedom);
}

TEST(KeyHashTest, SequentialKeysSpreadOverKeyGroupsAndLowBits) {
  constexpr int kKeys = 100000;
  std::vector<int> groups_of_numbers(128), groups_of_texts(128), low_bits(1024);
  for (int i = 0; i < kKeys; ++i) {
    std::string number(8, '\0');
    for (int b = 0; b < 4; ++b)
      number[static_cast<std::size_t>(7 - b)] = static_cast<char>(i >> (8 * b));
    ++groups_of_numbers[static_cast<std::size_t>(key_group_of(hash_key(number), 128))];
    const std::uint64_t hash = hash_key("/page/" + std::to_string(i));
    ++groups_of_texts[static_cast<std::size_t>(key_group_of(hash, 128))];
    ++low_bits[hash % 1024];
  }
  EXPECT_LT(std::abs(unevenness(groups_of_numbers, kKeys)), 4);
  EXPECT_LT(std::abs(unevenness(groups_of_texts, kKeys)), 4);
  EXPECT_LT(std::abs(unevenness(low_bits, kKeys)), 4);
}

TEST(KeyGroupTest, GoldenValues) {
  EXPECT_EQ(key_group_of(0, 128), 0);
  EXPECT_EQ(key_group_of(~std::uint64_t{0}, 128), 127);
  EXPECT_EQ(key_group_of(std::uint64_t{1} << 63, 128), 64);
}

TEST(KeyGroupTest, RangesCoverAllGroupsOnce) {
  for (int total : {1, 7, 128, 32768}) {
    for (int parallelism = 1; parallelism <= std::min(total, 130); ++parallelism) {
      int next = 0;
      for (int subtask = 0; subtask < parallelism; ++subtask) {
        const KeyGroupRange range = key_groups_of_subtask(subtask, total, parallelism);
        ASSERT_EQ(range.begin, next);
        ASSERT_LT(range.begin, range.end);
        next = range.end;
        ASSERT_EQ(subtask_of_key_group(range.begin, total, parallelism), subtask);
        ASSERT_EQ(subtask_of_key_group(range.end - 1, total, parallelism), subtask);
      }
      ASSERT_EQ(next, total);
    }
  }
}

}  // namespace
}  // namespace tidegate
