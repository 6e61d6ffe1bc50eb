// SPDX-License-Identifier: Apache-2.0
#include "epoch/restart_strategy.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr std::int64_t kForEver = std::numeric_limits<std::int64_t>::max();

std::int64_t to_ns(std::chrono::milliseconds time) { return time.count() * 1'000'000; }

Status check_at_least(std::string_view name, double value, double least) {
  if (value >= least) return Status::ok();
  return error(ErrorCode::kInvalidOption, "{} must be at least {}, not {}", name, least, value);
}

}  // namespace

Result<RestartStrategy> RestartStrategy::from(const Options& settings, bool has_durable_epochs,
                                              std::uint64_t seed) {
  RestartStrategy strategy(seed);
  std::string type = settings.get_string_or("restart-strategy.type", "");
  if (type.empty()) type = settings.get_string_or("restart-strategy", "");  // as it was before 1.18
  if (type.empty() && has_durable_epochs) {
    strategy.is_default_ = true;
    type = "exponential-delay";
  }
  if (type.empty() || type == "none" || type == "off" || type == "disable") return strategy;
  if (type == "fixed-delay" || type == "fixeddelay") {
    TG_RETURN_IF_ERROR(strategy.read_fixed_delay(settings));
  } else if (type == "exponential-delay" || type == "exponentialdelay") {
    TG_RETURN_IF_ERROR(strategy.read_exponential_delay(settings));
  } else if (type == "failure-rate" || type == "failurerate") {
    TG_RETURN_IF_ERROR(strategy.read_failure_rate(settings));
  } else {
    return error(ErrorCode::kInvalidOption,
                 "restart-strategy.type is none, fixed-delay, exponential-delay or failure-rate, "
                 "not '{}'",
                 type);
  }
  return strategy;
}

Status RestartStrategy::read_fixed_delay(const Options& settings) {
  kind_ = Kind::kFixedDelay;
  TG_ASSIGN_OR_RETURN(max_attempts_,
                      settings.get_int_or("restart-strategy.fixed-delay.attempts", 1));
  TG_ASSIGN_OR_RETURN(delay_,
                      settings.get_duration_or("restart-strategy.fixed-delay.delay", delay_));
  return check_at_least("restart-strategy.fixed-delay.attempts", double(max_attempts_), 0);
}

Status RestartStrategy::read_exponential_delay(const Options& settings) {
  kind_ = Kind::kExponentialDelay;
  const std::string prefix = "restart-strategy.exponential-delay.";
  TG_ASSIGN_OR_RETURN(delay_, settings.get_duration_or(prefix + "initial-backoff", delay_));
  TG_ASSIGN_OR_RETURN(max_backoff_, settings.get_duration_or(prefix + "max-backoff", max_backoff_));
  TG_ASSIGN_OR_RETURN(reset_threshold_, settings.get_duration_or(prefix + "reset-backoff-threshold",
                                                                 reset_threshold_));
  TG_ASSIGN_OR_RETURN(multiplier_,
                      settings.get_double_or(prefix + "backoff-multiplier", multiplier_));
  TG_ASSIGN_OR_RETURN(jitter_, settings.get_double_or(prefix + "jitter-factor", jitter_));
  const std::string attempts =
      settings.get_string_or(prefix + "attempts-before-reset-backoff", "infinite");
  max_attempts_ = kForEver;
  if (attempts != "infinite") {
    TG_ASSIGN_OR_RETURN(max_attempts_,
                        settings.get_int_or(prefix + "attempts-before-reset-backoff", 0));
  }
  TG_RETURN_IF_ERROR(check_at_least(prefix + "backoff-multiplier", multiplier_, 1));
  if (jitter_ < 0 || jitter_ > 1) {
    return error(ErrorCode::kInvalidOption, "{}jitter-factor must be between 0 and 1, not {}",
                 prefix, jitter_);
  }
  return check_at_least(prefix + "attempts-before-reset-backoff", double(max_attempts_), 1);
}

Status RestartStrategy::read_failure_rate(const Options& settings) {
  kind_ = Kind::kFailureRate;
  const std::string prefix = "restart-strategy.failure-rate.";
  TG_ASSIGN_OR_RETURN(max_attempts_, settings.get_int_or(prefix + "max-failures-per-interval", 1));
  TG_ASSIGN_OR_RETURN(interval_,
                      settings.get_duration_or(prefix + "failure-rate-interval", interval_));
  TG_ASSIGN_OR_RETURN(delay_, settings.get_duration_or(prefix + "delay", delay_));
  return check_at_least(prefix + "max-failures-per-interval", double(max_attempts_), 1);
}

// A wrong plan, wrong bytes and wrong state are as wrong the next time. Wrong records may have been
// meant (a poison pill comes again), but a strategy that somebody asked for is followed as Flink
// does: it gives up in the end, or the program says so.
bool RestartStrategy::may_help(const Status& failure) const {
  switch (failure.kind()) {
    case ErrorKind::kUnavailable:
      return failure.code() != ErrorCode::kCancelled;
    case ErrorKind::kInvalidInput:
      return !is_default_ && failure.code() == ErrorCode::kUserFunctionFailed;
    case ErrorKind::kCorruption:
      return false;
    case ErrorKind::kBadData:
    case ErrorKind::kOutOfResources:
    case ErrorKind::kBug:
      return !is_default_;
  }
  return false;
}

std::optional<std::chrono::milliseconds> RestartStrategy::next(const Status& failure,
                                                               std::int64_t now_ns) {
  if (!may_help(failure)) return std::nullopt;
  switch (kind_) {
    case Kind::kNone:
      return std::nullopt;
    case Kind::kFixedDelay:
      if (attempts_ >= max_attempts_) return std::nullopt;
      ++attempts_;
      return delay_;
    case Kind::kExponentialDelay:
      return next_backoff(now_ns);
    case Kind::kFailureRate:
      while (!failures_ns_.empty() && now_ns - failures_ns_.front() > to_ns(interval_))
        failures_ns_.pop_front();
      if (static_cast<std::int64_t>(failures_ns_.size()) >= max_attempts_) return std::nullopt;
      failures_ns_.push_back(now_ns);
      return delay_;
  }
  return std::nullopt;
}

std::optional<std::chrono::milliseconds> RestartStrategy::next_backoff(std::int64_t now_ns) {
  const bool was_fine = !last_failure_ns_ || now_ns - *last_failure_ns_ >= to_ns(reset_threshold_);
  last_failure_ns_ = now_ns;
  if (was_fine) {
    attempts_ = 0;
    backoff_ms_ = double(delay_.count());
  }
  if (attempts_ >= max_attempts_) return std::nullopt;
  ++attempts_;
  const double jitter = 1 + jitter_ * (2 * random_.real() - 1);
  const double wait_ms = std::min(backoff_ms_ * jitter, double(max_backoff_.count()));
  backoff_ms_ = std::min(backoff_ms_ * multiplier_, double(max_backoff_.count()));
  return std::chrono::milliseconds(static_cast<std::int64_t>(wait_ms));
}

}  // namespace tidegate
