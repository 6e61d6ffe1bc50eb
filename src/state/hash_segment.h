// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "state/state_row.h"

namespace tidegate {

/// A place in the rows of a segment, in the order of their creation. It holds while no row is
/// created in the segment; rows may be changed and erased.
struct RowPlace {
  std::uint32_t page = 0;
  std::uint32_t offset = 0;
  friend auto operator<=>(const RowPlace&, const RowPlace&) = default;
};

/// A place in the rows of a segment that are dirty; it holds like a RowPlace, and while nothing
/// becomes dirty.
struct DirtyCursor {
  std::size_t changed = 0;  // of rows that were there at the last seal
  bool in_new = false;
  RowPlace rows;
};

/// The rows of one namespace: pages that rows are appended to, and an open-addressing index of
/// 8-byte slots [tag 32 | row number + 1, 32], at most 80 % full. The tag is the lower half of the
/// hash (its upper half says the key group) and gives the place as well, so growing does not touch
/// rows. Up to kLinearRows rows there is no index.
///
/// Erased rows keep their slot and come back in place when their key does; when they are the
/// majority, the next creation moves the others together. Pointers to values hold until then:
/// across any number of calls that create nothing, and within one call that creates many.
class HashSegment {
 public:
  static constexpr std::uint32_t kLinearRows = 8;

  explicit HashSegment(const StateRowFormat* format)
      : format_(format), generation_(format->memory().next_generation()) {
    // With a base clean rows come in at any time, so that the place of a row does not say what is
    // new: every dirty row is on the list.
    if (format->has_base()) clean_end_.page = UINT32_MAX;
  }
  HashSegment(const HashSegment&) = delete;
  HashSegment& operator=(const HashSegment&) = delete;
  ~HashSegment();

  std::uint32_t num_rows() const { return live_rows_; }
  /// Counts the times that rows have moved.
  std::uint32_t generation() const { return generation_; }

  /// The value of a row, or null.
  std::byte* find(std::uint64_t hash, std::string_view key) const;
  /// The value of a row, made when it is not there; dirty from now on. Null when the segment is
  /// full (32 GiB).
  std::byte* find_or_create(std::uint64_t hash, std::string_view key);
  /// find() or find_or_create() of many: `keys(i)` answers a KeyAt for i in [0, count), the value
  /// goes to values[KeyAt::at]. False when the segment is full.
  struct KeyAt {
    std::uint64_t hash;
    std::string_view key;
    std::size_t at;
    bool readable32;  ///< 32 bytes may be read from the key's begin on, however long it is
  };
  template <bool kCreate, typename Keys>
  bool visit(std::size_t count, const Keys& keys, std::byte** values);

  void erase(std::byte* value);
  /// Marks a value as changed that came from find() or a cursor.
  void touch(std::byte* value) { mark_dirty(format_->row_of(value)); }

  /// Puts up to values.size() values of rows behind the cursor there and moves it; the number put,
  /// 0 at the end.
  std::size_t next(RowPlace& cursor, std::span<std::byte*> values) const;

  /// The same for rows that have changed since the last seal and are there.
  std::size_t next_dirty(DirtyCursor& cursor, std::span<std::byte*> values) const;

  // Above a base.

  /// False when the base may have rows of the namespace that are not here.
  bool is_whole() const { return is_whole_; }
  void set_whole(bool whole) {
    is_whole_ = whole;
    has_sealed_ = has_sealed_ || !whole;
  }
  /// True for a row that is here, or is known to be erased.
  bool knows(std::uint64_t hash, std::string_view key) const {
    return find_row(hash, key) != nullptr;
  }
  /// The value, to be filled, of a clean row that is not known here. Null when the segment is full.
  std::byte* load(std::uint64_t hash, std::string_view key);
  /// Calls store(row, erased) for clean rows of epochs that the base does not have and that are not
  /// spilled yet; they may be evicted from then on.
  template <typename Store>
  void spill(const Store& store);
  /// Lets up to `bytes` of rows go that are below, too, first the older ones, and none with more
  /// than `most_uses`. Above 1 each row that stays loses a use. Answers how much there was. Rows
  /// move.
  std::int64_t evict(std::int64_t bytes, int most_uses);
  /// True when nothing is here, not even an erased row that the base may still have.
  bool is_vacant() const;

  /// Makes room in the index for this many rows.
  void reserve(std::uint32_t rows);

  std::int64_t dirty_bytes() const { return dirty_bytes_; }
  /// True when some row has been sealed or restored, so that a drop must be told.
  bool has_sealed() const { return has_sealed_; }
  /// Calls changed(row, erased) for what has changed since the last call; then all is clean.
  /// Rows keep StateMemory::sealing() as the epoch that sealed them.
  template <typename Changed>
  void seal(const Changed& changed);
  /// All rows count as sealed and clean: what was restored.
  void set_restored();

  /// A creation may move rows from here on; called by visit(), public for tables.
  void compact_if_sparse();

