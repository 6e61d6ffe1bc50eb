// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

/// A number that only one thread changes and any thread reads. No atomic read-modify-write, so it
/// may be updated per batch at no cost.
class Counter {
 public:
  void add(std::int64_t n) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// The metrics of one operator (or source, sink) in one task. Names are snake_case with the unit
/// last: rows_in, rows_late, state_bytes, watermark_ms.
class MetricGroup {
 public:
  virtual ~MetricGroup() = default;
  /// The counter of this name, made when first asked for; lives as long as the group.
  virtual Counter& counter(std::string_view name) = 0;
};

/// One value of a snapshot.
struct MetricSample {
  std::string operator_name;
  int subtask = 0;
  std::string name;
  std::int64_t value = 0;
};

/// All groups of a job. Thread-safe; groups live as long as the registry.
class MetricRegistry {
 public:
  virtual ~MetricRegistry() = default;
  virtual MetricGroup& group(std::string_view operator_name, int subtask) = 0;
  virtual std::vector<MetricSample> snapshot() const = 0;
  /// Sum over subtasks of one operator, or of all operators when `operator_name` is empty.
  std::int64_t sum(std::string_view operator_name, std::string_view metric) const;
};

std::unique_ptr<MetricRegistry> make_metric_registry();

}  // namespace tidegate
