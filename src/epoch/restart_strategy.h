// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/options.h"
#include "base/random.h"
#include "tidegate/status.h"

namespace tidegate {

/// When a failed job begins again from its last epoch, under Flink's names:
///
///   restart-strategy.type   none | fixed-delay | exponential-delay | failure-rate
///   restart-strategy.fixed-delay.{attempts (1), delay (1 s)}
///   restart-strategy.exponential-delay.{initial-backoff (1 s), max-backoff (1 min),
///       backoff-multiplier (1.5), reset-backoff-threshold (1 h), jitter-factor (0.1),
///       attempts-before-reset-backoff (infinite)}
///   restart-strategy.failure-rate.{max-failures-per-interval (1), failure-rate-interval (1 min),
///       delay (1 s)}
///
/// Without a type a job with durable epochs restarts as by exponential-delay where something
/// outside was not available, and one without does not. Not thread-safe.
class RestartStrategy {
 public:
  enum class Kind : std::uint8_t { kNone, kFixedDelay, kExponentialDelay, kFailureRate };

  /// kInvalidOption for values that mean nothing.
  static Result<RestartStrategy> from(const Options& settings, bool has_durable_epochs,
                                      std::uint64_t seed = entropy_seed());

  /// False: no job ever begins again.
  bool restarts() const { return kind_ != Kind::kNone; }
  /// Nobody has chosen it.
  bool is_default() const { return is_default_; }
  /// How long to wait until the next start, or nothing when the job has failed for good. `now_ns`:
  /// the monotonic clock.
  std::optional<std::chrono::milliseconds> next(const Status& failure, std::int64_t now_ns);

 private:
  explicit RestartStrategy(std::uint64_t seed) : random_(seed) {}

  Status read_fixed_delay(const Options& settings);
  Status read_exponential_delay(const Options& settings);
  Status read_failure_rate(const Options& settings);
  bool may_help(const Status& failure) const;
  std::optional<std::chrono::milliseconds> next_backoff(std::int64_t now_ns);

  Random random_;
  Kind kind_ = Kind::kNone;
  bool is_default_ = false;
  std::int64_t attempts_ = 0;  // as the strategy counts them
  std::chrono::milliseconds delay_{1000};
  std::chrono::milliseconds max_backoff_{60'000};
  std::chrono::milliseconds reset_threshold_{3'600'000};
  std::chrono::milliseconds interval_{60'000};
  double multiplier_ = 1.5;
  double jitter_ = 0.1;
  std::int64_t max_attempts_ = 1;

  double backoff_ms_ = 0;  // of the next attempt
  std::optional<std::int64_t> last_failure_ns_;
  std::deque<std::int64_t> failures_ns_;
};

}  // namespace tidegate
