// SPDX-License-Identifier: Apache-2.0
#include "operators/ordered_rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "operators/row_layout.h"
#include "state/binary_codec.h"
#include "state/state_backend.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

constexpr std::size_t kLeastChunkRows = 512;
constexpr std::size_t kArrivalBytes = 8;
// What the index takes, for the memory budget.
constexpr std::int64_t kIndexBytesPerRow = 12;
constexpr std::int64_t kIndexBytesPerKey = 192;
constexpr std::int64_t kArrivalBytesPerRow = 48;
// Looking at so many ties one by one is cheaper than an index.
constexpr std::size_t kFewTies = 16;

/// About as many rows in a chunk as there are chunks: a change looks at all chunks and moves one's
/// rows.
std::size_t chunk_rows(std::size_t rows) {
  std::size_t size = kLeastChunkRows;
  while (size * size < rows) size *= 2;
  return size;
}

std::uint64_t arrival_of(std::string_view state_key) {
  std::uint64_t arrival = 0;
  for (const char c : state_key.substr(state_key.size() - kArrivalBytes))
    arrival = arrival << 8 | static_cast<std::uint8_t>(c);
  return arrival;
}

void append_arrival(std::uint64_t arrival, std::string& out) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(arrival >> shift));
}

}  // namespace

Result<OrderedRows> OrderedRows::open(OperatorContext& context, std::string table_name,
                                      std::string_view form, std::int64_t ttl_ms, Columns columns) {
  StateTableSpec spec{.name = std::move(table_name), .layout = std::make_shared<RowLayout>(form)};
  spec.stamped = ttl_ms > 0;
  spec.resident = true;  // the index points to all rows
  TG_ASSIGN_OR_RETURN(StateTable * table, context.state().table(spec));
  OrderedRows rows(table, &context.clock(), ttl_ms, columns);
  TG_RETURN_IF_ERROR(rows.rebuild());
  table->count_owned(kIndexBytesPerRow * table->num_rows(0));
  return rows;
}

OrderedRows::Key& OrderedRows::find_or_make(std::string_view bytes, std::uint64_t hash) {
  auto found = keys_.find(bytes);
  if (found == keys_.end()) {
    found = keys_.try_emplace(std::string(bytes)).first;
    Key& key = found->second;
    key.bytes_ = bytes;
    key.hash_ = hash;
    std::string prefix;
    write_bytes(prefix, bytes);
    key.prefix_ = prefix.size();
    table_->count_owned(kIndexBytesPerKey);
  }
  return found->second;
}

OrderedRows::Key& OrderedRows::key(const StateKey& key) {
  Key& rows = find_or_make(key.bytes, key.hash);
  if (ttl_.enabled() && rows.size_ > 0 && ttl_.is_expired(rows.changed_ms_, clock_->wall_ms())) {
    clear(rows);
  }
  return rows;
}

void OrderedRows::forget_expired() {
  if (!ttl_.enabled()) return;
  const std::int64_t now = clock_->wall_ms();
  if (swept_ms_ != INT64_MIN && now - swept_ms_ < ttl_.ttl_ms / 2) return;
  swept_ms_ = now;
  for (auto entry = keys_.begin(); entry != keys_.end();) {
    Key& key = entry->second;
    ++entry;
    if (!ttl_.is_expired(key.changed_ms_, now)) continue;
    clear(key);
    drop_if_empty(key);
  }
}

void OrderedRows::drop_if_empty(Key& key) {
  if (key.size_ > 0) return;
  table_->count_owned(-kIndexBytesPerKey);
  keys_.erase(keys_.find(key.bytes_));
}

void OrderedRows::clear(Key& key) {
  for (const auto& chunk : key.chunks_) {
    for (std::byte* value : chunk) {
      forget_columns(key, value);
      table_->erase(0, value);
    }
  }
  table_->count_owned(-kIndexBytesPerRow * static_cast<std::int64_t>(key.size_));
  key.chunks_.clear();
  key.size_ = 0;
}

/// Makes the index anew from the table's rows: after a restore, and when rows have moved.
Status OrderedRows::rebuild() {
  for (auto& [bytes, key] : keys_) key.chunks_.clear();
  std::unordered_map<Key*, std::vector<std::byte*>> rows_of;
  RowCursor cursor;
  std::array<std::byte*, 256> values;
  while (const std::size_t count = table_->next(0, cursor, values)) {
    for (std::size_t i = 0; i < count; ++i) {
      std::string_view rest = table_->key(values[i]);
      std::string_view bytes;
      if (!read_bytes(rest, bytes) || rest.size() < kArrivalBytes) {
        return error(ErrorCode::kStateCorrupt, "a row of '{}' has no key", table_->spec().name);
      }
      next_arrival_ = std::max(next_arrival_, arrival_of(rest) + 1);
      rows_of[&find_or_make(bytes, table_->hash(values[i]))].push_back(values[i]);
    }
  }
  for (auto& [key, rows] : rows_of) fill(*key, rows);
  return Status::ok();
}

