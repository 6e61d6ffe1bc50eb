// SPDX-License-Identifier: Apache-2.0
#include "state/base_store.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/file_system.h"
#include "base/random.h"
#include "state/delta.h"
#include "state/delta_sorter.h"
#include "state/state_store.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

const TableName kTable{"operator", "rows"};
constexpr int kGroups = 128;
const std::string kLayout = "bytes";

using Rows = std::map<std::pair<std::int64_t, std::string>, std::string>;

/// What an epoch changes, in two tasks: the same whenever it is asked for.
std::vector<StateDelta> deltas_of(EpochId epoch, Rows* model = nullptr) {
  DeltaWriter first(kLayout, {0, kGroups / 2, kGroups});
  DeltaWriter second(kLayout, {kGroups / 2, kGroups, kGroups});
  Random random(epoch);
  if (epoch % 4 == 0) {
    const auto dropped = static_cast<std::int64_t>(epoch / 4 % 3);
    first.drop(dropped);
    second.drop(dropped);
    if (model != nullptr)
      std::erase_if(*model, [&](const auto& row) { return row.first.first == dropped; });
  }
  for (std::int64_t name_space = 0; name_space < 3; ++name_space) {
    for (int i = 0; i < 100; ++i) {
      const std::string key = fmt::format("key-{}", random.next() % 300);
      const std::uint64_t hash = hash_key(key);
      DeltaWriter& writer = key_group_of(hash, kGroups) < kGroups / 2 ? first : second;
      if (random.next() % 5 == 0) {
        writer.erase(name_space, hash, key);
        if (model != nullptr) model->erase({name_space, key});
      } else {
        const std::string value = fmt::format("value-{}-{}", epoch, random.next() % 1000);
        writer.put(name_space, hash, key, value);
        if (model != nullptr) (*model)[{name_space, key}] = value;
      }
    }
  }
  return {{epoch, kTable.second, first.finish()}, {epoch, kTable.second, second.finish()}};
}

Rows model_after(EpochId epoch) {
  Rows model;
  for (EpochId e = 1; e <= epoch; ++e) deltas_of(e, &model);
  return model;
}

std::string read(const std::string& path) {
  auto text = read_file(local_file_system(), path, 1 << 30);
  return text.is_ok() ? *std::move(text) : "";
}
void write(const std::string& path, const std::string& content) {
  const Status written = write_file_atomically(local_file_system(), path, content);
  TG_CHECK(written.is_ok(), "{}", written.to_string());
}

/// The run that has committed, and the epoch.
std::pair<std::string, EpochId> checkpoint_in(const std::string& folder) {
  const std::string text = read(folder + "/checkpoint");
  const std::size_t space = text.find(' ');
  if (space == std::string::npos) return {"", 0};
  return {text.substr(0, space), std::stoull(text.substr(space))};
}

/// A job above a base store, whose checkpoint is the number of its last epoch in a file.
class Attempt {
 public:
  explicit Attempt(std::string folder) : folder_(std::move(folder)) {
    auto store = BaseStore::open({folder_ + "/rows", 1 << 20, 64 << 10, true});
    TG_CHECK(store.is_ok(), "{}", store.status().to_string());
    store_ = *std::move(store);
  }

  BaseStore& store() { return *store_; }
  EpochId epoch() const { return epoch_; }
  EpochId epochs_read() const { return epochs_read_; }