 private:
  friend class SegmentCompaction;
  template <typename Visit>
  void each_row(RowPlace from, const Visit& visit) const;
  struct Page {
    std::byte* data;
    std::uint32_t used;
    std::uint32_t capacity;
  };
  struct FreeSlots {
    const StateRowFormat* format;
    std::uint32_t capacity;
    void operator()(std::uint64_t* slots) const;
  };

  // A row's number is its place in units of 8 bytes: 15 bits of page, 17 bits within the page.
  static constexpr std::uint32_t kOffsetBits = 17;
  static constexpr std::uint32_t kMaxPages = (1u << (32 - kOffsetBits)) - 1;
  // Above this many slots (128 KiB) the index does not stay in the cache.
  static constexpr std::uint32_t kCachedSlots = 16384;
  static constexpr std::size_t kPrefetchRows = 32;
  // Behind the last row of a page, so that keys may be compared by whole words.
  static constexpr std::size_t kReadableBehind = 32;

  std::byte* row_at(std::uint64_t slot) const {
    const std::uint32_t number = static_cast<std::uint32_t>(slot) - 1;
    return pages_[number >> kOffsetBits].data +
           (std::size_t{number & ((1u << kOffsetBits) - 1)} << 3);
  }
  static bool equal_bytes(const char* a, const char* b, std::size_t n);
  bool is_row(const std::byte* row, std::uint64_t hash, std::string_view key,
              [[maybe_unused]] bool readable32) const {
    const StateRowHeader& header = StateRowFormat::header(row);
    if (header.hash != hash || header.key_length != key.size()) return false;
    const char* bytes = format_->key(row).data();
#ifdef __SSE2__
    if (readable32 && key.size() <= 32) return equal_readable32(bytes, key.data(), key.size());
#endif
    return equal_bytes(bytes, key.data(), key.size());
  }
#ifdef __SSE2__
  /// Without a branch on the length, which would often be predicted wrongly.
  static bool equal_readable32(const char* a, const char* b, std::size_t n) {
    const auto equal16 = [](const char* x, const char* y) {
      const __m128i left = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
      const __m128i right = _mm_loadu_si128(reinterpret_cast<const __m128i*>(y));
      return static_cast<std::uint64_t>(
          static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(left, right))));
    };
    const std::uint64_t equal = equal16(a, b) | equal16(a + 16, b + 16) << 16;
    const std::uint64_t wanted = (std::uint64_t{1} << n) - 1;
    return (equal & wanted) == wanted;
  }
#endif

  std::byte* find_row(std::uint64_t hash, std::string_view key, bool readable32 = false) const;
  std::byte* find_linear(std::uint64_t hash, std::string_view key) const;
  /// The value of a row that find_row() answered, or null.
  std::byte* found_to_read(std::byte* row) const {
    if (row == nullptr) return nullptr;
    StateRowHeader& header = StateRowFormat::header(row);
    constexpr std::uint32_t kExpected = StateRowHeader::kUses;
    if ((header.flags & (kExpected | StateRowHeader::kErased)) != kExpected) [[unlikely]] {
      if ((header.flags & StateRowHeader::kErased) != 0) return nullptr;
      header.add_use();
    }
    return format_->value(row);
  }
  /// The value of a row that find_row() answered, or of a new one.
  std::byte* found_or_new(std::byte* row, std::uint64_t hash, std::string_view key);
  std::byte* create(std::uint64_t hash, std::string_view key);
  std::byte* add_row(std::uint64_t hash, std::string_view key, std::uint32_t flags);
  std::byte* revive(std::byte* row);
  std::byte* append_row(std::size_t size, std::uint32_t& number);
  void insert_slot(std::uint64_t hash, std::uint32_t number);
  void rebuild_slots(std::uint32_t capacity);
  void prefetch_slot(std::uint64_t hash) const {
    __builtin_prefetch(&slots_[static_cast<std::uint32_t>(hash) & slot_mask_]);
  }
  void prefetch_row(std::uint64_t hash) const;

  void mark_dirty(std::byte* row) {
    if ((StateRowFormat::header(row).flags & StateRowHeader::kDirty) == 0)
      mark_clean_row_dirty(row);
  }
  void mark_clean_row_dirty(std::byte* row);
  void clear_dirty();
  void free_pages();

  const StateRowFormat* format_;
  std::unique_ptr<std::uint64_t[], FreeSlots> slots_{nullptr, FreeSlots{}};
  std::uint32_t slot_mask_ = 0;
  std::uint32_t rows_ = 0;  // with the erased ones
  std::uint32_t live_rows_ = 0;
  std::uint32_t kept_erased_ = 0;  // erased rows that the last compaction had to keep
  std::uint32_t generation_;
  std::vector<Page> pages_;
  RowPlace clean_end_;             // rows behind it are new since the last seal, so all dirty
  std::vector<std::byte*> dirty_;  // rows before it that are dirty
  std::int64_t dirty_bytes_ = 0;
  bool has_sealed_ = false;
  bool is_whole_ = true;
};

