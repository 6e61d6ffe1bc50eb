// SPDX-License-Identifier: Apache-2.0
#include "state/hash_segment.h"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr std::size_t kPrefetchBytes = 640;

}  // namespace

void HashSegment::FreeSlots::operator()(std::uint64_t* slots) const {
  format->memory().count(-static_cast<std::int64_t>(capacity) * 8);
  std::free(slots);
}

HashSegment::~HashSegment() {
  if (format_->owns_memory()) {
    each_row({}, [&](std::byte* row, RowPlace) {
      if ((StateRowFormat::header(row).flags & StateRowHeader::kErased) != 0) return;
      format_->memory().count(-format_->layout().owned_bytes(format_->value(row)));
      format_->destroy_value(row);
    });
  }
  format_->memory().count_dirty(-dirty_bytes_);
  free_pages();
}

void HashSegment::free_pages() {
  for (const Page& page : pages_) format_->memory().free(page.data, page.capacity);
  pages_.clear();
}

std::byte* HashSegment::find(std::uint64_t hash, std::string_view key) const {
  return found_to_read(find_row(hash, key));
}

std::byte* HashSegment::find_or_create(std::uint64_t hash, std::string_view key) {
  compact_if_sparse();
  return found_or_new(find_row(hash, key), hash, key);
}

std::byte* HashSegment::find_linear(std::uint64_t hash, std::string_view key) const {
  for (const Page& page : pages_) {
    for (std::uint32_t offset = 0; offset < page.used;) {
      std::byte* row = page.data + offset;
      if (is_row(row, hash, key, false)) return row;
      offset += static_cast<std::uint32_t>(format_->row_size(row));
    }
  }
  return nullptr;
}

void HashSegment::prefetch_row(std::uint64_t hash) const {
  const auto tag = static_cast<std::uint32_t>(hash);
  const std::uint64_t slot = slots_[tag & slot_mask_];
  if (slot != 0 && static_cast<std::uint32_t>(slot >> 32) == tag) {
    const std::byte* row = row_at(slot);
    __builtin_prefetch(row);
    __builtin_prefetch(row + 56);
  }
}

std::byte* HashSegment::create(std::uint64_t hash, std::string_view key) {
  std::byte* row = add_row(hash, key, StateRowHeader::kDirty | StateRowHeader::kUse);
  if (row == nullptr) return nullptr;
  if (format_->tracked()) {
    const auto size = static_cast<std::int64_t>(format_->row_size(key.size()));
    dirty_bytes_ += size;
    format_->memory().count_dirty(size);
    if (format_->has_base()) dirty_.push_back(row);
  }
  return format_->value(row);
}

std::byte* HashSegment::load(std::uint64_t hash, std::string_view key) {
  // As old as the base: it may be evicted again at once.
  const std::uint32_t epoch_bits = static_cast<std::uint32_t>(format_->memory().applied())
                                   << StateRowHeader::kEpochShift;
  std::byte* row = add_row(hash, key, StateRowHeader::kSealed | epoch_bits);
  has_sealed_ = true;
  return row == nullptr ? nullptr : format_->value(row);
}

std::byte* HashSegment::add_row(std::uint64_t hash, std::string_view key, std::uint32_t flags) {
  std::uint32_t number = 0;
  std::byte* row = append_row(format_->row_size(key.size()), number);
  if (row == nullptr) return nullptr;
  StateRowFormat::header(row) = {hash, static_cast<std::uint32_t>(key.size()), flags};
  format_->create_value(row);
  if (!key.empty())
    std::memcpy(const_cast<char*>(format_->key(row).data()), key.data(), key.size());
  ++rows_;
  ++live_rows_;
  if (slots_ != nullptr || rows_ > kLinearRows) insert_slot(hash, number);
  return row;
}

std::byte* HashSegment::revive(std::byte* row) {
  format_->create_value(row);
  StateRowFormat::header(row).flags &= ~StateRowHeader::kErased;
  ++live_rows_;
  mark_dirty(row);
  return format_->value(row);
}

void HashSegment::erase(std::byte* value) {
  std::byte* row = format_->row_of(value);
  if (format_->owns_memory()) {
    format_->memory().count(-format_->layout().owned_bytes(value));
    format_->destroy_value(row);
  }
  StateRowFormat::header(row).flags |= StateRowHeader::kErased;
  --live_rows_;
  mark_dirty(row);
}

