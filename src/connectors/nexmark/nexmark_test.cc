// SPDX-License-Identifier: Apache-2.0
#include <arrow/array.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/metrics.h"
#include "dataflow/connector.h"
#include "types/test_columns.h"

namespace tidegate {

void register_connector_nexmark(ConnectorRegistry& registry);

namespace {

using Texts = std::vector<std::string>;
using OptionMap = std::map<std::string, std::string, std::less<>>;
using Checksums = std::vector<std::uint64_t>;

const Texts kPerson = {"id BIGINT",   "name STRING",  "emailAddress STRING",   "creditCard STRING",
                       "city STRING", "state STRING", "dateTime TIMESTAMP(3)", "extra STRING"};
const Texts kAuction = {
    "id BIGINT",       "itemName STRING",       "description STRING",   "initialBid BIGINT",
    "reserve BIGINT",  "dateTime TIMESTAMP(3)", "expires TIMESTAMP(3)", "seller BIGINT",
    "category BIGINT", "extra STRING"};
const Texts kBid = {"auction BIGINT", "bidder BIGINT",         "price BIGINT", "channel STRING",
                    "url STRING",     "dateTime TIMESTAMP(3)", "extra STRING"};
const std::map<std::string, Texts> kTables = {
    {"person", kPerson}, {"auction", kAuction}, {"bid", kBid}};
const OptionMap kSmall = {{"events", "10000"}, {"rate", "100"}};

class Nexmark final : public SourceContext {
 public:
  Nexmark() : executor_(make_simulated_executor(1, clock_)), metrics_(make_metric_registry()) {
    register_connector_nexmark(registry_);
  }

  Result<std::shared_ptr<Source>> make(const Texts& columns, const std::string& table,
                                       OptionMap options, std::vector<int> projection = {}) {
    ConnectorRequest request;
    request.schema = schema_of(columns);
    options["table"] = table;
    request.options = Options(options);
    for (int i = 0; projection.empty() && i < request.schema->num_fields(); ++i)
      request.projection.push_back(i);
    if (!projection.empty()) request.projection = std::move(projection);
    return (*registry_.find("nexmark"))->make_source(request);
  }
  std::shared_ptr<Source> opened(const std::string& table, const OptionMap& options,
                                 std::vector<int> projection = {}) {
    std::shared_ptr<Source> source = *make(kTables.at(table), table, options, projection);
    EXPECT_TRUE(source->open(*this).is_ok());
    return source;
  }
  // The rest of a split.
  Batch read(Source& source, SplitReader& reader, std::int64_t max_rows = 1000) {
    std::vector<Batch> batches;
    for (;;) {
      Result<Polled> polled = reader.poll(max_rows);
      EXPECT_TRUE(polled.is_ok());
      if (polled->state != Polled::State::kRows) break;
      EXPECT_LE(polled->batch.num_rows(), max_rows);
      EXPECT_EQ(polled->batch.num_columns(), source.schema()->num_fields());
      batches.push_back(polled->batch);
    }
    return batches.empty() ? Batch() : *Batch::concatenate(batches);
  }
  Batch read_split(Source& source, const std::string& id, std::int64_t max_rows = 1000) {
    return read(source, **source.open_split({id, ""}, {}, *this), max_rows);
  }

  const std::string& source_name() const override { return name_; }
  const Clock& clock() const override { return clock_; }
  Executor& executor() override { return *executor_; }
  MetricGroup& metrics() override { return metrics_->group(name_, 0); }
  Waker waker() override { return Waker(std::make_shared<const std::function<void()>>()); }

 private:
  const std::string name_ = "source";
  VirtualClock clock_{0};
  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<MetricRegistry> metrics_;
  ConnectorRegistry registry_;
};

constexpr std::uint64_t kPrime = 0x100000001b3;

// FNV-1a of a column: numbers as 8 bytes, the lowest first; texts with 0xff behind each.
std::uint64_t checksum(const arrow::Array& column) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::uint64_t byte) { hash = (hash ^ byte) * kPrime; };
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (column.type_id() == arrow::Type::STRING) {
      for (const char c : static_cast<const arrow::StringArray&>(column).GetView(i))
        add(static_cast<std::uint8_t>(c));
      add(0xff);
      continue;
    }
    const auto value =
        static_cast<std::uint64_t>(column.type_id() == arrow::Type::TIMESTAMP
                                       ? static_cast<const arrow::TimestampArray&>(column).Value(i)
                                       : static_cast<const arrow::Int64Array&>(column).Value(i));
    for (int shift = 0; shift < 64; shift += 8) add(value >> shift & 0xff);
  }
  return hash;
}