void OrderedRows::fill(Key& key, std::vector<std::byte*>& rows) {
  std::ranges::sort(rows, {}, [&](const std::byte* value) { return suffix(key, value); });
  key.size_ = rows.size();
  const std::size_t size = chunk_rows(rows.size()) / 2;
  for (std::size_t begin = 0; begin < rows.size(); begin += size) {
    const auto from = rows.begin() + static_cast<std::ptrdiff_t>(begin);
    const std::size_t end = std::min(rows.size(), begin + size);
    key.chunks_.emplace_back(from, rows.begin() + static_cast<std::ptrdiff_t>(end));
  }
  if (!ttl_.enabled()) return;
  for (std::byte* value : rows) key.changed_ms_ = std::max(key.changed_ms_, table_->stamp(value));
}

void OrderedRows::changed(Key& key, std::byte* value) {
  if (!ttl_.enabled()) return;
  key.changed_ms_ = clock_->wall_ms();
  table_->stamp(value) = key.changed_ms_;
}

Result<std::size_t> OrderedRows::insert(Key& key, std::string_view sort_key,
                                        std::string_view bytes) {
  const std::uint64_t arrival = next_arrival_++;
  const StateKey state_key = row_key(key, sort_key, arrival);
  const std::uint32_t generation = table_->generation(0);
  TG_ASSIGN_OR_RETURN(std::byte * value, table_->find_or_create(0, state_key));
  assign_bytes(*table_, value, bytes);
  changed(key, value);
  table_->count_owned(kIndexBytesPerRow);
  if (has_arrivals_) {
    arrivals_.emplace(columns_hash(key, value), arrival);
    table_->count_owned(kArrivalBytesPerRow);
  }
  if (generation != table_->generation(0)) {
    TG_RETURN_IF_ERROR(rebuild());
    return lower_bound(key, std::string_view(row_key_).substr(key.prefix_));
  }
  const Place place = place_of(key, std::string_view(row_key_).substr(key.prefix_));
  const std::size_t position = position_of(key, place);
  insert_at(key, place, value);
  return position;
}

void OrderedRows::insert_at(Key& key, Place place, std::byte* value) {
  ++key.size_;
  if (key.chunks_.empty()) {
    key.chunks_.push_back({value});
    return;
  }
  if (place.chunk == key.chunks_.size()) place = {place.chunk - 1, key.chunks_.back().size()};
  std::vector<std::byte*>& chunk = key.chunks_[place.chunk];
  chunk.insert(chunk.begin() + static_cast<std::ptrdiff_t>(place.index), value);
  if (chunk.size() <= chunk_rows(key.size_)) return;
  const auto middle = chunk.begin() + static_cast<std::ptrdiff_t>(chunk.size() / 2);
  std::vector<std::byte*> upper(middle, chunk.end());
  chunk.erase(middle, chunk.end());
  key.chunks_.insert(key.chunks_.begin() + static_cast<std::ptrdiff_t>(place.chunk) + 1,
                     std::move(upper));
}

void OrderedRows::erase(Key& key, std::size_t position) {
  const auto [c, index] = place_of(key, position);
  TG_CHECK(c < key.chunks_.size(), "position={} of {}", position, key.size_);
  std::vector<std::byte*>& chunk = key.chunks_[c];
  forget_columns(key, chunk[index]);
  table_->erase(0, chunk[index]);
  table_->count_owned(-kIndexBytesPerRow);
  chunk.erase(chunk.begin() + static_cast<std::ptrdiff_t>(index));
  if (chunk.empty()) key.chunks_.erase(key.chunks_.begin() + static_cast<std::ptrdiff_t>(c));
  --key.size_;
}

StateKey OrderedRows::row_key(const Key& key, std::string_view sort_key, std::uint64_t arrival) {
  constexpr std::uint64_t kUpper = 0xffff'ffff'0000'0000;
  row_key_.clear();
  write_bytes(row_key_, key.bytes_);
  row_key_ += sort_key;
  append_arrival(arrival, row_key_);
  return {row_key_, (key.hash_ & kUpper) | (hash_key(row_key_) & ~kUpper)};
}

std::optional<std::size_t> OrderedRows::find(const Key& key, std::string_view sort_key,
                                             std::string_view columns) {
  const std::size_t first = lower_bound(key, sort_key);
  std::size_t position = first;
  bool found = false;
  bool more_ties = false;
  each(key, first, [&](const std::byte* value) {
    if (this->sort_key(key, value) != sort_key) return false;
    found = columns_(BytesLayout::view(value)) == columns;
    if (found) return false;
    more_ties = ++position - first == kFewTies;
    return !more_ties;
  });
  if (found) return position;
  return more_ties ? find_by_columns(key, sort_key, columns) : std::nullopt;
}

