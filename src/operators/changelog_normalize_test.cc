// SPDX-License-Identifier: Apache-2.0
#include "operators/changelog_normalize.h"

#include <gmock/gmock.h>

#include <map>

#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ChangelogNormalizeOptions options() {
  return {.types = {LogicalType::string(), LogicalType(TypeKind::kBigInt)}, .keys = {0}};
}

OperatorFactory factory(const ChangelogNormalizeOptions& options) {
  return [options] { return make_changelog_normalize(options); };
}

Batch rows(std::string_view json, const std::vector<RowKind>& kinds) {
  return with_row_kinds(batch_of(schema_of("k STRING, v BIGINT"), json), kinds);
}

constexpr RowKind kI = RowKind::kInsert;
constexpr RowKind kU = RowKind::kUpdateAfter;
constexpr RowKind kB = RowKind::kUpdateBefore;
constexpr RowKind kD = RowKind::kDelete;

TEST(ChangelogNormalizeTest, UpsertsBecomeChanges) {
  OperatorHarness harness(factory(options()));
  harness.push(
      rows(R"([["a", 1], ["a", 2], ["b", 3], ["b", 3], ["c", null]])", {kU, kI, kI, kU, kD}));
  harness.restart();
  harness.push(rows(R"([["a", null], ["a", null], ["b", 4], ["a", 5]])", {kD, kD, kU, kU}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1]", "-U[a, 1]", "+U[a, 2]", "+I[b, 3]",
                                               "-D[a, 2]", "-U[b, 3]", "+U[b, 4]", "+I[a, 5]"));
}

TEST(ChangelogNormalizeTest, WithoutUpdateBefore) {
  ChangelogNormalizeOptions upserts = options();
  upserts.emit_update_before = false;
  OperatorHarness harness(factory(upserts));
  harness.push(rows(R"([["a", 1], ["a", 2], ["a", 2]])", {kI, kU, kB}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1]", "+U[a, 2]", "-D[a, 2]"));
}

TEST(ChangelogNormalizeTest, KeysAreForgotten) {
  ChangelogNormalizeOptions forgets = options();
  forgets.ttl_ms = 100;
  OperatorHarness harness(factory(forgets));
  harness.push(rows(R"([["a", 1], ["b", 1]])", {kI, kI}));
  harness.advance_clock_to(60);
  harness.push(rows(R"([["a", 1]])", {kU}));
  harness.advance_clock_to(120);
  harness.push(rows(R"([["a", 2], ["b", 2]])", {kU, kU}));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a, 1]", "+I[b, 1]", "-U[a, 1]", "+U[a, 1]",
                                               "-U[a, 1]", "+U[a, 2]", "+I[b, 2]"));
}

TEST(ChangelogNormalizeTest, FoldsToTheLastRowsHoweverItIsCut) {
  Random random(5);
  std::string json = "[";
  std::vector<RowKind> kinds;
  std::map<std::string, int> last;
  for (int i = 0; i < 300; ++i) {
    const std::string key(1, static_cast<char>('a' + random.below(6)));
    const int value = static_cast<int>(random.below(3));
    json += (i == 0 ? "[\"" : ",[\"") + key + "\", " + std::to_string(value) + "]";
    kinds.push_back(std::vector{kI, kU, kD}[random.below(3)]);
    if (kinds.back() == kD) {
      last.erase(key);
    } else {
      last[key] = value;
    }
  }
  const auto out = expect_same_under_chaos(factory(options()),
                                           {{0, rows(json + "]", kinds), kMinWatermark}}, true, 3);
  std::map<std::string, std::string> folded;
  for (const std::string& row : out) {
    const std::string key = row.substr(3, 1);
    if (row.starts_with("+")) {
      EXPECT_FALSE(folded.contains(key)) << row;
      folded[key] = row.substr(2);
    } else {
      EXPECT_EQ(folded[key], row.substr(2));
      folded.erase(key);
    }
  }
  ASSERT_EQ(folded.size(), last.size());
  for (const auto& [key, value] : last) {
    EXPECT_EQ(folded[key], "[" + key + ", " + std::to_string(value) + "]");
  }
}

TEST(ChangelogNormalizeTest, NeedsAKey) {
  EXPECT_FALSE(make_changelog_normalize({.types = {}, .keys = {}}).is_ok());
}

}  // namespace
}  // namespace tidegate
