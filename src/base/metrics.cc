// SPDX-License-Identifier: Apache-2.0
#include "base/metrics.h"

#include <map>
#include <mutex>
#include <utility>

namespace tidegate {
namespace {

class CounterGroup final : public MetricGroup {
 public:
  Counter& counter(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    const auto found = counters_.find(name);
    return found != counters_.end() ? found->second : counters_[std::string(name)];
  }

  void append_to(std::vector<MetricSample>& samples, const std::string& operator_name,
                 int subtask) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, counter] : counters_) {
      samples.push_back({operator_name, subtask, name, counter.value()});
    }
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, Counter, std::less<>> counters_;  // nodes never move
};

class CounterRegistry final : public MetricRegistry {
 public:
  MetricGroup& group(std::string_view operator_name, int subtask) override {
    const std::lock_guard lock(mutex_);
    return groups_[{std::string(operator_name), subtask}];
  }

  std::vector<MetricSample> snapshot() const override {
    const std::lock_guard lock(mutex_);
    std::vector<MetricSample> samples;
    for (const auto& [key, group] : groups_) group.append_to(samples, key.first, key.second);
    return samples;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, CounterGroup> groups_;  // nodes never move
};

}  // namespace

std::int64_t MetricRegistry::sum(std::string_view operator_name, std::string_view metric) const {
  std::int64_t total = 0;
  for (const MetricSample& sample : snapshot()) {
    const bool wanted = operator_name.empty() || sample.operator_name == operator_name;
    if (wanted && sample.name == metric) total += sample.value;
  }
  return total;
}

std::unique_ptr<MetricRegistry> make_metric_registry() {
  return std::make_unique<CounterRegistry>();
}

}  // namespace tidegate
