// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_base.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "base/file_system.h"
#include "base/memory_file_system.h"
#include "models/model_versions.h"
#include "tests/support/batch_literal.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Fields of "a FLOAT, b FLOAT".
std::vector<Field> fields(std::string_view columns) { return schema_of(columns)->fields(); }

ModelDefinition definition(const std::string& file, std::string_view inputs,
                           std::string_view outputs,
                           const std::map<std::string, std::string>& options = {}) {
  ModelDefinition model;
  model.name = "m";
  model.inputs = fields(inputs);
  model.outputs = fields(outputs);
  model.options.set("provider", "onnx");
  model.options.set("model-path", "tests/models/" + file + ".onnx");
  for (const auto& [key, value] : options) model.options.set(key, value);
  return model;
}

Result<std::shared_ptr<const Model>> load(const ModelDefinition& model) {
  TG_ASSIGN_OR_RETURN(const std::string content,
                      read_file(local_file_system(), *model.options.get_string("model-path")));
  return load_model(model, content);
}

/// The outputs as text, for rows in JSON.
std::vector<std::string> score(const ModelDefinition& model, std::string_view rows) {
  const auto loaded = load(model);
  EXPECT_TRUE(loaded.is_ok()) << loaded.status().to_string();
  if (!loaded.is_ok()) return {};
  const Batch batch = batch_of(std::make_shared<Schema>(model.inputs), rows);
  const auto scores = (*loaded)->make_scorer()->score(batch.columns(), batch.num_rows());
  EXPECT_TRUE(scores.is_ok()) << scores.status().to_string();
  if (!scores.is_ok()) return {};
  std::vector<std::string> text;
  for (const ArrayPtr& column : *scores) {
    EXPECT_TRUE(column->ValidateFull().ok());
    text.push_back(column->ToString());
    std::erase_if(text.back(), [](char c) { return c == ' ' || c == '\n'; });
  }
  return text;
}

std::string refusal(const ModelDefinition& model) {
  const auto loaded = load(model);
  return loaded.is_ok() ? "" : loaded.status().to_string();
}

TEST(OnnxModel, ColumnsBecomeOneMatrix) {
  const auto model = definition("linear", "a FLOAT, b FLOAT", "score FLOAT");
  EXPECT_THAT(score(model, "[[1, 2], [3, 0.5], [0, 0]]"), ElementsAre("[4,7.25,1]"));
  const auto threads = definition("linear", "a FLOAT, b FLOAT", "score FLOAT", {{"threads", "2"}});
  EXPECT_THAT(score(threads, "[[1, 2], [3, 0.5], [0, 0]]"), ElementsAre("[4,7.25,1]"));
  const auto wide = definition("linear", "a INT, b DOUBLE", "score DOUBLE");
  EXPECT_THAT(score(wide, "[[1, 2], [3, 0.5]]"), ElementsAre("[4,7.25]"));
  const auto vector = definition("linear", "v ARRAY<DOUBLE>", "score DOUBLE");
  EXPECT_THAT(score(vector, "[[[1, 2]], [[3, 0.5]]]"), ElementsAre("[4,7.25]"));
}

TEST(OnnxModel, NullsAreSkippedOrNan) {
  const auto model = definition("linear", "a FLOAT, b FLOAT", "score FLOAT");
  EXPECT_THAT(score(model, "[[1, 2], [null, 0.5], [0, null]]"), ElementsAre("[4,null,null]"));
  const auto nan = definition("linear", "a FLOAT, b FLOAT", "score FLOAT", {{"nulls", "nan"}});
  EXPECT_THAT(score(nan, "[[1, 2], [null, 0.5]]"), ElementsAre("[4,nan]"));
  const auto vector = definition("linear", "v ARRAY<FLOAT>", "score FLOAT");
  EXPECT_THAT(score(vector, "[[null], [[3, 0.5]], [[1, null]]]"), ElementsAre("[null,7.25,null]"));
}

TEST(OnnxModel, AClassifierAnswersLabelAndVector) {
  const auto model =
      definition("classifier", "a FLOAT, b FLOAT", "label BIGINT, probabilities ARRAY<FLOAT>");
  EXPECT_THAT(score(model, "[[1, 2], [null, 2], [0, 0]]"),
              ElementsAre("[1,null,0]", "[[0.375,0.625],null,[1,0]]"));
}

