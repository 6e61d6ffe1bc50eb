// SPDX-License-Identifier: Apache-2.0
#include "state/state_table.h"

#include <arrow/builder.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/random.h"
#include "tests/support/evicting_backend.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

constexpr KeyGroupRange kAllGroups{0, 128, 128};

StateTableSpec counts_spec() { return {"counts", std::make_shared<FixedLayout>(8)}; }
StateTableSpec bytes_spec() { return {"bytes", std::make_shared<BytesLayout>()}; }

StateKey key_of(const std::string& bytes) { return {bytes, hash_key(bytes)}; }

std::int64_t& number(std::byte* value) { return *reinterpret_cast<std::int64_t*>(value); }

std::byte* must_create(StateTable& table, std::int64_t name_space, const std::string& key) {
  Result<std::byte*> value = table.find_or_create(name_space, key_of(key));
  EXPECT_TRUE(value.is_ok()) << value.status().to_string();
  return *value;
}

StateTable& must_open(StateBackend& backend, const StateTableSpec& spec) {
  Result<StateTable*> table = backend.table(spec);
  EXPECT_TRUE(table.is_ok()) << table.status().to_string();
  return **table;
}

std::vector<StateDelta> must_seal(StateBackend& backend, EpochId epoch) {
  Result<std::vector<StateDelta>> deltas = backend.seal(epoch);
  EXPECT_TRUE(deltas.is_ok()) << deltas.status().to_string();
  return *std::move(deltas);
}

std::vector<StateDelta> must_dump(StateBackend& backend, EpochId epoch) {
  Result<std::vector<StateDelta>> deltas = backend.dump(epoch);
  EXPECT_TRUE(deltas.is_ok()) << deltas.status().to_string();
  return *std::move(deltas);
}

/// On both stores; the one that evicts has no room at all.
class StateTableTest : public ::testing::TestWithParam<const char*> {
 protected:
  std::unique_ptr<StateBackend> make_backend(KeyGroupRange range) const {
    return GetParam() == std::string("memory") ? make_memory_state_backend(range)
                                               : make_evicting_backend(range);
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, StateTableTest, ::testing::Values("memory", "rocksdb"),
                         [](const auto& store) { return std::string(store.param); });

using Rows = std::map<std::pair<std::int64_t, std::string>, std::string>;

/// Everything in the table, values as bytes.
Rows rows_of(const StateTable& table) {
  Rows rows;
  for (auto ns = table.first_namespace(); ns; ns = table.namespace_above(*ns)) {
    RowCursor cursor;
    std::vector<std::byte*> values(3);
    while (const std::size_t count = table.next(*ns, cursor, values)) {
      for (std::size_t i = 0; i < count; ++i) {
        std::string bytes;
        table.spec().layout->serialize(values[i], bytes);
        const bool fresh =
            rows.emplace(std::pair(*ns, std::string(table.key(values[i]))), bytes).second;
        EXPECT_TRUE(fresh) << "a row comes twice";
        EXPECT_EQ(table.hash(values[i]), hash_key(table.key(values[i])));
      }
    }
  }
  return rows;
}

EncodedKeys encode(const KeyCodec& codec, const std::vector<ArrayPtr>& columns, std::int64_t rows) {
  EncodedKeys keys;
  EXPECT_TRUE(codec.encode(columns, rows, keys).is_ok());
  return keys;
}

TEST_P(StateTableTest, RowsAreMadeOnceAndZeroed) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  std::byte* value = must_create(table, 7, "a");
  EXPECT_EQ(number(value), 0);
  number(value) = 5;
  EXPECT_EQ(must_create(table, 7, "a"), value);
  EXPECT_EQ(number(must_create(table, 8, "a")), 0);
  EXPECT_EQ(table.find(7, key_of("b")), nullptr);
  EXPECT_EQ(table.find(9, key_of("a")), nullptr);
  EXPECT_EQ(table.num_rows(), 2);
}

TEST_P(StateTableTest, TheEmptyKeyIsAKey) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  number(must_create(table, 0, "")) = 3;
  EXPECT_EQ(number(table.find(0, key_of(""))), 3);
}

TEST_P(StateTableTest, ErasedRowsComeBackEmpty) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  number(must_create(table, 0, "a")) = 3;
  EXPECT_TRUE(table.erase(0, key_of("a")));
  EXPECT_FALSE(table.erase(0, key_of("a")));
  EXPECT_EQ(table.find(0, key_of("a")), nullptr);
  EXPECT_EQ(table.num_rows(0), 0);
  EXPECT_EQ(number(must_create(table, 0, "a")), 0);
}

