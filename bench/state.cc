// SPDX-License-Identifier: Apache-2.0
//
// State many times larger than memory: counts per key in a table above a RocksDB, updated a batch
// of 8192 rows at a time, an epoch every million rows, or when memory asks for one. Keys are chosen
// uniformly, or with a skew (log-uniformly, as by Zipf's law). Against a bare loop over a RocksDB
// with the same memory, which reads each batch with one sorted MultiGet and writes it with one
// WriteBatch.
//
// Then an epoch that changes a row per key and does not fit into memory, and making the RocksDB
// anew from a checkpoint of --restore-mib: from rows that are made when they are read, and from a
// folder, all of which is verified.
//
//   state [--json] [--keys N] [--updates N] [--memory-mib N] [--restore-mib N] [--only NAME]

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob_store.h"
#include "base/check.h"
#include "base/file_system.h"
#include "base/random.h"
#include "epoch/checkpoint_store.h"
#include "measured_child.h"
#include "state/delta.h"
#include "state/state_store.h"
#include "state/state_table.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"

namespace tidegate::bench {
namespace {

constexpr std::int64_t kBatchRows = 8192;
constexpr std::int64_t kEpochRows = 1'000'000;
constexpr int kRatioBits = 20;
constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;

struct Settings {
  std::int64_t keys = 20'000'000;
  std::int64_t updates = 20'000'000;
  std::int64_t memory_bytes = std::int64_t{256} << 20;
  std::int64_t restore_bytes = std::int64_t{1} << 30;
  std::string only;  ///< what the names of cases begin with; empty: all
  bool json = false;

  bool wants(std::string_view name) const { return name.starts_with(only); }
};

void must(const Status& status) { TG_CHECK(status.is_ok(), "{}", status.to_string()); }
void must(const rocksdb::Status& status) { TG_CHECK(status.ok(), "{}", status.ToString()); }

enum class Choice { kEachOnce, kUniform, kSkewed };

/// Batches of keys; the same ones for the same choice.
class Keys {
 public:
  Keys(const Settings& settings, Choice choice) : keys_(settings.keys), choice_(choice) {}

  const std::vector<std::int64_t>& next() {
    batch_.resize(kBatchRows);
    for (std::int64_t& key : batch_) {
      key = static_cast<std::int64_t>(static_cast<std::uint64_t>(number()) * kSpread);
    }
    return batch_;
  }

 private:
  std::int64_t number() {
    if (choice_ == Choice::kEachOnce) return count_++ % keys_;
    if (choice_ == Choice::kUniform) {
      return static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(keys_)));
    }
    return static_cast<std::int64_t>(std::pow(static_cast<double>(keys_), random_.real())) - 1;
  }

  std::int64_t keys_;
  Choice choice_;
  Random random_{7};
  std::int64_t count_ = 0;
  std::vector<std::int64_t> batch_;
};

/// A folder that goes with the case.
std::string own_folder() {
  std::string folder = "/tmp/tidegate-bench-state-XXXXXX";
  TG_CHECK(mkdtemp(folder.data()) != nullptr, "no temporary folder");
  return folder;
}

class TidegateCounts {
 public:
  TidegateCounts(const Settings& settings, const std::string& folder) {
    auto store = make_rocksdb_state_store({folder, "", settings.memory_bytes});
    must(store.status());
    store_ = *store;
    backend_ = store_->open(uid_, {});
    auto table = backend_->table({"counts", std::make_shared<FixedLayout>(8)});
    must(table.status());
    table_ = *table;
  }

  void update(const std::vector<std::int64_t>& keys) {
    backend_->make_room();
    const auto rows = std::ssize(keys);
    const ArrayPtr column = std::make_shared<arrow::Int64Array>(rows, arrow::Buffer::Wrap(keys));
    must(codec_.encode(std::vector<ArrayPtr>{column}, rows, encoded_));
    hashes_.resize(keys.size());
    hash_keys(encoded_, hashes_);
    values_.resize(keys.size());
    must(table_->find_or_create(0, {encoded_, hashes_}, values_));
    for (std::byte* value : values_) ++*reinterpret_cast<std::int64_t*>(value);
    must(backend_->status());
    rows_ += rows;
    // As a job does: an epoch comes early when memory is short.
    if (!ends_epochs_ || (rows_ < kEpochRows && !store_->is_short_of_memory())) return;
    rows_ = 0;
    end_epoch();
  }

