// SPDX-License-Identifier: Apache-2.0
#include "base/process_usage.h"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

namespace tidegate {
namespace {

TEST(ProcessUsageTest, MemoryThatIsTouchedCounts) {
  constexpr std::int64_t kBytes = std::int64_t{64} << 20;
  const MemoryUsage before = memory_usage();
  EXPECT_GT(before.resident_bytes, 0);
  // From the system and not the heap, which may hold as much from earlier tests.
  void* const pages =
      ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  std::memset(pages, 1, kBytes);
  const MemoryUsage after = memory_usage();
  ::munmap(pages, kBytes);
  EXPECT_GT(after.resident_bytes, before.resident_bytes + kBytes / 2);
  // The kernel counts resident pages per thread first, so that both are off by a little.
  constexpr std::int64_t kSlack = std::int64_t{4} << 20;
  EXPECT_GE(after.peak_bytes + kSlack, after.resident_bytes);
}

TEST(ProcessUsageTest, WorkTakesCpuTime) {
  const double before = cpu_seconds();
  volatile std::uint64_t sum = 0;
  while (cpu_seconds() <= before) sum = sum + 1;
  EXPECT_GT(cpu_seconds(), before);
}

}  // namespace
}  // namespace tidegate
