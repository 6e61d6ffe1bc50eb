// SPDX-License-Identifier: Apache-2.0
#include "state/state_store.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <deque>
#include <map>
#include <set>

#include "base/check.h"
#include "base/file_system.h"
#include "base/random.h"
#include "state/state_bytes.h"
#include "state/state_table.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

const std::string kUid = "operator";
constexpr KeyGroupRange kAllGroups{0, 128, 128};

StateKey key_of(const std::string& bytes) { return {bytes, hash_key(bytes)}; }
StateTableSpec bytes_spec() { return {"bytes", std::make_shared<BytesLayout>()}; }

using Rows = std::map<std::pair<std::int64_t, std::string>, std::string>;

Rows rows_of(const StateTable& table) {
  Rows rows;
  for (auto ns = table.first_namespace(); ns; ns = table.namespace_above(*ns)) {
    RowCursor cursor;
    std::vector<std::byte*> values(7);
    while (const std::size_t count = table.next(*ns, cursor, values)) {
      for (std::size_t i = 0; i < count; ++i) {
        EXPECT_EQ(table.hash(values[i]), hash_key(table.key(values[i])));
        const bool fresh = rows.emplace(std::pair(*ns, std::string(table.key(values[i]))),
                                        BytesLayout::view(values[i]))
                               .second;
        EXPECT_TRUE(fresh) << "a row comes twice";
      }
    }
  }
  return rows;
}

/// One operator's state as a job treats it: epochs are sealed, published later, and lost by a crash
/// before that.
class Life {
 public:
  explicit Life(std::int64_t memory_bytes, StateTableSpec spec = bytes_spec())
      : memory_bytes_(memory_bytes), spec_(std::move(spec)) {
    begin();
  }

  StateTable& table() { return *table_; }
  StateBackend& backend() { return *backend_; }
  /// All that the store has, as long as there is one.
  std::vector<FileInfo> folders() const {
    const auto listed = local_file_system().list(parent_);
    EXPECT_TRUE(listed.is_ok());
    return *listed;
  }

  void seal(Rows model) {
    auto deltas = backend_->seal(++epoch_);
    ASSERT_TRUE(deltas.is_ok());
    flights_.push_back({epoch_, *std::move(deltas), std::move(model)});
  }
  std::size_t flights() const { return flights_.size(); }
  void publish() { ASSERT_TRUE(try_publish().is_ok()); }
  Status try_publish() {
    Flight& flight = flights_.front();
    const OperatorDeltas part{&kUid, &flight.deltas};
    TG_RETURN_IF_ERROR(store_->apply({"", flight.epoch, ""}, {&part, 1}));
    std::ranges::move(flight.deltas, std::back_inserter(published_));
    published_epoch_ = flight.epoch;
    published_model_ = std::move(flight.model);
    flights_.pop_front();
    return Status::ok();
  }
  /// Answers what is left.
  Rows crash() {
    flights_.clear();
    backend_.reset();
    store_.reset();
    epoch_ = published_epoch_;
    begin();
    return published_model_;
  }
  void restore_into(StateBackend& other) {
    auto base = backend_->dump(epoch_);
    ASSERT_TRUE(base.is_ok());
    for (const StateDelta& delta : *base) ASSERT_TRUE(other.restore(delta).is_ok());
  }

 private:
  struct Flight {
    EpochId epoch;
    std::vector<StateDelta> deltas;
    Rows model;
  };

  void begin() {
    auto store = make_rocksdb_state_store({parent_, "", memory_bytes_});
    ASSERT_TRUE(store.is_ok()) << store.status().to_string();
    store_ = *std::move(store);
    ASSERT_TRUE(store_->begin_after({"", published_epoch_, ""}, {}).is_ok());
    backend_ = store_->open(kUid, kAllGroups);
    for (const StateDelta& delta : published_) ASSERT_TRUE(backend_->restore(delta).is_ok());
    auto table = backend_->table(spec_);
    ASSERT_TRUE(table.is_ok()) << table.status().to_string();
    table_ = *table;
  }

