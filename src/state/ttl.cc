// SPDX-License-Identifier: Apache-2.0
#include "state/ttl.h"

#include <algorithm>

namespace tidegate {

void TtlSweep::sweep(const StateTtl& ttl, std::int64_t now, std::size_t rows) {
  if (generation_ != table_->generation(name_space_)) {
    generation_ = table_->generation(name_space_);
    cursor_.rows_moved();
  }
  std::int64_t last_expired = 0;
  if (!__builtin_sub_overflow(now, ttl.ttl_ms, &last_expired)) table_->expire(last_expired);
  std::array<std::byte*, 64> values;
  while (rows > 0) {
    const std::size_t asked = std::min(rows, values.size());
    const std::size_t count = table_->next(name_space_, cursor_, std::span(values).first(asked));
    if (count == 0) {
      cursor_ = {};
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (ttl.is_expired(table_->stamp(values[i]), now)) table_->erase(name_space_, values[i]);
    }
    rows -= count;
  }
}

}  // namespace tidegate
