// SPDX-License-Identifier: Apache-2.0
#include "connectors/memory/memory.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/metrics.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

class Context final : public SourceContext, public OperatorContext {
 public:
  explicit Context(int subtask = 0) : subtask_(subtask) {}
  int times_woken() const { return times_woken_; }

  const std::string& source_name() const override { return name_; }
  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return subtask_; }
  int parallelism() const override { return 2; }
  KeyGroupRange key_groups() const override { return {}; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { check_failed(__FILE__, __LINE__, "executor", "not needed"); }
  Waker waker() override {
    return Waker(std::make_shared<const std::function<void()>>([this] { ++times_woken_; }));
  }
  StateBackend& state() override { check_failed(__FILE__, __LINE__, "state", "not needed"); }
  MetricGroup& metrics() override { check_failed(__FILE__, __LINE__, "metrics", "not needed"); }
  void request_wake_at(std::int64_t) override {}

 private:
  const std::string name_ = "memory";
  const int subtask_;
  int times_woken_ = 0;
};

Texts read(Source& source, SplitReader& reader, std::int64_t max_rows, bool* ended) {
  Texts rows;
  for (;;) {
    Result<Polled> polled = reader.poll(max_rows);
    *ended = polled->state == Polled::State::kEnd;
    if (polled->state != Polled::State::kRows) return rows;
    EXPECT_LE(polled->batch.num_rows(), max_rows);
    for (std::string& row : to_rows(polled->batch, *source.schema()))
      rows.push_back(std::move(row));
  }
}

TEST(MemorySource, ReturnsItsRowsFromAnyPosition) {
  const SchemaPtr schema = schema_of({"a INT"});
  MemorySource source(schema, {{batch_of(*schema, "[[1], [2]]"), batch_of(*schema, "[]"),
                                batch_of(*schema, "[[3]]")},
                               {batch_of(*schema, "[[9]]")}});
  EXPECT_TRUE(source.is_bounded());
  EXPECT_EQ(source.discover({"0"})->splits.size(), 1u);
  EXPECT_EQ(source.discover({})->splits.size(), 0u);
  Context context;
  const Texts all = {"+I[1]", "+I[2]", "+I[3]"};
  for (std::size_t row = 0; row <= 3; ++row) {
    auto reader = source.open_split({"0", ""}, std::to_string(row), context);
    ASSERT_TRUE(reader.is_ok());
    bool ended = false;
    EXPECT_EQ(read(source, **reader, 1, &ended),
              Texts(all.begin() + static_cast<std::ptrdiff_t>(row), all.end()));
    EXPECT_TRUE(ended);
    EXPECT_EQ((*reader)->position(), "3");
  }
  EXPECT_FALSE(source.open_split({"2", ""}, {}, context).is_ok());
}

TEST(MemorySource, TakesRowsWhileItRuns) {
  const SchemaPtr schema = schema_of({"a INT"});
  MemorySource source(schema, 1);
  EXPECT_FALSE(source.is_bounded());
  Context context;
  auto reader = source.open_split({"0", ""}, {}, context);
  bool ended = false;
  EXPECT_EQ(read(source, **reader, 10, &ended), Texts());
  EXPECT_FALSE(ended);
  source.push(0, batch_of(*schema, "[[1]]"));
  EXPECT_EQ(context.times_woken(), 1);
  EXPECT_EQ(read(source, **reader, 10, &ended), Texts{"+I[1]"});
  source.finish();
  EXPECT_EQ(context.times_woken(), 2);
  read(source, **reader, 10, &ended);
  EXPECT_TRUE(ended);
}

TEST(CollectSink, KeepsCommittedRowsOnce) {
  const SchemaPtr schema = schema_of({"a INT"});
  CollectSink sink;
  Context first(0);
  Context second(1);
  auto a = *sink.open_writer(first);
  auto b = *sink.open_writer(second);
  ASSERT_TRUE(a->write(changelog_of(*schema, R"([["+U", 1]])")).is_ok());
  ASSERT_TRUE(b->write(batch_of(*schema, "[[2]]")).is_ok());
  const std::string of_a = *a->prepare(1);
  const std::string of_b = *b->prepare(1);
  EXPECT_EQ(sink.rows_written(), 2);
  EXPECT_EQ(sink.committed().size(), 0u);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(sink.commit(1, of_a).is_ok());
  ASSERT_TRUE(sink.abort(1, of_b).is_ok());
  ASSERT_TRUE(sink.commit(1, of_b).is_ok());
  EXPECT_EQ(*a->prepare(2), "");
  ASSERT_TRUE(sink.commit(2, "").is_ok());
  ASSERT_EQ(sink.committed().size(), 1u);
  EXPECT_EQ(to_rows(sink.committed()[0], *schema), Texts{"+U[1]"});
  EXPECT_EQ(sink.written().size(), 2u);
}

}  // namespace
}  // namespace tidegate