std::byte* HashSegment::append_row(std::size_t size, std::uint32_t& number) {
  const std::size_t needed = size + kReadableBehind;
  if (pages_.empty() || pages_.back().capacity - pages_.back().used < needed) {
    if (pages_.size() >= kMaxPages) return nullptr;
    const std::size_t doubled =
        pages_.empty() ? StateMemory::kSmallestPage : std::size_t{pages_.back().capacity} * 2;
    std::size_t capacity = std::min(doubled, StateMemory::kLargestPage);
    if (needed > capacity) {
      capacity = needed <= StateMemory::kLargestPage ? std::bit_ceil(needed) : needed;
    }
    pages_.push_back(
        {format_->memory().allocate(capacity), 0, static_cast<std::uint32_t>(capacity)});
  }
  Page& page = pages_.back();
  std::byte* row = page.data + page.used;
  number = static_cast<std::uint32_t>(pages_.size() - 1) << kOffsetBits | page.used >> 3;
  page.used += static_cast<std::uint32_t>(size);
  return row;
}

void HashSegment::insert_slot(std::uint64_t hash, std::uint32_t number) {
  const std::uint64_t capacity = slots_ == nullptr ? 0 : std::uint64_t{slot_mask_} + 1;
  if (std::uint64_t{rows_} * 5 > capacity * 4) {
    // Takes in all rows, the new one too, when there was no index yet.
    const bool first = slots_ == nullptr;
    rebuild_slots(static_cast<std::uint32_t>(std::max<std::uint64_t>(capacity * 2, 16)));
    if (first) return;
  }
  std::uint32_t i = static_cast<std::uint32_t>(hash) & slot_mask_;
  while (slots_[i] != 0) i = (i + 1) & slot_mask_;
  slots_[i] = hash << 32 | (number + 1);
}

void HashSegment::rebuild_slots(std::uint32_t capacity) {
  TG_CHECK(std::has_single_bit(capacity), "capacity={}", capacity);
  auto* slots = static_cast<std::uint64_t*>(std::calloc(capacity, sizeof(std::uint64_t)));
  TG_CHECK(slots != nullptr, "no memory for {} slots of state", capacity);
  format_->memory().count(static_cast<std::int64_t>(capacity) * 8);
  const std::uint32_t mask = capacity - 1;
  const auto insert = [&](std::uint64_t slot) {
    std::uint32_t i = static_cast<std::uint32_t>(slot >> 32) & mask;
    while (slots[i] != 0) i = (i + 1) & mask;
    slots[i] = slot;
  };
  if (slots_ != nullptr) {
    for (std::uint32_t i = 0; i <= slot_mask_; ++i) {
      if (slots_[i] != 0) insert(slots_[i]);
    }
  } else {
    each_row({}, [&](std::byte* row, RowPlace at) {
      insert(StateRowFormat::header(row).hash << 32 |
             ((at.page << kOffsetBits | at.offset >> 3) + 1));
    });
  }
  slots_ = {slots, FreeSlots{format_, capacity}};
  slot_mask_ = mask;
}

void HashSegment::reserve(std::uint32_t rows) {
  const std::uint64_t capacity = std::bit_ceil(std::uint64_t{rows} * 5 / 4 + 1);
  if (rows <= kLinearRows || capacity > (1u << 31)) return;
  if (slots_ == nullptr || capacity > std::uint64_t{slot_mask_} + 1) {
    rebuild_slots(static_cast<std::uint32_t>(capacity));
  }
}

void HashSegment::mark_clean_row_dirty(std::byte* row) {
  StateRowFormat::header(row).flags |= StateRowHeader::kDirty;
  StateRowFormat::header(row).add_use();
  if (!format_->tracked()) return;
  dirty_.push_back(row);
  const auto size = static_cast<std::int64_t>(format_->row_size(row));
  dirty_bytes_ += size;
  format_->memory().count_dirty(size);
}