TEST_P(StateTableTest, ManyRowsInEveryKindOfIndex) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  // Passes the linear list, the cached index and the prefetched one.
  for (int i = 0; i < 50000; ++i) number(must_create(table, 1, "key" + std::to_string(i))) = i;
  for (int i = 0; i < 50000; ++i) {
    std::byte* value = table.find(1, key_of("key" + std::to_string(i)));
    ASSERT_NE(value, nullptr) << i;
    ASSERT_EQ(number(value), i);
  }
  EXPECT_EQ(table.find(1, key_of("key50000")), nullptr);
}

TEST_P(StateTableTest, IterationIsInOrderOfCreation) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  for (int i = 0; i < 1000; ++i) must_create(table, 1, std::to_string(i));
  for (int i = 0; i < 1000; i += 3) table.erase(1, key_of(std::to_string(i)));
  RowCursor cursor;
  std::vector<std::byte*> values(7);
  int expected = 0;
  while (const std::size_t count = table.next(1, cursor, values)) {
    for (std::size_t i = 0; i < count; ++i) {
      if (expected % 3 == 0) ++expected;
      ASSERT_EQ(table.key(values[i]), std::to_string(expected++));
    }
  }
  EXPECT_EQ(expected, 999);
}

TEST_P(StateTableTest, LongKeysTakePagesOfTheirOwn) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, bytes_spec());
  for (std::size_t length : {1u, 1000u, 100000u, 1048576u, 3000000u, 5u}) {
    BytesLayout::assign(must_create(table, 0, std::string(length, 'x')), std::to_string(length));
  }
  for (std::size_t length : {1u, 1000u, 100000u, 1048576u, 3000000u, 5u}) {
    EXPECT_EQ(BytesLayout::view(table.find(0, key_of(std::string(length, 'x')))),
              std::to_string(length));
  }
}

TEST_P(StateTableTest, NamespacesAreOrdered) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  EXPECT_FALSE(table.first_namespace());
  for (std::int64_t ns : {5, -3, 9}) must_create(table, ns, "a");
  EXPECT_EQ(table.first_namespace(), -3);
  EXPECT_EQ(table.namespace_above(-3), 5);
  EXPECT_EQ(table.namespace_at_or_above(5), 5);
  EXPECT_FALSE(table.namespace_above(9));
  EXPECT_EQ(table.first_namespace_at_or_below(-3), -3);
  EXPECT_FALSE(table.first_namespace_at_or_below(-4));
}

TEST_P(StateTableTest, MemoryIsCountedAndGivenBack) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, bytes_spec());
  EXPECT_EQ(backend->memory_bytes(), 0);
  for (int i = 0; i < 100; ++i) {
    std::byte* value = must_create(table, i % 3, std::to_string(i));
    BytesLayout::assign(value, std::string(1000, 'v'));
    table.count_owned(1000);
  }
  EXPECT_GT(backend->memory_bytes(), 100 * 1000);
  EXPECT_GT(backend->dirty_bytes(), 0);
  for (int i = 0; i < 100; i += 2) table.erase(i % 3, key_of(std::to_string(i)));
  for (int ns = 0; ns < 3; ++ns) table.drop(ns);
  EXPECT_EQ(backend->memory_bytes(), 0);
  EXPECT_EQ(backend->dirty_bytes(), 0);
}

TEST(StateBudgetTest, TheBudgetIsAnErrorWithARemedy) {
  auto backend = make_memory_state_backend(kAllGroups, 1 << 20);
  StateTable& table = must_open(*backend, counts_spec());
  Status status;
  for (int i = 0; i < 100000 && status.is_ok(); ++i) {
    status = table.find_or_create(0, key_of(std::to_string(i))).status();
  }
  ASSERT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kOutOfMemory);
  EXPECT_NE(status.remedy().find("--state rocksdb"), std::string_view::npos);
}

TEST_P(StateTableTest, AnotherLayoutUnderTheSameNameIsAMismatch) {
  auto backend = make_backend(kAllGroups);
  must_open(*backend, counts_spec());
  StateTableSpec other{"counts", std::make_shared<FixedLayout>(16)};
  EXPECT_EQ(backend->table(other).status().code(), ErrorCode::kStateMismatch);
}

