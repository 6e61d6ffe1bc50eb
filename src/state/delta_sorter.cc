// SPDX-License-Identifier: Apache-2.0
#include "state/delta_sorter.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <tuple>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/temporary_folder.h"
#include "state/binary_codec.h"
#include "state/scratch_file.h"
#include "state/state_backend.h"

namespace tidegate {
namespace {

constexpr std::size_t kMostRuns = 128;  // of a level
constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
constexpr std::uint32_t kErased = UINT32_MAX;

/// A row in memory and in runs: this, the key, the value.
struct RowHead {
  std::uint64_t name_space;  // sign flipped
  std::uint64_t hash;
  std::uint32_t key_bytes;
  std::uint32_t value_bytes;  // kErased: none
};

RowHead head_at(const char* at) {
  RowHead head;
  std::memcpy(&head, at, sizeof head);
  return head;
}

std::size_t size_of(const RowHead& head) {
  return sizeof head + head.key_bytes + (head.value_bytes == kErased ? 0 : head.value_bytes);
}

}  // namespace

struct DeltaSorter::Block {
  std::shared_ptr<const StoredBytes> stored;
  std::string bytes;  // in place of `stored`
  std::uint32_t checksum = 0;
};

/// Writes rows of a run, in order.
class DeltaSorter::RunWriter {
 public:
  /// No scratch file: keeps them in memory.
  RunWriter(std::size_t block_bytes, ScratchFile* scratch)
      : block_bytes_(block_bytes), scratch_(scratch) {
    block_.reserve(block_bytes);
  }

  Status add(std::string_view row) {
    if (!block_.empty() && block_.size() + row.size() > block_bytes_) {
      TG_RETURN_IF_ERROR(end_block());
    }
    block_ += row;
    return Status::ok();
  }
  Result<std::vector<Block>> finish() {
    if (!block_.empty()) TG_RETURN_IF_ERROR(end_block());
    return std::move(blocks_);
  }

 private:
  Status end_block() {
    Block& block = blocks_.emplace_back();
    block.checksum = crc32c(block_);
    if (scratch_ == nullptr) {
      block.bytes = std::exchange(block_, {});
    } else {
      TG_ASSIGN_OR_RETURN(block.stored, scratch_->append(block_));
      block_.clear();
    }
    return Status::ok();
  }

  const std::size_t block_bytes_;
  ScratchFile* const scratch_;
  std::string block_;
  std::vector<Block> blocks_;
};

/// A place in a run.
class DeltaSorter::Cursor {
 public:
  Cursor(const DeltaSorter* sorter, Run run) : sorter_(sorter), run_(std::move(run)) {}

  Status advance() {
    at_ += row_bytes_;
    if (at_ == bytes_.size()) {
      at_ = 0;
      bytes_.clear();
      row_bytes_ = 0;
      if (next_block_ == run_.blocks.size()) {
        is_at_end_ = true;
        return Status::ok();
      }
      TG_RETURN_IF_ERROR(read_block());
    }
    head_ = head_at(bytes_.data() + at_);
    row_bytes_ = size_of(head_);
    part_ = sorter_->part_of_hash(head_.hash);
    return Status::ok();
  }

  bool is_at_end() const { return is_at_end_; }
  std::uint32_t run() const { return run_.number; }
  std::uint32_t part() const { return part_; }
  const RowHead& head() const { return head_; }
  std::string_view bytes() const { return std::string_view(bytes_).substr(at_, row_bytes_); }
  std::string_view key() const { return bytes().substr(sizeof(RowHead), head_.key_bytes); }
  std::string_view value() const { return bytes().substr(sizeof(RowHead) + head_.key_bytes); }

  bool has_key_of(const Cursor& other) const {
    return head_.hash == other.head_.hash && head_.name_space == other.head_.name_space &&
           key() == other.key();
  }
  /// The newer one of rows with the same key comes first.
  bool is_before(const Cursor& other) const {
    const auto order = [](const Cursor& c) {
      return std::tuple(c.part_, c.head_.name_space, c.head_.hash);
    };
    if (const auto way = order(*this) <=> order(other); way != 0) return way < 0;
    if (const int way = key().compare(other.key()); way != 0) return way < 0;
    return run_.number > other.run_.number;
  }

