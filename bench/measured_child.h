// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

namespace tidegate::bench {

/// What one case of a benchmark cost as a process of its own.
struct Cost {
  double cpu_s = 0;
  double wall_s = 0;
  double rss_mib = 0;
  std::uint64_t answer = 0;  ///< what the case returned, to compare with other cases
  bool failed = false;
};

/// Waits for a process that was started at `start`.
inline Cost cost_of(pid_t child, std::chrono::steady_clock::time_point start) {
  rusage usage{};
  int status = 0;
  wait4(child, &status, 0, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  Cost cost;
  cost.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  cost.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  cost.rss_mib = static_cast<double>(usage.ru_maxrss) / 1024;
  cost.failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
  return cost;
}

/// Runs `work` in a child process, so that CPU time and peak memory are those of the case alone.
inline Cost measure(const std::function<std::uint64_t()>& work) {
  int pipe_ends[2];
  Cost cost;
  if (pipe(pipe_ends) != 0) return {.failed = true};
  std::fflush(nullptr);
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    const std::uint64_t answer = work();
    const bool written = write(pipe_ends[1], &answer, sizeof answer) == sizeof answer;
    std::fflush(nullptr);
    _exit(written ? 0 : 1);
  }
  close(pipe_ends[1]);
  const bool got = read(pipe_ends[0], &cost.answer, sizeof cost.answer) == sizeof cost.answer;
  close(pipe_ends[0]);
  const std::uint64_t answer = cost.answer;
  cost = cost_of(child, start);
  cost.answer = answer;
  cost.failed |= !got;
  return cost;
}

/// Starts a program; what it prints goes to the file `output`, its errors to `errors` (empty: there
/// too).
inline pid_t start_program(const std::vector<std::string>& command, const std::string& output,
                           const std::string& errors = "") {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    const auto create = [](const std::string& path) {
      return open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    };
    const int out = create(output);
    const int err = errors.empty() ? out : create(errors);
    if (out >= 0 && err >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(err, STDERR_FILENO) >= 0)
      execv(arguments[0], arguments.data());
    _exit(127);
  }
  return child;
}

/// Runs a program to its end.
inline Cost measure_program(const std::vector<std::string>& command, const std::string& output,
                            const std::string& errors = "") {
  const auto start = std::chrono::steady_clock::now();
  return cost_of(start_program(command, output, errors), start);
}

/// One result: a JSON line (`json`) or one for people. `ratio` is against `against`; 0: none.
inline void report(bool json, const std::string& bench, const std::string& name,
                   std::int64_t events, const Cost& cost, const std::string& against = "",
                   double ratio = 0) {
  const double rate = static_cast<double>(events) / cost.cpu_s;
  if (json) {
    std::printf(
        "{\"bench\":\"%s\",\"case\":\"%s\",\"events\":%lld,\"cpu_s\":%.3f,\"wall_s\":%.3f,"
        "\"events_per_cpu_s\":%.0f,\"rss_mib\":%.1f,\"against\":\"%s\",\"ratio\":%.3f,\"answer\":"
        "\"%016llx\"}\n",
        bench.c_str(), name.c_str(), static_cast<long long>(events), cost.cpu_s, cost.wall_s, rate,
        cost.rss_mib, against.c_str(), ratio, static_cast<unsigned long long>(cost.answer));
  } else {
    std::printf("%-10s %-24s %7.2f M/cpu-s %7.2f M/s %8.1f MiB", bench.c_str(), name.c_str(),
                rate / 1e6, static_cast<double>(events) / cost.wall_s / 1e6, cost.rss_mib);
    if (ratio > 0) std::printf("   %.2f of %s", ratio, against.c_str());
    std::printf("\n");
  }
  std::fflush(stdout);
}

}  // namespace tidegate::bench
