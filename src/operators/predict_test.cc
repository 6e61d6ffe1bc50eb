// SPDX-License-Identifier: Apache-2.0
#include "operators/predict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/memory_file_system.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;

class PredictTest : public ::testing::Test {
 protected:
  void put(const std::string& file) {
    clock_.advance_to_ms(clock_.wall_ms() + 1000);
    const auto content = read_file(local_file_system(), "tests/models/" + file + ".onnx");
    ASSERT_TRUE(write_file_atomically(files_, "/m.onnx", *content).is_ok());
  }
  PredictOptions options(std::vector<int> columns) {
    ModelDefinition model;
    model.name = "m";
    model.inputs = schema_of("a FLOAT, b FLOAT")->fields();
    model.outputs = schema_of("score DOUBLE")->fields();
    model.options.set("provider", "onnx");
    model.options.set("model-path", "/m.onnx");
    auto opened = ModelVersions::open(model, files_);
    EXPECT_TRUE(opened.is_ok()) << opened.status().to_string();
    return {*opened, std::move(columns)};
  }

  VirtualClock clock_;
  MemoryFileSystem files_{clock_};
  const SchemaPtr schema_ = schema_of("b FLOAT, id BIGINT, a FLOAT");
};

TEST_F(PredictTest, ScoresStandBehindTheRow) {
  put("linear");
  OperatorHarness harness([options = options({2, 0})] { return make_predict(options); });
  harness.push(batch_of(schema_, "[[2, 7, 1], [null, 8, 1]]"));
  harness.push(batch_of(schema_, "[[0.5, 9, 3]]"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[2, 7, 1, 4]", "+I[null, 8, 1, null]", "+I[0.5, 9, 3, 7.25]"));
}

TEST_F(PredictTest, ANewModelScoresFromAnEpochOn) {
  put("linear");
  OperatorHarness harness([options = options({2, 0})] { return make_predict(options); });
  const auto score = [&] {
    harness.push(batch_of(schema_, "[[2, 7, 1]]"));
    harness.executor().run_ready();
    return harness.take_rows();
  };
  EXPECT_THAT(score(), ElementsAre("+I[2, 7, 1, 4]"));
  put("linear_2");
  EXPECT_THAT(score(), ElementsAre("+I[2, 7, 1, 4]"));
  harness.seal();
  // Seen while this epoch runs, so not in it.
  EXPECT_THAT(score(), ElementsAre("+I[2, 7, 1, 4]"));
  EXPECT_THAT(score(), ElementsAre("+I[2, 7, 1, 4]"));
  harness.seal();
  EXPECT_THAT(score(), ElementsAre("+I[2, 7, 1, 8]"));
}

}  // namespace
}  // namespace tidegate
