// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "dataflow/connector.h"
#include "types/test_columns.h"

namespace tidegate {

void register_connector_datagen(ConnectorRegistry& registry);

namespace {

using Texts = std::vector<std::string>;
using OptionMap = std::map<std::string, std::string, std::less<>>;

class Datagen final : public SourceContext {
 public:
  Datagen() : executor_(make_simulated_executor(1, clock_)), metrics_(make_metric_registry()) {
    register_connector_datagen(registry_);
  }

  Result<std::shared_ptr<Source>> make(const Texts& columns, const OptionMap& options,
                                       std::vector<int> projection = {}) {
    ConnectorRequest request;
    request.table = "t";
    request.schema = schema_of(columns);
    request.options = Options(options);
    request.projection = projection;
    for (int i = 0; projection.empty() && i < request.schema->num_fields(); ++i)
      request.projection.push_back(i);
    return (*registry_.find("datagen"))->make_source(request);
  }

  // Until the end, `count` rows, or nothing more without waiting.
  Texts read(Source& source, SplitReader& reader, std::int64_t max_rows = 1000,
             std::size_t count = SIZE_MAX) {
    Texts rows;
    while (rows.size() < count) {
      Result<Polled> polled = reader.poll(max_rows);
      EXPECT_TRUE(polled.is_ok());
      ended_ = polled->state == Polled::State::kEnd;
      if (polled->state != Polled::State::kRows) break;
      for (std::string& row : to_rows(polled->batch, *source.schema()))
        rows.push_back(std::move(row));
    }
    return rows;
  }
  Texts read_all(const Texts& columns, const OptionMap& options, std::int64_t max_rows = 1000) {
    Result<std::shared_ptr<Source>> source = make(columns, options);
    if (!source.is_ok()) return {source.status().message()};
    return read(**source, **(*source)->open_split({"rows", ""}, {}, *this), max_rows);
  }
  bool ended() const { return ended_; }
  VirtualClock& virtual_clock() { return clock_; }
  SimulatedExecutor& simulated() { return *executor_; }
  int times_woken() const { return times_woken_; }

  const std::string& source_name() const override { return name_; }
  const Clock& clock() const override { return clock_; }
  Executor& executor() override { return *executor_; }
  MetricGroup& metrics() override { return metrics_->group(name_, 0); }
  Waker waker() override {
    return Waker(std::make_shared<const std::function<void()>>([this] { ++times_woken_; }));
  }