TEST(OnnxModel, InputsByNameAndStrings) {
  const auto model =
      definition("texts", "where_from STRING, amount DOUBLE", "region STRING, r FLOAT",
                 {{"input.where_from", "country"}, {"output.r", "risk"}});
  EXPECT_THAT(score(model, R"([["de", 1], ["xx", 2], [null, 3], ["us", 0]])"),
              ElementsAre(R"(["eu","?",null,"na"])", "[1.5,1,null,1]"));
}

TEST(OnnxModel, EveryElementType) {
  const auto model = definition(
      "kinds", "f FLOAT, d DOUBLE, i INT, l BIGINT, b BOOLEAN, s STRING, v ARRAY<FLOAT>",
      "out_f DOUBLE, out_d DOUBLE, out_i BIGINT, out_l BIGINT, out_b BOOLEAN, out_s STRING, "
      "out_v ARRAY<DOUBLE>");
  EXPECT_THAT(score(model, R"([[1.5, 2.5, 3, 4, true, "x", [1, 2, 3]],
                               [-1, 0, -3, 9000000000, false, "", [0, 0, 0.5]]])"),
              ElementsAre("[1.5,-1]", "[2.5,0]", "[3,-3]", "[4,9000000000]", "[true,false]",
                          R"(["x",""])", "[[2,4,6],[0,0,1]]"));
}

TEST(OnnxModel, AVectorOfAnotherLengthIsBadData) {
  const auto model = definition("linear", "v ARRAY<FLOAT>", "score FLOAT");
  const auto loaded = load(model);
  ASSERT_TRUE(loaded.is_ok());
  const Batch batch = batch_of(std::make_shared<Schema>(model.inputs), "[[[1, 2]], [[1, 2, 3]]]");
  const auto scores = (*loaded)->make_scorer()->score(batch.columns(), 2);
  ASSERT_FALSE(scores.is_ok());
  EXPECT_EQ(scores.status().code(), ErrorCode::kMalformedRecord);
}

TEST(OnnxModel, WhatDoesNotFitIsRefused) {
  EXPECT_THAT(refusal(definition("three_features", "a FLOAT, b FLOAT", "score FLOAT")),
              HasSubstr("takes 3 columns, but INPUT gives 2"));
  EXPECT_THAT(refusal(definition("linear", "a STRING, b FLOAT", "score FLOAT")),
              HasSubstr("'a' is STRING, which cannot become float[N, 2]"));
  EXPECT_THAT(refusal(definition("kinds",
                                 "f FLOAT, d DOUBLE, i BIGINT, l BIGINT, b BOOLEAN, s STRING, v "
                                 "ARRAY<FLOAT>",
                                 "out_f FLOAT")),
              HasSubstr("'i' is BIGINT"));
  EXPECT_THAT(refusal(definition("linear", "a FLOAT, b FLOAT", "score BIGINT")),
              HasSubstr("OUTPUT column 'score' is BIGINT, but the output 'variable' is float"));
  EXPECT_THAT(refusal(definition("classifier", "a FLOAT, b FLOAT", "lable BIGINT")),
              HasSubstr("no output 'lable'; it answers 'label' int64[N]"));
  EXPECT_THAT(refusal(definition("zipmap", "a FLOAT, b FLOAT", "by_class ARRAY<FLOAT>")),
              HasSubstr("zipmap=False"));
  EXPECT_THAT(score(definition("zipmap", "a FLOAT, b FLOAT", "label BIGINT"), "[[1, 2]]"),
              ElementsAre("[1]"));
  EXPECT_THAT(refusal(definition("one_row", "a FLOAT, b FLOAT", "score FLOAT")),
              HasSubstr("a fixed number of rows"));
  EXPECT_THAT(refusal(definition("texts", "country STRING", "risk FLOAT")),
              HasSubstr("no INPUT column is 'amount'"));
  EXPECT_THAT(refusal(definition("texts", "country STRING, amount FLOAT, x FLOAT", "risk FLOAT")),
              HasSubstr("no input 'x'"));
  EXPECT_THAT(refusal(definition("texts", "country STRING, amount FLOAT", "risk FLOAT",
                                 {{"nulls", "nan"}})),
              HasSubstr("needs inputs of floating-point numbers"));
  EXPECT_THAT(refusal(definition("linear", "a FLOAT, b FLOAT", "score FLOAT", {{"thread", "1"}})),
              HasSubstr("unknown-option"));
  auto other = definition("linear", "a FLOAT, b FLOAT", "score FLOAT");
  other.options.set("provider", "openai");
  EXPECT_THAT(refusal(other), HasSubstr("'openai', which is not supported"));
  EXPECT_THAT(load_model(definition("linear", "a FLOAT, b FLOAT", "s FLOAT"), "no model")
                  .status()
                  .message(),
              HasSubstr("cannot be loaded as an ONNX model"));
}

