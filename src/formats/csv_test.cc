// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/csv_decoder.h"
#include "formats/csv_encoder.h"
#include "formats/csv_scanner.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

using Rows = std::vector<std::string>;
using OptionMap = std::map<std::string, std::string, std::less<>>;

std::string padded(std::string_view text) {
  return std::string(text) + std::string(Decoder::kPadding, '"');
}

class Csv {
 public:
  explicit Csv(const std::vector<std::string>& columns, const OptionMap& options = {},
               std::vector<int> projection = {-1}, std::int64_t max_bytes = 1 << 20)
      : schema_(schema_of(columns)), projection_(std::move(projection)) {
    if (projection_ == std::vector<int>{-1}) {
      projection_.clear();
      for (int i = 0; i < schema_->num_fields(); ++i) projection_.push_back(i);
    }
    Result<CsvDialect> dialect = CsvDialect::from(Options(options));
    EXPECT_TRUE(dialect.is_ok());
    decoder_ = std::make_unique<CsvDecoder>(*schema_, projection_, *dialect,
                                            options.contains("csv.ignore-parse-errors"), max_bytes);
    std::vector<Field> fields;
    for (const int i : projection_) fields.push_back(schema_->field(i));
    output_ = std::make_shared<Schema>(fields);
  }

  Rows rows(std::string_view input) {
    const std::string bytes = padded(input);
    const Status status =
        decoder_->decode(std::string_view(bytes).substr(0, input.size()), handler());
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return take();
  }
  Rows message(std::string_view message) {
    EXPECT_TRUE(decoder_->decode_message(message, handler()).is_ok());
    return take();
  }
  CsvDecoder& decoder() { return *decoder_; }

  std::vector<std::string> bad;  // "line@offset code: message [bytes]"

 private:
  BadRecordHandler handler() {
    return [this](const BadRecord& record) {
      bad.push_back(std::to_string(record.line) + "@" + std::to_string(record.offset) + " " +
                    std::string(error_info(record.reason.code()).label) + ": " +
                    record.reason.message() + " [" + std::string(record.bytes) + "]");
      return Status::ok();
    };
  }
  Rows take() {
    Result<Batch> batch = decoder_->take();
    EXPECT_TRUE(batch.is_ok());
    return to_rows(*batch, *output_);
  }

  SchemaPtr schema_;
  std::vector<int> projection_;
  SchemaPtr output_;
  std::unique_ptr<CsvDecoder> decoder_;
};

TEST(CsvDecoder, ReadsFields) {
  Csv csv({"a INT", "s STRING", "d DOUBLE"});
  EXPECT_EQ(csv.rows("1,x,1.5\r\n\n-2,a longer text than sixteen bytes, 2 \n3,,\n4,z,0.5"),
            (Rows{"+I[1, x, 1.5]", "+I[-2, a longer text than sixteen bytes, 2.0]", "+I[3, , null]",
                  "+I[4, z, 0.5]"}));
  EXPECT_TRUE(csv.bad.empty());
  EXPECT_EQ(csv.decoder().num_lines(), 5);
}

TEST(CsvDecoder, ReadsQuotedFields) {
  Csv csv({"s STRING", "a INT"});
  EXPECT_EQ(csv.rows("\"a,b\",1\n\"x\"\"y\",\"2\"\n\"line\nline\r\n\",3\n\"\",4\n5\"\",5\n"
                     "\"\"\"\",6 \n\"end\" , 7"),
            (Rows{"+I[a,b, 1]", "+I[x\"y, 2]", "+I[line\nline\r\n, 3]", "+I[, 4]", "+I[5\"\", 5]",
                  "+I[\", 6]", "+I[end, 7]"}));
  EXPECT_TRUE(csv.bad.empty());
}

TEST(CsvDecoder, TakesFlinksOptions) {
  Csv csv({"s STRING", "a INT", "l ARRAY<INT>", "r ROW<x INT, y STRING>"},
          {{"csv.field-delimiter", "\\t"},
           {"csv.quote-character", "'"},
           {"csv.escape-character", "\\"},
           {"csv.null-literal", "n/a"},
           {"csv.array-element-delimiter", "|"},
           {"csv.allow-comments", "true"}});
  EXPECT_EQ(csv.rows("# a comment\tx\n"
                     "'a\\'b'\t1\t1|2|n/a\t7|x\n"
                     "a\\\tb\tn/a\t\tn/a|\n"
                     "n/a\t2\tn/a\tn/a\n"
                     "'n/a'\t3\t4\t1|'\n"),
            (Rows{"+I[a'b, 1, [1, 2, null], +I[7, x]]", "+I[a\tb, null, [], +I[null, ]]",
                  "+I[null, 2, null, null]", "+I[n/a, 3, [4], +I[1, ']]"}));
  EXPECT_TRUE(csv.bad.empty());
  Csv plain({"s STRING", "t STRING"}, {{"csv.disable-quote-character", "true"}});
  EXPECT_EQ(plain.rows("\"a,b\"\n"), (Rows{"+I[\"a, b\"]"}));
}

