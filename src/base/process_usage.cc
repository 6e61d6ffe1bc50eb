// SPDX-License-Identifier: Apache-2.0
#include "base/process_usage.h"

#include <sys/resource.h>

#include <stdio.h>

#include <memory>

namespace tidegate {

MemoryUsage memory_usage() {
  constexpr std::int64_t kBytesPerKb = 1'024;
  MemoryUsage usage;
  const std::unique_ptr<FILE, int (*)(FILE*)> status(::fopen("/proc/self/status", "re"), &::fclose);
  if (!status) return usage;
  char line[256];
  while (::fgets(line, sizeof(line), status.get()) != nullptr) {
    long kb = 0;
    if (::sscanf(line, "VmRSS: %ld kB", &kb) == 1) usage.resident_bytes = kb * kBytesPerKb;
    if (::sscanf(line, "VmHWM: %ld kB", &kb) == 1) usage.peak_bytes = kb * kBytesPerKb;
  }
  return usage;
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace tidegate