  const std::string parent_ = ::testing::TempDir() + "/life-" + std::to_string(::getpid()) + "-" +
                              ::testing::UnitTest::GetInstance()->current_test_info()->name();
  const std::int64_t memory_bytes_;
  const StateTableSpec spec_;
  std::shared_ptr<StateStore> store_;
  std::unique_ptr<StateBackend> backend_;
  StateTable* table_ = nullptr;
  EpochId epoch_ = 0;
  EpochId published_epoch_ = 0;
  std::deque<Flight> flights_;
  std::vector<StateDelta> published_;
  Rows published_model_;
};

class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed) : life_(1), random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) step();
    ASSERT_EQ(rows_of(life_.table()), model_);
    auto copy = make_memory_state_backend(kAllGroups);
    life_.restore_into(*copy);
    ASSERT_EQ(rows_of(**copy->table(bytes_spec())), model_);
    ASSERT_TRUE(life_.backend().status().is_ok());
  }

 private:
  std::int64_t some_namespace() { return static_cast<std::int64_t>(random_.below(9)) - 4; }
  std::string some_key() { return "k" + std::to_string(random_.below(60)); }

  void step() {
    const std::uint64_t what = random_.below(1000);
    if (what < 15) {
      const std::int64_t ns = some_namespace();
      life_.table().drop(ns);
      std::erase_if(model_, [&](const auto& row) { return row.first.first == ns; });
    } else if (what < 250) {
      const auto at = std::pair(some_namespace(), some_key());
      EXPECT_EQ(life_.table().erase(at.first, key_of(at.second)), model_.erase(at) == 1);
    } else if (what < 600) {
      put(some_namespace(), some_key());
    } else if (what < 800) {
      const auto at = std::pair(some_namespace(), some_key());
      const std::byte* value = life_.table().find(at.first, key_of(at.second));
      const auto expected = model_.find(at);
      ASSERT_EQ(value != nullptr, expected != model_.end());
      if (value != nullptr) {
        EXPECT_EQ(BytesLayout::view(value), expected->second);
      }
    } else if (what < 830) {
      erase_some_of(some_namespace());
    } else if (what < 900) {
      look_around();
    } else if (what < 910) {
      life_.table().load(some_namespace());
    } else if (what < 940) {
      if (life_.flights() < 2) life_.seal(model_);
    } else if (what < 970) {
      if (life_.flights() > 0) life_.publish();
    } else if (what < 973) {
      model_ = life_.crash();
    } else {
      life_.backend().make_room();
    }
  }

  void put(std::int64_t ns, const std::string& key) {
    const std::string text(random_.below(40), static_cast<char>('a' + random_.below(26)));
    auto value = life_.table().find_or_create(ns, key_of(key));
    ASSERT_TRUE(value.is_ok());
    const auto known = model_.find({ns, key});
    EXPECT_EQ(BytesLayout::view(*value), known == model_.end() ? "" : known->second);
    assign_bytes(life_.table(), *value, text);
    model_[{ns, key}] = text;
  }

  /// As a sweep does, on the way through.
  void erase_some_of(std::int64_t ns) {
    RowCursor cursor;
    std::vector<std::byte*> values(5);
    while (const std::size_t count = life_.table().next(ns, cursor, values)) {
      for (std::size_t i = 0; i < count; ++i) {
        if (random_.below(4) > 0) continue;
        model_.erase({ns, std::string(life_.table().key(values[i]))});
        life_.table().erase(ns, values[i]);
      }
    }
  }

  void look_around() {
    const StateTable& table = life_.table();
    const std::int64_t ns = some_namespace();
    const auto begin = model_.lower_bound({ns, ""});
    const auto end = model_.lower_bound({ns + 1, ""});
    EXPECT_EQ(table.num_rows(ns), std::distance(begin, end));
    EXPECT_EQ(table.has_rows(ns), begin != end);
    EXPECT_EQ(table.num_rows(), std::ssize(model_));
    // Namespaces without rows may be told as well.
    auto next = table.namespace_at_or_above(ns);
    while (next && !table.has_rows(*next)) next = table.namespace_above(*next);
    EXPECT_EQ(next.has_value(), begin != model_.end());
    if (next && begin != model_.end()) {
      EXPECT_EQ(*next, begin->first.first);
    }
    if (random_.below(8) == 0) {
      ASSERT_EQ(rows_of(table), model_);
    }
  }

  Life life_;
  Random random_;
  Rows model_;
};

