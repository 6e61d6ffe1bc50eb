// SPDX-License-Identifier: Apache-2.0
#include "types/key_hash.h"

#include "base/check.h"
#include "types/key_encoding.h"

namespace tidegate {

std::uint64_t hash_key(std::string_view key) {
  return key_hash::hash_exact(key.data(), key.size());
}

void hash_keys(const EncodedKeys& keys, std::span<std::uint64_t> hashes) {
  const auto count = static_cast<std::size_t>(keys.num_rows());
  TG_CHECK(hashes.size() == count, "hashes={} keys={}", hashes.size(), count);
  const char* data = keys.data();
  const std::int32_t* offsets = keys.offsets().data();
  if (keys.fixed_width() == 8) {
    const char* first = data + offsets[0];
    for (std::size_t i = 0; i < count; ++i)
      hashes[i] = key_hash::finish(key_hash::load(first + i * 8), 0, key_hash::kK0, 8);
    return;
  }
  // Keys that end this far before the end of what may be read take the path without short branches.
  std::size_t near_end = count;
  while (near_end > 0 && data + offsets[near_end - 1] + 16 > keys.readable_end()) --near_end;
  for (std::size_t i = 0; i < near_end; ++i) {
    hashes[i] = key_hash::hash_readable16(data + offsets[i],
                                          static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
  }
  for (std::size_t i = near_end; i < count; ++i) {
    hashes[i] = key_hash::hash_exact(data + offsets[i],
                                     static_cast<std::size_t>(offsets[i + 1] - offsets[i]));
  }
}

}  // namespace tidegate