/// Random work on a table and on a map that does the same.
class RandomWork {
 public:
  RandomWork(StateTable& table, std::uint64_t seed) : table_(table), random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
  }
  const Rows& model() const { return model_; }

 private:
  void step() {
    const auto ns = static_cast<std::int64_t>(random_.below(4));
    const std::string key = "k" + std::to_string(random_.below(120));
    const std::uint64_t what = random_.below(1000);
    if (what < 3) {
      table_.drop(ns);
      std::erase_if(model_, [&](const auto& row) { return row.first.first == ns; });
    } else if (what < 450) {
      EXPECT_EQ(table_.erase(ns, key_of(key)), model_.erase({ns, key}) == 1);
    } else {
      const std::string text(random_.below(40), static_cast<char>('a' + random_.below(26)));
      std::byte* value = must_create(table_, ns, key);
      BytesLayout::assign(value, text);
      std::string bytes;
      table_.spec().layout->serialize(value, bytes);
      model_[{ns, key}] = bytes;
    }
  }

  StateTable& table_;
  Random random_;
  Rows model_;
};

TEST_P(StateTableTest, RandomWorkEqualsAMap) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, bytes_spec());
  RandomWork work(table, 1);
  for (int round = 0; round < 50; ++round) {
    work.run(300);
    ASSERT_EQ(rows_of(table), work.model());
  }
}

TEST_P(StateTableTest, DeltasRebuildTheState) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, bytes_spec());
  RandomWork work(table, 2);
  std::vector<StateDelta> deltas;
  for (EpochId epoch = 1; epoch <= 40; ++epoch) {
    work.run(200);
    std::vector<StateDelta> sealed = must_seal(*backend, epoch);
    EXPECT_EQ(backend->dirty_bytes(), 0);
    for (StateDelta& delta : sealed) deltas.push_back(std::move(delta));
    ASSERT_EQ(rows_of(table), work.model()) << "sealing changes nothing";
    auto restored = make_backend(kAllGroups);
    for (const StateDelta& delta : deltas) ASSERT_TRUE(restored->restore(delta).is_ok());
    ASSERT_EQ(rows_of(must_open(*restored, bytes_spec())), work.model()) << "epoch " << epoch;
  }
}

TEST_P(StateTableTest, ABaseAndLaterDeltasRebuildTheState) {
  auto backend = make_backend(kAllGroups);
  RandomWork work(must_open(*backend, bytes_spec()), 3);
  work.run(500);
  ASSERT_TRUE(backend->seal(1).is_ok());
  std::vector<StateDelta> deltas = must_dump(*backend, 1);
  auto restored = make_backend(kAllGroups);
  for (EpochId epoch = 2; epoch <= 5; ++epoch) {
    work.run(100);
    for (StateDelta& delta : must_seal(*backend, epoch)) deltas.push_back(std::move(delta));
  }
  for (const StateDelta& delta : deltas) ASSERT_TRUE(restored->restore(delta).is_ok());
  StateTable& copy = must_open(*restored, bytes_spec());
  EXPECT_EQ(rows_of(copy), work.model());
  EXPECT_EQ(restored->dirty_bytes(), 0) << "what was restored is clean";
  EXPECT_TRUE(must_seal(*restored, 6).empty());
}

TEST_P(StateTableTest, ADeltaHoldsOnlyWhatChanged) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  for (int i = 0; i < 1000; ++i) number(must_create(table, 1, std::to_string(i))) = i;
  const std::size_t full = must_seal(*backend, 1).at(0).bytes.size();
  EXPECT_TRUE(must_seal(*backend, 2).empty());
  number(must_create(table, 1, "17")) = 0;
  table.find(1, key_of("18"));  // reading changes nothing
  EXPECT_LT(must_seal(*backend, 3).at(0).bytes.size(), full / 50);
  number(table.find(1, key_of("19"))) = 0;
  table.touch(1, table.find(1, key_of("19")));
  EXPECT_EQ(must_seal(*backend, 4).size(), 1u);
  must_create(table, 1, "new");
  table.erase(1, key_of("new"));
  EXPECT_TRUE(must_seal(*backend, 5).empty()) << "made and erased within the epoch";
  table.drop(1);
  EXPECT_LT(must_seal(*backend, 6).at(0).bytes.size(), 200u) << "a drop is one record";
}

TEST_P(StateTableTest, DirtyRowsAreKnown) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  const auto dirty = [&] {
    std::map<std::string, bool> keys;  // and whether an earlier epoch had them
    std::vector<std::byte*> values(3);
    DirtyCursor cursor;
    while (const std::size_t count = table.next_dirty(1, cursor, values)) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::string key(table.key(values[i]));
        EXPECT_TRUE(keys.emplace(key, table.was_sealed(values[i])).second);
      }
    }
    return keys;
  };
  for (const char* key : {"a", "b", "c", "d", "e", "f"}) must_create(table, 1, key);
  table.erase(1, key_of("b"));
  EXPECT_EQ(dirty(), (std::map<std::string, bool>{
                         {"a", false}, {"c", false}, {"d", false}, {"e", false}, {"f", false}}));
  must_seal(*backend, 1);
  EXPECT_TRUE(dirty().empty());
  for (const char* key : {"g", "h", "a", "c", "d", "e"}) must_create(table, 1, key);
  table.erase(1, key_of("c"));
  EXPECT_EQ(dirty(), (std::map<std::string, bool>{
                         {"a", true}, {"d", true}, {"e", true}, {"g", false}, {"h", false}}));
}

