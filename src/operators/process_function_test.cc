// SPDX-License-Identifier: Apache-2.0
#include "operators/process_function.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_primitive.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>

#include "base/check.h"
#include "base/random.h"
#include "tests/support/operator_harness.h"

namespace tidegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const SchemaPtr& schema() {
  static const SchemaPtr kSchema = schema_of("k STRING, v BIGINT");
  return kSchema;
}

Batch rows(std::string_view json) { return batch_of(schema(), json); }

std::string text(const Batch& batch, int column, std::int64_t row) {
  return std::string(static_cast<const arrow::StringArray&>(*batch.column(column)).GetView(row));
}
std::int64_t number(const Batch& batch, int column, std::int64_t row) {
  return static_cast<const arrow::Int64Array&>(*batch.column(column)).Value(row);
}

/// Adds up the values of each key. Value 0 asks for the sum so far, any other sets timers at
/// 10 * value of both kinds if the test wants them; a timer emits the sum and starts again.
class SumLogic : public ProcessLogic {
 public:
  SumLogic(bool event_timers, bool processing_timers)
      : event_timers_(event_timers), processing_timers_(processing_timers) {}

  Status open(ProcessContext& context) override {
    TG_ASSIGN_OR_RETURN(sums_, context.state().table({"sums", std::make_shared<FixedLayout>(8)}));
    return Status::ok();
  }

  Status on_batch(int input, const Batch& batch, ProcessContext& context) override {
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      context.select(row);
      const std::int64_t value = number(batch, 1, row);
      if (value == 0) emit(fmt::format("now{}", input), context);
      if (value < 0) throw std::runtime_error("negative");
      TG_RETURN_IF_ERROR(change(value, context));
      if (value == 0) continue;
      if (event_timers_) {
        TG_RETURN_IF_ERROR(context.add_timer(TimeDomain::kEventTime, value * 10));
      }
      if (processing_timers_) {
        TG_RETURN_IF_ERROR(context.add_timer(TimeDomain::kProcessingTime, value * 10));
      }
    }
    return Status::ok();
  }

  Status on_timer(TimeDomain domain, std::int64_t time, ProcessContext& context) override {
    if (time == 990) throw std::runtime_error("990");
    emit(fmt::format("{}{}", domain == TimeDomain::kEventTime ? "e" : "p", time), context);
    sums_->erase(0, context.key());
    return Status::ok();
  }

  Status flush(ProcessContext& context) override {
    if (!json_.empty()) context.emit(rows("[" + std::exchange(json_, "") + "]"));
    return Status::ok();
  }

  Status finish(ProcessContext& context) override {
    add_row("end", context.watermark() == kMaxWatermark ? 1 : 0);
    return Status::ok();
  }

 protected:
  Status change(std::int64_t by, ProcessContext& context) {
    TG_ASSIGN_OR_RETURN(std::byte * value, sums_->find_or_create(0, context.key()));
    std::int64_t sum = 0;
    std::memcpy(&sum, value, sizeof(sum));
    sum += by;
    std::memcpy(value, &sum, sizeof(sum));
    return Status::ok();
  }

  void emit(const std::string& why, ProcessContext& context) {
    std::int64_t sum = 0;
    if (const std::byte* value = sums_->find(0, context.key())) std::memcpy(&sum, value, 8);
    add_row(std::string(context.key().bytes) + " " + why, sum);
  }

  void add_row(const std::string& what, std::int64_t n) {
    json_ += fmt::format(R"({}["{}", {}])", json_.empty() ? "" : ",", what, n);
  }

 private:
  const bool event_timers_;
  const bool processing_timers_;
  StateTable* sums_ = nullptr;
  std::string json_;
};

ProcessInput keyed() { return {.keyed = true, .keys = {0}, .key_types = {LogicalType::string()}}; }

OperatorFactory sums(bool event_timers, bool processing_timers, int inputs = 1) {
  return [=] {
    ProcessFunctionOptions options;
    options.inputs.assign(static_cast<std::size_t>(inputs), keyed());
    options.orders_event_time = event_timers;
    return make_process_function(std::make_unique<SumLogic>(event_timers, processing_timers),
                                 options);
  };
}

TEST(ProcessFunction, TimersOfEventTimeGoOffWhenTheWatermarkHasPassedThem) {
  OperatorHarness harness(sums(true, false));
  harness.push(rows(R"([["b", 1], ["a", 2], ["a", 1], ["b", 1]])"));
  harness.advance(10);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance(11);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a e10, 3]", "+I[b e10, 2]"));
  harness.restart();
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a e20, 0]", "+I[end, 1]"));
}

