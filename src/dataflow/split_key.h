// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace tidegate {

/// Of a source, when its splits are made by the values of columns.
class SplitKey {
 public:
  virtual ~SplitKey() = default;
  /// Rows that are equal in these columns (of the source's schema) are in one split. None: nothing
  /// is known.
  virtual std::vector<int> split_key() const = 0;
};

}  // namespace tidegate
