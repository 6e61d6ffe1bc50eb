// SPDX-License-Identifier: Apache-2.0
#include "epoch/checkpoint_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_blob_store.h"
#include "base/memory_file_system.h"
#include "epoch/checkpoint_files.h"
#include "epoch/fold_deltas.h"
#include "epoch/savepoint.h"
#include "epoch/test_records.h"

namespace tidegate {
namespace {

using Request = MemoryBlobStore::Request;
using Rows = std::map<std::string, std::string>;

Rows state_of(EpochRecord record) {
  EXPECT_TRUE(fold_state(record).is_ok());
  return record.operators.empty() || record.operators[0].deltas.empty()
             ? Rows()
             : rows_of(record.operators[0].deltas[0].bytes);
}

class CheckpointStoreTest : public testing::Test {
 protected:
  std::shared_ptr<CheckpointStore> open(CheckpointOptions options = {}) {
    return std::make_shared<CheckpointStore>(blobs_, std::move(options));
  }
  /// A run that has committed epochs 1 .. n; epoch e puts value e at "key" and at "key-e".
  std::shared_ptr<CheckpointStore> run_to(EpochId last, CheckpointOptions options = {}) {
    auto store = open(std::move(options));
    EXPECT_FALSE(store->load()->has_value());
    for (EpochId epoch = 1; epoch <= last; ++epoch) {
      EXPECT_TRUE(store->commit(record_at(epoch)).is_ok());
    }
    return store;
  }
  static EpochRecord record_at(EpochId epoch) {
    EpochRecord record = record_of(epoch, "key", std::to_string(epoch));
    record.operators[0].deltas.push_back(
        {epoch, "rows", delta({64, 128, 128}, [&](DeltaWriter& out) {
           out.put(0, kHigh, "key-" + std::to_string(epoch), "x");
         })});
    return record;
  }
  static Rows rows_at(EpochId epoch) {
    Rows rows{{"0:key", std::to_string(epoch)}};
    for (EpochId e = 1; e <= epoch; ++e) rows["0:key-" + std::to_string(e)] = "x";
    return rows;
  }
  std::vector<std::string> manifests() const {
    std::vector<std::string> names;
    const std::map<std::string, std::string> contents = blobs_->contents();
    for (const auto& [name, content] : contents) {
      if (epoch_of_manifest(name)) names.push_back(name);
    }
    return names;
  }
  std::size_t data_files() const { return blobs_->list("data")->size(); }

