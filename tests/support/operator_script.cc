// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

Script joined(const Script& script, Random& random) {
  Script out;
  for (const ScriptStep& step : script) {
    const bool rows = step.watermark == kMinWatermark;
    if (rows && !out.empty() && out.back().watermark == kMinWatermark &&
        out.back().input == step.input && random.below(2) == 0) {
      auto both = Batch::concatenate(std::vector<Batch>{out.back().batch, step.batch});
      TG_CHECK(both.is_ok(), "{}", both.status().to_string());
      out.back().batch = *std::move(both);
    } else {
      out.push_back(step);
    }
  }
  return out;
}

Script cut(const Script& script, Random& random) {
  Script out;
  for (const ScriptStep& step : script) {
    if (step.watermark != kMinWatermark) {
      out.push_back(step);
      continue;
    }
    const std::uint64_t most = random.below(4) == 0 ? 1 : 1 + random.below(8);
    for (std::int64_t begin = 0; begin < step.batch.num_rows();) {
      const std::int64_t length = std::min(step.batch.num_rows() - begin,
                                           static_cast<std::int64_t>(1 + random.below(most)));
      out.push_back({step.input, step.batch.slice(begin, length), kMinWatermark});
      begin += length;
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> run_script(const OperatorFactory& factory, const Script& script,
                                    ScriptChaos chaos, std::uint64_t seed, HarnessOptions options) {
  Random random(seed);
  options.seed = seed;
  if (chaos.starve) options.credit_rows = static_cast<std::int64_t>(1 + random.below(3));
  Script steps = chaos.join ? joined(script, random) : script;
  if (chaos.cut) steps = cut(steps, random);

  OperatorHarness harness(factory, options);
  for (const ScriptStep& step : steps) {
    if (step.watermark == kMinWatermark) {
      harness.push(step.input, step.batch);
    } else {
      harness.advance(step.watermark);
    }
    if (chaos.restart && random.below(3) == 0) harness.restart(random.below(2) == 0);
    if (::testing::Test::HasFailure()) break;
  }
  harness.finish();
  return harness.take_rows();
}

std::vector<std::string> expect_same_under_chaos(const OperatorFactory& factory,
                                                 const Script& script, bool same_order, int seeds) {
  const auto in_order = [&](std::vector<std::string> rows) {
    if (!same_order) std::ranges::sort(rows);
    return rows;
  };
  const std::vector<std::string> rows = run_script(factory, script);
  const std::vector<std::string> expected = in_order(rows);
  for (int mask = 1; mask < 16; ++mask) {
    const ScriptChaos chaos{(mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0, (mask & 8) != 0};
    for (int seed = 1; seed <= seeds; ++seed) {
      const auto got = in_order(
          run_script(factory, script, chaos, static_cast<std::uint64_t>(seed * 16 + mask)));
      EXPECT_EQ(got, expected) << "cut=" << chaos.cut << " join=" << chaos.join
                               << " starve=" << chaos.starve << " restart=" << chaos.restart
                               << " seed=" << seed;
      if (::testing::Test::HasFailure()) return rows;
    }
  }
  return rows;
}

}  // namespace tidegate
