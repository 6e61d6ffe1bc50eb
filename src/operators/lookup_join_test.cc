// SPDX-License-Identifier: Apache-2.0
#include "operators/lookup_join.h"

#include <arrow/array/array_base.h>
#include <arrow/array/data.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/check.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT");
  return kSchema;
}

Batch rows(std::string_view json) { return batch_of(schema(), json); }

/// Splits that are in memory; each lets its reader wait before every batch.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::vector<std::vector<Batch>> splits, bool bounded = true)
      : splits_(std::move(splits)), bounded_(bounded) {}

  const SchemaPtr& schema() const override { return tidegate::schema(); }
  bool is_bounded() const override { return bounded_; }
  Status open(SourceContext&) override { return Status::ok(); }
  Result<Discovery> discover(const std::vector<std::string>&) override {
    if (splits_.empty()) return error(ErrorCode::kFileNotFound, "there is no table");
    Discovery all;
    for (std::size_t i = 0; i < splits_.size(); ++i) all.splits.push_back({std::to_string(i), ""});
    return all;
  }
  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>&,
                                                  SourceContext& context) override {
    return std::make_unique<Reader>(splits_[std::stoul(split.id)], context);
  }

 private:
  class Reader final : public SplitReader {
   public:
    Reader(std::vector<Batch> batches, SourceContext& context)
        : batches_(std::move(batches)), context_(context) {}
    Result<Polled> poll(std::int64_t) override {
      if (next_ == batches_.size()) return Polled{Polled::State::kEnd, {}, {}};
      if (std::exchange(waits_, !waits_)) {
        context_.executor().submit([waker = context_.waker()] { waker.wake(); });
        return Polled{Polled::State::kPending, {}, {}};
      }
      return Polled{Polled::State::kRows, batches_[next_++], {}};
    }
    std::string position() const override { return {}; }

   private:
    std::vector<Batch> batches_;
    SourceContext& context_;
    std::size_t next_ = 0;
    bool waits_ = true;
  };

  std::vector<std::vector<Batch>> splits_;
  bool bounded_;
};

/// A table in two splits, with a key that stands in both and one that is null.
LookupJoinOptions options(JoinKind kind) {
  LookupJoinOptions all;
  for (JoinInput* side : {&all.left, &all.table}) {
    for (const Field& field : schema()->fields()) side->types.push_back(field.type);
    side->keys = {0};
  }
  all.kind = kind;
  all.make_source = [] {
    return std::make_shared<MemorySource>(std::vector<std::vector<Batch>>{
        {rows(R"([["a", 1], ["b", 2]])"), rows(R"([[null, 3]])")}, {rows(R"([["a", 4]])")}, {}});
  };
  return all;
}

OperatorFactory factory(LookupJoinOptions options) {
  return [options = std::move(options)] { return make_lookup_join(options); };
}

TEST(LookupJoin, InnerAndOuter) {
  for (const JoinKind kind : {JoinKind::kInner, JoinKind::kLeft}) {
    OperatorHarness harness(factory(options(kind)));
    harness.push(with_event_times(rows(R"([["b", 7], ["c", 8]])"), {5, 6}));
    harness.restart();
    harness.push(with_row_kinds(rows(R"([[null, 9], ["a", 10]])"),
                                {RowKind::kUpdateBefore, RowKind::kUpdateAfter}));
    if (kind == JoinKind::kInner) {
      EXPECT_THAT(harness.take_rows(),
                  ElementsAre("+I[b, 7, b, 2] @5", "+U[a, 10, a, 1]", "+U[a, 10, a, 4]"));
    } else {
      EXPECT_THAT(harness.take_rows(),
                  ElementsAre("+I[b, 7, b, 2] @5", "+I[c, 8, null, null] @6",
                              "-U[null, 9, null, null]", "+U[a, 10, a, 1]", "+U[a, 10, a, 4]"));
    }
  }
}