TEST(ProcessFunction, TimersOfProcessingTimeGoOffByTheClock) {
  HarnessOptions at_five;
  at_five.wall_ms = 5;
  OperatorHarness harness(sums(false, true), at_five);
  harness.push(rows(R"([["b", 1], ["a", 2]])"));
  harness.advance_clock_to(9);
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.advance_clock_to(10);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[b p10, 1]"));
  harness.restart();
  harness.advance_clock_to(30);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a p20, 2]"));
}

TEST(ProcessFunction, TimersWhoseTimeCameWhileTheJobWasDownGoOffAtOnce) {
  OperatorHarness before(sums(false, true));
  before.push(rows(R"([["a", 2]])"));
  before.seal();
  HarnessOptions later;
  later.wall_ms = 1000;
  OperatorHarness after(sums(false, true), later);
  after.restore(before.stored(), kMinWatermark);
  EXPECT_THAT(after.take_rows(), ElementsAre("+I[a p20, 2]"));
}

/// Tells each call with the number of its rows, and sets a timer at ten times the first value.
class GroupLogic final : public SumLogic {
 public:
  GroupLogic() : SumLogic(true, false) {}
  Status on_batch(int, const Batch& batch, ProcessContext& context) override {
    context.select(0);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row)
      TG_RETURN_IF_ERROR(change(number(batch, 1, row), context));
    emit(fmt::format("{} rows", batch.num_rows()), context);
    return context.add_timer(TimeDomain::kEventTime, 10 * number(batch, 1, 0));
  }
};

TEST(ProcessFunction, RowsOfAKeyComeTogetherAtTheEndOfAnEpochAndBeforeTimers) {
  OperatorHarness harness([] {
    return make_process_function(
        std::make_unique<GroupLogic>(),
        {.inputs = {keyed()}, .orders_event_time = true, .groups_rows = true});
  });
  harness.push(rows(R"([["b", 1], ["a", 2]])"));
  harness.push(rows(R"([["a", 3]])"));
  EXPECT_THAT(harness.take_rows(), IsEmpty());
  harness.seal();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a 2 rows, 5]", "+I[b 1 rows, 1]"));
  harness.push(rows(R"([["b", 4]])"));
  harness.advance(11);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[b 1 rows, 5]", "+I[b e10, 5]"));
  harness.push(rows(R"([["c", 7]])"));
  harness.finish();
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[c 1 rows, 7]", "+I[a e20, 5]", "+I[b e40, 0]",
                                               "+I[c e70, 7]", "+I[end, 1]"));
}

TEST(ProcessFunction, ConnectedStreamsShareState) {
  OperatorHarness harness(sums(false, false, 2));
  harness.push(0, rows(R"([["a", 1]])"));
  harness.push(1, rows(R"([["a", 2], ["b", 5]])"));
  harness.push(0, rows(R"([["a", 0]])"));
  harness.push(1, rows(R"([["a", 0]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a now0, 3]", "+I[a now1, 3]"));
}

TEST(ProcessFunction, WithoutKeysTheTaskIsTheKey) {
  OperatorHarness harness([] {
    return make_process_function(std::make_unique<SumLogic>(true, false),
                                 {.inputs = {ProcessInput{}}, .orders_event_time = true});
  });
  harness.push(rows(R"([["a", 1], ["b", 2]])"));
  harness.restart();
  harness.push(rows(R"([["c", 0]])"));
  harness.advance(11);
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[ now0, 3]", "+I[ e10, 3]"));
}

TEST(ProcessFunction, ManyTimersGoOffInPieces) {
  HarnessOptions few;
  few.credit_rows = 1;
  OperatorHarness harness(sums(true, false), few);
  std::string json;
  for (int i = 0; i < 5000; ++i) json += fmt::format(R"({}["k{}", 1])", i > 0 ? "," : "", i);
  harness.push(rows("[" + json + "]"));
  harness.advance(100);
  EXPECT_EQ(harness.take_rows().size(), 5000u);
  EXPECT_LE(harness.rows_beyond_credit(), 1024);
}

