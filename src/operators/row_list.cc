// SPDX-License-Identifier: Apache-2.0
#include "operators/row_list.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "operators/row_layout.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

/// A chunk with more than this takes no further row.
constexpr std::size_t kChunkBytes = 64 << 10;

template <typename T>
void put(std::byte* chunk, std::size_t offset, T part) {
  // The length stays, so the bytes are changed where they are.
  char* bytes = const_cast<char*>(BytesLayout::view(chunk).data());
  std::memcpy(bytes + offset, &part, sizeof(part));
}

}  // namespace

Status RowLists::open(StateBackend& state, std::string name, int input) {
  std::string form = "chunk0:8 *";
  if (format_.keyed || format_.compared) form = "= " + form;
  if (format_.stamped) form += " 8";
  if (format_.counted) form += " 4";
  if (format_.keyed) form += " v";
  if (format_.compared) form += " v";
  const StateTableSpec spec{.name = std::move(name),
                            .layout = std::make_shared<RowLayout>(form + " v:row", input),
                            .stamped = format_.stamped};
  TG_ASSIGN_OR_RETURN(table_, state.table(spec));
  return Status::ok();
}

// ---- reading

RowLists::Header RowLists::header(const std::byte* list) {
  Header header;
  const std::string_view bytes = BytesLayout::view(list);
  if (bytes.size() >= sizeof(header)) std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

void RowLists::set_header(std::byte* list, Header header) { put(list, 0, header); }

bool RowLists::read(std::string_view chunk, std::size_t offset, ListedRow& row) const {
  std::string_view rest = chunk.substr(offset);
  row.begin = offset;
  if (format_.stamped && !read_fixed(rest, row.stamp)) return false;
  if (format_.counted && !read_fixed(rest, row.matches)) return false;
  if (format_.keyed && !read_bytes(rest, row.unique_key)) return false;
  if (format_.compared && !read_bytes(rest, row.compared)) return false;
  if (!read_bytes(rest, row.row)) return false;
  row.end = chunk.size() - rest.size();
  return true;
}

Status RowLists::corrupt() {
  return error(ErrorCode::kStateCorrupt, "the stored rows of a join are cut short");
}

Result<bool> RowLists::next(Cursor& cursor, ListedRow& row) const {
  if (cursor.list_ == nullptr) return false;
  while (true) {
    if (cursor.chunk_ != nullptr) {
      const std::string_view chunk = BytesLayout::view(cursor.chunk_);
      if (cursor.number_ == 0) cursor.offset_ = std::max(cursor.offset_, sizeof(Header));
      while (cursor.offset_ < chunk.size()) {
        if (!read(chunk, cursor.offset_, row)) return corrupt();
        cursor.offset_ = row.end;
        if (format_.stamped && is_expired(row.stamp)) continue;
        row.chunk = cursor.chunk_;
        row.number = cursor.number_;
        return true;
      }
    }
    const Header chunks = header(cursor.list_);
    const std::int64_t number = std::max<std::int64_t>(cursor.number_ + 1, chunks.first);
    if (number > chunks.last) return false;
    cursor.number_ = number;
    cursor.offset_ = 0;
    cursor.chunk_ = table_->find(number, table_->state_key(cursor.list_));
  }
}

Status RowLists::read_again(ListedRow& row) const {
  return read(BytesLayout::view(row.chunk), row.begin, row) ? Status::ok() : corrupt();
}

Result<bool> RowLists::find(std::byte* list, std::string_view unique_key, std::string_view bytes,
                            ListedRow& found) const {
  Cursor cursor(list);
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, next(cursor, found));
    if (!more || (found.unique_key == unique_key && found.row == bytes)) return more;
  }
}

void RowLists::prefetch(const std::byte* list) {
  if (list == nullptr) return;
  const std::string_view bytes = BytesLayout::view(list);
  __builtin_prefetch(bytes.data());
  // Where a row is going to be added.
  __builtin_prefetch(bytes.data() + bytes.size());
}

// ---- changing

Status RowLists::append(std::byte* list, const RowParts& parts) {
  entry_.clear();
  if (format_.stamped) write_fixed(entry_, now_ms_);
  if (format_.counted) write_fixed(entry_, parts.matches);
  if (format_.keyed) write_bytes(entry_, parts.unique_key);
  if (format_.compared) write_bytes(entry_, parts.compared);
  write_bytes(entry_, parts.row);
  if (BytesLayout::view(list).empty()) {
    const Header none;
    entry_.insert(0, reinterpret_cast<const char*>(&none), sizeof(none));
    append_bytes(*table_, list, entry_);
    stamp(list);
    return Status::ok();
  }
  TG_ASSIGN_OR_RETURN(std::byte * chunk, chunk_for(list, entry_.size()));
  append_bytes(*table_, chunk, entry_);
  stamp(chunk);
  stamp(list);
  return Status::ok();
}