Checksums checksums(const Batch& batch) {
  Checksums sums;
  for (const auto& column : batch.columns()) sums.push_back(checksum(*column));
  return sums;
}

// The expected checksums below are those of files that another implementation of the stream wrote.
TEST(Nexmark, MakesTheEventsOfTheOtherImplementation) {
  const std::map<std::string, Checksums> expected = {
      {"person",
       {0x46dded760e413635, 0xfcae0dc6726ad733, 0x784377698ce90cea, 0x36a02b65b0a1eecb,
        0xc2f0652c5efb2805, 0x035d56c9c10dddf0, 0x5c214b6d41d20dce, 0x9d1a8c9f49437814}},
      {"auction",
       {0x02ba80e8d6291775, 0xd949b23f6f7c7a36, 0x86fca463e3fbaa75, 0x6ab56e32e7c2eb76,
        0xf32b78ebe0a57f9b, 0x11da1b8d89081267, 0xa22f7b8414ad0402, 0x18332629aad773b6,
        0x7f6864bebf795de7, 0xad2a3817d1aad288}},
      {"bid",
       {0xaa058e98d12ad632, 0x5a0dbb16ccd0abf8, 0x8b4dd449e33ffb88, 0xb5efe4405e5552ec,
        0x2c7973541542fac6, 0x93f92c98bd39f104, 0x06e9cc65f500ef70}}};
  Nexmark nexmark;
  for (const auto& [table, sums] : expected) {
    const auto source = nexmark.opened(table, kSmall);
    EXPECT_TRUE(source->is_bounded());
    for (const std::int64_t max_rows : {1, 7, 5000})
      EXPECT_EQ(checksums(nexmark.read_split(*source, "0", max_rows)), sums) << table << max_rows;
    // Any columns, in any order, without the others.
    const Batch two = nexmark.read_split(*nexmark.opened(table, kSmall, {6, 2}), "0");
    EXPECT_EQ(checksums(two), (Checksums{sums[6], sums[2]})) << table;
  }
}

TEST(Nexmark, EveryOptionCounts) {
  const OptionMap options = {{"events", "5000"},       {"seed", "7"},
                             {"rate", "3000"},         {"base-time", "1600000000123"},
                             {"out-of-order", "1000"}, {"splits", "3"}};
  const std::map<std::string, Checksums> expected = {
      {"person", {0x336f4278cad427bc, 0x71af1b9cc67f9209, 0x7cc16876dbd51830}},
      {"auction", {0x73b35ee48df8b5f0, 0xaaf3cd94dba4fa5d, 0x33b5fd06c5a67028}},
      {"bid", {0x6be99294dfe5cfbd, 0xe0ebb7ce74a4d25b, 0x58094e0efcae5d19}}};
  Nexmark nexmark;
  for (const auto& [table, sums] : expected) {
    const auto source = nexmark.opened(table, options);
    EXPECT_EQ(source->discover({})->splits.size(), 3u);
    EXPECT_EQ(source->discover({"0", "2"})->splits.at(0).id, "1");
    for (const std::size_t split : {0, 1, 2}) {
      std::uint64_t sum = 0;
      for (const std::uint64_t column :
           checksums(nexmark.read_split(*source, std::to_string(split))))
        sum = sum * kPrime + column;
      EXPECT_EQ(sum, sums[split]) << table << split;
    }
  }
}

