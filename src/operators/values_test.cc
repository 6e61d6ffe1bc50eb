// SPDX-License-Identifier: Apache-2.0
#include "operators/values.h"

#include <gmock/gmock.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "tests/support/batch_literal.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;

class Context final : public SourceContext {
 public:
  const std::string& source_name() const override { return name_; }
  const Clock& clock() const override { return clock_; }
  Executor& executor() override { std::abort(); }
  MetricGroup& metrics() override { return metrics_->group("values", 0); }
  Waker waker() override { return {}; }

 private:
  std::string name_ = "values";
  VirtualClock clock_;
  std::unique_ptr<MetricRegistry> metrics_ = make_metric_registry();
};

std::vector<std::string> read(SplitReader& reader, std::int64_t max_rows, int polls) {
  std::vector<std::string> rows;
  for (int i = 0; i < polls; ++i) {
    auto polled = reader.poll(max_rows);
    EXPECT_TRUE(polled.is_ok());
    if (polled->state == Polled::State::kEnd) break;
    for (std::string& row : text_rows(polled->batch)) rows.push_back(std::move(row));
  }
  return rows;
}

TEST(ValuesTest, YieldsItsRowsOnceAndGoesOnWhereItStood) {
  const SchemaPtr schema = schema_of("a INT");
  const auto source = make_values_source(
      schema, {batch_of(schema, "[[1], [2]]"), batch_of(schema, "[[3], [null]]")});
  Context context;
  ASSERT_TRUE(source->open(context).is_ok());
  EXPECT_TRUE(source->is_bounded());
  const auto found = source->discover({});
  ASSERT_EQ(found->splits.size(), 1u);
  EXPECT_TRUE(found->complete);
  EXPECT_TRUE(source->discover({})->splits.empty());

  auto reader = *source->open_split(found->splits[0], std::nullopt, context);
  EXPECT_THAT(read(*reader, 3, 1), ElementsAre("+I[1]", "+I[2]", "+I[3]"));
  auto again = *source->open_split(found->splits[0], reader->position(), context);
  EXPECT_THAT(read(*again, 1, 9), ElementsAre("+I[null]"));
  EXPECT_EQ(source->open_split(found->splits[0], "5", context).status().code(),
            ErrorCode::kStateMismatch);
  EXPECT_EQ(source->open_split(found->splits[0], "x", context).status().code(),
            ErrorCode::kStateMismatch);
}

TEST(ValuesTest, AKnownSplitIsNotFoundAgainAndNoRowsEndAtOnce) {
  const SchemaPtr schema = schema_of("a INT");
  const auto source = make_values_source(schema, {});
  Context context;
  ASSERT_TRUE(source->open(context).is_ok());
  EXPECT_TRUE(source->discover({"values"})->splits.empty());
  auto reader = *source->open_split({"values", ""}, std::nullopt, context);
  EXPECT_EQ(reader->poll(10)->state, Polled::State::kEnd);
}

}  // namespace
}  // namespace tidegate