  std::shared_ptr<MemoryBlobStore> blobs_ = std::make_shared<MemoryBlobStore>();
};

TEST_F(CheckpointStoreTest, GoesOnFromTheLastEpoch) {
  run_to(3);
  const auto store = open();
  const EpochRecord record = **store->load();
  EXPECT_EQ(record.epoch, 3);
  EXPECT_EQ(record.committables[0].bytes, "file-3");
  EXPECT_EQ(record.sources[0].open[0].position, "17");
  EXPECT_EQ(record.operators[0].subtasks[0].watermark, 5);
  EXPECT_EQ(state_of(record), rows_at(3));
  ASSERT_TRUE(store->commit(record_at(4)).is_ok());
  EXPECT_EQ(state_of(**open()->load()), rows_at(4));
}

TEST_F(CheckpointStoreTest, DoesNotReadWhatIsHeld) {
  const std::string run = run_to(4)->run();
  const auto epochs_read = [&](const HeldState& held) {
    const EpochRecord record = **open()->load(&held);
    EXPECT_EQ(record.epoch, 4);
    EXPECT_EQ(record.run, run);
    std::vector<EpochId> epochs;
    for (const StateDelta& delta : record.operators[0].deltas) epochs.push_back(delta.epoch);
    EXPECT_EQ(record.held.empty(),
              !held.serves(run, 4) || !held.tables.contains({"count", "rows"}));
    return epochs.size() / 2;  // two tasks
  };
  const std::set<TableName> all{{"count", "rows"}, {"count", "gone"}};
  EXPECT_EQ(epochs_read({{run, 2, ""}, 2, all}), 2);
  EXPECT_EQ(epochs_read({{run, 4, ""}, 4, all}), 0);
  EXPECT_EQ(epochs_read({{run, 0, ""}, 4, all}), 4);
  EXPECT_EQ(epochs_read({{run, 2, ""}, 2, {{"count", "other"}}}), 4);
  EXPECT_EQ(epochs_read({{"another", 2, ""}, 2, all}), 4);
  EXPECT_EQ(epochs_read({{run, 5, ""}, 5, all}), 4) << "it is ahead";
  EXPECT_EQ(epochs_read({{run, 2, ""}, 5, all}), 4) << "some of it is ahead";
}

TEST_F(CheckpointStoreTest, ABaseThatIsNewerThanWhatIsHeldIsRead) {
  CheckpointOptions options;
  options.fold_ratio = 0.5;
  options.least_fold_bytes = 1;
  auto store = run_to(2, options);
  for (EpochId epoch = 3; epoch <= 6; ++epoch) {
    ASSERT_TRUE(store->commit(record_at(epoch)).is_ok());
  }
  const HeldState held{{store->run(), 1, ""}, 1, {{"count", "rows"}}};
  const EpochRecord record = **open()->load(&held);
  EXPECT_TRUE(record.held.empty());
  EXPECT_EQ(state_of(record), rows_at(6));
}

TEST_F(CheckpointStoreTest, WritesWhatHasChanged) {
  auto store = run_to(1);
  EpochRecord large = record_of(2, "large", std::string(1 << 20, 'x'));
  ASSERT_TRUE(store->commit(large).is_ok());
  const std::int64_t before = blobs_->bytes_put();
  ASSERT_TRUE(store->commit(record_at(3)).is_ok());
  EXPECT_LT(blobs_->bytes_put() - before, 2000);
  EXPECT_GT(store->last_commit_bytes(), 0);
}

TEST_F(CheckpointStoreTest, FoldsWhenChangesOutweighTheBase) {
  CheckpointOptions options;
  options.least_fold_bytes = 1000;
  auto store = run_to(60, options);
  EXPECT_EQ(state_of(**open()->load()), rows_at(60));
  EXPECT_LT(data_files(), 30u);
  // Folding never changes what a base is made of: the same again on top of a loaded one.
  store = open(options);
  ASSERT_TRUE(store->load()->has_value());
  for (EpochId epoch = 61; epoch <= 90; ++epoch) {
    ASSERT_TRUE(store->commit(record_at(epoch)).is_ok());
  }
  EXPECT_EQ(state_of(**open()->load()), rows_at(90));
}

TEST_F(CheckpointStoreTest, SmallChangesAreMergedAboveALargeBase) {
  CheckpointOptions options;
  options.most_sections = 8;
  auto store = open(options);
  ASSERT_FALSE(store->load()->has_value());
  Rows rows;
  EpochRecord base = record_of(1, "large", std::string(1 << 20, 'x'));
  rows["0:large"] = std::string(1 << 20, 'x');
  ASSERT_TRUE(store->begin_from(base).is_ok());
  const std::int64_t before = blobs_->bytes_put();
  for (EpochId epoch = 2; epoch <= 200; ++epoch) {
    const auto space = static_cast<std::int64_t>(1000 + epoch);  // a namespace
    // Two writers; rows come, change, and go one by one or by namespace.
    EpochRecord record = record_of(epoch, "", "");
    record.operators[0].deltas.clear();
    for (const auto hash : {kLow, kHigh}) {
      const KeyGroupRange writer =
          hash == kLow ? KeyGroupRange{0, 64, 128} : KeyGroupRange{64, 128, 128};
      const std::string side = hash == kLow ? "low" : "high";
      record.operators[0].deltas.push_back({epoch, "rows", delta(writer, [&](DeltaWriter& out) {
                                              out.drop(space - 5);
                                              out.put(0, hash, side, std::to_string(epoch));
                                              out.put(space, hash, side, std::to_string(epoch));
                                              out.erase(space - 2, hash, side);
                                              if (epoch % 3 == 0)
                                                out.put(space - 5, hash, side, "late");
                                            })});
      rows["0:" + side] = std::to_string(epoch);
      rows[std::to_string(space) + ":" + side] = std::to_string(epoch);
      rows.erase(std::to_string(space - 2) + ":" + side);
      rows.erase(std::to_string(space - 5) + ":" + side);
      if (epoch % 3 == 0) rows[std::to_string(space - 5) + ":" + side] = "late";
    }
    ASSERT_TRUE(store->commit(record).is_ok());
    if (epoch % 20 != 0) continue;
    const EpochRecord loaded = **open()->load();
    ASSERT_TRUE(state_of(loaded) == rows) << epoch;
    ASSERT_LT(loaded.operators[0].deltas.size(), 40u);
    store = open(options);
    ASSERT_TRUE(store->load()->has_value());
  }
  EXPECT_LT(blobs_->bytes_put() - before, 1 << 20) << "the base has not been written again";
}

TEST_F(CheckpointStoreTest, FoldsBesideTheJob) {
  std::vector<std::function<void()>> beside;
  CheckpointOptions options;
  options.least_fold_bytes = 1;
  options.run_beside = [&](std::function<void()> work) { beside.push_back(std::move(work)); };
  auto store = run_to(3, options);
  ASSERT_EQ(beside.size(), 1u);  // one at a time
  beside[0]();                   // folds epochs 1 .. 3
  const std::size_t files = data_files();
  ASSERT_TRUE(store->commit(record_at(4)).is_ok());  // takes the result in
  EXPECT_EQ(state_of(**open()->load()), rows_at(4));
  ASSERT_TRUE(store->commit(record_at(5)).is_ok());
  ASSERT_EQ(beside.size(), 2u);
  store->stop_tidying();
  beside[1]();  // too late: only leaves things for the next run
  EXPECT_LE(files, data_files());
  store = open();
  EXPECT_EQ(state_of(**store->load()), rows_at(5));
  ASSERT_TRUE(store->commit(record_at(6)).is_ok());
  EXPECT_EQ(data_files(), 4u);  // the base and the epochs 4, 5, 6
}

TEST_F(CheckpointStoreTest, KeepsAsManyEpochsAsAreAskedFor) {
  CheckpointOptions options;
  options.num_retained = 3;
  options.least_fold_bytes = 1;
  run_to(6, options);
  const std::vector<std::string> names = manifests();
  EXPECT_EQ(names,
            (std::vector<std::string>{manifest_name(4), manifest_name(5), manifest_name(6)}));
  // Nothing that they name has been collected.
  for (const std::string& name : names) {
    const Manifest manifest = *read_manifest(*blobs_, name);
    EXPECT_EQ(state_of(*read_state(*blobs_, manifest)), rows_at(manifest.record.epoch));
  }
  // A run that keeps fewer deletes the rest.
  const auto store = open();
  ASSERT_TRUE(store->load()->has_value());
  ASSERT_TRUE(store->commit(record_at(7)).is_ok());
  EXPECT_EQ(manifests(), std::vector<std::string>{manifest_name(7)});
}

TEST_F(CheckpointStoreTest, ARequestThatFailsChangesNothing) {
  auto store = run_to(2);
  for (int n = 1; n <= 2; ++n) {  // the data file, the manifest
    int puts = 0;
    blobs_->set_fault([&](Request request, const std::string&) -> MemoryBlobStore::Outcome {
      const bool is_put = request == Request::kPut || request == Request::kPutIfAbsent;
      if (is_put && ++puts == n) {
        return {Status(ErrorCode::kServiceUnreachable, "planted"), n == 1, n == 1};
      }
      return {};
    });
    EXPECT_EQ(store->commit(record_at(3)).code(), ErrorCode::kServiceUnreachable);
    EXPECT_TRUE(store->outcome_is_known());
    blobs_->set_fault({});
    store = open();
    EXPECT_EQ(state_of(**store->load()), rows_at(2));
  }
  ASSERT_TRUE(store->commit(record_at(3)).is_ok());
  EXPECT_EQ(data_files(), 3u);
  EXPECT_EQ(state_of(**open()->load()), rows_at(3));
}

TEST_F(CheckpointStoreTest, AManifestThatIsThereIsCommittedWhateverTheAnswer) {
  auto store = run_to(1);
  bool is_cut_off = false;
  const auto lose_answer = [&](Request request, const std::string&) -> MemoryBlobStore::Outcome {
    const Status lost(ErrorCode::kServiceUnreachable, "planted");
    if (request == Request::kPutIfAbsent) return {lost, true};
    if (request == Request::kGet && is_cut_off) return {lost};
    return {};
  };
  blobs_->set_fault(lose_answer);
  EXPECT_TRUE(store->commit(record_at(2)).is_ok());
  is_cut_off = true;
  EXPECT_FALSE(store->commit(record_at(3)).is_ok());
  EXPECT_FALSE(store->outcome_is_known());
  blobs_->set_fault({});
  EXPECT_EQ(state_of(**open()->load()), rows_at(3));
}

TEST_F(CheckpointStoreTest, OneRunAtATime) {
  blobs_ = std::make_shared<MemoryBlobStore>(false);
  auto first = run_to(2);
  auto second = open();
  ASSERT_TRUE(second->load()->has_value());
  EXPECT_EQ(first->commit(record_at(3)).code(), ErrorCode::kServiceRefused);
  EXPECT_TRUE(second->commit(record_at(3)).is_ok());

  blobs_ = std::make_shared<MemoryBlobStore>(true);
  first = run_to(2);
  second = open();
  ASSERT_TRUE(second->load()->has_value());
  EXPECT_TRUE(second->commit(record_at(3)).is_ok());
  EXPECT_EQ(first->commit(record_at(3)).code(), ErrorCode::kServiceRefused);
}

TEST_F(CheckpointStoreTest, CollectsWhatACrashedRunHasLeft) {
  run_to(2);
  ASSERT_TRUE(blobs_->put("data/0123456789abcdef0123456789abcdef", "half").is_ok());
  auto store = open();
  ASSERT_TRUE(store->load()->has_value());
  ASSERT_TRUE(store->commit(record_at(3)).is_ok());
  EXPECT_EQ(data_files(), 3u);
  ASSERT_TRUE(store->clear().is_ok());
  EXPECT_EQ(data_files(), 0u);
  EXPECT_FALSE(open()->load()->has_value());
}

TEST_F(CheckpointStoreTest, ACrashOfTheMachineLosesNoCommittedEpoch) {
  VirtualClock clock{1000};
  MemoryFileSystem files(clock);
  const std::shared_ptr<BlobStore> blobs = make_local_blob_store(files, "job");
  CheckpointOptions options;
  options.least_fold_bytes = 500;
  auto store = std::make_shared<CheckpointStore>(blobs, options);
  ASSERT_TRUE(store->load().is_ok());
  EpochId committed = 0;
  for (std::int64_t fails_at = 1; fails_at < 120; ++fails_at) {
    // Power goes at some operation of the next epochs.
    files.set_fault(fail_nth_operation(fails_at % 23 + 1, Status(ErrorCode::kFileIo, "planted")));
    while (store->commit(record_at(committed + 1)).is_ok()) {
      ++committed;
      if (committed % 7 == 0) break;
    }
    files.set_fault({});
    files.crash();
    store = std::make_shared<CheckpointStore>(blobs, options);
    const auto loaded = store->load();
    ASSERT_TRUE(loaded.is_ok()) << loaded.status().to_string();
    const EpochId found = loaded->has_value() ? (*loaded)->epoch : 0;
    ASSERT_GE(found, committed);  // one more when only the answer was lost
    ASSERT_LE(found, committed + 1);
    committed = found;
    if (found > 0) {
      ASSERT_EQ(state_of(**loaded), rows_at(found));
    }
  }
  EXPECT_GT(committed, 50);
}

TEST_F(CheckpointStoreTest, SavepointsHoldEverythingAndStandAlone) {
  auto store = run_to(3);
  MemoryBlobStore mine;
  ASSERT_TRUE(store->write_savepoint(mine).is_ok());
  const EpochRecord record = *read_savepoint(mine);
  EXPECT_EQ(record.epoch, 3);
  EXPECT_TRUE(record.committables.empty());
  EXPECT_EQ(record.operators[0].deltas.size(), 1u);
  EXPECT_EQ(state_of(record), rows_at(3));
  // Written again it replaces the old one, without leavings.
  ASSERT_TRUE(store->commit(record_at(4)).is_ok());
  ASSERT_TRUE(store->write_savepoint(mine).is_ok());
  EXPECT_EQ(state_of(*read_savepoint(mine)), rows_at(4));
  EXPECT_EQ(mine.list("data")->size(), 1u);
  // A record with its deltas makes the same one.
  MemoryBlobStore other;
  ASSERT_TRUE(write_savepoint(other, record).is_ok());
  EXPECT_EQ(state_of(*read_savepoint(other)), rows_at(3));
  // The newest epoch of a checkpoint folder will do as well.
  EXPECT_EQ(state_of(*read_savepoint(*blobs_)), rows_at(4));
  MemoryBlobStore empty;
  EXPECT_EQ(read_savepoint(empty).status().code(), ErrorCode::kFileNotFound);

  // A job that starts from it has it as the base of its own epochs.
  blobs_ = std::make_shared<MemoryBlobStore>();
  store = open();
  ASSERT_FALSE(store->load()->has_value());
  ASSERT_TRUE(store->begin_from(record).is_ok());
  ASSERT_TRUE(store->commit(record_at(4)).is_ok());
  EXPECT_EQ(state_of(**open()->load()), rows_at(4));

  // In the folder of the checkpoints it is left alone.
  ASSERT_TRUE(store->write_savepoint(*blobs_).is_ok());
  store = open();
  ASSERT_TRUE(store->load()->has_value());
  for (EpochId epoch = 5; epoch < 9; ++epoch) {
    ASSERT_TRUE(store->commit(record_at(epoch)).is_ok());
  }
  ASSERT_TRUE(store->clear().is_ok());
  EXPECT_EQ(state_of(*read_savepoint(*blobs_)), rows_at(4));
}

TEST_F(CheckpointStoreTest, RefusesAnOlderVersion) {
  ASSERT_TRUE(blobs_->put("base-00000000000000000003", "TGER").is_ok());
  EXPECT_EQ(open()->load().status().code(), ErrorCode::kStateVersion);
  ASSERT_TRUE(open()->clear().is_ok());
  EXPECT_FALSE(open()->load()->has_value());
  MemoryBlobStore old;
  ASSERT_TRUE(old.put("savepoint", "TGER and more").is_ok());
  EXPECT_EQ(read_savepoint(old).status().code(), ErrorCode::kStateVersion);
}

}  // namespace
}  // namespace tidegate