std::optional<std::size_t> OrderedRows::find_by_columns(const Key& key, std::string_view sort_key,
                                                        std::string_view columns) {
  if (!has_arrivals_) index_columns();
  std::optional<std::uint64_t> first;
  const auto [begin, end] = arrivals_.equal_range(columns_hash(key, sort_key, columns));
  for (auto candidate = begin; candidate != end; ++candidate) {
    if (first && candidate->second > *first) continue;
    const std::byte* value = table_->find(0, row_key(key, sort_key, candidate->second));
    if (value != nullptr && columns_(BytesLayout::view(value)) == columns)
      first = candidate->second;
  }
  if (!first) return std::nullopt;
  row_key(key, sort_key, *first);
  return lower_bound(key, std::string_view(row_key_).substr(key.prefix_));
}

std::uint64_t OrderedRows::columns_hash(const Key& key, std::string_view sort_key,
                                        std::string_view columns) const {
  return key_hash::mix(hash_key(columns) ^ key.hash_, hash_key(sort_key) ^ key_hash::kK1);
}

std::uint64_t OrderedRows::columns_hash(const Key& key, const std::byte* value) const {
  return columns_hash(key, sort_key(key, value), columns_(BytesLayout::view(value)));
}

void OrderedRows::index_columns() {
  has_arrivals_ = true;
  for (auto& [bytes, key] : keys_) {
    each(key, 0, [&](const std::byte* value) {
      arrivals_.emplace(columns_hash(key, value), arrival_of(table_->key(value)));
      return true;
    });
  }
  table_->count_owned(kArrivalBytesPerRow * std::ssize(arrivals_));
}

void OrderedRows::forget_columns(const Key& key, const std::byte* value) {
  if (!has_arrivals_) return;
  const std::uint64_t arrival = arrival_of(table_->key(value));
  const auto [begin, end] = arrivals_.equal_range(columns_hash(key, value));
  for (auto candidate = begin; candidate != end; ++candidate) {
    if (candidate->second != arrival) continue;
    arrivals_.erase(candidate);
    table_->count_owned(-kArrivalBytesPerRow);
    return;
  }
}

void OrderedRows::assign(std::byte* value, std::string_view bytes) {
  assign_bytes(*table_, value, bytes);
  table_->touch(0, value);
}

std::byte* OrderedRows::at(const Key& key, std::size_t position) const {
  const auto [chunk, index] = place_of(key, position);
  TG_CHECK(chunk < key.chunks_.size(), "position={} of {}", position, key.size_);
  return key.chunks_[chunk][index];
}

std::string_view OrderedRows::sort_key(const Key& key, const std::byte* value) const {
  const std::string_view bytes = suffix(key, value);
  return bytes.substr(0, bytes.size() - kArrivalBytes);
}

std::size_t OrderedRows::lower_bound(const Key& key, std::string_view sort_key) const {
  return position_of(key, place_of(key, sort_key));
}

OrderedRows::Place OrderedRows::place_of(const Key& key, std::string_view suffix) const {
  const auto before = [&](const std::byte* value) { return this->suffix(key, value) < suffix; };
  const auto chunk = std::ranges::partition_point(
      key.chunks_, [&](const std::vector<std::byte*>& each) { return before(each.back()); });
  const auto c = static_cast<std::size_t>(chunk - key.chunks_.begin());
  if (chunk == key.chunks_.end()) return {c, 0};
  return {c,
          static_cast<std::size_t>(std::ranges::partition_point(*chunk, before) - chunk->begin())};
}

OrderedRows::Place OrderedRows::place_of(const Key& key, std::size_t position) const {
  std::size_t chunk = 0;
  for (; chunk < key.chunks_.size() && position >= key.chunks_[chunk].size(); ++chunk)
    position -= key.chunks_[chunk].size();
  return {chunk, position};
}

std::size_t OrderedRows::position_of(const Key& key, Place place) {
  std::size_t position = place.index;
  for (std::size_t c = 0; c < place.chunk; ++c) position += key.chunks_[c].size();
  return position;
}

std::vector<OrderedRows::Key*> OrderedRows::keys() {
  std::vector<Key*> all;
  for (auto& [bytes, key] : keys_) all.push_back(&key);
  std::ranges::sort(all, {}, [](const Key* key) { return std::string_view(key->bytes_); });
  return all;
}

std::string_view stored_columns(std::string_view stored_row) {
  constexpr std::size_t kHead = 2;
  const std::size_t head =
      stored_row.size() >= kHead && stored_row[1] != 0 ? kHead + sizeof(EventTime) : kHead;
  return stored_row.substr(std::min(head, stored_row.size()));
}

}  // namespace tidegate
