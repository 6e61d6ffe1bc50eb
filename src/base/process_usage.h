// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace tidegate {

/// What this process uses, for progress lines and benchmarks.
struct MemoryUsage {
  std::int64_t resident_bytes = 0;  ///< now
  std::int64_t peak_bytes = 0;      ///< the most there has been
};

/// Zeros where the system does not tell (no /proc).
MemoryUsage memory_usage();

/// Seconds of CPU time, all threads, user and system.
double cpu_seconds();

}  // namespace tidegate