  void hold_epoch_open() { ends_epochs_ = false; }
  std::int64_t end_epoch() {
    auto deltas = backend_->seal(++epoch_);
    must(deltas.status());
    std::int64_t bytes = 0;
    std::string buffer;
    for (const StateDelta& delta : *deltas) {
      const auto view = delta.view(buffer);
      must(view.status());
      bytes += std::ssize(*view);
    }
    const OperatorDeltas part{&uid_, &*deltas};
    must(store_->apply({"", epoch_, ""}, {&part, 1}));
    return bytes;
  }

 private:
  bool ends_epochs_ = true;
  const std::string uid_ = "count";
  std::shared_ptr<StateStore> store_;
  std::unique_ptr<StateBackend> backend_;
  StateTable* table_ = nullptr;
  KeyCodec codec_{{LogicalType(TypeKind::kBigInt)}};
  EncodedKeys encoded_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::byte*> values_;
  std::int64_t rows_ = 0;
  EpochId epoch_ = 0;
};

class BareCounts {
 public:
  BareCounts(const Settings& settings, const std::string& folder) {
    const auto cache = rocksdb::NewLRUCache(static_cast<std::size_t>(settings.memory_bytes), 2);
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.cache_index_and_filter_blocks = true;
    rocksdb::Options options;
    options.create_if_missing = true;
    options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    const auto buffers = static_cast<std::size_t>(settings.memory_bytes / 8);
    options.write_buffer_manager = std::make_shared<rocksdb::WriteBufferManager>(buffers, cache);
    options.write_buffer_size = buffers / 2;
    options.compression = rocksdb::kLZ4Compression;
    options.level_compaction_dynamic_level_bytes = true;
    rocksdb::DB* db = nullptr;
    must(rocksdb::DB::Open(options, folder, &db));
    db_.reset(db);
  }

  void update(const std::vector<std::int64_t>& keys) {
    sorted_.clear();
    for (const std::int64_t key : keys) {
      sorted_.push_back(
          static_cast<std::int64_t>(__builtin_bswap64(static_cast<std::uint64_t>(key))));
    }
    std::sort(sorted_.begin(), sorted_.end(),
              [](std::int64_t a, std::int64_t b) { return std::memcmp(&a, &b, sizeof a) < 0; });
    counts_.clear();
    asked_.clear();
    for (const std::int64_t& key : sorted_) {
      if (asked_.empty() || std::memcmp(asked_.back().data(), &key, sizeof key) != 0) {
        asked_.emplace_back(reinterpret_cast<const char*>(&key), sizeof key);
        counts_.push_back(0);
      }
      ++counts_.back();
    }
    found_.resize(asked_.size());
    statuses_.resize(asked_.size());
    db_->MultiGet(rocksdb::ReadOptions(), db_->DefaultColumnFamily(), asked_.size(), asked_.data(),
                  found_.data(), statuses_.data(), true);
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      std::int64_t count = counts_[i];
      if (statuses_[i].ok()) {
        std::int64_t before = 0;
        std::memcpy(&before, found_[i].data(), sizeof before);
        count += before;
      } else {
        TG_CHECK(statuses_[i].IsNotFound(), "{}", statuses_[i].ToString());
      }
      must(batch_.Put(asked_[i], {reinterpret_cast<const char*>(&count), sizeof count}));
      found_[i].Reset();
    }
    rocksdb::WriteOptions unlogged;
    unlogged.disableWAL = true;
    must(db_->Write(unlogged, &batch_));
    batch_.Clear();
  }
  void end_epoch() {}

 private:
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::WriteBatch batch_;
  std::vector<std::int64_t> sorted_;
  std::vector<std::int64_t> counts_;
  std::vector<rocksdb::Slice> asked_;
  std::vector<rocksdb::PinnableSlice> found_;
  std::vector<rocksdb::Status> statuses_;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// All keys once, then the updates; the CPU time is that of the updates. `last_to_first`: what the