/// The versions of a model in files that a test replaces.
class Versions : public ::testing::Test {
 protected:
  void put(const std::string& file) {
    clock_.advance_to_ms(clock_.wall_ms() + 1000);
    const auto content = read_file(local_file_system(), "tests/models/" + file + ".onnx");
    ASSERT_TRUE(write_file_atomically(*files_, "/m.onnx", *content).is_ok());
  }
  std::shared_ptr<ModelVersions> open() {
    auto model = definition("linear", "a FLOAT, b FLOAT", "score FLOAT");
    model.options.set("model-path", "/m.onnx");
    auto opened = ModelVersions::open(model, *files_);
    EXPECT_TRUE(opened.is_ok()) << opened.status().to_string();
    return *opened;
  }

  VirtualClock clock_;
  std::unique_ptr<FileSystem> files_ = std::make_unique<MemoryFileSystem>(clock_);
};

TEST_F(Versions, AnEpochKeepsItsModel) {
  put("linear");
  const auto versions = open();
  const auto first = versions->of_epoch(0);
  put("linear_2");
  EXPECT_EQ(versions->of_epoch(2), first);
  EXPECT_TRUE(versions->wants_look(2));
  EXPECT_FALSE(versions->wants_look(2));
  versions->look();
  EXPECT_EQ(versions->of_epoch(2), first);  // it has begun
  EXPECT_EQ(versions->of_epoch(0), first);
  const auto second = versions->of_epoch(3);
  EXPECT_NE(second->version(), first->version());
  EXPECT_EQ(versions->of_epoch(2), first);
}

TEST_F(Versions, WhatCannotBeUsedIsLeftAlone) {
  put("linear");
  const auto versions = open();
  const std::string first = versions->newest();
  put("three_features");
  EXPECT_EQ(versions->newest(), first);
  ASSERT_TRUE(files_->remove("/m.onnx").is_ok());
  EXPECT_EQ(versions->newest(), first);
  put("linear_2");
  EXPECT_NE(versions->newest(), first);
}

TEST_F(Versions, APlannedEpochIsScoredByItsVersionOrNotAtAll) {
  put("linear");
  const std::string first = open()->newest();
  put("linear_2");
  const auto again = open();
  const Status refused = again->use(7, first);
  ASSERT_FALSE(refused.is_ok());
  EXPECT_EQ(refused.code(), ErrorCode::kStateMismatch);
  EXPECT_THAT(refused.message(), HasSubstr(first));
  put("linear");
  ASSERT_EQ(again->newest(), first);
  ASSERT_TRUE(again->use(7, first).is_ok());
  put("linear_2");
  ASSERT_TRUE(again->use(8, again->newest()).is_ok());
  EXPECT_EQ(again->of_epoch(0)->version(), first);
  EXPECT_EQ(again->of_epoch(7)->version(), first);
  EXPECT_NE(again->of_epoch(8)->version(), first);
  EXPECT_FALSE(again->wants_look(9));
}

TEST_F(Versions, AMissingFileIsRefused) {
  auto model = definition("linear", "a FLOAT, b FLOAT", "score FLOAT");
  model.options.set("model-path", "/none.onnx");
  EXPECT_THAT(ModelVersions::open(model, *files_).status().message(),
              HasSubstr("there is no file '/none.onnx'"));
}

}  // namespace
}  // namespace tidegate
