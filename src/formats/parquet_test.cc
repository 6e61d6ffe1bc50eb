// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "formats/format.h"
#include "formats/parquet_reader.h"
#include "formats/parquet_writer.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

using Rows = std::vector<std::string>;

Options option(const std::string& name, const std::string& value) {
  Options options;
  options.set(name, value);
  return options;
}

class Parquet : public testing::Test {
 protected:
  void write(const SchemaPtr& schema, const std::vector<Batch>& batches,
             const Options& options = Options()) {
    Result<std::unique_ptr<FileEncoder>> encoder =
        create_parquet(schema, options, *files_.create("/f.parquet"));
    ASSERT_TRUE(encoder.is_ok()) << encoder.status().to_string();
    for (const Batch& batch : batches) ASSERT_TRUE((*encoder)->write(batch).is_ok());
    const Status closed = (*encoder)->close();
    ASSERT_TRUE(closed.is_ok()) << closed.to_string();
  }

  Result<std::unique_ptr<FileDecoder>> open(const SchemaPtr& schema,
                                            const std::vector<int>& projection) {
    return open_parquet({schema, projection, {}}, *files_.open("/f.parquet"));
  }

  // All rows from `skip` on, `step` at a time.
  Rows read(const SchemaPtr& schema, const std::vector<int>& projection, std::int64_t skip = 0,
            std::int64_t step = 1000) {
    Result<std::unique_ptr<FileDecoder>> decoder = open(schema, projection);
    if (!decoder.is_ok()) return {decoder.status().message()};
    if (Status skipped = (*decoder)->skip(skip); !skipped.is_ok()) return {skipped.message()};
    std::vector<Field> fields;
    for (const int i : projection) fields.push_back(schema->field(i));
    Rows rows;
    for (;;) {
      Result<Batch> batch = (*decoder)->next(step);
      if (!batch.is_ok()) return {batch.status().message()};
      if (batch->empty()) return rows;
      EXPECT_LE(batch->num_rows(), step);
      for (std::string& row : to_rows(*batch, Schema(fields))) rows.push_back(std::move(row));
    }
  }

  VirtualClock clock_;
  MemoryFileSystem files_{clock_};
};

TEST_F(Parquet, ReadsBackWhatItWrites) {
  const SchemaPtr schema = schema_of(
      {"b BOOLEAN", "i INT", "l BIGINT", "d DOUBLE", "s STRING", "y BYTES", "n DECIMAL(20, 2)",
       "da DATE", "t TIME(3)", "ts TIMESTAMP(3)", "tn TIMESTAMP(9)", "z TIMESTAMP_LTZ(6)",
       "a ARRAY<INT>", "m MAP<STRING, INT>", "r ROW<x INT, y STRING>", "ti TINYINT"});
  const Batch batch = batch_of(*schema, R"([
    [true, 1, 2, 0.5, "x", "y", "12.50", 18545, 1000, "2020-10-10 00:00:01", "2020-10-10 00:00:01",
     "2020-10-10 00:00:01", [1, null], [["k", 1]], [1, "p"], -1],
    [null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null]])");
  write(schema, {batch});
  std::vector<int> all(static_cast<std::size_t>(schema->num_fields()));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
  EXPECT_EQ(read(schema, all), to_rows(batch, *schema));
}

TEST_F(Parquet, ReadsOnlyWantedColumnsInTheWantedOrder) {
  const SchemaPtr schema = schema_of({"a INT", "r ROW<x INT, y STRING>", "s STRING", "b BIGINT"});
  write(schema, {batch_of(*schema, R"([[1, [5, "u"], "x", 10], [2, null, null, 20]])")});
  EXPECT_EQ(read(schema, {3, 1}), (Rows{"+I[10, +I[5, u]]", "+I[20, null]"}));
  EXPECT_EQ(read(schema, {}), (Rows{"+I[]", "+I[]"}));
}