TEST(CsvDecoder, ReportsEachBadRecordAndKeepsTheOthers) {
  Csv csv({"a INT NOT NULL", "s STRING"});
  EXPECT_EQ(csv.rows("1,x\n"
                     "y,x\n"
                     "2\n"
                     "3,a,b\n"
                     ",x\n"
                     "4,\"a\"b\n"
                     "99999999999,x\n"
                     "5,\"two\nlines\"\n"
                     "6,\xff\n"
                     "7,\"never closed\n"
                     "8,x\n"),
            (Rows{"+I[1, x]", "+I[5, two\nlines]", "+I[8, x]"}));
  EXPECT_EQ(csv.bad,
            (std::vector<std::string>{
                "1@4 wrong-field-type: field 'a': INT NOT NULL expected, got 'y' [y,x]",
                "2@8 malformed-record: 2 fields expected, got 1 [2]",
                "3@10 malformed-record: 2 fields expected, got 3 [3,a,b]",
                "4@16 missing-field: field 'a': the value is null and the column is NOT NULL [,x]",
                "5@19 malformed-record: something follows the closing quote of field 2 [4,\"a\"b]",
                "6@26 numeric-overflow: field 'a': '99999999999' is out of the range of INT NOT "
                "NULL [99999999999,x]",
                "9@54 invalid-utf8: not valid UTF-8 [6,\xff]",
                "10@58 malformed-record: a quoted field is not closed [7,\"never closed]"}));
  EXPECT_EQ(csv.decoder().num_lines(), 12);
}

TEST(CsvDecoder, CanReadUnreadableValuesAsNull) {
  Csv csv({"a INT", "s STRING", "b INT"}, {{"csv.ignore-parse-errors", "true"}});
  EXPECT_EQ(csv.rows("x,y,1\n2\n3,z,4,5\n"),
            (Rows{"+I[null, y, 1]", "+I[2, null, null]", "+I[3, z, 4]"}));
  EXPECT_TRUE(csv.bad.empty());
}

TEST(CsvDecoder, ReadsOnlyWhatIsWanted) {
  Csv csv({"a INT", "s STRING", "b INT"}, {}, {2, 0});
  EXPECT_EQ(csv.rows("1,\"x\ny\",2\n"), (Rows{"+I[2, 1]"}));
  Csv none({"a INT", "s STRING"}, {}, {});
  EXPECT_EQ(none.rows("1,x\n2,y\n"), (Rows{"+I[]", "+I[]"}));
}

TEST(CsvDecoder, LimitsRecordsAndReadsMessages) {
  Csv csv({"a INT", "s STRING"}, {}, {-1}, 10);
  EXPECT_EQ(csv.rows("1,12345678\n2,123456789\n"), (Rows{"+I[1, 12345678]"}));
  EXPECT_EQ(csv.bad.size(), 1u);
  csv.bad.clear();
  EXPECT_EQ(csv.message("3,\"a\nb\""), (Rows{"+I[3, a\nb]"}));
  EXPECT_EQ(csv.message("3,a\n"), (Rows{"+I[3, a]"}));
  EXPECT_TRUE(csv.bad.empty());
  EXPECT_EQ(csv.message("3,a\n4,b"), Rows());
  EXPECT_EQ(csv.message(""), Rows());
  EXPECT_EQ(csv.message("3,\"a"), Rows());
  EXPECT_EQ(csv.bad, (std::vector<std::string>{
                         "0@0 malformed-record: a message of 2 records [3,a\n4,b]",
                         "0@0 malformed-record: a message of 0 records []",
                         "0@0 malformed-record: a quoted field is not closed [3,\"a]"}));
}

std::size_t whole(std::string_view text, const OptionMap& options = {}) {
  Result<CsvDialect> dialect = CsvDialect::from(Options(options));
  CsvSplitter splitter(*dialect);
  const std::string bytes = padded(text);
  return splitter.whole_records(std::string_view(bytes).substr(0, text.size()));
}

