// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dataflow/state_reader.h"
#include "operators/keyed_results.h"
#include "state/state_table.h"
#include "tidegate/status.h"
#include "types/key_encoding.h"

namespace tidegate {

/// The keys that a look into state asks for: one, those between two, or all.
class QueriedKeys {
 public:
  /// kTypeMismatch when the key is of other types.
  static Result<QueriedKeys> make(const StateQuery& query, const KeyCodec& codec);

  /// False: one key.
  bool all() const { return all_; }
  /// Unless all(). Holds as long as this does.
  StateKey key() const { return {key_.key(0), hash_}; }

  /// The values of these keys in a namespace, in the order of keys.
  std::vector<std::byte*> find(const StateTable& table, std::int64_t name_space) const;

 private:
  bool is_in_range(std::string_view key) const {
    return (!has_from_ || key >= from_.key(0)) && (!has_to_ || key < to_.key(0));
  }

  bool all_ = true;
  bool has_from_ = false;
  bool has_to_ = false;
  std::uint64_t hash_ = 0;
  EncodedKeys key_;
  EncodedKeys from_;
  EncodedKeys to_;
};

}  // namespace tidegate
