// SPDX-License-Identifier: Apache-2.0
#include "operators/map_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "base/check.h"
#include "operators/user_function.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("url STRING, n BIGINT");
  return kSchema;
}

Batch three_rows() { return batch_of(schema(), R"([["/a", 1], [null, 2], ["/c", null]])"); }

TEST(MapBatch, EmitsWhatTheFunctionEmits) {
  OperatorHarness harness([] {
    return make_map_batch([](const Batch& in, Output& out) {
      out.emit(in.slice(0, 1));
      out.emit(in.slice(2, 1));
      out.emit_side(1, in.slice(1, 1));
      return Status::ok();
    });
  });
  harness.push(three_rows());
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[/a, 1]", "+I[/c, null]"));
  EXPECT_THAT(harness.take_side(1), ElementsAre("+I[null, 2]"));
}

TEST(MapBatch, OneBatchForOne) {
  OperatorHarness harness(
      [] { return make_map_batch([](const Batch& in) -> Result<Batch> { return in; }); });
  harness.push(with_event_times(three_rows(), {5, 6, 7}));
  harness.push(Batch());
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[/a, 1] @5", "+I[null, 2] @6", "+I[/c, null] @7"));
}

TEST(MapBatch, PassesErrorsOn) {
  OperatorHarness harness([] {
    return make_map_batch(
        [](const Batch&) -> Result<Batch> { return Status(ErrorCode::kCastFailed, "no number"); });
  });
  EXPECT_EQ(harness.try_push(three_rows()).code(), ErrorCode::kCastFailed);
}

TEST(MapBatch, AnExceptionShowsTheRow) {
  OperatorHarness harness([] {
    return make_map_batch([](const Batch& in, Output&) {
      return for_each_row(in, [](std::int64_t row) {
        if (row == 1) throw std::runtime_error("not a page");
      });
    });
  });
  const Status status = harness.try_push(three_rows());
  EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(status.message(), HasSubstr("row [null, 2]: threw: not a page"));
}

TEST(MapBatch, AnExceptionOutsideOfRowsIsAnErrorToo) {
  OperatorHarness harness(
      [] { return make_map_batch([](const Batch&, Output&) -> Status { throw 17; }); });
  const Status status = harness.try_push(three_rows());
  EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(status.message(), HasSubstr("not a std::exception"));
}

TEST(RowText, IsCutOffBetweenCharacters) {
  std::string long_text;
  for (int i = 0; i < 300; ++i) long_text += "\u00e4";
  const Batch batch = batch_of(schema(), fmt::format(R"([["x{}", 1], ["y", 2]])", long_text));
  const std::string text = row_text(batch, 0);
  EXPECT_LT(text.size(), 220u);
  EXPECT_THAT(text, HasSubstr("\u00e4...]"));
  EXPECT_EQ(row_text(batch, 1), "[y, 2]");
}

}  // namespace
}  // namespace tidegate
