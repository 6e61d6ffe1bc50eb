// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "state/state_table.h"

namespace tidegate {

/// The keys of a KeyBatch, as HashSegment::visit() takes them.
class BatchKeys {
 public:
  BatchKeys(const EncodedKeys& keys, const std::uint64_t* hashes)
      : data_(keys.data()),
        offsets_(keys.offsets().data()),
        hashes_(hashes),
        readable_end_(keys.readable_end()) {}

  HashSegment::KeyAt at(std::size_t row) const {
    const char* key = data_ + offsets_[row];
    return {hashes_[row],
            {key, static_cast<std::size_t>(offsets_[row + 1] - offsets_[row])},
            row,
            readable_end_ - key >= 32};
  }

 private:
  const char* data_;
  const std::int32_t* offsets_;
  const std::uint64_t* hashes_;
  const char* readable_end_;
};

struct AllRows {
  BatchKeys keys;
  HashSegment::KeyAt operator()(std::size_t i) const { return keys.at(i); }
};

struct SomeRows {
  BatchKeys keys;
  const std::int32_t* rows;
  HashSegment::KeyAt operator()(std::size_t i) const {
    return keys.at(static_cast<std::size_t>(rows[i]));
  }
};

struct OneKey {
  const StateKey& key;
  HashSegment::KeyAt operator()(std::size_t) const { return {key.hash, key.bytes, 0, false}; }
};

struct KeysOfValues {
  const StateTable& table;
  std::byte* const* values;
  HashSegment::KeyAt operator()(std::size_t i) const {
    return {table.hash(values[i]), table.key(values[i]), i, true};
  }
};

}  // namespace tidegate