void HashSegment::clear_dirty() {
  format_->memory().count_dirty(-dirty_bytes_);
  dirty_bytes_ = 0;
  dirty_ = {};
  kept_erased_ = 0;
  if (pages_.empty() || format_->has_base()) return;
  clean_end_ = {static_cast<std::uint32_t>(pages_.size() - 1), pages_.back().used};
}

void HashSegment::set_restored() {
  each_row({}, [](std::byte* row, RowPlace) {
    std::uint32_t& flags = StateRowFormat::header(row).flags;
    const bool erased = (flags & StateRowHeader::kErased) != 0;
    flags = (erased ? StateRowHeader::kErased : StateRowHeader::kSealed) | StateRowHeader::kUse;
  });
  has_sealed_ = true;
  clear_dirty();
}

std::size_t HashSegment::next(RowPlace& cursor, std::span<std::byte*> values) const {
  std::size_t count = 0;
  while (cursor.page < pages_.size()) {
    const Page& page = pages_[cursor.page];
    while (cursor.offset < page.used) {
      if (count == values.size()) return count;
      std::byte* row = page.data + cursor.offset;
      // Where the next row begins is known only when this one has been read.
      __builtin_prefetch(row + kPrefetchBytes);
      cursor.offset += static_cast<std::uint32_t>(format_->row_size(row));
      if ((StateRowFormat::header(row).flags & StateRowHeader::kErased) == 0) {
        values[count++] = format_->value(row);
      }
    }
    if (cursor.page + 1 == pages_.size()) break;
    cursor = {cursor.page + 1, 0};
  }
  return count;
}

std::size_t HashSegment::next_dirty(DirtyCursor& cursor, std::span<std::byte*> values) const {
  std::size_t count = 0;
  for (; cursor.changed < dirty_.size() && count < values.size(); ++cursor.changed) {
    std::byte* row = dirty_[cursor.changed];
    if ((StateRowFormat::header(row).flags & StateRowHeader::kErased) == 0) {
      values[count++] = format_->value(row);
    }
  }
  if (count > 0) return count;
  if (!std::exchange(cursor.in_new, true)) cursor.rows = clean_end_;
  return next(cursor.rows, values);
}

/// Moves what is still needed of a segment into new pages, in order.
class SegmentCompaction {
 public:
  explicit SegmentCompaction(HashSegment& segment)
      : segment_(segment), format_(*segment.format_), old_pages_(std::move(segment.pages_)) {}

  void run() {
    segment_.pages_.clear();
    segment_.slots_.reset();
    segment_.slot_mask_ = 0;
    segment_.dirty_.clear();
    segment_.rows_ = 0;
    segment_.kept_erased_ = 0;
    const RowPlace clean_end = segment_.clean_end_;
    if (!format_.has_base()) segment_.clean_end_ = {};
    for (std::uint32_t p = 0; p < old_pages_.size(); ++p) {
      move_page(p, clean_end);
      format_.memory().free(old_pages_[p].data, old_pages_[p].capacity);
    }
    segment_.generation_ = format_.memory().next_generation();
    if (segment_.rows_ > HashSegment::kLinearRows) {
      segment_.rebuild_slots(
          static_cast<std::uint32_t>(std::bit_ceil(std::uint64_t{segment_.rows_} * 5 / 4 + 1)));
    }
  }

 private:
  void move_page(std::uint32_t p, RowPlace clean_end) {
    const HashSegment::Page& page = old_pages_[p];
    for (std::uint32_t offset = 0; offset < page.used;) {
      std::byte* row = page.data + offset;
      // Taken now: moving the row may overwrite nothing, but destroys its value.
      const std::size_t size = format_.row_size(row);
      const bool is_new = RowPlace{p, offset} >= clean_end;
      if (is_needed(row)) {
        move_row(row, size, is_new);
      } else if ((StateRowFormat::header(row).flags & StateRowHeader::kDirty) != 0 &&
                 format_.tracked()) {
        segment_.dirty_bytes_ -= static_cast<std::int64_t>(size);
        format_.memory().count_dirty(-static_cast<std::int64_t>(size));
      } else if ((StateRowFormat::header(row).flags & StateRowHeader::kErased) == 0) {
        let_go(row);
      } else if ((StateRowFormat::header(row).flags & StateRowHeader::kSpilled) != 0) {
        segment_.is_whole_ = false;
      }
      offset += static_cast<std::uint32_t>(size);
    }
  }