TEST(Nexmark, GoesOnAtAPosition) {
  Nexmark nexmark;
  for (const auto& [table, columns] : kTables) {
    OptionMap options = kSmall;
    options["splits"] = "7";
    const auto source = nexmark.opened(table, options);
    const Texts all = to_rows(nexmark.read_split(*source, "3"), *source->schema());
    auto reader = *source->open_split({"3", ""}, {}, nexmark);
    const Batch first = reader->poll(10)->batch;
    EXPECT_GT(first.num_rows(), 0);
    auto second = *source->open_split({"3", ""}, reader->position(), nexmark);
    Texts rows = to_rows(first, *source->schema());
    for (std::string& row : to_rows(nexmark.read(*source, *second), *source->schema()))
      rows.push_back(std::move(row));
    EXPECT_EQ(rows, all);
    for (const char* position : {"", "x", "-4", "4"})  // 4 is of another split
      EXPECT_EQ(source->open_split({"3", ""}, position, nexmark).status().code(),
                ErrorCode::kStateCorrupt);
  }
}

TEST(Nexmark, WithoutAnEndItReturnsEvenWhenASplitHasNothing) {
  Nexmark nexmark;
  const auto source = nexmark.opened("person", {{"splits", "50"}});
  EXPECT_FALSE(source->is_bounded());
  auto reader = *source->open_split({"1", ""}, {}, nexmark);
  EXPECT_EQ(reader->poll(10)->batch.num_rows(), 0);
  EXPECT_EQ(reader->position(), std::to_string(1 + 50 * 500));
}

TEST(Nexmark, CombinedHasTheRowsOfTheThreeTables) {
  Nexmark nexmark;
  const auto source =
      *nexmark.make({"event_type INT", "bid ROW<price BIGINT, url STRING>", "person ROW<id BIGINT>",
                     "auction ROW<id BIGINT, expires TIMESTAMP(3)>"},
                    "combined", {{"events", "153"}}, {0, 1, 3, 2});
  ASSERT_TRUE(source->open(nexmark).is_ok());
  const auto bids = nexmark.opened("bid", {{"events", "153"}}, {2, 4});
  const auto people = nexmark.opened("person", {{"events", "153"}}, {0});
  const auto auctions = nexmark.opened("auction", {{"events", "153"}}, {0, 6});
  const auto rows_of = [&](Source& of) {
    return to_rows(nexmark.read_split(of, "0"), *of.schema());
  };
  const Texts bid_rows = rows_of(*bids);
  const Texts person_rows = rows_of(*people);
  const Texts auction_rows = rows_of(*auctions);
  Texts expected;
  std::size_t bid = 0, person = 0, auction = 0;
  for (int i = 0; i < 153; ++i) {
    const int place = i % 50;
    expected.push_back(place == 0  ? "+I[0, null, null, " + person_rows[person++] + "]"
                       : place < 4 ? "+I[1, null, " + auction_rows[auction++] + ", null]"
                                   : "+I[2, " + bid_rows[bid++] + ", null, null]");
  }
  EXPECT_EQ(rows_of(*source), expected);
}

TEST(Nexmark, ChecksColumnsAndOptions) {
  Nexmark nexmark;
  const auto code = [&](const Texts& columns, const std::string& table, const OptionMap& options) {
    return nexmark.make(columns, table, options).status().code();
  };
  EXPECT_EQ(code({"bider BIGINT"}, "bid", {}), ErrorCode::kUnknownName);
  EXPECT_EQ(code({"bidder INT"}, "bid", {}), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code({"url VARCHAR(9)"}, "bid", {}), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code({"expires TIMESTAMP(6)"}, "auction", {}), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code({"bids ROW<price BIGINT>"}, "combined", {}), ErrorCode::kUnknownName);
  EXPECT_EQ(code({"bid ROW<id BIGINT>"}, "combined", {}), ErrorCode::kUnknownName);
  EXPECT_EQ(code({"bid ROW<price BIGINT> NOT NULL"}, "combined", {}), ErrorCode::kTypeMismatch);
  EXPECT_EQ(code(kBid, "bids", {}), ErrorCode::kInvalidOption);
  for (const auto& [name, value] : OptionMap{{"events", "-1"},
                                             {"rate", "0"},
                                             {"splits", "0"},
                                             {"out-of-order", "1906"},
                                             {"base-time", "9223372036854775807"}})
    EXPECT_EQ(code(kBid, "bid", {{name, value}}), ErrorCode::kInvalidOption) << name;
}

}  // namespace
}  // namespace tidegate