inline bool HashSegment::equal_bytes(const char* a, const char* b, std::size_t n) {
  const auto word = [](const char* p) {
    std::uint64_t bits;
    std::memcpy(&bits, p, sizeof(bits));
    return bits;
  };
  const auto half = [](const char* p) {
    std::uint32_t bits;
    std::memcpy(&bits, p, sizeof(bits));
    return bits;
  };
  if (n > 64) return std::memcmp(a, b, n) == 0;
  if (n >= 8) {
    std::uint64_t difference = word(a + n - 8) ^ word(b + n - 8);
    for (std::size_t i = 0; i + 8 < n; i += 8) difference |= word(a + i) ^ word(b + i);
    return difference == 0;
  }
  if (n >= 4) return half(a) == half(b) && half(a + n - 4) == half(b + n - 4);
  for (std::size_t i = 0; i < n; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

[[gnu::always_inline]] inline std::byte* HashSegment::find_row(std::uint64_t hash,
                                                               std::string_view key,
                                                               bool readable32) const {
  if (slots_ == nullptr) [[unlikely]]
    return find_linear(hash, key);
  const std::uint64_t* slots = slots_.get();
  const std::uint32_t mask = slot_mask_;
  const auto tag = static_cast<std::uint32_t>(hash);
  for (std::uint32_t i = tag & mask;; i = (i + 1) & mask) {
    const std::uint64_t slot = slots[i];
    if (static_cast<std::uint32_t>(slot >> 32) == tag && slot != 0) [[likely]] {
      std::byte* row = row_at(slot);
      if (is_row(row, hash, key, readable32)) [[likely]]
        return row;
    }
    if (slot == 0) return nullptr;
  }
}

inline std::byte* HashSegment::found_or_new(std::byte* row, std::uint64_t hash,
                                            std::string_view key) {
  if (row == nullptr) [[unlikely]]
    return create(hash, key);
  const std::uint32_t flags = StateRowFormat::header(row).flags;
  if ((flags & StateRowHeader::kErased) != 0) [[unlikely]]
    return revive(row);
  if ((flags & StateRowHeader::kDirty) == 0) [[unlikely]]
    mark_clean_row_dirty(row);
  return format_->value(row);
}

template <bool kCreate, typename Keys>
bool HashSegment::visit(std::size_t count, const Keys& keys, std::byte** values) {
  const auto visit_one = [&](std::size_t i) {
    const KeyAt key = keys(i);
    std::byte* row = find_row(key.hash, key.key, key.readable32);
    if constexpr (kCreate) {
      return (values[key.at] = found_or_new(row, key.hash, key.key)) != nullptr;
    } else {
      values[key.at] = found_to_read(row);
      return true;
    }
  };
  if constexpr (kCreate) compact_if_sparse();
  for (std::size_t begin = 0; begin < count; begin += kPrefetchRows) {
    const std::size_t end = std::min(count, begin + kPrefetchRows);
    if (slot_mask_ >= kCachedSlots) {
      for (std::size_t i = begin; i < end; ++i) prefetch_slot(keys(i).hash);
      for (std::size_t i = begin; i < end; ++i) prefetch_row(keys(i).hash);
    }
    for (std::size_t i = begin; i < end; ++i) {
      if (!visit_one(i)) return false;
    }
  }
  return true;
}

template <typename Visit>
void HashSegment::each_row(RowPlace from, const Visit& visit) const {
  for (std::uint32_t p = from.page; p < pages_.size(); ++p) {
    const Page& page = pages_[p];
    std::uint32_t offset = p == from.page ? from.offset : 0;
    while (offset < page.used) {
      std::byte* row = page.data + offset;
      const std::size_t size = format_->row_size(row);
      visit(row, RowPlace{p, offset});
      offset += static_cast<std::uint32_t>(size);
    }
  }
}

template <typename Changed>
void HashSegment::seal(const Changed& changed) {
  const std::uint32_t epoch_bits = static_cast<std::uint32_t>(format_->memory().sealing())
                                   << StateRowHeader::kEpochShift;
  const auto seal_row = [&](std::byte* row) {
    StateRowHeader& header = StateRowFormat::header(row);
    const bool erased = (header.flags & StateRowHeader::kErased) != 0;
    // What was created and erased within the epoch never was.
    if (!erased || (header.flags & StateRowHeader::kSealed) != 0) changed(row, erased);
    header.flags = (erased ? StateRowHeader::kErased : StateRowHeader::kSealed) |
                   (header.flags & StateRowHeader::kUses) | epoch_bits;
  };
  for (std::byte* row : dirty_) seal_row(row);
  each_row(clean_end_, [&](std::byte* row, RowPlace) { seal_row(row); });
  has_sealed_ = has_sealed_ || rows_ > 0;
  clear_dirty();
}

template <typename Store>
void HashSegment::spill(const Store& store) {
  each_row({}, [&](std::byte* row, RowPlace) {
    if (!format_->is_unapplied(row) || format_->may_leave(row)) return;
    std::uint32_t& flags = StateRowFormat::header(row).flags;
    if ((flags & StateRowHeader::kDirty) != 0) return;
    store(row, (flags & StateRowHeader::kErased) != 0);
    flags |= StateRowHeader::kSpilled;
  });
  is_whole_ = false;
}

}  // namespace tidegate
