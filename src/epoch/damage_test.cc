// SPDX-License-Identifier: Apache-2.0
//
// Damages every file of checkpoints and savepoints in every way: what comes out is a refusal that
// names a file, or an epoch that is allowed, with its own state; never anything else.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_blob_store.h"
#include "epoch/checkpoint_files.h"
#include "epoch/checkpoint_store.h"
#include "epoch/fold_deltas.h"
#include "epoch/record_codec.h"
#include "epoch/savepoint.h"
#include "epoch/test_records.h"

namespace tidegate {
namespace {

using Contents = std::map<std::string, std::string>;

constexpr EpochId kLast = 9;

EpochRecord record_at(EpochId epoch) {
  EpochRecord record = record_of(epoch, "key", std::to_string(epoch));
  record.operators[0].deltas.push_back(
      {epoch, "other", delta({64, 128, 128}, [&](DeltaWriter& out) {
         out.put(epoch, kHigh, "key-" + std::to_string(epoch), std::string(100, 'x'));
         out.drop(epoch - 3);
       })});
  return record;
}

/// What a record says, whole: two are the same exactly when these are.
std::string text_of(EpochRecord record) {
  EXPECT_TRUE(fold_state(record).is_ok());
  return encode_record(record);
}

/// By epoch.
std::map<EpochId, std::string> truth() {
  std::map<EpochId, std::string> texts;
  EpochRecord merged;
  for (EpochId epoch = 1; epoch <= kLast; ++epoch) {
    merged = merge(merged, record_at(epoch));
    texts[epoch] = text_of(merged);
  }
  return texts;
}

/// A folder with epochs, as a run has left it.
Contents checkpoint(int num_retained) {
  auto blobs = std::make_shared<MemoryBlobStore>();
  CheckpointOptions options;
  options.num_retained = num_retained;
  options.least_fold_bytes = 500;
  auto store = std::make_shared<CheckpointStore>(blobs, options);
  EXPECT_TRUE(store->load().is_ok());
  for (EpochId epoch = 1; epoch <= kLast; ++epoch) {
    EXPECT_TRUE(store->commit(record_at(epoch)).is_ok());
  }
  return blobs->contents();
}

Contents savepoint() {
  auto blobs = std::make_shared<MemoryBlobStore>();
  blobs->set_contents(checkpoint(1));
  auto store = std::make_shared<CheckpointStore>(blobs);
  EXPECT_TRUE(store->load().is_ok());
  MemoryBlobStore mine;
  EXPECT_TRUE(store->write_savepoint(mine).is_ok());
  return mine.contents();
}

struct Damage {
  std::string what;
  std::vector<std::string> files;  // one of which a refusal names
  Contents contents;
};

void for_each_damage(const Contents& good, const std::function<void(const Damage&)>& check) {
  for (const auto& [name, content] : good) {
    for (std::size_t at = 0; at < content.size(); ++at) {
      Damage flipped{"flip " + std::to_string(at), {name}, good};
      flipped.contents[name][at] = static_cast<char>(content[at] ^ (1 << (at % 8)));
      check(flipped);
    }
    for (std::size_t size = 0; size < content.size(); size += 1 + content.size() / 40) {
      Damage cut{"cut to " + std::to_string(size), {name}, good};
      cut.contents[name].resize(size);
      check(cut);
    }
    Damage longer{"add a byte", {name}, good};
    longer.contents[name] += '\0';
    check(longer);
    Damage gone{"delete", {name}, good};
    gone.contents.erase(name);
    check(gone);
    for (const auto& [other, its_content] : good) {
      if (other == name) continue;
      Damage replaced{"replace by " + other, {name}, good};
      replaced.contents[name] = its_content;
      check(replaced);
      if (other < name) continue;
      Damage swapped{"swap with " + other, {name, other}, good};
      std::swap(swapped.contents[name], swapped.contents[other]);
      check(swapped);
    }
  }
}

void expect_refusal(const Status& status, const Damage& damage) {
  EXPECT_EQ(status.code(), ErrorCode::kStateCorrupt) << status.to_string();
  bool is_named = false;
  for (const std::string& file : damage.files) {
    is_named = is_named || status.message().find(file) != std::string::npos;
  }
  EXPECT_TRUE(is_named) << status.to_string();
}

TEST(DamageTest, OfCheckpointsIsRefused) {
  const auto texts = truth();
  for (const int retained : {1, 3}) {
    int refused = 0;
    for_each_damage(checkpoint(retained), [&](const Damage& damage) {
      SCOPED_TRACE(damage.files[0] + ": " + damage.what);
      auto blobs = std::make_shared<MemoryBlobStore>();
      blobs->set_contents(damage.contents);
      const auto loaded = std::make_shared<CheckpointStore>(blobs)->load();
      if (!loaded.is_ok()) {
        ++refused;
        expect_refusal(loaded.status(), damage);
        EXPECT_EQ(blobs->contents(), damage.contents) << "the files are kept as they are";
      } else {
        ASSERT_TRUE(loaded->has_value());
        EXPECT_EQ(text_of(**loaded), texts.at(kLast));
      }
    });
    EXPECT_GT(refused, 500);
  }
}

TEST(DamageTest, AnOlderEpochWillDoWhereItIsAllowed) {
  const auto texts = truth();
  int older = 0;
  for_each_damage(checkpoint(3), [&](const Damage& damage) {
    SCOPED_TRACE(damage.files[0] + ": " + damage.what);
    auto blobs = std::make_shared<MemoryBlobStore>();
    blobs->set_contents(damage.contents);
    CheckpointOptions options;
    options.may_go_back = true;
    auto store = std::make_shared<CheckpointStore>(blobs, options);
    const auto loaded = store->load();
    if (!loaded.is_ok()) return expect_refusal(loaded.status(), damage);
    ASSERT_TRUE(loaded->has_value());
    const EpochId epoch = (*loaded)->epoch;
    EXPECT_EQ(text_of(**loaded), texts.at(epoch));
    if (epoch == kLast) return;
    ++older;
    // The job goes on, and writes the epochs anew.
    for (EpochId next = epoch + 1; next <= kLast; ++next) {
      ASSERT_TRUE(store->commit(record_at(next)).is_ok());
    }
    const auto again = std::make_shared<CheckpointStore>(blobs)->load();
    ASSERT_TRUE(again.is_ok()) << again.status().to_string();
    EXPECT_EQ(text_of(**again), texts.at(kLast));
  });
  EXPECT_GT(older, 200);
}

TEST(DamageTest, OfSavepointsIsRefused) {
  const Contents good = savepoint();
  for_each_damage(good, [&](const Damage& damage) {
    SCOPED_TRACE(damage.files[0] + ": " + damage.what);
    MemoryBlobStore blobs;
    blobs.set_contents(damage.contents);
    const auto read = read_savepoint(blobs);
    ASSERT_FALSE(read.is_ok());
    expect_refusal(read.status(), damage);
  });
  MemoryBlobStore blobs;
  blobs.set_contents(good);
  EXPECT_EQ(read_savepoint(blobs)->epoch, kLast);
}

}  // namespace
}  // namespace tidegate