TEST(StateStoreTest, RandomLivesEqualAMap) {
  for (std::uint64_t seed = 1; seed <= 5 && !HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    RandomLife(seed).run(1000);
  }
}

void fill(Life& life, int from, int to) {
  for (int i = from; i < to; ++i) {
    auto value = life.table().find_or_create(0, key_of("key" + std::to_string(i)));
    ASSERT_TRUE(value.is_ok());
    assign_bytes(life.table(), *value, std::to_string(i) + std::string(200, 'v'));
  }
}

TEST(StateStoreTest, MemoryStaysWithinItsBudgetAndNothingIsLost) {
  constexpr std::int64_t kMemory = 1 << 20;
  constexpr int kRows = 30'000;
  Life life(kMemory);
  for (int i = 0; i < kRows; i += 1000) {
    fill(life, i, i + 1000);
    life.seal({});
    EXPECT_LT(life.backend().dirty_bytes(), 1);
    life.publish();
    life.backend().make_room();
    EXPECT_LT(life.backend().memory_bytes(), kMemory);
  }
  // A walk over all of it takes no more, and finds each row once.
  EXPECT_EQ(life.table().num_rows(0), kRows);
  RowCursor cursor;
  std::vector<std::byte*> values(512);
  int seen = 0;
  while (const std::size_t count = life.table().next(0, cursor, values)) {
    seen += static_cast<int>(count);
    EXPECT_LT(life.backend().memory_bytes(), kMemory);
  }
  EXPECT_EQ(seen, kRows);
  for (int i = 0; i < kRows; i += 501) {
    const std::byte* value = life.table().find(0, key_of("key" + std::to_string(i)));
    ASSERT_NE(value, nullptr) << i;
    EXPECT_TRUE(BytesLayout::view(value).starts_with(std::to_string(i)));
  }
}

TEST(StateStoreTest, WhatIsAskedForAsChangedStays) {
  StateTableSpec spec = bytes_spec();
  spec.asks_for_changes = true;
  Life life(1, spec);
  fill(life, 0, 100);
  life.backend().make_room();
  EXPECT_EQ(rows_of(life.table()).size(), 100u) << "nothing has it yet";
  life.seal({});
  life.backend().make_room();
  const std::int64_t before = life.backend().memory_bytes();
  EXPECT_GT(before, 100 * 200);
  life.publish();
  life.backend().make_room();
  EXPECT_LT(life.backend().memory_bytes(), before / 10);
  EXPECT_EQ(rows_of(life.table()).size(), 100u);
}

