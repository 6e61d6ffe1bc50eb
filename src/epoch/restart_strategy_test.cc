// SPDX-License-Identifier: Apache-2.0
#include "epoch/restart_strategy.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace tidegate {
namespace {

using Settings = std::map<std::string, std::string, std::less<>>;
constexpr std::int64_t kSecond = 1'000'000'000;

RestartStrategy strategy(const Settings& settings, bool durable = false) {
  return *RestartStrategy::from(Options(settings), durable, 1);
}

// Delays in ms, one second between failures; -1: failed for good.
std::vector<std::int64_t> delays(RestartStrategy strategy, int failures,
                                 ErrorCode code = ErrorCode::kFileIo,
                                 std::int64_t apart_ns = kSecond) {
  std::vector<std::int64_t> out;
  for (int i = 0; i < failures; ++i) {
    const auto delay = strategy.next(Status(code, "x"), i * apart_ns);
    out.push_back(delay ? delay->count() : -1);
  }
  return out;
}

using Delays = std::vector<std::int64_t>;

TEST(RestartStrategy, NothingWithoutDurableEpochs) {
  EXPECT_FALSE(strategy({}).restarts());
  EXPECT_EQ(delays(strategy({}), 1), Delays{-1});
  EXPECT_EQ(delays(strategy({{"restart-strategy.type", "off"}}, true), 1), Delays{-1});
}

TEST(RestartStrategy, TheDefaultOnlyWaitsForWhatIsOutside) {
  EXPECT_NE(delays(strategy({}, true), 1), Delays{-1});
  for (const ErrorCode code : {ErrorCode::kMalformedRecord, ErrorCode::kDiskFull,
                               ErrorCode::kInternal, ErrorCode::kStateCorrupt})
    EXPECT_EQ(delays(strategy({}, true), 1, code), Delays{-1});
}

TEST(RestartStrategy, FixedDelayCountsAttempts) {
  EXPECT_EQ(delays(strategy({{"restart-strategy.type", "fixed-delay"}}), 2), (Delays{1000, -1}));
  EXPECT_EQ(delays(strategy({{"restart-strategy", "fixeddelay"},
                             {"restart-strategy.fixed-delay.attempts", "3"},
                             {"restart-strategy.fixed-delay.delay", "20 ms"}}),
                   4, ErrorCode::kInternal),
            (Delays{20, 20, 20, -1}));
  EXPECT_EQ(
      delays(strategy({{"restart-strategy.type", "fixed-delay"}}), 1, ErrorCode::kStateCorrupt),
      Delays{-1});
  EXPECT_EQ(
      delays(strategy({{"restart-strategy.type", "fixed-delay"}}), 1, ErrorCode::kInvalidPlan),
      Delays{-1});
}

TEST(RestartStrategy, ExponentialDelayGrowsAndIsForgiven) {
  Settings settings = {{"restart-strategy.type", "exponential-delay"},
                       {"restart-strategy.exponential-delay.jitter-factor", "0"},
                       {"restart-strategy.exponential-delay.max-backoff", "3 s"}};
  EXPECT_EQ(delays(strategy(settings), 5), (Delays{1000, 1500, 2250, 3000, 3000}));
  settings["restart-strategy.exponential-delay.reset-backoff-threshold"] = "1 s";
  EXPECT_EQ(delays(strategy(settings), 3), (Delays{1000, 1000, 1000}));
  settings["restart-strategy.exponential-delay.reset-backoff-threshold"] = "1 h";
  settings["restart-strategy.exponential-delay.attempts-before-reset-backoff"] = "2";
  EXPECT_EQ(delays(strategy(settings), 3), (Delays{1000, 1500, -1}));
}

TEST(RestartStrategy, FailureRateForgetsOldFailures) {
  const Settings settings = {{"restart-strategy.type", "failure-rate"},
                             {"restart-strategy.failure-rate.max-failures-per-interval", "2"},
                             {"restart-strategy.failure-rate.failure-rate-interval", "5 s"},
                             {"restart-strategy.failure-rate.delay", "7 ms"}};
  EXPECT_EQ(delays(strategy(settings), 3), (Delays{7, 7, -1}));
  EXPECT_EQ(delays(strategy(settings), 3, ErrorCode::kFileIo, 3 * kSecond), (Delays{7, 7, 7}));
}

TEST(RestartStrategy, RefusesNonsense) {
  for (const auto& [key, value] :
       Settings{{"restart-strategy.type", "sometimes"},
                {"restart-strategy.exponential-delay.jitter-factor", "2"},
                {"restart-strategy.exponential-delay.backoff-multiplier", "0.5"}}) {
    Settings settings = {{"restart-strategy.type", "exponential-delay"}};
    settings[key] = value;
    EXPECT_EQ(RestartStrategy::from(Options(settings), false).status().code(),
              ErrorCode::kInvalidOption)
        << key;
  }
}

}  // namespace
}  // namespace tidegate
