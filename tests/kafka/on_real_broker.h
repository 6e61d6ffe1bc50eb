// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/kafka/real_broker.h"

namespace tidegate::kafka {

/// Tests that share a broker of their own; skipped where there can be none.
class OnRealBroker : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (RealBroker::missing().empty()) broker_ = std::make_unique<RealBroker>();
  }
  static void TearDownTestSuite() { broker_.reset(); }
  /// A derived one returns at once when IsSkipped().
  void SetUp() override {
    if (broker_ == nullptr)
      GTEST_SKIP() << RealBroker::missing() << ": no broker can be run on this machine";
    topic_ = testing::UnitTest::GetInstance()->current_test_info()->name();
  }

  inline static std::unique_ptr<RealBroker> broker_;
  std::string topic_;  ///< the name of the test
};

}  // namespace tidegate::kafka