  Status begin(int tasks) {
    const auto [run, epoch] = checkpoint_in(folder_);
    epoch_ = epoch;
    const auto held = store_->held();
    const bool serves = held && held->serves(run, epoch) && held->tables.contains(kTable);
    if (serves) TG_CHECK(held->as_of.position == position(held->as_of.epoch), "position");
    const std::set<TableName> kept = serves ? std::set{kTable} : std::set<TableName>();
    TG_RETURN_IF_ERROR(store_->begin_after({run, epoch, ""}, kept));
    table_ = store_->table_id(kTable);
    for (int task = 0; task < tasks; ++task) {
      const KeyGroupRange own = key_groups_of_subtask(task, kGroups, tasks);
      const std::unique_ptr<DeltaSorter> rows = store_->sorter(own);
      for (EpochId e = serves ? held->as_of.epoch + 1 : 1; e <= epoch; ++e) {
        for (const StateDelta& delta : deltas_of(e)) {
          TG_RETURN_IF_ERROR(serves ? store_->restore(table_, own, delta.bytes)
                                    : rows->add(delta.bytes));
        }
        ++epochs_read_;
      }
      if (!serves) TG_RETURN_IF_ERROR(store_->load(table_, *rows));
      TG_RETURN_IF_ERROR(store_->restored(table_, own, kLayout));
    }
    return Status::ok();
  }

  Status next_epoch() {
    const std::vector<StateDelta> deltas = deltas_of(++epoch_);
    const OperatorDeltas part{&kTable.first, &deltas};
    commit();
    return store_->apply({run_, epoch_, position(epoch_)}, {&part, 1});
  }

  Rows rows(int tasks) {
    Rows all;
    for (int task = 0; task < tasks; ++task) {
      const KeyGroupRange own = key_groups_of_subtask(task, kGroups, tasks);
      for (auto ns = store_->namespace_at_or_above(table_, own, INT64_MIN); ns;
           ns = store_->namespace_at_or_above(table_, own, *ns + 1)) {
        EXPECT_TRUE(store_->has_rows({{}, table_}, own, *ns));
        std::string place;
        bool more = true;
        while (more) {
          more = store_->scan({{}, table_}, own, *ns, place, 7, [&](const BaseRow& row) {
            EXPECT_TRUE(own.contains(key_group_of(row.hash, kGroups)));
            EXPECT_TRUE(all.emplace(std::pair(*ns, std::string(row.key)), row.value).second);
          });
        }
      }
    }
    return all;
  }

 private:
  static std::string position(EpochId epoch) { return fmt::format("offset {}", epoch * 10); }
  void commit() const { write(folder_ + "/checkpoint", fmt::format("{} {}", run_, epoch_)); }

  const std::string folder_;
  const std::string run_ = fmt::format("run-{}-{:x}", ::getpid(), entropy_seed());
  std::unique_ptr<BaseStore> store_;
  BaseStore::TableId table_ = 0;
  EpochId epoch_ = 0;
  EpochId epochs_read_ = 0;
};

class BaseStoreTest : public ::testing::Test {
 protected:
  // A test that is killed runs in a process of its own, in the folder of its parent.
  static constexpr const char* kFolderVariable = "TIDEGATE_BASE_STORE_TEST";

  BaseStoreTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const char* const given = std::getenv(kFolderVariable);
    owns_folder_ = given == nullptr;
    folder_ = given != nullptr ? given
                               : fmt::format("{}/base-{}-{:x}", ::testing::TempDir(), ::getpid(),
                                             entropy_seed());
    if (owns_folder_) ::setenv(kFolderVariable, folder_.c_str(), 1);
    TG_CHECK(local_file_system().create_directories(folder_ + "/rows").is_ok(), "{}", folder_);
  }
  ~BaseStoreTest() override {
    disarm_failpoints();
    if (!owns_folder_) return;
    ::unsetenv(kFolderVariable);
    static_cast<void>(local_file_system().remove_all(folder_));
  }

  /// All that is there is what the last epoch says.
  void expect_whole(int tasks) {
    Attempt run(folder_);
    ASSERT_TRUE(run.begin(tasks).is_ok());
    EXPECT_EQ(run.rows(tasks), model_after(run.epoch()));
    EXPECT_FALSE(run.store().has_failed());
  }

  std::string folder_;
  bool owns_folder_ = false;
};

TEST_F(BaseStoreTest, GoesOnWhereItStoppedAtAnyParallelism) {
  for (int tasks : {2, 3, 1}) {
    Attempt run(folder_);
    ASSERT_TRUE(run.begin(tasks).is_ok());
    EXPECT_EQ(run.epochs_read(), 0) << "all of it is here";
    EXPECT_EQ(run.rows(tasks), model_after(run.epoch()));
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(run.next_epoch().is_ok());
  }
  expect_whole(4);
}