 private:
  const std::string name_ = "source";
  VirtualClock clock_{1'600'000'000'000};
  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<MetricRegistry> metrics_;
  ConnectorRegistry registry_;
  int times_woken_ = 0;
  bool ended_ = false;
};

const OptionMap kFast = {{"rows-per-second", "0"}, {"number-of-rows", "3000"}};

OptionMap fast(OptionMap more) {
  more.insert(kFast.begin(), kFast.end());
  return more;
}

TEST(Datagen, ASequenceEndsTheSource) {
  Datagen datagen;
  EXPECT_EQ(
      datagen.read_all({"a BIGINT", "s STRING", "d DOUBLE"}, fast({{"fields.a.kind", "sequence"},
                                                                   {"fields.a.start", "5"},
                                                                   {"fields.a.end", "7"},
                                                                   {"fields.s.kind", "sequence"},
                                                                   {"fields.s.start", "0"},
                                                                   {"fields.s.end", "100"},
                                                                   {"fields.d.min", "2"},
                                                                   {"fields.d.max", "2"}})),
      (Texts{"+I[5, 0, 2.0]", "+I[6, 1, 2.0]", "+I[7, 2, 2.0]"}));
  EXPECT_TRUE(datagen.ended());
}

TEST(Datagen, TheSameSeedMakesTheSameRowsHoweverTheyAreCut) {
  Datagen datagen;
  const Texts columns = {"a INT",           "s VARCHAR(5)",           "n DECIMAL(8, 2)",
                         "l ARRAY<BIGINT>", "m MAP<STRING, TINYINT>", "r ROW<x SMALLINT, y FLOAT>",
                         "b BYTES",         "q MULTISET<INT>",        "t TIMESTAMP(3)"};
  const OptionMap options = fast({{"fields.a.seed", "7"},
                                  {"fields.a.null-rate", "0.1"},
                                  {"fields.b.length", "3"},
                                  {"fields.m.key.length", "2"}});
  const Texts whole = datagen.read_all(columns, options);
  ASSERT_EQ(whole.size(), 3000u) << whole[0];
  EXPECT_EQ(datagen.read_all(columns, options, 7), whole);
  OptionMap other = options;
  other["fields.a.seed"] = "8";
  EXPECT_NE(datagen.read_all(columns, other), whole);

  Result<std::shared_ptr<Source>> source = datagen.make(columns, options);
  for (const std::size_t row : {0u, 1u, 1023u, 1024u, 1025u, 2999u, 3000u}) {
    auto reader = (*source)->open_split({"rows", ""}, std::to_string(row), datagen);
    EXPECT_EQ(datagen.read(**source, **reader, 100),
              Texts(whole.begin() + static_cast<std::ptrdiff_t>(row), whole.end()));
  }
}

TEST(Datagen, ValuesStayInTheirRange) {
  Datagen datagen;
  const Texts rows =
      datagen.read_all({"a INT"}, fast({{"fields.a.min", "-1"}, {"fields.a.max", "1"}}));
  EXPECT_EQ(std::set<std::string>(rows.begin(), rows.end()),
            (std::set<std::string>{"+I[-1]", "+I[0]", "+I[1]"}));
  const Texts nulls = datagen.read_all({"a INT"}, fast({{"fields.a.null-rate", "1"}}));
  EXPECT_EQ(nulls[0], "+I[null]");
  const Texts times = datagen.read_all({"t TIMESTAMP_LTZ(3)", "d DATE"}, kFast);
  EXPECT_EQ(times[0], "+I[2020-09-13T12:26:40Z, 2020-09-13]");
}

TEST(Datagen, ReadsOnlyWantedColumns) {
  Datagen datagen;
  Result<std::shared_ptr<Source>> source = datagen.make(
      {"a INT", "b INT"},
      fast({{"fields.b.kind", "sequence"}, {"fields.b.start", "1"}, {"fields.b.end", "2"}}), {0});
  auto reader = (*source)->open_split({"rows", ""}, {}, datagen);
  EXPECT_EQ(datagen.read(**source, **reader).size(), 2u);
}

TEST(Datagen, KeepsToItsRate) {
  Datagen datagen;
  Result<std::shared_ptr<Source>> source = datagen.make({"a INT"}, {{"rows-per-second", "100"}});
  EXPECT_FALSE((*source)->is_bounded());
  auto reader = (*source)->open_split({"rows", ""}, {}, datagen);
  std::size_t rows = datagen.read(**source, **reader).size();
  EXPECT_EQ(rows, 1u);
  const std::int64_t start = datagen.virtual_clock().wall_ms();
  for (int i = 0; i < 500; ++i) {
    ASSERT_TRUE(datagen.simulated().run_one());
    ASSERT_EQ(datagen.times_woken(), i + 1);
    rows += datagen.read(**source, **reader).size();
  }
  const std::int64_t passed = datagen.virtual_clock().wall_ms() - start;
  EXPECT_NEAR(static_cast<double>(rows), static_cast<double>(passed) / 10, 3);
  // What was missed for long is not made up for.
  datagen.virtual_clock().advance_to_ms(datagen.virtual_clock().wall_ms() + 3'600'000);
  EXPECT_NEAR(static_cast<double>(datagen.read(**source, **reader).size()), 100, 2);
}

TEST(Datagen, ChecksItsOptions) {
  Datagen datagen;
  const auto code = [&](const Texts& columns, const OptionMap& options) {
    return datagen.make(columns, options).status().code();
  };
  EXPECT_EQ(code({"a INT"}, {{"fields.b.min", "1"}}), ErrorCode::kUnknownOption);
  EXPECT_EQ(code({"a INT"}, {{"fields.a.kind", "other"}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({"a INT"}, {{"fields.a.kind", "sequence"}}), ErrorCode::kMissingOption);
  EXPECT_EQ(code({"a TINYINT"}, {{"fields.a.max", "128"}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({"a INT"}, {{"fields.a.min", "2"}, {"fields.a.max", "1"}}),
            ErrorCode::kInvalidOption);
  EXPECT_EQ(code({"s CHAR(3)"}, {{"fields.s.length", "4"}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({"a INT NOT NULL"}, {{"fields.a.null-rate", "0.5"}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({"a BOOLEAN"},
                 {{"fields.a.kind", "sequence"}, {"fields.a.start", "1"}, {"fields.a.end", "2"}}),
            ErrorCode::kNotSupported);
}

}  // namespace
}  // namespace tidegate
