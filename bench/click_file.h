// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "base/random.h"

namespace tidegate::bench {

/// The file of click events that the benchmarks share with other systems: event i is
/// {"user_id":U,"url":"/pageK","ts":T} with T = 1700000000000 + i - uniform(0..2000) and K
/// zipf(1.1) over 1,000 URLs. Made when it is not there.
inline std::string click_file(std::int64_t events) {
  const char* folder = std::getenv("TIDEGATE_BENCH_DIR");
  const std::filesystem::path path =
      std::filesystem::path(folder != nullptr ? folder : "/tmp/tidegate-bench") /
      ("clicks-" + std::to_string(events) + ".json");
  if (std::filesystem::exists(path)) return path;
  std::fprintf(stderr, "making %s\n", path.c_str());
  std::filesystem::create_directories(path.parent_path());
  constexpr int kUrls = 1000;
  std::vector<double> cumulative;
  double sum = 0;
  for (int k = 1; k <= kUrls; ++k) cumulative.push_back(sum += 1.0 / std::pow(k, 1.1));
  Random random(7);
  std::FILE* file = std::fopen((path.string() + ".part").c_str(), "w");
  if (file == nullptr) std::perror(path.c_str()), std::exit(1);
  for (std::int64_t i = 0; i < events; ++i) {
    const auto page = std::lower_bound(cumulative.begin(), cumulative.end(), random.real() * sum) -
                      cumulative.begin();
    const auto user = static_cast<long long>(random.below(100'000));
    const auto ts = static_cast<long long>(1'700'000'000'000 + i -
                                           static_cast<std::int64_t>(random.below(2001)));
    std::fprintf(file, "{\"user_id\":%lld,\"url\":\"/page%lld\",\"ts\":%lld}\n", user,
                 static_cast<long long>(std::min<std::ptrdiff_t>(page, kUrls - 1)), ts);
  }
  std::fclose(file);
  std::filesystem::rename(path.string() + ".part", path);
  return path;
}

}  // namespace tidegate::bench
