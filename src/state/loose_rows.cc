// SPDX-License-Identifier: Apache-2.0
#include "state/loose_rows.h"

#include <algorithm>
#include <cstring>

namespace tidegate {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;
// Keys are compared by whole words.
constexpr std::size_t kReadableBehind = 32;

}  // namespace

std::byte* LooseRows::add(const StateRowFormat& format, std::uint64_t hash, std::string_view key) {
  format_ = &format;
  const std::size_t size = format.row_size(key.size());
  if (chunks_.empty() || chunks_.back().capacity - chunks_.back().used < size + kReadableBehind) {
    const std::size_t capacity = std::max(kChunkBytes, size + kReadableBehind);
    chunks_.push_back({std::make_unique<std::byte[]>(capacity), 0, capacity});
  }
  Chunk& chunk = chunks_.back();
  std::byte* row = chunk.data.get() + chunk.used;
  chunk.used += size;
  StateRowFormat::header(row) = {hash, static_cast<std::uint32_t>(key.size()),
                                 StateRowHeader::kSealed | StateRowHeader::kLoose};
  format.create_value(row);
  if (!key.empty()) {
    std::memcpy(const_cast<char*>(format.key(row).data()), key.data(), key.size());
  }
  rows_.push_back(row);
  return row;
}

void LooseRows::clear() {
  for (std::byte* row : rows_) format_->destroy_value(row);
  rows_.clear();
  if (chunks_.size() > 1) chunks_.resize(1);
  if (!chunks_.empty()) chunks_[0].used = 0;
}

}  // namespace tidegate