TEST(ProcessFunction, WhatThrowsShowsTheRowOrTheTimer) {
  OperatorHarness harness(sums(true, false));
  Status status = harness.try_push(rows(R"([["a", 1], ["b", -4], ["c", 1]])"));
  EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(status.message(), HasSubstr("row [b, -4]: threw: negative"));

  OperatorHarness timer(sums(true, false));
  timer.push(rows(R"([["x", 99]])"));
  status = timer.try_advance(2000);
  EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed);
  EXPECT_THAT(status.message(), HasSubstr("timer of 990 for key [x]: threw: 990"));
}

TEST(ProcessFunction, TimersOfEventTimeHaveToBeDeclared) {
  OperatorHarness harness([] {
    return make_process_function(std::make_unique<SumLogic>(true, false), {.inputs = {keyed()}});
  });
  EXPECT_EQ(harness.try_push(rows(R"([["a", 1]])")).code(), ErrorCode::kInvalidPlan);
  EXPECT_EQ(process_function_time_grain({}).step_ms, 0);
  const TimeGrain grain = process_function_time_grain({.orders_event_time = true});
  EXPECT_EQ(grain.step_ms, 1);
  EXPECT_TRUE(grain.orders_rows);
}

TEST(ProcessFunction, KeysOfConnectedStreamsAreOfOneType) {
  ProcessInput other = keyed();
  other.key_types = {LogicalType(TypeKind::kInt)};
  EXPECT_EQ(
      make_process_function(std::make_unique<SumLogic>(false, false), {.inputs = {keyed(), other}})
          .status()
          .code(),
      ErrorCode::kTypeMismatch);
}

/// Timers may set and remove others.
class TimerGame final : public ProcessLogic {
 public:
  Status open(ProcessContext&) override { return Status::ok(); }
  Status on_batch(int, const Batch& batch, ProcessContext& context) override {
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      context.select(row);
      TG_RETURN_IF_ERROR(context.add_timer(TimeDomain::kEventTime, number(batch, 1, row)));
    }
    return Status::ok();
  }
  Status on_timer(TimeDomain, std::int64_t time, ProcessContext& context) override {
    context.emit(rows(fmt::format(R"([["{}", {}]])", context.key().bytes, time)));
    context.remove_timer(TimeDomain::kEventTime, 30);
    return time < 15 ? context.add_timer(TimeDomain::kEventTime, time + 5) : Status::ok();
  }
};

TEST(ProcessFunction, TimersMaySetAndRemoveTimers) {
  OperatorHarness harness([] {
    return make_process_function(std::make_unique<TimerGame>(),
                                 {.inputs = {keyed()}, .orders_event_time = true});
  });
  harness.push(rows(R"([["a", 10], ["a", 30], ["b", 12], ["c", 30]])"));
  harness.advance(13);
  harness.advance(100);
  EXPECT_THAT(harness.take_rows(),
              ElementsAre("+I[a, 10]", "+I[b, 12]", "+I[a, 15]", "+I[b, 17]", "+I[c, 30]"));
}

/// SumLogic on a map, one row after another.
std::vector<std::string> model(const Script& script) {
  std::map<std::string, std::int64_t> sum;
  std::set<std::pair<EventTime, std::string>> timers;
  std::vector<std::string> out;
  const auto advance = [&](EventTime watermark) {
    while (!timers.empty() && timers.begin()->first < watermark) {
      const auto [time, key] = *timers.begin();
      timers.erase(timers.begin());
      out.push_back(fmt::format("+I[{} e{}, {}]", key, time, sum[key]));
      sum[key] = 0;
    }
  };
  for (const ScriptStep& step : script) {
    if (step.watermark != kMinWatermark) advance(step.watermark);
    for (std::int64_t row = 0; row < step.batch.num_rows(); ++row) {
      const std::string key = text(step.batch, 0, row);
      const std::int64_t value = number(step.batch, 1, row);
      if (value == 0) out.push_back(fmt::format("+I[{} now0, {}]", key, sum[key]));
      sum[key] += value;
      if (value != 0) timers.insert({value * 10, key});
    }
  }
  advance(kMaxWatermark);
  out.push_back("+I[end, 1]");
  return out;
}

TEST(ProcessFunction, AgreesWithTheModelUnderChaos) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Random random(seed);
    Script script;
    for (int step = 0; step < 12; ++step) {
      std::string json;
      for (int i = 0; i < 6; ++i) {
        json += fmt::format(R"({}["k{}", {}])", i > 0 ? "," : "", random.below(4),
                            random.below(3) == 0 ? 0 : step + static_cast<int>(random.below(5)));
      }
      script.push_back({0, rows("[" + json + "]"), kMinWatermark});
      script.push_back({0, {}, step * 10 + 1});
    }
    EXPECT_EQ(expect_same_under_chaos(sums(true, false), script, true, 2), model(script));
  }
}