/// The chunk that a row of this size is to be added to; it counts as changed.
Result<std::byte*> RowLists::chunk_for(std::byte* list, std::size_t size) {
  Header chunks = header(list);
  const bool one = chunks.last < chunks.first;
  std::byte* chunk = list;
  if (!one) {
    TG_ASSIGN_OR_RETURN(chunk, table_->find_or_create(chunks.last, table_->state_key(list)));
  }
  // Only when it would grow, so that looking through the chunk costs little per row.
  const bool grows =
      std::cmp_greater(BytesLayout::view(chunk).size() + size, BytesLayout().owned_bytes(chunk));
  if (format_.stamped && grows) {
    TG_RETURN_IF_ERROR(remove_expired(chunk, one ? 0 : chunks.last));
  }
  if (BytesLayout::view(chunk).size() < kChunkBytes) return chunk;
  if (format_.stamped) forget_chunks(list);
  chunks = header(list);
  ++chunks.last;
  TG_CHECK(chunks.last != 0, "a list has more than 2^32 chunks");
  set_header(list, chunks);
  return table_->find_or_create(chunks.last, table_->state_key(list));
}

void RowLists::remove(std::byte* list, const ListedRow& row) {
  const std::string_view before = BytesLayout::view(row.chunk);
  char* bytes = const_cast<char*>(before.data());
  std::memmove(bytes + row.begin, bytes + row.end, before.size() - row.end);
  const std::string_view after = before.substr(0, before.size() - (row.end - row.begin));
  BytesLayout::assign(row.chunk, after);
  table_->touch(row.number, row.chunk);
  if (row.number > 0 && after.empty()) {
    table_->erase(row.number, row.chunk);
    narrow(list);
  }
}

void RowLists::set_matches(std::byte* list, const ListedRow& row, std::uint32_t matches) {
  put(row.chunk, row.begin + (format_.stamped ? sizeof(row.stamp) : 0), matches);
  if (format_.stamped) {
    put(row.chunk, row.begin, now_ms_);
    if (row.chunk != list) {
      stamp(list);
      table_->touch(kNamespace, list);
    }
  }
  stamp(row.chunk);
  table_->touch(row.number, row.chunk);
}

bool RowLists::is_empty(const std::byte* list) {
  const Header chunks = header(list);
  return chunks.last < chunks.first && BytesLayout::view(list).size() <= sizeof(Header);
}

void RowLists::erase_if_empty(std::byte* list) {
  if (is_empty(list)) table_->erase(kNamespace, list);
}

void RowLists::narrow(std::byte* list) {
  Header chunks = header(list);
  const StateKey key = table_->state_key(list);
  const auto is_missing = [&](std::int64_t number) { return table_->find(number, key) == nullptr; };
  while (chunks.first <= chunks.last && is_missing(chunks.first)) ++chunks.first;
  while (chunks.first <= chunks.last && is_missing(chunks.last)) --chunks.last;
  if (chunks.first > chunks.last) chunks = Header();
  set_header(list, chunks);
  table_->touch(kNamespace, list);
}

// ---- forgetting

void RowLists::begin_batch(std::int64_t now_ms, std::int64_t num_rows) {
  if (!ttl_.enabled()) return;
  now_ms_ = now_ms;
  sweep(2 * num_rows);
}

/// Looks at some lists, going on where the last call stopped.
void RowLists::sweep(std::int64_t rows) {
  if (swept_generation_ != table_->generation(kNamespace)) {
    swept_generation_ = table_->generation(kNamespace);
    swept_.rows_moved();
  }
  std::array<std::byte*, 64> lists;
  while (rows > 0) {
    const auto asked = std::min(static_cast<std::size_t>(rows), lists.size());
    const std::size_t count = table_->next(kNamespace, swept_, std::span(lists).first(asked));
    if (count == 0) {
      swept_ = {};
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (is_expired(table_->stamp(lists[i]))) erase_list(lists[i]);
    }
    rows -= static_cast<std::int64_t>(count);
  }
}

void RowLists::erase_list(std::byte* list) {
  const Header chunks = header(list);
  for (std::int64_t number = chunks.first; number <= chunks.last; ++number) {
    table_->erase(number, table_->state_key(list));
  }
  table_->erase(kNamespace, list);
}

/// Erases the first chunks as far as all of their rows have expired.
void RowLists::forget_chunks(std::byte* list) {
  const Header chunks = header(list);
  const StateKey key = table_->state_key(list);
  for (std::int64_t number = chunks.first; number < chunks.last; ++number) {
    std::byte* chunk = table_->find(number, key);
    if (chunk == nullptr) continue;
    if (!is_expired(table_->stamp(chunk))) break;
    table_->erase(number, chunk);
  }
  if (chunks.first <= chunks.last) narrow(list);
}

Status RowLists::remove_expired(std::byte* chunk, std::int64_t number) {
  const std::string_view before = BytesLayout::view(chunk);
  const std::size_t begin = number == 0 ? sizeof(Header) : 0;
  std::string kept(before.substr(0, begin));
  ListedRow row;
  for (std::size_t offset = begin; offset < before.size(); offset = row.end) {
    if (!read(before, offset, row)) return corrupt();
    if (!is_expired(row.stamp)) kept.append(before.substr(row.begin, row.end - row.begin));
  }
  if (kept.size() < before.size()) assign_bytes(*table_, chunk, kept);
  return Status::ok();
}

}  // namespace tidegate