TEST_F(BaseStoreTest, IsNotUsedForAnotherRunOrAnEarlierEpoch) {
  {
    Attempt run(folder_);
    ASSERT_TRUE(run.begin(1).is_ok());
    for (int i = 0; i < 6; ++i) ASSERT_TRUE(run.next_epoch().is_ok());
  }
  const auto [run, epoch] = checkpoint_in(folder_);
  for (const auto& chosen : {run + " 5", std::string("another 6"), run + " 6"}) {
    write(folder_ + "/checkpoint", chosen);
    expect_whole(2);
  }
}

TEST_F(BaseStoreTest, AKillAtAnyStepLosesNothing) {
  // What a life does behind a crash, and where the next one ends.
  const auto live = [&](const std::string& failpoint) {
    static_cast<void>(arm_failpoints(failpoint));
    Attempt run(folder_);
    static_cast<void>(run.begin(2));
    for (int i = 0; i < 15; ++i) static_cast<void>(run.next_epoch());
  };
  for (const char* failpoint :
       {"state.base.flush=kill", "state.base.restore=kill", "state.base.apply=kill",
        "state.base.applied=kill@3", "state.base.apply=kill@7", "state.base.take-over=kill",
        "state.base.restore=kill", "state.base.applied=kill@12", "state.base.apply=kill@2"}) {
    SCOPED_TRACE(failpoint);
    EXPECT_EXIT(live(failpoint), ::testing::KilledBySignal(SIGKILL), "");
    expect_whole(2);
  }
  // Being made anew.
  for (const char* failpoint : {"state.base.remove=kill", "state.base.restore=kill",
                                "state.base.restore=kill@2", "state.base.flush=kill"}) {
    SCOPED_TRACE(failpoint);
    live("");
    write(folder_ + "/checkpoint", fmt::format("another {}", checkpoint_in(folder_).second));
    EXPECT_EXIT(live(failpoint), ::testing::KilledBySignal(SIGKILL), "");
    expect_whole(1);
  }
}

TEST_F(BaseStoreTest, DamageIsSeenOrDoesNotMatter) {
  FileSystem& files = local_file_system();
  {
    Attempt run(folder_);
    ASSERT_TRUE(run.begin(2).is_ok());
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(run.next_epoch().is_ok());
  }
  const std::string rows = folder_ + "/rows";
  std::map<std::string, std::string> sound;
  const auto listed = files.list(rows);
  ASSERT_TRUE(listed.is_ok());
  for (const FileInfo& file : *listed) {
    if (!file.is_directory) sound[file.path] = read(file.path);
  }
  ASSERT_GT(sound.size(), 5U);
  Random random(7);
  for (const auto& [path, content] : sound) {
    for (int way = 0; way < 4; ++way) {
      SCOPED_TRACE(fmt::format("{} way {}", path, way));
      ASSERT_TRUE(files.remove_all(rows).is_ok());
      ASSERT_TRUE(files.create_directories(rows).is_ok());
      for (const auto& [other, bytes] : sound) {
        std::string damaged = bytes;
        if (other == path) {
          if (way == 0) continue;
          if (way == 1) damaged.resize(damaged.size() / 2);
          if (way > 1 && !damaged.empty()) damaged[random.next() % damaged.size()] ^= 0x10;
        }
        write(other, damaged);
      }
      Attempt run(folder_);
      ASSERT_TRUE(run.begin(2).is_ok());
      const Rows found = run.rows(2);
      if (run.store().has_failed()) continue;
      EXPECT_EQ(found, model_after(run.epoch()));
    }
  }
}

