// SPDX-License-Identifier: Apache-2.0
#include "cli/final_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace tidegate {

namespace {

constexpr std::size_t kSmallestBlock = std::size_t{4} << 10;
constexpr std::size_t kLargestBlock = std::size_t{1} << 20;
/// Fewer rows that are gone are not worth clearing away.
constexpr std::int64_t kMinDead = 1024;
constexpr std::int64_t kMinDeadBytes = std::int64_t{1} << 20;

}  // namespace

const char* FinalRows::keep(std::string_view row, std::string_view order) {
  const std::size_t size = row.size() + order.size();
  if (block_left_ < size) {
    const std::size_t usual =
        std::min(kLargestBlock, kSmallestBlock << std::min<std::size_t>(blocks_.size(), 8));
    block_left_ = std::max(usual, size);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_left_));
    block_end_ = blocks_.back().get() + block_left_;
  }
  char* const bytes = block_end_ - block_left_;
  block_left_ -= size;
  // An empty view may hold no pointer at all.
  if (!row.empty()) std::memcpy(bytes, row.data(), row.size());
  if (!order.empty()) std::memcpy(bytes + row.size(), order.data(), order.size());
  return bytes;
}

void FinalRows::set(std::int64_t index, std::string_view row, std::string_view order) {
  // A row of no bytes still needs a place of its own to be told from one that is gone.
  const char* const bytes = row.empty() && order.empty() ? "" : keep(row, order);
  const auto [place, is_new] = youngest_.try_emplace(std::string_view(bytes, row.size()), index);
  entries_[static_cast<std::size_t>(index)] = {bytes, static_cast<std::uint32_t>(row.size()),
                                               static_cast<std::uint32_t>(order.size()),
                                               is_new ? -1 : place->second};
  place->second = index;
  live_bytes_ += static_cast<std::int64_t>(row.size() + order.size());
}

void FinalRows::append(std::string_view row, std::string_view order) {
  entries_.emplace_back();
  set(static_cast<std::int64_t>(entries_.size()) - 1, row, order);
}

void FinalRows::add(std::string_view row, std::string_view order) {
  if (num_missing_ > 0) [[unlikely]] {
    const auto found = missing_.find(std::string(row));
    if (found != missing_.end()) {
      --num_missing_;
      if (--found->second == 0) missing_.erase(found);
      return;
    }
  }
  append(row, order);
}

std::int64_t FinalRows::take_out(std::string_view row) {
  const auto found = youngest_.find(row);
  if (found == youngest_.end()) [[unlikely]] {
    ++missing_[std::string(row)];
    ++num_missing_;
    return -1;
  }
  const std::int64_t index = found->second;
  const Entry& entry = entries_[static_cast<std::size_t>(index)];
  const std::int64_t bytes = std::int64_t{entry.row_size} + entry.order_size;
  live_bytes_ -= bytes;
  dead_bytes_ += bytes;
  if (entry.older < 0) {
    youngest_.erase(found);
  } else {
    found->second = entry.older;  // the key's bytes stay until rows are cleared away
  }
  return index;
}

void FinalRows::remove(std::string_view row) {
  const std::int64_t index = take_out(row);
  if (index < 0) return;
  entries_[static_cast<std::size_t>(index)].bytes = nullptr;
  ++num_dead_;
  clear_away_if_due();
}

void FinalRows::replace(std::string_view old, std::string_view row, std::string_view order) {
  if (num_missing_ > 0) [[unlikely]] {
    remove(old);
    return add(row, order);
  }
  const std::int64_t index = take_out(old);
  if (index < 0) return add(row, order);
  set(index, row, order);
  clear_away_if_due();
}

void FinalRows::clear_away_if_due() {
  const bool many = num_dead_ > kMinDead && num_dead_ > size();
  if (many || dead_bytes_ > live_bytes_ + kMinDeadBytes) clear_away();
}

void FinalRows::clear_away() {
  const std::vector<Entry> entries = std::exchange(entries_, {});
  const std::vector<std::unique_ptr<char[]>> blocks = std::exchange(blocks_, {});
  youngest_.clear();
  block_left_ = 0;
  num_dead_ = 0;
  live_bytes_ = 0;
  dead_bytes_ = 0;
  for (const Entry& entry : entries) {
    if (entry.bytes != nullptr) append(entry.row(), entry.order());
  }
}

void FinalRows::for_each(const std::function<void(std::string_view row)>& visit,
                         const Less& less) const {
  if (!less) {
    for (const Entry& entry : entries_) {
      if (entry.bytes != nullptr) visit(entry.row());
    }
    return;
  }
  std::vector<const Entry*> sorted;
  sorted.reserve(static_cast<std::size_t>(size()));
  for (const Entry& entry : entries_) {
    if (entry.bytes != nullptr) sorted.push_back(&entry);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Entry* a, const Entry* b) { return less(a->order(), b->order()); });
  for (const Entry* entry : sorted) visit(entry->row());
}

}  // namespace tidegate
