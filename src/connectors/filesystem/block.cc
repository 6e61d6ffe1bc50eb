// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/block.h"

#include <cstring>
#include <utility>

#include "formats/format.h"

namespace tidegate {

namespace {

// Larger ones were made for a huge record and are not kept.
constexpr std::size_t kLargestPooledBytes = std::size_t{8} << 20;
constexpr std::size_t kMostPooled = 64;

}  // namespace

void ByteBuffer::reserve(std::size_t bytes, std::size_t keep) {
  if (bytes <= capacity) return;
  auto larger = std::make_unique_for_overwrite<char[]>(bytes + Decoder::kPadding);
  if (keep > 0) std::memcpy(larger.get(), data.get(), keep);
  data = std::move(larger);
  capacity = bytes;
}

ByteBuffer BufferPool::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return {};
  ByteBuffer buffer = std::move(free_.back());
  free_.pop_back();
  return buffer;
}

void BufferPool::give(ByteBuffer buffer) {
  if (buffer.data == nullptr || buffer.capacity > kLargestPooledBytes) return;
  const std::lock_guard lock(mutex_);
  if (free_.size() < kMostPooled) free_.push_back(std::move(buffer));
}

}  // namespace tidegate