TEST_F(Parquet, CastsColumnsAndFillsMissingOnes) {
  const SchemaPtr written = schema_of({"a INT", "ts TIMESTAMP(9)", "big BIGINT"});
  write(written, {batch_of(*written, R"([[1, "2020-10-10 00:00:01.123456", 5000000000]])")});
  EXPECT_EQ(read(schema_of({"missing STRING", "ts TIMESTAMP(3)", "a BIGINT"}), {0, 1, 2}),
            (Rows{"+I[null, 2020-10-10T00:00:01.123, 1]"}));
  EXPECT_EQ(read(schema_of({"missing STRING"}), {0}), (Rows{"+I[null]"}));
  EXPECT_EQ(read(schema_of({"missing STRING NOT NULL"}), {0}),
            (Rows{"has no column 'missing', which is NOT NULL"}));
  const Rows overflow = read(schema_of({"big INT"}), {0});
  ASSERT_EQ(overflow.size(), 1u);
  EXPECT_EQ(overflow[0].substr(0, 66),
            "column 'big' is int64 in the file and INT in the table: Integer va");
}

TEST_F(Parquet, GoesOnAtEveryRow) {
  const SchemaPtr schema = schema_of({"a INT"});
  std::vector<Batch> batches;
  Rows expected;
  for (int i = 0; i < 50; ++i) {
    batches.push_back(batch_of(*schema, "[[" + std::to_string(i) + "]]"));
    expected.push_back("+I[" + std::to_string(i) + "]");
  }
  // A row group for each ten rows.
  write(schema, batches, option("parquet.block.size", "40 b"));
  for (std::int64_t skip = 0; skip <= 50; ++skip) {
    EXPECT_EQ(read(schema, {0}, skip, 7), (Rows(expected.begin() + skip, expected.end())));
  }
  EXPECT_EQ(read(schema, {0}, 51), (Rows{"ends 1 rows before the place to go on"}));
  EXPECT_EQ(read(schema, {}, 20).size(), 30u);
}

// Row groups of ten rows; those that cannot hold a wanted row are not read, and count in positions.
TEST_F(Parquet, LeavesOutRowGroups) {
  const SchemaPtr schema = schema_of({"a INT", "s STRING", "n BIGINT"});
  std::vector<Batch> batches;
  for (int i = 0; i < 50; ++i) {
    const std::string text = std::to_string(i);
    batches.push_back(batch_of(*schema, "[[" + text + ", \"k" + std::to_string(10 + i / 10) +
                                            "\", " + (i < 20 ? "null" : "7") + "]]"));
  }
  write(schema, batches, option("parquet.block.size", "400 b"));
  using Compare = ColumnCondition::Compare;
  const auto rows_of = [&](const std::vector<ColumnCondition>& conditions, std::int64_t skip,
                           std::int64_t* passed) {
    auto decoder = open_parquet({schema, {0, 1, 2}, {}, conditions}, *files_.open("/f.parquet"));
    EXPECT_TRUE(decoder.is_ok() && (*decoder)->skip(skip).is_ok());
    std::int64_t rows = 0;
    for (*passed = skip;;) {
      const Batch batch = *(*decoder)->next(7);
      if (batch.empty()) return rows;
      rows += batch.num_rows();
      *passed += (*decoder)->take_left_out() + batch.num_rows();
    }
  };
  std::int64_t passed = 0;
  const std::int64_t group = rows_of({{"a", Compare::kEqual, 0}}, 0, &passed);
  ASSERT_LT(group, 50);
  EXPECT_EQ(passed, group);
  // The last group, behind all others.
  const std::int64_t last = rows_of({{"a", Compare::kGreaterOrEqual, 49}}, 0, &passed);
  EXPECT_LE(last, group);
  EXPECT_EQ(passed, 50);
  EXPECT_EQ(rows_of({{"a", Compare::kLess, 0}}, 0, &passed), 0);
  EXPECT_EQ(rows_of({{"a", Compare::kLessOrEqual, 0}}, 0, &passed), group);
  EXPECT_EQ(rows_of({{"a", Compare::kGreater, 49}}, 0, &passed), 0);
  EXPECT_EQ(rows_of({{"a", Compare::kGreater, -1}, {"a", Compare::kLess, 50}}, 0, &passed), 50);
  EXPECT_LT(rows_of({{"s", Compare::kEqual, "k14"}}, 0, &passed), 50);
  EXPECT_EQ(rows_of({{"s", Compare::kEqual, "k1"}}, 0, &passed), 0);
  EXPECT_GE(rows_of({{"n", Compare::kEqual, 7}}, 0, &passed), 30);
  // From the middle of a group that nobody needs: the rest of it is read all the same.
  const std::int64_t rest = rows_of({{"a", Compare::kLess, 0}}, group + 1, &passed);
  EXPECT_GT(rest, 0);
  EXPECT_LT(rest, 50 - group - 1);
  EXPECT_EQ(rows_of({}, group + 1, &passed), 50 - group - 1);
  // A column of another type in the table is not compared.
  const SchemaPtr wider = schema_of({"a BIGINT"});
  auto decoder =
      open_parquet({wider, {0}, {}, {{"a", Compare::kLess, 0}}}, *files_.open("/f.parquet"));
  ASSERT_TRUE(decoder.is_ok());
  EXPECT_GT((*decoder)->next(100)->num_rows(), 0);
}

