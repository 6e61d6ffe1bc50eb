// SPDX-License-Identifier: Apache-2.0
//
// Regular joins against a model that joins all rows that are there.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "operators/regular_join_test_rows.h"

namespace tidegate {
namespace {

using namespace regular_join_test;

struct ModelRow {
  std::optional<std::string> key;
  std::optional<std::int64_t> value;
  auto operator<=>(const ModelRow&) const = default;

  std::string json() const {
    return fmt::format("[{}, {}]", key ? "\"" + *key + "\"" : "null", value_text());
  }
  std::string text() const { return fmt::format("{}, {}", key.value_or("null"), value_text()); }
  std::string value_text() const { return value ? std::to_string(*value) : "null"; }
};
using Rows = std::vector<ModelRow>;
using Counts = std::map<std::string, int>;

struct Case {
  JoinKind kind;
  bool condition;
  bool unique;  // the values of a side are unique
  bool not_in;
  bool inserts;  // nothing is taken back
};

bool matches(const Case& test, const ModelRow& left, const ModelRow& right) {
  if (test.not_in && left.value && right.value && left.value != right.value) return false;
  if (!left.key || left.key != right.key) return false;
  return !test.condition || (left.value && right.value && *left.value <= *right.value);
}

Counts joined(const Case& test, const Rows& left, const Rows& right) {
  Counts out;
  const bool left_only = test.kind == JoinKind::kSemi || test.kind == JoinKind::kAnti;
  const bool full = test.kind == JoinKind::kFull;
  for (const ModelRow& l : left) {
    bool any = false;
    for (const ModelRow& r : right) {
      if (!matches(test, l, r)) continue;
      any = true;
      if (!left_only) ++out[fmt::format("[{}, {}]", l.text(), r.text())];
    }
    if (test.kind == (any ? JoinKind::kSemi : JoinKind::kAnti)) ++out["[" + l.text() + "]"];
    if (!any && (full || test.kind == JoinKind::kLeft)) ++out["[" + l.text() + ", null, null]"];
  }
  for (const ModelRow& r : right) {
    const auto matched = [&](const ModelRow& l) { return matches(test, l, r); };
    if (!full && test.kind != JoinKind::kRight) break;
    if (std::ranges::none_of(left, matched)) ++out["[null, null, " + r.text() + "]"];
  }
  return out;
}

/// What the changes come to; no row is taken back that is not there.
Counts fold(const std::vector<std::string>& changes) {
  Counts counts;
  for (const std::string& change : changes) {
    int& count = counts[change.substr(2)];
    count += change[0] == '+' ? 1 : -1;
    EXPECT_GE(count, 0) << change;
  }
  std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
  return counts;
}

/// Random changes of both sides; `sides` is what is there at the end.
Script random_script(Random& random, const Case& test, std::array<Rows, 2>& sides) {
  Script script;
  for (int step = 0; step < 30; ++step) {
    const int side = static_cast<int>(random.below(2));
    Rows& there = sides[static_cast<std::size_t>(side)];
    std::vector<RowKind> kinds;
    std::string json;
    const auto change = [&](RowKind kind, const ModelRow& row) {
      kinds.push_back(kind);
      json += (json.empty() ? "" : ",") + row.json();
    };
    for (int i = 0; i < 6; ++i) {
      if (!test.inserts && !there.empty() && random.below(5) < 2) {
        const auto gone = there.begin() + static_cast<std::ptrdiff_t>(random.below(there.size()));
        change(random.below(2) == 0 ? kD : kUb, *gone);
        there.erase(gone);
        continue;
      }
      ModelRow row{fmt::format("k{}", random.below(3)), random.below(6)};
      if (random.below(8) == 0) row.key.reset();
      if (random.below(8) == 0 && !test.unique) row.value.reset();
      if (test.unique && std::ranges::find(there, row) != there.end()) {
        if (!row.key) continue;  // there are no states for null keys, so nothing is replaced
      } else {
        there.push_back(row);
      }
      change(test.inserts || random.below(2) == 0 ? kI : kUa, row);
    }
    if (!kinds.empty()) script.push_back({side, rows(kinds, "[" + json + "]"), kMinWatermark});
  }
  return script;
}

TEST(RegularJoinModel, AgreesUnderChaos) {
  std::vector<Case> cases;
  for (int kind = 0; kind < 6; ++kind) {
    for (const bool condition : {false, true}) {
      cases.push_back({static_cast<JoinKind>(kind), condition, false, false, false});
      cases.push_back({static_cast<JoinKind>(kind), condition, false, false, true});
      cases.push_back({static_cast<JoinKind>(kind), condition, true, false, false});
    }
  }
  cases.push_back({JoinKind::kAnti, false, false, true, false});
  cases.push_back({JoinKind::kAnti, true, false, true, true});
  std::uint64_t seed = 0;
  for (const Case& test : cases) {
    Random random(++seed);
    RegularJoinOptions all = options(test.kind);
    if (test.condition) all.condition = in_order;
    for (RegularJoinInput* side : {&all.left, &all.right}) {
      if (test.unique) side->unique_key = {1};
      side->upserts = test.unique;
      side->insert_only = test.inserts;
    }
    if (test.not_in) all.null_aware = {{1, 1}};
    std::array<Rows, 2> sides;
    const Script script = random_script(random, test, sides);
    EXPECT_EQ(fold(expect_same_under_chaos(factory(all), script, true, 1)),
              joined(test, sides[0], sides[1]))
        << "seed " << seed;
  }
}

}  // namespace
}  // namespace tidegate