/// last quarter of them costs beside the first one.
template <typename Counts>
Cost run_case(const Settings& settings, Choice choice, double& last_to_first) {
  const std::string folder = own_folder();
  Cost cost = measure([&] {
    Counts counts(settings, folder);
    const auto run = [&](Keys& keys, std::int64_t rows) {
      const double before = cpu_seconds();
      for (std::int64_t done = 0; done < rows; done += kBatchRows) counts.update(keys.next());
      counts.end_epoch();
      return cpu_seconds() - before;
    };
    Keys all(settings, Choice::kEachOnce);
    run(all, settings.keys);
    Keys keys(settings, choice);
    std::array<double, 4> quarters{};
    for (double& quarter : quarters) quarter = run(keys, settings.updates / 4);
    const double sum = std::accumulate(quarters.begin(), quarters.end(), 0.0);
    return static_cast<std::uint64_t>(sum * 1e6) << kRatioBits |
           static_cast<std::uint64_t>(quarters[3] / quarters[0] * 1000);
  });
  must(local_file_system().remove_all(folder));
  TG_CHECK(!cost.failed, "a case failed");
  cost.cpu_s = static_cast<double>(cost.answer >> kRatioBits) / 1e6;
  last_to_first = static_cast<double>(cost.answer & ((1 << kRatioBits) - 1)) / 1000;
  return cost;
}

/// One epoch with a row of each key. Answers the bytes of its delta.
Cost run_large_epoch(const Settings& settings) {
  const std::string folder = own_folder();
  Cost cost = measure([&] {
    TidegateCounts counts(settings, folder);
    counts.hold_epoch_open();
    Keys keys(settings, Choice::kEachOnce);
    for (std::int64_t done = 0; done < settings.keys; done += kBatchRows)
      counts.update(keys.next());
    return static_cast<std::uint64_t>(counts.end_epoch());
  });
  must(local_file_system().remove_all(folder));
  TG_CHECK(!cost.failed, "a case failed");
  return cost;
}

constexpr std::int64_t kValueBytes = 100;
constexpr std::int64_t kPieceRows = 100'000;

/// Rows of a checkpoint: a piece of 100,000, made when it is read.
class Piece final : public StoredBytes {
 public:
  explicit Piece(std::int64_t number) : number_(number) {}
  Result<std::string> read() const override {
    DeltaWriter writer(FixedLayout(kValueBytes).fingerprint(), {});
    const std::string value(kValueBytes, 'v');
    for (std::int64_t i = 0; i < kPieceRows; ++i) {
      const auto key = static_cast<std::uint64_t>(number_ * kPieceRows + i) * kSpread;
      const std::string_view bytes(reinterpret_cast<const char*>(&key), sizeof key);
      writer.put(0, hash_key(bytes), bytes, value);
    }
    return writer.finish();
  }

 private:
  std::int64_t number_;
};

Cost run_restore(const Settings& settings) {
  const std::string folder = own_folder();
  Cost cost = measure([&] {
    auto store = make_rocksdb_state_store({folder, "", settings.memory_bytes});
    must(store.status());
    const auto backend = (*store)->open("count", {});
    const std::int64_t pieces = settings.restore_bytes / kValueBytes / kPieceRows;
    for (std::int64_t i = 0; i < pieces; ++i) {
      must(backend->restore({1, "rows", "", std::make_shared<Piece>(i)}));
    }
    must(backend->table({"rows", std::make_shared<FixedLayout>(kValueBytes)}).status());
    return static_cast<std::uint64_t>(pieces * kPieceRows);
  });
  must(local_file_system().remove_all(folder));
  TG_CHECK(!cost.failed, "a case failed");
  return cost;
}