TEST_P(StateTableTest, EachTaskTakesItsKeyGroups) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  for (int i = 0; i < 1000; ++i) must_create(table, i % 5, std::to_string(i));
  std::vector<StateDelta> base = must_dump(*backend, 1);
  Rows together;
  for (int subtask = 0; subtask < 3; ++subtask) {
    auto part = make_backend(key_groups_of_subtask(subtask, 128, 3));
    for (const StateDelta& delta : base) ASSERT_TRUE(part->restore(delta).is_ok());
    const Rows rows = rows_of(must_open(*part, counts_spec()));
    EXPECT_GT(rows.size(), 250u);
    together.insert(rows.begin(), rows.end());
    EXPECT_LT(rows.size(), 400u);
  }
  EXPECT_EQ(together, rows_of(table));
}

TEST_P(StateTableTest, ADropReachesOnlyTheRowsOfItsWriter) {
  // Two tasks wrote; only the first has dropped namespace 1. One task takes over both.
  std::vector<StateDelta> deltas;
  std::set<std::string> kept;
  for (int subtask = 1; subtask >= 0; --subtask) {
    const KeyGroupRange range = key_groups_of_subtask(subtask, 128, 2);
    auto backend = make_backend(range);
    StateTable& table = must_open(*backend, counts_spec());
    for (int i = 0; i < 100; ++i) {
      const std::string key = std::to_string(i);
      if (!range.contains(key_group_of(hash_key(key), 128))) continue;
      must_create(table, 1, key);
      if (subtask == 1) kept.insert(key);
    }
    for (StateDelta& delta : must_seal(*backend, 1)) deltas.push_back(std::move(delta));
    if (subtask == 0) table.drop(1);
    for (StateDelta& delta : must_seal(*backend, 2)) deltas.push_back(std::move(delta));
  }
  auto restored = make_backend(kAllGroups);
  for (const StateDelta& delta : deltas) ASSERT_TRUE(restored->restore(delta).is_ok());
  std::set<std::string> found;
  for (const auto& [address, value] : rows_of(must_open(*restored, counts_spec()))) {
    found.insert(address.second);
  }
  EXPECT_EQ(found, kept);
}

TEST_P(StateTableTest, StateThatNobodyAskedForIsDumpedAgain) {
  auto backend = make_backend(kAllGroups);
  for (int i = 0; i < 100; ++i)
    must_create(must_open(*backend, counts_spec()), 0, std::to_string(i));
  Rows together;
  for (int subtask = 0; subtask < 2; ++subtask) {
    const KeyGroupRange range = key_groups_of_subtask(subtask, 128, 2);
    auto idle = make_backend(range);
    for (const StateDelta& delta : must_dump(*backend, 1))
      ASSERT_TRUE(idle->restore(delta).is_ok());
    auto reader = make_backend(kAllGroups);
    for (const StateDelta& delta : must_dump(*idle, 2)) ASSERT_TRUE(reader->restore(delta).is_ok());
    const Rows rows = rows_of(must_open(*reader, counts_spec()));
    EXPECT_LT(rows.size(), 70u) << "without the rows of other tasks";
    together.insert(rows.begin(), rows.end());
  }
  EXPECT_EQ(together.size(), 100u);
}

TEST_P(StateTableTest, TransientTablesAreNoPartOfTheState) {
  auto backend = make_backend(kAllGroups);
  StateTableSpec spec = counts_spec();
  spec.transient = true;
  StateTable& table = must_open(*backend, spec);
  must_create(table, 1, "a");
  EXPECT_GT(backend->memory_bytes(), 0);
  EXPECT_EQ(backend->dirty_bytes(), 0);
  EXPECT_TRUE(must_seal(*backend, 1).empty());
  EXPECT_TRUE(must_dump(*backend, 1).empty());
}