 private:
  Status read_block() {
    Block& block = run_.blocks[next_block_++];
    if (block.stored == nullptr) {
      bytes_ = std::move(block.bytes);
    } else {
      TG_ASSIGN_OR_RETURN(bytes_, block.stored->read());
      block.stored.reset();
    }
    if (has_crc32c(bytes_, block.checksum)) return Status::ok();
    return error(ErrorCode::kFileIo, "a scratch file does not read what was written to it");
  }

  const DeltaSorter* const sorter_;
  Run run_;
  std::size_t next_block_ = 0;
  std::string bytes_;
  std::size_t at_ = 0;
  std::size_t row_bytes_ = 0;
  RowHead head_{};
  std::uint32_t part_ = 0;
  bool is_at_end_ = false;
};

/// The rows of some runs in order, of each key the newest one that is not dropped.
class DeltaSorter::Merge {
 public:
  explicit Merge(const DeltaSorter* sorter) : sorter_(sorter) {}

  Status add(Run run) {
    auto cursor = std::make_unique<Cursor>(sorter_, std::move(run));
    TG_RETURN_IF_ERROR(cursor->advance());
    if (!cursor->is_at_end()) heap_.push_back(std::move(cursor));
    return Status::ok();
  }
  void begin() {
    for (std::size_t i = heap_.size(); i-- > 0;) sift_down(i);
  }

  /// Null at the end.
  Result<const Cursor*> next() {
    while (true) {
      if (has_row_) TG_RETURN_IF_ERROR(advance(0));
      has_row_ = !heap_.empty();
      if (!has_row_) return static_cast<const Cursor*>(nullptr);
      TG_RETURN_IF_ERROR(skip_older());
      const Cursor& first = *heap_[0];
      const RowHead& row = first.head();
      if (!sorter_->is_dropped(row.name_space, row.hash, first.run(), UINT32_MAX)) return &first;
    }
  }

 private:
  /// The place in the heap of the row behind the first one; 0: none.
  std::size_t second() const {
    if (heap_.size() < 3) return heap_.size() - 1;
    return heap_[2]->is_before(*heap_[1]) ? 2 : 1;
  }
  Status skip_older() {
    for (std::size_t i = second(); i > 0 && heap_[i]->has_key_of(*heap_[0]); i = second()) {
      TG_RETURN_IF_ERROR(advance(i));
    }
    return Status::ok();
  }
  Status advance(std::size_t i) {
    TG_RETURN_IF_ERROR(heap_[i]->advance());
    if (heap_[i]->is_at_end()) {
      std::swap(heap_[i], heap_.back());
      heap_.pop_back();
    }
    sift_down(i);
    return Status::ok();
  }
  void sift_down(std::size_t i) {
    while (true) {
      std::size_t child = 2 * i + 1;
      if (child >= heap_.size()) return;
      if (child + 1 < heap_.size() && heap_[child + 1]->is_before(*heap_[child])) ++child;
      if (!heap_[child]->is_before(*heap_[i])) return;
      std::swap(heap_[i], heap_[child]);
      i = child;
    }
  }