TEST(LookupJoin, ConditionsDecideWhatMatches) {
  for (const JoinKind kind : {JoinKind::kInner, JoinKind::kLeft}) {
    LookupJoinOptions conditional = options(kind);
    conditional.condition = [](const Batch& pairs, std::vector<std::int32_t>& holds) {
      const auto* left = pairs.column(1)->data()->GetValues<std::int64_t>(1);
      const auto* right = pairs.column(3)->data()->GetValues<std::int64_t>(1);
      holds.clear();
      for (std::int32_t i = 0; i < static_cast<std::int32_t>(pairs.num_rows()); ++i) {
        if (left[i] < right[i]) holds.push_back(i);
      }
      return Status::ok();
    };
    OperatorHarness harness(factory(conditional));
    harness.push(rows(R"([["a", 3], ["a", 0], ["b", 2], ["c", 0]])"));
    if (kind == JoinKind::kInner) {
      EXPECT_THAT(harness.take_rows(),
                  ElementsAre("+I[a, 3, a, 4]", "+I[a, 0, a, 1]", "+I[a, 0, a, 4]"));
    } else {
      EXPECT_THAT(harness.take_rows(),
                  ElementsAre("+I[a, 3, a, 4]", "+I[a, 0, a, 1]", "+I[a, 0, a, 4]",
                              "+I[b, 2, null, null]", "+I[c, 0, null, null]"));
    }
  }
}

TEST(LookupJoin, ReadsTheTableAgainWhenItIsOld) {
  LookupJoinOptions reloading = options(JoinKind::kInner);
  int version = 0;
  reloading.make_source = [&version] {
    ++version;
    return std::make_shared<MemorySource>(std::vector<std::vector<Batch>>{{rows(R"([["a", 0]])")}});
  };
  reloading.prepare = [&version](Batch) { return rows(fmt::format(R"([["a", {}]])", version)); };
  reloading.reload_ms = 100;
  OperatorHarness harness(factory(reloading));
  harness.advance_clock_to(1000);
  harness.push(rows(R"([["a", 7]])"));
  harness.advance_clock_to(1099);
  harness.push(rows(R"([["a", 8]])"));
  harness.advance_clock_to(1100);
  harness.push(rows(R"([["a", 9]])"));
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 7, a, 1]", "+I[a, 8, a, 1]", "+I[a, 9, a, 2]"));
}

TEST(LookupJoin, ExplodesInPieces) {
  LookupJoinOptions all = options(JoinKind::kLeft);
  std::string many;
  for (int i = 0; i < 300; ++i) many += fmt::format(R"({}["a", {}])", i > 0 ? "," : "", i);
  all.make_source = [&many] {
    return std::make_shared<MemorySource>(
        std::vector<std::vector<Batch>>{{rows("[" + many + "]")}});
  };
  HarnessOptions few;
  few.credit_rows = 1;
  OperatorHarness harness(factory(all), few);
  harness.push(rows("[" + many + "]"));
  EXPECT_EQ(harness.take_rows().size(), 90'000u);
  EXPECT_LE(harness.rows_beyond_credit(), 4096);
}

TEST(LookupJoin, RowsDoNotDependOnCuts) {
  Script script;
  for (int i = 0; i < 30; ++i) {
    script.push_back({0, rows(fmt::format(R"([["{}", {}]])", "abc"[i % 3], i)), kMinWatermark});
  }
  EXPECT_EQ(expect_same_under_chaos(factory(options(JoinKind::kLeft)), script, true, 1).size(),
            40u);
}

TEST(LookupJoin, SaysWhatItCannotDo) {
  EXPECT_EQ(make_lookup_join(options(JoinKind::kFull)).status().code(), ErrorCode::kNotSupported);
  LookupJoinOptions wrong = options(JoinKind::kInner);
  wrong.make_source = {};
  EXPECT_EQ(make_lookup_join(wrong).status().code(), ErrorCode::kInvalidArgument);
  wrong.make_source = [] {
    return std::make_shared<MemorySource>(std::vector<std::vector<Batch>>());
  };
  OperatorHarness missing(factory(wrong));
  EXPECT_EQ(missing.try_push(rows(R"([["a", 1]])")).code(), ErrorCode::kFileNotFound);
  wrong.make_source = [] {
    return std::make_shared<MemorySource>(std::vector<std::vector<Batch>>{{}}, false);
  };
  OperatorHarness endless(factory(wrong));
  EXPECT_EQ(endless.try_push(rows(R"([["a", 1]])")).code(), ErrorCode::kNotSupported);
}

}  // namespace
}  // namespace tidegate