TEST_F(BaseStoreTest, ManyRowsAreTakenInAsFilesBesideWhatOtherTasksHave) {
  // Some megabytes: a task with files, one with a few rows, and a change of what was loaded.
  Rows model;
  DeltaWriter writer(kLayout, {0, kGroups, kGroups});
  for (int i = 0; i < 60'000; ++i) {
    const std::string key = fmt::format("key-{}", i);
    const std::string value(100, static_cast<char>('a' + i % 26));
    writer.put(i % 3, hash_key(key), key, value);
    if (i % 10 == 0) {
      writer.erase(i % 3, hash_key(key), key);
    } else {
      model[{i % 3, key}] = value;
    }
  }
  const std::string delta = writer.finish();
  Attempt run(folder_);
  ASSERT_TRUE(run.begin(1).is_ok());
  BaseStore& store = run.store();
  const BaseStore::TableId table = store.table_id(kTable);
  for (const KeyGroupRange own :
       {KeyGroupRange{0, 60, kGroups}, KeyGroupRange{60, 61, kGroups}, {61, kGroups, kGroups}}) {
    const auto sorter = store.sorter(own);
    ASSERT_TRUE(sorter->add(delta).is_ok());
    ASSERT_TRUE(store.load(table, *sorter).is_ok());
  }
  EXPECT_EQ(run.rows(1), model);
  EXPECT_EQ(run.rows(3), model);
  EXPECT_TRUE(local_file_system().list(folder_ + "/rows-loading")->empty());
  DeltaWriter change(kLayout, {0, kGroups, kGroups});
  change.drop(1);
  change.put(0, hash_key("key-3"), "key-3", "new");
  const std::vector<StateDelta> deltas{{1, kTable.second, change.finish()}};
  const OperatorDeltas part{&kTable.first, &deltas};
  ASSERT_TRUE(store.apply({"run", 1, ""}, {&part, 1}).is_ok());
  std::erase_if(model, [](const auto& row) { return row.first.first == 1; });
  model[{0, "key-3"}] = "new";
  EXPECT_EQ(run.rows(2), model);
  EXPECT_FALSE(store.has_failed());
}

TEST_F(BaseStoreTest, WhatHasExpiredGoesWhenFilesAreRewritten) {
  auto store = *BaseStore::open({folder_ + "/rows", 1 << 20, 64 << 10, true});
  ASSERT_TRUE(store->begin_after({"", 0, ""}, {}).is_ok());
  const KeyGroupRange all{0, kGroups, kGroups};
  const KeyGroupRange lower{0, kGroups / 2, kGroups};
  const BaseStore::TableId table = store->table_id(kTable);
  const BaseStore::TableId other = store->table_id({"operator", "other"});
  std::vector<StateDelta> deltas;
  for (const char* name : {"rows", "other"}) {
    DeltaWriter writer(kLayout, all);
    for (std::int64_t i = 0; i < 100; ++i) {
      std::string value(reinterpret_cast<const char*>(&i), sizeof i);
      const std::string key = std::to_string(i);
      writer.put(0, hash_key(key), key, value + "rest");
    }
    deltas.push_back({1, name, writer.finish()});
  }
  const OperatorDeltas part{&kTable.first, &deltas};
  ASSERT_TRUE(store->apply({"run", 1, ""}, {&part, 1}).is_ok());
  const auto stamps = [&](BaseStore::TableId id, KeyGroupRange own) {
    std::set<std::int64_t> found;
    std::string place;
    store->scan({{}, id}, own, 0, place, 1000,
                [&](const BaseRow& row) { found.insert(std::stoll(std::string(row.key))); });
    return found;
  };
  const std::set<std::int64_t> low = stamps(table, lower);
  store->expire(table, lower, 59);
  ASSERT_TRUE(store->compact().is_ok());
  std::set<std::int64_t> left = low;
  std::erase_if(left, [](std::int64_t stamp) { return stamp <= 59; });
  EXPECT_LT(left.size(), low.size());
  EXPECT_EQ(stamps(table, lower), left);
  EXPECT_EQ(stamps(table, all).size(), 100 - low.size() + left.size()) << "others keep theirs";
  EXPECT_EQ(stamps(other, all).size(), 100);
}

}  // namespace
}  // namespace tidegate