  const DeltaSorter* const sorter_;
  std::vector<std::unique_ptr<Cursor>> heap_;
  bool has_row_ = false;  // the first one has been told
};

DeltaSorter::DeltaSorter(DeltaSorterOptions options) : options_(std::move(options)) {
  const KeyGroupRange& own = options_.own;
  for (int part = 0; options_.parts > 1 && part < options_.parts; ++part) {
    const KeyGroupRange range = part_of(own, part, options_.parts);
    part_of_group_.insert(part_of_group_.end(), static_cast<std::size_t>(range.end - range.begin),
                          static_cast<std::uint32_t>(part));
  }
}

DeltaSorter::~DeltaSorter() = default;

void DeltaSorter::clear() {
  arena_.clear();
  entries_.clear();
  drops_.clear();
  runs_.clear();
  scratch_.reset();
  fingerprint_.clear();
  has_any_ = false;
  size_bytes_ = 0;
}

std::uint32_t DeltaSorter::part_of_hash(std::uint64_t hash) const {
  if (part_of_group_.empty()) return 0;
  const int group = key_group_of(hash, options_.own.total) - options_.own.begin;
  return part_of_group_[static_cast<std::size_t>(group)];
}

Status DeltaSorter::add(std::string_view delta) {
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
  if (has_any_ && fingerprint_ != reader.fingerprint()) clear();
  has_any_ = true;
  fingerprint_ = reader.fingerprint();
  DeltaRecord record;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
    if (!more) return Status::ok();
    if (record.kind == DeltaRecord::Kind::kDrop) {
      drops_[record.name_space].push_back(
          {next_run_, static_cast<std::uint32_t>(arena_.size()), reader.key_groups()});
    } else if (options_.own.contains(key_group_of(record.hash, options_.own.total))) {
      const std::size_t bytes = sizeof(RowHead) + record.key.size() + record.value.size();
      if (bytes >= kErased / 2) {
        return error(ErrorCode::kLimitExceeded, "a row of state has {} bytes", bytes);
      }
      const std::size_t held = arena_.size() + entries_.size() * sizeof(Entry);
      if (!entries_.empty() && held + bytes > options_.memory_bytes) {
        TG_RETURN_IF_ERROR(end_run(false));
      }
      add_row(record);
    }
  }
}

void DeltaSorter::add_row(const DeltaRecord& record) {
  const bool erased = record.kind == DeltaRecord::Kind::kErase;
  const RowHead head{static_cast<std::uint64_t>(record.name_space) ^ kSign, record.hash,
                     static_cast<std::uint32_t>(record.key.size()),
                     erased ? kErased : static_cast<std::uint32_t>(record.value.size())};
  entries_.push_back({head.name_space, head.hash, static_cast<std::uint32_t>(arena_.size()),
                      part_of_hash(head.hash)});
  arena_.append(reinterpret_cast<const char*>(&head), sizeof head);
  arena_ += record.key;
  if (!erased) arena_ += record.value;
  size_bytes_ += static_cast<std::int64_t>(size_of(head));
}

std::string_view DeltaSorter::key_in_arena(const Entry& entry) const {
  const char* at = arena_.data() + entry.offset;
  return {at + sizeof(RowHead), head_at(at).key_bytes};
}

bool DeltaSorter::is_before(const Entry& a, const Entry& b) const {
  if (a.part != b.part) return a.part < b.part;
  if (a.name_space != b.name_space) return a.name_space < b.name_space;
  if (a.hash != b.hash) return a.hash < b.hash;
  if (const int way = key_in_arena(a).compare(key_in_arena(b)); way != 0) return way < 0;
  return a.offset > b.offset;  // the newer one first
}

/// A row that lies at `offset` of a run; UINT32_MAX: drops of its own run have been looked at.
bool DeltaSorter::is_dropped(std::uint64_t name_space, std::uint64_t hash, std::uint32_t run,
                             std::uint32_t offset) const {
  if (drops_.empty()) return false;
  const auto found = drops_.find(static_cast<std::int64_t>(name_space ^ kSign));
  if (found == drops_.end()) return false;
  return std::ranges::any_of(found->second, [&](const Drop& drop) {
    const bool is_later = drop.run > run || (drop.run == run && drop.offset > offset);
    return is_later && drop.writer.contains(key_group_of(hash, drop.writer.total));
  });
}

Status DeltaSorter::make_scratch() {
  std::string folder = options_.folder;
  if (folder.empty()) {
    if (temporary_ == nullptr) {
      TG_ASSIGN_OR_RETURN(temporary_, TemporaryFolder::make());
    }
    folder = temporary_->path();
  }
  TG_ASSIGN_OR_RETURN(scratch_, ScratchFile::create(folder));
  return Status::ok();
}

