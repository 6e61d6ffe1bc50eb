// SPDX-License-Identifier: Apache-2.0
#include "api/columns.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/support/batch_literal.h"
#include "tidegate/record.h"

namespace tidegate {

struct Everything {
  bool flag;
  std::int8_t tiny;
  std::int16_t small;
  std::int32_t number;
  std::int64_t big;
  float real;
  double wide;
  std::string text;
  Timestamp time;
  std::optional<std::string> maybe_text;
  std::optional<std::int64_t> maybe_big;
  std::optional<bool> maybe_flag;
};
BOOST_DESCRIBE_STRUCT(Everything, (),
                      (flag, tiny, small, number, big, real, wide, text, time, maybe_text,
                       maybe_big, maybe_flag))

namespace {

Everything row_with_values() {
  return {true, -1, 300, 70'000, 1LL << 40, 1.5F, -2.25, "x\0y", Timestamp(17), "there", 5, false};
}

Everything row_with_nulls() {
  return {false, 1, 2, 3, 4, 0, 0, "", Timestamp(-1), std::nullopt, std::nullopt, std::nullopt};
}

Batch batch_of_rows(const std::vector<Everything>& rows, const Batch& origin) {
  BatchWriter writer(types_of(record_columns<Everything>()));
  std::int32_t i = 0;
  for (const Everything& row : rows) {
    Record<Everything>::write(writer, 0, row);
    writer.end_row(i++);
  }
  Result<Batch> batch = finish_batch(writer, origin);
  EXPECT_TRUE(batch.is_ok());
  return *std::move(batch);
}

void expect_equal(const Everything& a, const Everything& b) {
  EXPECT_EQ(a.flag, b.flag);
  EXPECT_EQ(a.tiny, b.tiny);
  EXPECT_EQ(a.small, b.small);
  EXPECT_EQ(a.number, b.number);
  EXPECT_EQ(a.big, b.big);
  EXPECT_EQ(a.real, b.real);
  EXPECT_EQ(a.wide, b.wide);
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.maybe_text, b.maybe_text);
  EXPECT_EQ(a.maybe_big, b.maybe_big);
  EXPECT_EQ(a.maybe_flag, b.maybe_flag);
}

TEST(Columns, RowsComeBackAsTheyWereWritten) {
  const std::vector<Everything> rows = {row_with_values(), row_with_nulls(), row_with_values()};
  const Batch batch = batch_of_rows(rows, Batch(3, {}));
  ASSERT_EQ(batch.num_rows(), 3);
  const BatchView view = view_of(batch);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    expect_equal(Record<Everything>::read(view, 0, static_cast<std::int64_t>(i)), rows[i]);
  }
}

TEST(Columns, SlicesReadTheirOwnRows) {
  std::vector<Everything> rows;
  for (int i = 0; i < 20; ++i) rows.push_back(i % 3 == 0 ? row_with_nulls() : row_with_values());
  const Batch slice = batch_of_rows(rows, Batch(20, {})).slice(5, 7);
  const BatchView view = view_of(slice);
  for (std::size_t i = 0; i < 7; ++i) {
    expect_equal(Record<Everything>::read(view, 0, static_cast<std::int64_t>(i)), rows[5 + i]);
  }
}

TEST(Columns, NoRowsAreABatchToo) {
  const Batch batch = batch_of_rows({}, Batch(0, {}));
  EXPECT_EQ(batch.num_rows(), 0);
  EXPECT_EQ(batch.num_columns(), static_cast<int>(Record<Everything>::kColumns));
}

TEST(Columns, ManyRowsGrowTheBuffers) {
  BatchWriter writer({ColumnType::kString, ColumnType::kBigInt});
  constexpr int kRows = 100'000;
  for (int i = 0; i < kRows; ++i) {
    writer.column(0).append_string(std::to_string(i));
    writer.column(1).append_fixed<std::int64_t>(i);
    writer.end_row(0);
  }
  Result<Batch> batch = finish_batch(writer, Batch(1, {}));
  ASSERT_TRUE(batch.is_ok());
  const BatchView view = view_of(*batch);
  for (int i = 0; i < kRows; i += 777) {
    EXPECT_EQ(view.columns[0].string(i), std::to_string(i));
    EXPECT_EQ(view.columns[1].fixed<std::int64_t>(i), i);
  }
}

TEST(Columns, EventTimesAndKindsFollowTheirRows) {
  Batch in(3, {});
  in = with_row_kinds(in, {RowKind::kInsert, RowKind::kUpdateBefore, RowKind::kDelete});
  in = with_event_times(in, {10, 20, 30});
  BatchWriter writer({ColumnType::kBigInt});
  for (std::int32_t origin : {2, 0, 2}) {
    writer.column(0).append_fixed<std::int64_t>(origin);
    writer.end_row(origin);
  }
  Result<Batch> out = finish_batch(writer, in);
  ASSERT_TRUE(out.is_ok());
  EXPECT_EQ(std::vector(out->event_times().begin(), out->event_times().end()),
            (std::vector<EventTime>{30, 10, 30}));
  EXPECT_EQ(out->row_kind(0), RowKind::kDelete);
  EXPECT_EQ(out->row_kind(1), RowKind::kInsert);
  EXPECT_EQ(writer.num_rows(), 0);
}

TEST(Columns, NamesOfResults) {
  const std::vector<ColumnSpec> columns =
      record_columns<Windowed<std::string, std::pair<std::int64_t, double>>>();
  std::vector<std::string> names;
  for (const ColumnSpec& column : columns) names.push_back(column.name);
  EXPECT_EQ(names, (std::vector<std::string>{"key", "window_start", "window_end", "f0", "f1"}));
}

}  // namespace
}  // namespace tidegate
