// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "tidegate/status.h"
#include "types/batch.h"
#include "types/key_encoding.h"
#include "types/schema.h"

namespace tidegate {

/// Sets Batch::key_hashes from the key columns, once where a stream becomes keyed.
class KeyHasher {
 public:
  KeyHasher(const Schema& schema, std::vector<int> keys);
  Status hash(Batch& batch);

 private:
  std::vector<int> keys_;
  KeyCodec codec_;
  EncodedKeys encoded_;            // reused from batch to batch
  std::vector<ArrayPtr> columns_;  // likewise
};

}  // namespace tidegate