Status DeltaSorter::end_run(bool stays) {
  const auto before = [this](const Entry& a, const Entry& b) { return is_before(a, b); };
  // What was sorted once comes in order.
  if (!std::ranges::is_sorted(entries_, before)) std::ranges::sort(entries_, before);
  if (!stays && scratch_ == nullptr) TG_RETURN_IF_ERROR(make_scratch());
  RunWriter writer(options_.memory_bytes / kMostRuns / 2, stays ? nullptr : scratch_.get());
  const Entry* last = nullptr;
  for (const Entry& entry : entries_) {
    const bool is_older = last != nullptr && last->hash == entry.hash &&
                          last->name_space == entry.name_space &&
                          key_in_arena(*last) == key_in_arena(entry);
    last = &entry;
    if (is_older || is_dropped(entry.name_space, entry.hash, next_run_, entry.offset)) continue;
    const char* row = arena_.data() + entry.offset;
    TG_RETURN_IF_ERROR(writer.add({row, size_of(head_at(row))}));
  }
  Run& run = runs_.emplace_back();
  run.number = next_run_++;
  TG_ASSIGN_OR_RETURN(run.blocks, writer.finish());
  arena_.clear();
  entries_.clear();
  return stays ? Status::ok() : merge_last();
}

/// As long as there are many runs of one level at the end, which become one of the next.
Status DeltaSorter::merge_last() {
  while (true) {
    const int level = runs_.back().level;
    const auto first = std::ranges::find(runs_, level, &Run::level);
    if (runs_.end() - first < static_cast<std::ptrdiff_t>(kMostRuns)) return Status::ok();
    Run merged{runs_.back().number, level + 1, {}};
    Merge merge(this);
    for (auto run = first; run != runs_.end(); ++run)
      TG_RETURN_IF_ERROR(merge.add(std::move(*run)));
    runs_.erase(first, runs_.end());
    merge.begin();
    // The room of the old runs comes free with their file.
    TG_RETURN_IF_ERROR(make_scratch());
    RunWriter writer(options_.memory_bytes / kMostRuns / 2, scratch_.get());
    while (true) {
      TG_ASSIGN_OR_RETURN(const Cursor* const row, merge.next());
      if (row == nullptr) break;
      TG_RETURN_IF_ERROR(writer.add(row->bytes()));
    }
    TG_ASSIGN_OR_RETURN(merged.blocks, writer.finish());
    runs_.push_back(std::move(merged));
    scratch_.reset();
  }
}

std::vector<std::int64_t> DeltaSorter::drops() const {
  std::vector<std::int64_t> dropped;
  for (const auto& [name_space, drops] : drops_) dropped.push_back(name_space);
  return dropped;
}

Status DeltaSorter::finish() {
  TG_RETURN_IF_ERROR(end_run(true));
  // What is not needed any more.
  arena_ = {};
  entries_ = {};
  merge_ = std::make_unique<Merge>(this);
  for (Run& run : runs_) TG_RETURN_IF_ERROR(merge_->add(std::move(run)));
  runs_.clear();
  merge_->begin();
  return Status::ok();
}

Result<bool> DeltaSorter::next(Row& row) {
  TG_ASSIGN_OR_RETURN(const Cursor* const at, merge_->next());
  if (at == nullptr) return false;
  const RowHead& head = at->head();
  const bool erased = head.value_bytes == kErased;
  row.record.kind = erased ? DeltaRecord::Kind::kErase : DeltaRecord::Kind::kPut;
  row.record.name_space = static_cast<std::int64_t>(head.name_space ^ kSign);
  row.record.hash = head.hash;
  row.record.key = at->key();
  row.record.value = at->value();
  row.part = static_cast<int>(at->part());
  return true;
}

}  // namespace tidegate
