// SPDX-License-Identifier: Apache-2.0
#include "state/delta_sorter.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "state/delta.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

constexpr int kGroups = 128;
const std::string kLayout = "bytes";

using Place = std::tuple<int, std::int64_t, std::uint64_t, std::string>;  // with the part
using Rows = std::map<Place, std::optional<std::string>>;

/// Deltas of two writers, and what a sorter of `own` has to make of them.
class Changes {
 public:
  Changes(KeyGroupRange own, int parts) : own_(own), parts_(parts) {}

  std::vector<std::string> add(std::uint64_t seed, int rows) {
    DeltaWriter low(kLayout, {0, kGroups / 2, kGroups});
    DeltaWriter high(kLayout, {kGroups / 2, kGroups, kGroups});
    Random random(seed);
    for (int i = 0; i < rows; ++i) {
      const auto name_space = static_cast<std::int64_t>(random.next() % 7) - 3;
      const std::string key(random.next() % 9, static_cast<char>('a' + random.next() % 26));
      const std::uint64_t hash = hash_key(key);
      const bool is_low = key_group_of(hash, kGroups) < kGroups / 2;
      DeltaWriter& writer = is_low ? low : high;
      const std::uint64_t what = random.next() % 100;
      if (what == 0) {
        writer.drop(name_space);
        drops.insert(name_space);
        std::erase_if(rows_, [&](const auto& row) {
          return std::get<1>(row.first) == name_space &&
                 (key_group_of(std::get<2>(row.first), kGroups) < kGroups / 2) == is_low;
        });
      } else if (what < 20) {
        writer.erase(name_space, hash, key);
        set(name_space, hash, key, std::nullopt);
      } else {
        const std::string value(random.next() % 40, static_cast<char>('0' + seed % 10));
        writer.put(name_space, hash, key, value);
        set(name_space, hash, key, value);
      }
    }
    return {low.finish(), high.finish()};
  }
  const Rows& rows() const { return rows_; }
  std::set<std::int64_t> drops;

 private:
  void set(std::int64_t name_space, std::uint64_t hash, const std::string& key,
           std::optional<std::string> value) {
    const int group = key_group_of(hash, own_.total);
    if (!own_.contains(group)) return;
    int part = 0;
    while (!part_of(own_, part, parts_).contains(group)) ++part;
    rows_[{part, name_space, hash, key}] = std::move(value);
  }
  KeyGroupRange own_;
  int parts_;
  Rows rows_;
};

/// Checks the order, too.
Rows rows_of(DeltaSorter& sorter) {
  const Status finished = sorter.finish();
  TG_CHECK(finished.is_ok(), "{}", finished.to_string());
  Rows rows;
  DeltaSorter::Row row;
  while (true) {
    const Result<bool> more = sorter.next(row);
    TG_CHECK(more.is_ok(), "{}", more.status().to_string());
    if (!*more) return rows;
    Place place(row.part, row.record.name_space, row.record.hash, row.record.key);
    EXPECT_TRUE(rows.empty() || rows.rbegin()->first < place);
    const bool erased = row.record.kind == DeltaRecord::Kind::kErase;
    rows.emplace_hint(rows.end(), std::move(place),
                      erased ? std::nullopt : std::optional<std::string>(row.record.value));
  }
}

TEST(DeltaSorterTest, LastChangeOfAKeyCountsHoweverManyRunsThereAre) {
  // With 2 KiB there are hundreds of runs of a level, with 256 KiB there is one.
  for (const std::size_t memory : {2 << 10, 16 << 10, 256 << 10}) {
    for (const auto& [own, parts] :
         {std::pair(KeyGroupRange{0, kGroups, kGroups}, 1),
          std::pair(KeyGroupRange{0, 128, 128}, 5), std::pair(KeyGroupRange{32, 97, kGroups}, 3)}) {
      SCOPED_TRACE(fmt::format("{} bytes, from {}, {} parts", memory, own.begin, parts));
      DeltaSorter sorter({own, parts, "", memory});
      EXPECT_TRUE(sorter.is_empty());
      Changes changes(own, parts);
      for (std::uint64_t epoch = 1; epoch <= 10; ++epoch) {
        for (const std::string& delta : changes.add(epoch, 1000)) {
          ASSERT_TRUE(sorter.add(delta).is_ok());
        }
      }
      EXPECT_FALSE(sorter.is_empty());
      const std::vector<std::int64_t> drops = sorter.drops();
      EXPECT_EQ(std::set(drops.begin(), drops.end()), changes.drops);
      EXPECT_EQ(rows_of(sorter), changes.rows());
    }
  }
}

TEST(DeltaSorterTest, AnotherLayoutReplacesAllBefore) {
  DeltaSorter sorter({{}, 1, "", 1 << 10});
  Changes changes({}, 1);
  for (const std::string& delta : changes.add(1, 500)) ASSERT_TRUE(sorter.add(delta).is_ok());
  DeltaWriter other("another", {});
  other.put(1, hash_key("k"), "k", "v");
  ASSERT_TRUE(sorter.add(other.finish()).is_ok());
  EXPECT_EQ(sorter.fingerprint(), "another");
  EXPECT_TRUE(sorter.drops().empty());
  EXPECT_EQ(rows_of(sorter), (Rows{{{0, 1, hash_key("k"), "k"}, "v"}}));
}

TEST(DeltaSorterTest, NothingAndDamage) {
  DeltaSorter nothing({});
  EXPECT_TRUE(rows_of(nothing).empty());
  DeltaWriter writer(kLayout, {});
  writer.put(1, 2, "k", "v");
  const std::string good = writer.finish();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x20);
    DeltaSorter sorter({});
    EXPECT_FALSE(sorter.add(bad).is_ok()) << i;
  }
}

}  // namespace
}  // namespace tidegate
