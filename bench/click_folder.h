// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "click_file.h"

namespace tidegate::bench {

/// Where the benchmarks keep what they make.
inline std::filesystem::path bench_folder() {
  const char* folder = std::getenv("TIDEGATE_BENCH_DIR");
  return folder != nullptr ? folder : "/tmp/tidegate-bench";
}

/// The click file (click_file.h) in pieces, in a folder of its own. Made when it is not there.
inline std::filesystem::path click_folder(std::int64_t events, int files) {
  namespace fs = std::filesystem;
  const fs::path whole = click_file(events);
  const fs::path folder = whole.string() + "-in-" + std::to_string(files);
  if (fs::exists(folder)) return folder;
  const fs::path part = folder.string() + ".part";
  fs::create_directories(part);
  std::ifstream in(whole);
  std::string line;
  for (int i = 0; i < files; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "%05d.json", i);
    std::ofstream out(part / name);
    for (std::int64_t n = 0; n < events / files && std::getline(in, line); ++n) out << line << '\n';
  }
  fs::rename(part, folder);
  return folder;
}

}  // namespace tidegate::bench