// ---- broadcast state

/// Input 0: rows whose key is looked up; input 1: rules, value 0 takes one away.
class RuleLogic final : public ProcessLogic {
 public:
  explicit RuleLogic(bool writes_on_data = false) : writes_on_data_(writes_on_data) {}

  Status open(ProcessContext& context) override {
    TG_ASSIGN_OR_RETURN(rules_, context.broadcast_state("rules"));
    TG_ASSIGN_OR_RETURN(BroadcastState * again, context.broadcast_state("rules"));
    EXPECT_EQ(rules_, again);
    return Status::ok();
  }

  Status on_batch(int input, const Batch& batch, ProcessContext& context) override {
    std::string json;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      context.select(row);
      const std::string key = text(batch, 0, row);
      if (input == 1 && key == "timer") return context.add_timer(TimeDomain::kProcessingTime, 1);
      if (input == 1 || writes_on_data_) {
        TG_RETURN_IF_ERROR(number(batch, 1, row) == 0
                               ? rules_->erase(key)
                               : rules_->put(key, std::to_string(number(batch, 1, row))));
        continue;
      }
      const auto rule = rules_->get(key);
      json += fmt::format(R"({}["{} {} of {}", 1])", json.empty() ? "" : ",", key,
                          rule ? *rule : "none", rules_->size());
    }
    if (!json.empty()) context.emit(rows("[" + json + "]"));
    return Status::ok();
  }

 private:
  const bool writes_on_data_;
  BroadcastState* rules_ = nullptr;
};

OperatorFactory rules(bool writes_on_data = false) {
  return [=] {
    ProcessFunctionOptions options;
    options.inputs = {keyed(), ProcessInput{.broadcast = true}};
    return make_process_function(std::make_unique<RuleLogic>(writes_on_data), options);
  };
}

TEST(BroadcastState, IsWrittenByOneInputAndReadByTheOther) {
  OperatorHarness harness(rules());
  harness.push(1, rows(R"([["a", 7], ["b", 8], ["a", 9]])"));
  harness.push(0, rows(R"([["a", 1], ["c", 1]])"));
  harness.restart();
  harness.push(1, rows(R"([["b", 0]])"));
  harness.restart(true);
  harness.push(0, rows(R"([["b", 1], ["a", 1]])"));
  EXPECT_THAT(harness.take_rows(), ElementsAre("+I[a 9 of 2, 1]", "+I[c none of 2, 1]",
                                               "+I[b none of 1, 1]", "+I[a 9 of 1, 1]"));
}

TEST(BroadcastState, DataRowsMayNotWriteItNorControlRowsSetTimers) {
  OperatorHarness harness(rules(true));
  const Status status = harness.try_push(0, rows(R"([["a", 1]])"));
  EXPECT_EQ(status.code(), ErrorCode::kInvalidPlan);
  EXPECT_THAT(status.message(), HasSubstr("'rules'"));
  EXPECT_EQ(harness.try_push(1, rows(R"([["timer", 1]])")).code(), ErrorCode::kInvalidPlan);
}

TEST(BroadcastState, EveryTaskHasAllOfItAfterRescaling) {
  std::vector<StateDelta> stored;
  for (int subtask = 0; subtask < 2; ++subtask) {
    HarnessOptions half;
    half.key_groups = key_groups_of_subtask(subtask, 128, 2);
    OperatorHarness harness(rules(), half);
    harness.push(1, rows(R"([["a", 7], ["b", 8]])"));
    harness.seal();
    harness.push(1, rows(R"([["b", 0], ["c", 9]])"));
    harness.seal();
    std::ranges::copy(harness.stored(), std::back_inserter(stored));
  }
  for (int subtask = 0; subtask < 3; ++subtask) {
    HarnessOptions third;
    third.key_groups = key_groups_of_subtask(subtask, 128, 3);
    OperatorHarness harness(rules(), third);
    harness.restore(stored, kMinWatermark);
    harness.push(0, rows(R"([["a", 1], ["b", 1], ["c", 1]])"));
    EXPECT_THAT(harness.take_rows(),
                ElementsAre("+I[a 7 of 2, 1]", "+I[b none of 2, 1]", "+I[c 9 of 2, 1]"));
  }
}

}  // namespace
}  // namespace tidegate