/// The same rows from a folder, in two tasks.
Cost run_restore_of_folder(const Settings& settings) {
  const std::string folder = own_folder();
  const std::string uid = "count";
  FileSystem& files = local_file_system();
  const auto epochs = [&] {
    return std::make_shared<CheckpointStore>(
        std::shared_ptr<BlobStore>(make_local_blob_store(files, folder + "/epochs")));
  };
  const std::int64_t pieces = settings.restore_bytes / kValueBytes / kPieceRows;
  const Cost written = measure([&] {
    EpochRecord record;
    record.epoch = 1;
    OperatorState& state = record.operators.emplace_back(OperatorState{uid, {}, {}});
    for (std::int64_t i = 0; i < pieces; ++i) {
      state.deltas.push_back({1, "rows", "", std::make_shared<Piece>(i)});
    }
    must(epochs()->begin_from(record));
    return std::uint64_t{0};
  });
  TG_CHECK(!written.failed, "no checkpoint");
  Cost cost = measure([&] {
    auto record = epochs()->load();
    must(record.status());
    auto store = make_rocksdb_state_store({folder, "", settings.memory_bytes});
    must(store.status());
    for (int task = 0; task < 2; ++task) {
      const auto backend = (*store)->open(uid, key_groups_of_subtask(task, 128, 2));
      for (const StateDelta& delta : (*record)->operators[0].deltas) must(backend->restore(delta));
      must(backend->table({"rows", std::make_shared<FixedLayout>(kValueBytes)}).status());
    }
    return static_cast<std::uint64_t>(pieces * kPieceRows);
  });
  must(files.remove_all(folder));
  TG_CHECK(!cost.failed, "a case failed");
  return cost;
}

void run(const Settings& settings) {
  for (const auto& [choice, name] :
       {std::pair(Choice::kSkewed, "skewed"), std::pair(Choice::kUniform, "uniform")}) {
    const std::string bare_name = fmt::format("bare RocksDB loop, {} keys", name);
    std::string our_name = fmt::format("{} keys", name);
    Cost bare;
    double last_to_first = 0;
    if (settings.wants(bare_name)) {
      bare = run_case<BareCounts>(settings, choice, last_to_first);
      report(settings.json, "state", bare_name, settings.updates, bare);
    }
    if (!settings.wants(our_name)) continue;
    const Cost ours = run_case<TidegateCounts>(settings, choice, last_to_first);
    our_name += fmt::format(" (last quarter {:.2f} of the first)", last_to_first);
    if (bare.cpu_s > 0) {
      report(settings.json, "state", our_name, settings.updates, ours, bare_name,
             bare.cpu_s / ours.cpu_s);
    } else {
      report(settings.json, "state", our_name, settings.updates, ours);
    }
  }
  if (constexpr auto kName = "one epoch, larger than memory"; settings.wants(kName)) {
    report(settings.json, "state", kName, settings.keys, run_large_epoch(settings));
  }
  if (constexpr auto kName = "restored rows of 100 bytes"; settings.wants(kName)) {
    const Cost restored = run_restore(settings);
    report(settings.json, "state", kName, static_cast<std::int64_t>(restored.answer), restored);
  }
  if (constexpr auto kName = "restored from a checkpoint folder"; settings.wants(kName)) {
    const Cost restored = run_restore_of_folder(settings);
    report(settings.json, "state", kName, static_cast<std::int64_t>(restored.answer), restored);
  }
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  tidegate::bench::Settings settings;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const auto number = [&]() -> std::int64_t { return i + 1 < argc ? std::atoll(argv[++i]) : 0; };
    if (name == "--json") {
      settings.json = true;
    } else if (name == "--keys") {
      settings.keys = std::max<std::int64_t>(number(), 1);
    } else if (name == "--updates") {
      settings.updates = std::max<std::int64_t>(number(), 1);
    } else if (name == "--memory-mib") {
      settings.memory_bytes = std::max<std::int64_t>(number(), 1) << 20;
    } else if (name == "--only") {
      settings.only = i + 1 < argc ? argv[++i] : "";
    } else if (name == "--restore-mib") {
      settings.restore_bytes = std::max<std::int64_t>(number(), 1) << 20;
    }
  }
  tidegate::bench::run(settings);
  return 0;
}