TEST_F(Parquet, TellsDamageApart) {
  const SchemaPtr schema = schema_of({"a INT", "s STRING"});
  write(schema, {batch_of(*schema, R"([[1, "x"], [2, "y"]])")});
  const std::string content = *read_file(files_, "/f.parquet");
  const auto code_of = [&](const std::string& bytes) {
    EXPECT_TRUE(write_file_atomically(files_, "/f.parquet", bytes).is_ok());
    Result<std::unique_ptr<FileDecoder>> decoder = open(schema, {0, 1});
    if (!decoder.is_ok()) return decoder.status().code();
    return (*decoder)->next(100).status().code();
  };
  EXPECT_EQ(code_of(""), ErrorCode::kFileTruncated);
  EXPECT_EQ(code_of("hello, world"), ErrorCode::kMalformedFile);
  for (std::size_t size = 4; size < content.size(); size += 7)
    EXPECT_EQ(code_of(content.substr(0, size)), ErrorCode::kFileTruncated) << size;
  // Any byte may be wrong: an answer or an error, never a crash.
  for (std::size_t i = 4; i < content.size() - 4; ++i) {
    std::string damaged = content;
    damaged[i] = static_cast<char>(damaged[i] ^ 0xff);
    ASSERT_TRUE(write_file_atomically(files_, "/f.parquet", damaged).is_ok());
    Result<std::unique_ptr<FileDecoder>> decoder = open(schema, {0, 1});
    if (decoder.is_ok()) static_cast<void>((*decoder)->next(100).is_ok());
  }
}

TEST_F(Parquet, KeepsTheCodesOfFileErrors) {
  const SchemaPtr schema = schema_of({"a INT"});
  files_.set_capacity(2);
  Result<std::unique_ptr<FileEncoder>> encoder =
      create_parquet(schema, Options(), *files_.create("/g.parquet"));
  Status status = encoder.status();
  if (status.is_ok()) status = (*encoder)->write(batch_of(*schema, "[[1]]"));
  if (status.is_ok()) status = (*encoder)->close();
  EXPECT_EQ(status.code(), ErrorCode::kDiskFull);
}

TEST_F(Parquet, RefusesChangelogsAndUnknownCompression) {
  const SchemaPtr schema = schema_of({"a INT"});
  Result<std::unique_ptr<FileEncoder>> encoder =
      create_parquet(schema, Options(), *files_.create("/g.parquet"));
  ASSERT_TRUE(encoder.is_ok());
  EXPECT_EQ((*encoder)->write(changelog_of(*schema, R"([["-D", 1]])")).code(),
            ErrorCode::kNotSupported);
  EXPECT_EQ(
      create_parquet(schema, option("parquet.compression", "rar"), *files_.create("/h.parquet"))
          .status()
          .code(),
      ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace tidegate