TEST_P(StateTableTest, StampsTravelWithTheirRows) {
  StateTableSpec spec = counts_spec();
  spec.stamped = true;
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, spec);
  std::byte* value = must_create(table, 0, "a");
  number(value) = 3;
  table.stamp(value) = 77;
  auto restored = make_backend(kAllGroups);
  for (const StateDelta& delta : must_seal(*backend, 1))
    ASSERT_TRUE(restored->restore(delta).is_ok());
  StateTable& copy = must_open(*restored, spec);
  EXPECT_EQ(copy.stamp(copy.find(0, key_of("a"))), 77);
  EXPECT_EQ(number(copy.find(0, key_of("a"))), 3);
  auto other = make_backend(kAllGroups);
  for (const StateDelta& delta : must_dump(*restored, 2))
    ASSERT_TRUE(other->restore(delta).is_ok());
  EXPECT_EQ(other->table(counts_spec()).status().code(), ErrorCode::kStateMismatch);
}

/// Owns memory and cannot be moved by copying bytes: it points into itself.
class SelfPointingLayout final : public ValueLayout {
 public:
  std::string fingerprint() const override { return "self-pointing"; }
  std::int32_t size_bytes() const override { return 16; }
  void create(std::byte* value) const override {
    auto** words = reinterpret_cast<std::int64_t**>(value);
    words[0] = reinterpret_cast<std::int64_t*>(words + 1);
  }
  bool needs_create() const override { return true; }
  void destroy(std::byte* value) const override { EXPECT_TRUE(points_to_itself(value)); }
  bool needs_destroy() const override { return true; }
  void serialize(const std::byte* value, std::string& out) const override {
    EXPECT_TRUE(points_to_itself(value));
    out.append(reinterpret_cast<const char*>(value) + 8, 8);
  }
  Status deserialize(std::string_view& in, std::byte* value) const override {
    std::memcpy(value + 8, in.data(), 8);
    in.remove_prefix(8);
    return Status::ok();
  }
  static bool points_to_itself(const std::byte* value) {
    return *reinterpret_cast<const std::byte* const*>(value) == value + 8;
  }
};

TEST_P(StateTableTest, ValuesThatCannotBeCopiedSurviveCompaction) {
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, {"self", std::make_shared<SelfPointingLayout>()});
  std::map<std::string, std::int64_t> model;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = std::to_string(i);
    number(must_create(table, 0, key) + 8) = i;
    model[key] = i;
    if (i >= 50) {
      table.erase(0, key_of(std::to_string(i - 50)));
      model.erase(std::to_string(i - 50));
    }
  }
  EXPECT_GT(table.generation(0), 10u);
  for (const auto& [key, value] : model) {
    ASSERT_NE(table.find(0, key_of(key)), nullptr);
    ASSERT_EQ(number(table.find(0, key_of(key)) + 8), value);
  }
  EXPECT_LT(backend->memory_bytes(), 50000) << "erased rows give their memory back";
}

TEST_P(StateTableTest, BatchesFindWhatTheyCreated) {
  const KeyCodec codec({LogicalType::string()});
  arrow::StringBuilder builder;
  constexpr int kRows = 40000;
  for (int i = 0; i < kRows; ++i)
    ASSERT_TRUE(builder.Append("key" + std::to_string(i % 30000)).ok());
  const EncodedKeys keys = encode(codec, {*builder.Finish()}, kRows);
  std::vector<std::uint64_t> hashes(kRows);
  hash_keys(keys, hashes);
  auto backend = make_backend(kAllGroups);
  StateTable& table = must_open(*backend, counts_spec());
  std::vector<std::byte*> values(kRows);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(table.find_or_create(5, {keys, hashes}, values).is_ok());
    for (std::byte* value : values) ++number(value);
  }
  EXPECT_EQ(table.num_rows(5), 30000);
  EXPECT_EQ(number(table.find(5, key_of("key7"))), 6);
  EXPECT_EQ(number(table.find(5, key_of("key29999"))), 3);

  std::vector<std::int32_t> some = {39999, 3, 17};
  std::fill(values.begin(), values.end(), nullptr);
  table.find(5, {keys, hashes, some, false}, values);
  EXPECT_EQ(number(values[39999]), 6);
  EXPECT_EQ(values[0], nullptr) << "not asked for";
  table.find(6, {keys, hashes, some, false}, values);
  EXPECT_EQ(values[3], nullptr);

  RowCursor cursor;
  std::vector<std::byte*> from(100);
  ASSERT_EQ(table.next(5, cursor, from), 100u);
  std::vector<std::byte*> to(100);
  ASSERT_TRUE(table.find_or_create_like(6, table, from, to).is_ok());
  EXPECT_EQ(table.num_rows(6), 100);
  EXPECT_EQ(table.key(to[99]), "key99");
}

}  // namespace
}  // namespace tidegate