TEST(CsvSplitter, FindsWhereRecordsEnd) {
  EXPECT_EQ(whole(""), 0u);
  EXPECT_EQ(whole("a,b"), 0u);
  EXPECT_EQ(whole("a,b\nc"), 4u);
  EXPECT_EQ(whole("a,\"b\nc"), 0u);
  EXPECT_EQ(whole("x\na,\"b\nc\"\n"), 10u);
  EXPECT_EQ(whole("x\na,\"b\nc\""), 2u);
  EXPECT_EQ(whole("a\"b\nc\"d\n"), 8u);
  EXPECT_EQ(whole("a,\"b\"\"\nc"), 0u);
  EXPECT_EQ(whole("a,\"b\"x\nc"), 7u);
  EXPECT_EQ(whole("a\\\nb\nc", {{"csv.escape-character", "\\"}}), 5u);
  EXPECT_EQ(whole("\"a\\\"\n\"\nb", {{"csv.escape-character", "\\"}}), 7u);
  EXPECT_EQ(whole("\"a\n\"", {{"csv.disable-quote-character", "true"}}), 3u);
}

TEST(CsvDialect, RefusesNonsense) {
  const auto code = [](const OptionMap& options) {
    return CsvDialect::from(Options(options)).status().code();
  };
  EXPECT_EQ(code({{"csv.field-delimiter", ""}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({{"csv.field-delimiter", ";;"}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({{"csv.field-delimiter", "\n"}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({{"csv.field-delimiter", "\""}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({{"csv.escape-character", "\""}}), ErrorCode::kInvalidOption);
  EXPECT_EQ(code({{"csv.quote-character", "'"}, {"csv.disable-quote-character", "true"}}),
            ErrorCode::kInvalidOption);
  Result<CsvDialect> dialect =
      CsvDialect::from(Options(OptionMap{{"csv.field-delimiter", "\\u0001"}}));
  ASSERT_TRUE(dialect.is_ok());
  EXPECT_EQ(dialect->delimiter, '\x01');
}

std::string encode(const std::vector<std::string>& columns, std::string_view rows,
                   const OptionMap& options = {}) {
  const SchemaPtr schema = schema_of(columns);
  CsvEncoder encoder(schema, *CsvDialect::from(Options(options)));
  std::string out = encoder.header();
  const Status status = encoder.encode(batch_of(*schema, rows), out);
  return status.is_ok() ? out : status.message();
}

TEST(CsvEncoder, WritesWhatReadsBack) {
  const std::vector<std::string> columns = {"s STRING",        "a INT",
                                            "ts TIMESTAMP(3)", "y BYTES",
                                            "l ARRAY<STRING>", "r ROW<x INT, y STRING>"};
  const std::string rows = R"([["a,b", 1, "2020-10-10 00:00:01.5", "hi", ["p", "q"], [1, "z"]],
                               ["\"q\"", null, null, "", [], [null, "\n"]],
                               ["", -3, "2020-10-10 00:00:01", "x", ["n"], [2, ""]]])";
  const std::string text = encode(columns, rows, {{"csv.header", "true"}});
  EXPECT_EQ(text,
            "s,a,ts,y,l,r\n"
            "\"a,b\",1,2020-10-10 00:00:01.5,aGk=,p;q,1;z\n"
            "\"\"\"q\"\"\",,,,,\";\n\"\n"
            ",-3,2020-10-10 00:00:01,eA==,n,2;\n");
  Csv csv(columns);
  const SchemaPtr schema = schema_of(columns);
  EXPECT_EQ(csv.rows(text.substr(text.find('\n') + 1)), to_rows(batch_of(*schema, rows), *schema));
}

TEST(CsvEncoder, KeepsNullsApartAndBlankLinesAway) {
  EXPECT_EQ(encode({"s STRING"}, R"([[""], [null], ["null"], ["#x"]])",
                   {{"csv.null-literal", "null"}, {"csv.allow-comments", "true"}}),
            "\"\"\nnull\n\"null\"\n\"#x\"\n");
  EXPECT_EQ(encode({"s STRING", "a INT"}, R"([["a,b", 1]])",
                   {{"csv.disable-quote-character", "true"}, {"csv.escape-character", "\\"}}),
            "a\\,b,1\n");
  EXPECT_EQ(
      encode({"s STRING", "a INT"}, R"([["a,b", 1]])", {{"csv.disable-quote-character", "true"}}),
      "csv: the value 'a,b' needs quotes, and there is no quote character");
}

}  // namespace
}  // namespace tidegate
