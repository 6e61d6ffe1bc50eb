// SPDX-License-Identifier: Apache-2.0
#include "dataflow/watermark_strategy.h"

#include <numeric>

namespace tidegate {

TimeGrain TimeGrain::combine(TimeGrain a, TimeGrain b) {
  const bool orders_rows = a.orders_rows || b.orders_rows;
  if (a.step_ms == 0) return TimeGrain{b.step_ms, b.phase_ms, orders_rows};
  if (b.step_ms == 0) return TimeGrain{a.step_ms, a.phase_ms, orders_rows};
  // Points of both lattices lie on the lattice of the gcd of both steps and their distance.
  std::int64_t step = std::gcd(std::gcd(a.step_ms, b.step_ms), a.phase_ms - b.phase_ms);
  return TimeGrain{step, ((a.phase_ms % step) + step) % step, orders_rows};
}

EventTime TimeGrain::floor(EventTime time) const {
  if (step_ms == 1 || time == kMinWatermark || time == kMaxWatermark) return time;
  if (step_ms == 0) return kMinWatermark;
  std::int64_t rest = (time % step_ms - phase_ms % step_ms) % step_ms;
  if (rest < 0) rest += step_ms;
  // Near the minimum there may be no point below; then nothing has been passed yet.
  return time < kMinWatermark + rest ? kMinWatermark : time - rest;
}

}  // namespace tidegate