  /// Live rows, and erased ones of which the next delta must tell or which the base still has.
  bool is_needed(const std::byte* row) const {
    const std::uint32_t flags = StateRowFormat::header(row).flags;
    if ((flags & StateRowHeader::kErased) == 0) return (flags & StateRowHeader::kLeaving) == 0;
    if ((flags & StateRowHeader::kDirty) == 0) return format_.has_base() && !format_.may_leave(row);
    return format_.tracked() && (flags & StateRowHeader::kSealed) != 0;
  }

  void let_go(std::byte* row) {
    format_.memory().count(-format_.layout().owned_bytes(format_.value(row)));
    format_.destroy_value(row);
    --segment_.live_rows_;
    segment_.is_whole_ = false;
  }

  void move_row(std::byte* row, std::size_t size, bool is_new) {
    std::uint32_t number = 0;
    std::byte* target = segment_.append_row(size, number);
    TG_CHECK(target != nullptr, "a smaller segment does not fit");
    std::memcpy(target, row, size);
    ++segment_.rows_;
    const std::uint32_t flags = StateRowFormat::header(row).flags;
    if ((flags & StateRowHeader::kErased) != 0) {
      ++segment_.kept_erased_;
    } else if (!format_.layout().is_relocatable()) {
      move_value(row, target);
    }
    if (!format_.tracked()) return;
    if (format_.has_base()) {
      if ((flags & StateRowHeader::kDirty) != 0) segment_.dirty_.push_back(target);
      return;
    }
    if (is_new) return;
    segment_.clean_end_ = {static_cast<std::uint32_t>(segment_.pages_.size() - 1),
                           segment_.pages_.back().used};
    if ((flags & StateRowHeader::kDirty) != 0) segment_.dirty_.push_back(target);
  }

  void move_value(std::byte* from, std::byte* to) {
    const std::int64_t stamp = format_.stamped() ? format_.stamp(from) : 0;
    bytes_.clear();
    format_.layout().serialize(format_.value(from), bytes_);
    format_.create_value(to);
    if (format_.stamped()) format_.stamp(to) = stamp;
    std::string_view in = bytes_;
    const Status moved = format_.layout().deserialize(in, format_.value(to));
    TG_CHECK(moved.is_ok() && in.empty(), "a value does not read what it wrote: {}",
             moved.to_string());
    format_.memory().count(format_.layout().owned_bytes(format_.value(to)) -
                           format_.layout().owned_bytes(format_.value(from)));
    format_.destroy_value(from);
  }

  HashSegment& segment_;
  const StateRowFormat& format_;
  std::vector<HashSegment::Page> old_pages_;
  std::string bytes_;
};

void HashSegment::compact_if_sparse() {
  constexpr std::uint32_t kWorthIt = 64;
  const std::uint32_t erased = rows_ - live_rows_ - kept_erased_;
  if (erased >= kWorthIt && erased > rows_ - erased) SegmentCompaction(*this).run();
}

std::int64_t HashSegment::evict(std::int64_t bytes, int most_uses) {
  std::int64_t leaving = 0;
  each_row({}, [&](std::byte* row, RowPlace) {
    std::uint32_t& flags = StateRowFormat::header(row).flags;
    if (!format_->may_leave(row)) return;
    if ((flags & StateRowHeader::kErased) != 0) {
      if ((flags & StateRowHeader::kSpilled) != 0)
        leaving += static_cast<std::int64_t>(format_->row_size(row));
      return;
    }
    const int uses = StateRowFormat::header(row).uses();
    if (uses <= most_uses && leaving < bytes) {
      flags |= StateRowHeader::kLeaving;
      leaving += format_->bytes_of(row);
    } else if (most_uses > 1 && uses > 0) {
      flags -= StateRowHeader::kUse;
    }
  });
  if (leaving > 0) SegmentCompaction(*this).run();
  return leaving;
}

bool HashSegment::is_vacant() const {
  if (live_rows_ > 0) return false;
  if (!format_->has_base()) return true;
  bool vacant = true;
  each_row({}, [&](const std::byte* row, RowPlace) { vacant = vacant && format_->may_leave(row); });
  return vacant;
}

}  // namespace tidegate
