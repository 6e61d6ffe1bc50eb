// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "tidegate/record.h"

namespace tidegate {

/// Takes rows of type U that a function of the program makes.
template <RecordType U>
class Collector {
 public:
  explicit Collector(BatchWriter& out) : out_(out) {}
  void emit(const U& row) {
    Record<U>::write(out_, 0, row);
    out_.end_row(origin_);
  }
  /// The input row that the rows to come are made of; event time and row kind follow it.
  void set_origin(std::int32_t row) { origin_ = row; }

 private:
  BatchWriter& out_;
  std::int32_t origin_ = 0;
};

}  // namespace tidegate
