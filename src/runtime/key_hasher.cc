// SPDX-License-Identifier: Apache-2.0
#include "runtime/key_hasher.h"

#include <arrow/buffer.h>

#include <utility>

#include "base/check.h"
#include "types/arrow_status.h"
#include "types/key_hash.h"

namespace tidegate {
namespace {

std::vector<LogicalType> types_of(const Schema& schema, const std::vector<int>& keys) {
  std::vector<LogicalType> types;
  for (int key : keys) types.push_back(schema.field(key).type);
  return types;
}

}  // namespace

KeyHasher::KeyHasher(const Schema& schema, std::vector<int> keys)
    : keys_(std::move(keys)), codec_(types_of(schema, keys_)) {}

Status KeyHasher::hash(Batch& batch) {
  columns_.clear();
  for (int key : keys_) columns_.push_back(batch.column(key));
  TG_RETURN_IF_ERROR(codec_.encode(columns_, batch.num_rows(), encoded_));
  constexpr auto kWidth = static_cast<std::int64_t>(sizeof(std::uint64_t));
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> hashes,
                            arrow::AllocateBuffer(batch.num_rows() * kWidth), "hash keys");
  hash_keys(encoded_,
            {hashes->mutable_data_as<std::uint64_t>(), static_cast<std::size_t>(batch.num_rows())});
  batch.set_key_hashes(std::move(hashes));
  return Status::ok();
}

}  // namespace tidegate
