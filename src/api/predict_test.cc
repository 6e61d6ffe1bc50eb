// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct ScorePayment {
  std::int64_t id = 0;
  std::optional<double> amount;
  double velocity = 0;
};
BOOST_DESCRIBE_STRUCT(ScorePayment, (), (id, amount, velocity))

struct Scored {
  std::int64_t id = 0;
  std::optional<double> score;
  std::string version;
  friend bool operator==(const Scored&, const Scored&) = default;
};
BOOST_DESCRIBE_STRUCT(Scored, (), (id, score, version))

struct ScoredRegion {
  std::optional<float> risk;
  std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(ScoredRegion, (), (risk, id))

struct ScoredUnguarded {
  double score = 0;
};
BOOST_DESCRIBE_STRUCT(ScoredUnguarded, (), (score))

namespace {

using ::testing::HasSubstr;

TEST(Predict, MembersGoInAndTheOthersComeOut) {
  App app("payments");
  app.source<ScorePayment>(connector("test").named("payments"))
      .predict<Scored>(
          onnx("tests/models/linear.onnx").output("score", "variable").version("version"),
          &ScorePayment::amount, &ScorePayment::velocity)
      .sink(connector("test").named("scored"));
  TestDriver driver(app);
  driver.push("payments",
              std::vector<ScorePayment>{{1, 1.0, 2.0}, {2, std::nullopt, 2.0}, {3, 3.0, 0.5}});
  const std::vector<Scored> rows = driver.read<Scored>("scored");
  ASSERT_EQ(rows.size(), 3u) << driver.status().to_string();
  const std::string version = rows[0].version;
  EXPECT_EQ(version.size(), 32u);
  EXPECT_EQ(rows[0], (Scored{1, 4.0, version}));
  EXPECT_EQ(rows[1], (Scored{2, std::nullopt, version}));
  EXPECT_EQ(rows[2], (Scored{3, 7.25, version}));
}

/// What planning says of a pipeline over this step.
template <typename Out, typename... M>
std::string refusal(const ModelSpec& model, M ScorePayment::*... members) {
  App app("payments");
  app.source<ScorePayment>(connector("test").named("payments"))
      .template predict<Out>(model, members...)
      .sink(connector("test").named("scored"));
  const TestDriver driver(app);
  return driver.status().is_ok() ? "" : driver.status().to_string();
}

TEST(Predict, WhatDoesNotFitIsRefused) {
  EXPECT_THAT(refusal<ScoredUnguarded>(onnx("tests/models/linear.onnx"), &ScorePayment::amount,
                                       &ScorePayment::velocity),
              HasSubstr("Make it a std::optional"));
  EXPECT_THAT(refusal<Scored>(onnx("tests/models/none.onnx").version("version"),
                              &ScorePayment::amount, &ScorePayment::velocity),
              HasSubstr("there is no file 'tests/models/none.onnx'"));
  EXPECT_THAT(refusal<ScoredRegion>(onnx("tests/models/texts.onnx"), &ScorePayment::id,
                                    &ScorePayment::amount),
              HasSubstr("no INPUT column is 'country'"));
  EXPECT_THAT(refusal<ScoredRegion>(onnx("tests/models/texts.onnx").option("provder", "x"),
                                    &ScorePayment::amount),
              HasSubstr("provder"));
}

}  // namespace
}  // namespace tidegate
