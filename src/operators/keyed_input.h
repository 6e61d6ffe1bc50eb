// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/check.h"
#include "state/state_table.h"
#include "types/batch.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"

namespace tidegate {

/// The keys of the current batch: encoded once, hashed only when the exchange has not done so.
class KeyedInput {
 public:
  KeyedInput(std::vector<int> columns, const KeyCodec* codec)
      : columns_(std::move(columns)), codec_(codec) {}

  Status read(const Batch& batch) {
    arrays_.clear();
    for (int column : columns_) arrays_.push_back(batch.column(column));
    TG_RETURN_IF_ERROR(codec_->encode(arrays_, batch.num_rows(), keys_));
    hashes_ = batch.key_hashes();
    if (hashes_.empty()) {
      own_hashes_.resize(static_cast<std::size_t>(batch.num_rows()));
      hash_keys(keys_, own_hashes_);
      hashes_ = own_hashes_;
    }
    return Status::ok();
  }

  /// All hold until the next read(), and while the batch does.
  StateKey key(std::int64_t row) const {
    return {keys_.key(row), hashes_[static_cast<std::size_t>(row)]};
  }
  KeyBatch all() const { return {keys_, hashes_}; }
  KeyBatch rows(std::span<const std::int32_t> rows) const { return {keys_, hashes_, rows, false}; }

 private:
  std::vector<int> columns_;
  const KeyCodec* codec_;
  std::vector<ArrayPtr> arrays_;
  EncodedKeys keys_;
  std::span<const std::uint64_t> hashes_;
  std::vector<std::uint64_t> own_hashes_;
};

}  // namespace tidegate