TEST(StateStoreTest, AnEpochLargerThanMemory) {
  constexpr std::int64_t kMemory = 1 << 20;
  constexpr int kRows = 30'000;
  Life life(kMemory);
  // Twice: rows are found again after they were spilled, in front of those of the epoch before.
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kRows; i += 500) {
      fill(life, i, i + 500);
      life.backend().make_room();
      EXPECT_LT(life.backend().memory_bytes(), kMemory);
    }
    EXPECT_EQ(life.table().num_rows(0), kRows);
    life.seal({});
  }
  // Both are on their way; what has been spilled of them is thrown away with them.
  life.publish();
  fill(life, kRows, kRows + 5'000);
  life.backend().make_room();
  EXPECT_EQ(life.table().num_rows(0), kRows + 5'000);
  life.crash();
  EXPECT_EQ(life.table().num_rows(0), kRows);
  EXPECT_EQ(rows_of(life.table()).size(), static_cast<std::size_t>(kRows));
  // An epoch later nothing but the base has them.
  life.seal({});
  life.publish();
  life.backend().make_room();
  EXPECT_EQ(life.table().num_rows(0), kRows);
}

TEST(StateStoreTest, RowsThatAreUsedStayLonger) {
  Life life(1 << 20);
  fill(life, 0, 2000);
  life.seal({});
  life.publish();
  const auto touch_hot = [&] {
    for (int i = 0; i < 20; ++i) life.table().find(0, key_of("key" + std::to_string(i)));
  };
  for (int i = 2000; i < 20'000; i += 200) {
    fill(life, i, i + 200);
    touch_hot();
    life.seal({});
    life.publish();
    life.backend().make_room();
  }
  RowCursor cursor;
  std::vector<std::byte*> values(256);
  std::set<std::string> in_memory;
  while (const std::size_t count = life.table().next(0, cursor, values)) {
    if (cursor.is_below) break;
    for (std::size_t i = 0; i < count; ++i) in_memory.emplace(life.table().key(values[i]));
  }
  int hot = 0;
  for (int i = 0; i < 20; ++i) hot += in_memory.contains("key" + std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(hot, 20);
}

/// Changes bytes all over a file that is in use.
void damage(const std::string& path) {
  auto bytes = read_file(local_file_system(), path);
  if (!bytes.is_ok()) return;  // replaced by another one
  for (std::size_t i = 10; i < bytes->size(); i += 50)
    (*bytes)[i] = static_cast<char>(~(*bytes)[i]);
  FILE* out = std::fopen(path.c_str(), "r+b");
  if (out == nullptr) return;
  std::fwrite(bytes->data(), 1, bytes->size(), out);
  std::fclose(out);
}

TEST(StateStoreTest, ADamagedFileIsRefused) {
  Life life(1);
  Status found;
  std::set<std::string> damaged;
  // Files are written beside the epochs, so which read is the first to meet damage is not known.
  for (int rows = 0; found.is_ok() && rows < 500'000; rows += 500) {
    fill(life, rows, rows + 500);
    life.seal({});
    found = life.try_publish();
    life.backend().make_room();
    const auto listed = local_file_system().list(life.folders().at(0).path + "/rows");
    ASSERT_TRUE(listed.is_ok());
    for (const FileInfo& file : *listed) {
      if (file.path.ends_with(".sst") && damaged.insert(file.path).second) damage(file.path);
    }
    for (int i = 0; found.is_ok() && i < rows; i += rows / 100 + 1) {
      life.table().find(0, key_of("key" + std::to_string(i)));
      found = life.backend().status();
    }
  }
  ASSERT_FALSE(found.is_ok());
  EXPECT_EQ(found.code(), ErrorCode::kStateCorrupt) << found.to_string();
}

TEST(StateStoreTest, APartOfTheKeySpaceIsHeldWhenAllOfThatPartIs) {
  const std::string parent = ::testing::TempDir() + "/part-" + std::to_string(::getpid());
  ASSERT_TRUE(local_file_system().create_directories(parent).is_ok());
  const auto open = [&] {
    auto store = make_rocksdb_state_store({parent, "kept", 1 << 20, KeyGroupRange{32, 64, 128}});
    EXPECT_TRUE(store.is_ok()) << store.status().to_string();
    return *std::move(store);
  };
  const StateTableSpec spec{.name = "rows", .layout = std::make_shared<BytesLayout>()};
  {
    const auto store = open();
    EXPECT_FALSE(store->held());
    ASSERT_TRUE(store->begin_after({"run", 0, ""}, {}).is_ok());
    const auto lower = store->open(kUid, {32, 48, 128});
    ASSERT_TRUE(lower->table(spec).is_ok());
    ASSERT_TRUE(store->apply({"run", 1, "one"}, {}).is_ok());
    EXPECT_TRUE(store->held()->tables.empty()) << "a half is missing";
    const auto upper = store->open(kUid, {48, 64, 128});
    ASSERT_TRUE(upper->table(spec).is_ok());
    ASSERT_TRUE(store->apply({"run", 2, "two"}, {}).is_ok());
  }
  {
    const auto held = open()->held();
    ASSERT_TRUE(held);
    EXPECT_EQ(held->tables, (std::set<TableName>{{kUid, "rows"}}));
    EXPECT_EQ(held->as_of.position, "two");
  }
  static_cast<void>(local_file_system().remove_all(parent));
}

TEST(StateStoreTest, TheFolderGoesWithTheStore) {
  Life life(1);
  EXPECT_EQ(life.folders().size(), 1u);
  const std::string first = life.folders().at(0).path;
  life.crash();
  EXPECT_EQ(life.folders().size(), 1u);
  EXPECT_NE(life.folders().at(0).path, first);
}

}  // namespace
}  // namespace tidegate
