// SPDX-License-Identifier: Apache-2.0
#include "formats/json_decoder.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "formats/row_type.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

struct Bad {
  ErrorCode code;
  std::string message;
  std::int64_t offset;
  std::int64_t line;
  std::string bytes;
};

// Input with the bytes behind it that decoders may read, none of them helpful.
class Padded {
 public:
  explicit Padded(std::string_view text) : bytes_(text), size_(text.size()) {
    bytes_.append(Decoder::kPadding, '"');
  }
  std::string_view view() const { return std::string_view(bytes_).substr(0, size_); }

 private:
  std::string bytes_;
  std::size_t size_;
};

class Json {
 public:
  explicit Json(const std::vector<std::string>& columns, JsonReadOptions options = {},
                std::int64_t max_bytes = 1 << 20)
      : schema_(schema_of(columns)), decoder_(row_type(*schema_), options, max_bytes) {}

  std::vector<std::string> rows(std::string_view input) {
    const Padded padded(input);
    const Status status = decoder_.decode(padded.view(), handler());
    EXPECT_TRUE(status.is_ok()) << status.to_string();
    return take();
  }
  std::vector<std::string> messages(const std::vector<std::string_view>& messages) {
    EXPECT_TRUE(decoder_.decode_messages(messages, handler()).is_ok());
    return take();
  }
  // The error of the only record.
  std::string error(std::string_view record) {
    bad.clear();
    EXPECT_EQ(rows(record), std::vector<std::string>()) << record;
    if (bad.size() != 1) return "bad records: " + std::to_string(bad.size());
    return std::string(error_info(bad[0].code).label) + ": " + bad[0].message;
  }
  JsonDecoder& decoder() { return decoder_; }

  std::vector<Bad> bad;

 private:
  BadRecordHandler handler() {
    return [this](const BadRecord& record) {
      bad.push_back({record.reason.code(), record.reason.message(), record.offset, record.line,
                     std::string(record.bytes)});
      return Status::ok();
    };
  }
  std::vector<std::string> take() {
    Result<Batch> batch = decoder_.take();
    EXPECT_TRUE(batch.is_ok());
    return to_rows(*batch, *schema_);
  }

  SchemaPtr schema_;
  JsonDecoder decoder_;
};

using Rows = std::vector<std::string>;

TEST(JsonDecoder, ReadsTheWantedFields) {
  Json json({"user_id BIGINT", "url STRING", "ts BIGINT"});
  EXPECT_EQ(json.rows("{\"user_id\":1,\"url\":\"/a\",\"ts\":1700000000000}\n"
                      "{\"user_id\":-22,\"other\":[1,{\"url\":\"no\"}],\"url\":\"\",\"ts\":0}\n"),
            (Rows{"+I[1, /a, 1700000000000]", "+I[-22, , 0]"}));
}

TEST(JsonDecoder, TakesAnyOrderWhiteSpaceBlankLinesAndMissingNewline) {
  Json json({"a INT", "b STRING"});
  EXPECT_EQ(json.rows("{\"b\":\"x\",\"a\":1}\r\n"
                      "\n  \t\n"
                      "  { \"a\" : 2 , \"b\" : \"y\" }  \n"
                      "{}\n"
                      "{\"a\":3}"),
            (Rows{"+I[1, x]", "+I[2, y]", "+I[null, null]", "+I[3, null]"}));
  EXPECT_TRUE(json.bad.empty());
  EXPECT_EQ(json.decoder().num_lines(), 6);
  EXPECT_EQ(json.rows(""), Rows());
  EXPECT_EQ(json.rows("\n\n"), Rows());
}

TEST(JsonDecoder, LastOfTwoEqualKeysHolds) {
  Json json({"a INT", "b STRING"});
  EXPECT_EQ(json.rows("{\"a\":1,\"b\":\"x\",\"a\":2,\"b\":null}\n"), (Rows{"+I[2, null]"}));
}

TEST(JsonDecoder, FindsKeysByMeaningAndNotByBytes) {
  Json json(
      {"a INT", "ab INT", "a_key_longer_than_sixteen INT", "a_key_longer_than_sixteen_2 INT"});
  EXPECT_EQ(json.rows("{\"\\u0061\":1,\"ab\":2}\n"
                      "{\"ab\":3,\"\\u0061b\":4,\"a_key_longer_than_sixteen_2\":5,"
                      "\"a_key_longer_than_sixteen\":6}\n"
                      "{\"a_key_longer_than_sixteen\":7,\"abc\":8,\"\":9}\n"),
            (Rows{"+I[1, 2, null, null]", "+I[null, 4, 6, 5]", "+I[null, null, 7, null]"}));
}

TEST(JsonDecoder, ReadsStrings) {
  Json json({"s STRING"});
  EXPECT_EQ(json.rows(R"({"s":"0123456789abcdef0123456789abcdef\"\\\/\b\f\n\r\té€😀 tail"})"),
            (Rows{"+I[0123456789abcdef0123456789abcdef\"\\/\b\f\n\r\té€😀 tail]"}));
  EXPECT_EQ(json.rows(R"({"s":"\u00e9\ud83d\ude00"})"), (Rows{"+I[é😀]"}));
  EXPECT_EQ(json.error(R"({"s":"\ud83d"})"),
            "malformed-record: field 's': a wrong escape in a string");
  EXPECT_EQ(json.error(R"({"s":"\x"})"), "malformed-record: field 's': a wrong escape in a string");
  for (std::size_t length = 0; length < 70; ++length) {
    const std::string text(length, 'x');
    EXPECT_EQ(json.rows("{\"s\":\"" + text + "\"}"), (Rows{"+I[" + text + "]"}));
    EXPECT_EQ(json.rows("{\"s\":\"" + text + "\\n\"}"), (Rows{"+I[" + text + "\n]"}));
  }
}

TEST(JsonDecoder, AStringColumnTakesAnything) {
  Json json({"s STRING"});
  EXPECT_EQ(json.rows("{\"s\":12.50}\n{\"s\":true}\n{\"s\":null}\n"
                      "{\"s\":{ \"a\" : [ 1 , \"x , \\\" y\" ] }}\n{\"s\":[]}\n"),
            (Rows{"+I[12.50]", "+I[true]", "+I[null]", R"(+I[{"a":[1,"x , \" y"]}])", "+I[[]]"}));
}

TEST(JsonDecoder, ReadsNumbers) {
  Json json({"a TINYINT", "b SMALLINT", "c INT", "d BIGINT", "e FLOAT", "f DOUBLE"});
  EXPECT_EQ(
      json.rows("{\"a\":127,\"b\":-32768,\"c\":2147483647,\"d\":9223372036854775807,\"e\":1.5,"
                "\"f\":-1e-300}\n"
                "{\"a\":\" 1 \",\"b\":\"2\",\"c\":\"-3\",\"d\":\"+4\",\"e\":\"NaN\",\"f\":"
                "\"Infinity\"}\n"
                "{\"c\":12.9,\"d\":-1.5e3,\"e\":7,\"f\":1e400}\n"
                "{\"d\":-9223372036854775808,\"c\":-0,\"f\":0}\n"),
      (Rows{"+I[127, -32768, 2147483647, 9223372036854775807, 1.5, -1.0E-300]",
            "+I[1, 2, -3, 4, NaN, Infinity]", "+I[null, null, 12, -1500, 7.0, Infinity]",
            "+I[null, null, 0, -9223372036854775808, null, 0.0]"}));
  EXPECT_TRUE(json.bad.empty());
}

TEST(JsonDecoder, ReadsIntegersOfEveryLength) {
  Json json({"d BIGINT"});
  for (std::int64_t value = 1; value < 9'000'000'000'000'000'000 / 7; value = value * 7 + 3) {
    for (const std::int64_t signed_value : {value, -value}) {
      const std::string text = std::to_string(signed_value);
      EXPECT_EQ(json.rows("{\"d\":" + text + "}\n"), (Rows{"+I[" + text + "]"}));
      EXPECT_EQ(json.rows("{\"d\" :\t" + text + " }\n"), (Rows{"+I[" + text + "]"}));
    }
  }
}

TEST(JsonDecoder, ReadsTheLargestIntegersAndNoLargerOnes) {
  Json json({"d BIGINT"});
  for (const char* text : {"9223372036854775806", "9223372036854775807", "-9223372036854775807",
                           "-9223372036854775808", "1000000000000000000", "-100000000000000000"})
    EXPECT_EQ(json.rows(std::string("{\"d\":") + text + "}\n"),
              (Rows{"+I[" + std::string(text) + "]"}));
  for (const char* text : {"9223372036854775808", "-9223372036854775809", "9999999999999999999",
                           "10000000000000000000", "18446744073709551617",
                           "100000000000000000000000000000000000000000"})
    EXPECT_EQ(json.error(std::string("{\"d\":") + text + "}\n").substr(0, 16), "numeric-overflow");
}

TEST(JsonDecoder, NamesWhatIsWrongWithNumbers) {
  Json json({"a TINYINT", "c INT", "d BIGINT", "f DOUBLE", "g DECIMAL(4, 2)"});
  EXPECT_EQ(json.error("{\"d\":9223372036854775808}"),
            "numeric-overflow: field 'd': '9223372036854775808' is out of the range of BIGINT");
  EXPECT_EQ(json.error("{\"c\":2147483648}"),
            "numeric-overflow: field 'c': '2147483648' is out of the range of INT");
  EXPECT_EQ(json.error("{\"a\":128}"),
            "numeric-overflow: field 'a': '128' is out of the range of TINYINT");
  EXPECT_EQ(json.error("{\"d\":\"abc\"}"),
            "wrong-field-type: field 'd': BIGINT expected, got 'abc'");
  EXPECT_EQ(json.error("{\"d\":true}"), "wrong-field-type: field 'd': BIGINT expected, got 'true'");
  EXPECT_EQ(json.error("{\"d\":\"\"}"), "wrong-field-type: field 'd': BIGINT expected, got ''");
  EXPECT_EQ(json.error("{\"f\":\"1.5x\"}"),
            "wrong-field-type: field 'f': DOUBLE expected, got '1.5x'");
  EXPECT_EQ(json.error("{\"d\":[1]}"), "wrong-field-type: field 'd': BIGINT expected, got '[1]}'");
  EXPECT_EQ(json.error("{\"g\":123.4}"),
            "numeric-overflow: field 'g': '123.4' is out of the range of DECIMAL(4, 2)");
  for (const char* number : {"01", "1.", ".5", "-", "+1", "1e", "0x1", "1a", "truex", "nul", "nan"})
    EXPECT_EQ(json.error("{\"d\":" + std::string(number) + "}").substr(0, 16), "malformed-record")
        << number;
}

TEST(JsonDecoder, ReadsOtherScalars) {
  Json json({"b BOOLEAN", "d DATE", "t TIME(3)", "ts TIMESTAMP(3)", "z TIMESTAMP_LTZ(6)",
             "n DECIMAL(20, 3)", "y BYTES"});
  EXPECT_EQ(
      json.rows("{\"b\":true,\"d\":\"2020-02-29\",\"t\":\"10:00:01.5\",\"ts\":"
                "\"2020-10-10 00:00:01.25\",\"z\":\"2020-10-10T00:00:01.000001Z\",\"n\":"
                "12345678901234567.8905,\"y\":\"aGk=\"}\n"
                "{\"b\":\"FALSE\",\"ts\":\"2020-10-10T00:00:01\",\"z\":\"2020-10-10 "
                "02:00:00+02:00\",\"n\":\"1e3\",\"y\":\"\"}\n"),
      (Rows{"+I[true, 2020-02-29, 10:00:01.500, 2020-10-10T00:00:01.250, "
            "2020-10-10T00:00:01.000001Z, 12345678901234567.891, [104, 105]]",
            "+I[false, null, null, 2020-10-10T00:00:01, 2020-10-10T00:00:00Z, 1000.000, []]"}));
  EXPECT_EQ(json.error("{\"b\":1}"), "wrong-field-type: field 'b': BOOLEAN expected, got '1'");
  EXPECT_EQ(json.error("{\"ts\":\"2020-02-30 00:00:00\"}"),
            "wrong-field-type: field 'ts': TIMESTAMP(3) expected, got '2020-02-30 00:00:00'");
  EXPECT_EQ(json.error("{\"ts\":1700000000000.5}"),
            "wrong-field-type: field 'ts': TIMESTAMP(3) expected, got '1700000000000.5'");
  EXPECT_EQ(json.error("{\"y\":\"a*==\"}"),
            "wrong-field-type: field 'y': base64 for BYTES expected, got 'a*=='");
}

TEST(JsonDecoder, ReadsMillisecondsAsTimestamps) {
  Json json({"ts TIMESTAMP(3)", "z TIMESTAMP_LTZ(6)", "n TIMESTAMP(9)"});
  EXPECT_EQ(json.rows("{\"ts\":1602288001250,\"z\":1602288001250,\"n\":-1}\n"),
            (Rows{"+I[2020-10-10T00:00:01.250, 2020-10-10T00:00:01.250Z, "
                  "1969-12-31T23:59:59.999]"}));
  EXPECT_EQ(json.error("{\"n\":9223372036854775807}"),
            "wrong-field-type: field 'n': TIMESTAMP(9) expected, got '9223372036854775807'");
}

TEST(JsonDecoder, ReadsNestedTypes) {
  Json json({"r ROW<a INT, b ROW<c STRING>>", "l ARRAY<ARRAY<INT>>", "m MAP<STRING, INT>",
             "s MULTISET<STRING>"});
  EXPECT_EQ(json.rows("{\"r\":{\"a\":1,\"b\":{\"c\":\"x\"}},\"l\":[[1,null],[],null],\"m\":"
                      "{\"k\":1,\"q\":null},\"s\":{\"a\":2}}\n"
                      "{\"r\":{\"b\":null},\"l\":[],\"m\":{}}\n"
                      "{\"r\":{}}\n{}\n"),
            (Rows{"+I[+I[1, +I[x]], [[1, null], [], null], {k=1, q=null}, {a=2}]",
                  "+I[+I[null, null], [], {}, null]", "+I[+I[null, null], null, null, null]",
                  "+I[null, null, null, null]"}));
  EXPECT_EQ(json.error("{\"r\":{\"b\":{\"c\":\"x\",}}}"),
            "malformed-record: field 'r': field 'b': a key in quotes expected, got '}}}'");
  EXPECT_EQ(json.error("{\"l\":[[1,\"x\"]]}"),
            "wrong-field-type: field 'l': INT expected, got 'x'");
  EXPECT_EQ(json.error("{\"r\":[1]}"),
            "wrong-field-type: field 'r': ROW<`a` INT, `b` ROW<`c` STRING>> expected, got '[1]}'");
}

TEST(JsonDecoder, ABadRecordLeavesNoTraceInNestedColumns) {
  Json json(
      {"a INT", "l ARRAY<ROW<s STRING, m MAP<STRING, ARRAY<INT>>>>", "b BOOLEAN", "n STRING"});
  const std::string good =
      "{\"a\":1,\"l\":[{\"s\":\"x\",\"m\":{\"k\":[1,2]}},{\"s\":null}],\"b\":true,\"n\":null}\n";
  const std::string row = "+I[1, [+I[x, {k=[1, 2]}], +I[null, null]], true, null]";
  Rows expected;
  std::string input;
  for (std::size_t i = 1; i < good.size() - 2; ++i) {
    input += good.substr(0, i) + "\n" + good;
    expected.push_back(row);
  }
  EXPECT_EQ(json.rows(input), expected);
  EXPECT_EQ(json.bad.size(), expected.size());
}

TEST(JsonDecoder, NotNullColumnsNeedValues) {
  Json json({"a INT NOT NULL", "r ROW<b INT NOT NULL>"});
  EXPECT_EQ(json.rows("{\"a\":1}\n"), (Rows{"+I[1, null]"}));
  EXPECT_EQ(json.error("{\"r\":{\"b\":1}}"),
            "missing-field: field 'a' is missing and the column is NOT NULL");
  EXPECT_EQ(json.error("{\"a\":null}"),
            "missing-field: field 'a': the value is null and the column is NOT NULL");
  EXPECT_EQ(json.error("{\"a\":1,\"r\":{}}"),
            "missing-field: field 'r': field 'b' is missing and the column is NOT NULL");
  Json strict({"a INT", "b INT"}, {.fail_on_missing_field = true});
  EXPECT_EQ(strict.error("{\"a\":1}"), "missing-field: field 'b' is missing");
  EXPECT_EQ(strict.rows("{\"a\":1,\"b\":null}"), (Rows{"+I[1, null]"}));
}

TEST(JsonDecoder, CanReadUnreadableValuesAsNull) {
  Json json({"a INT", "r ROW<b INT, c INT>", "l ARRAY<INT>"}, {.ignore_parse_errors = true});
  EXPECT_EQ(json.rows("{\"a\":\"x\",\"r\":{\"b\":[],\"c\":2},\"l\":[1,\"x\",3]}\n"
                      "{\"a\":1,\"r\":5,\"l\":{}}\n"
                      "{\"a\":1,,}\n"),
            (Rows{"+I[null, +I[null, 2], [1, null, 3]]", "+I[1, null, null]"}));
  EXPECT_EQ(json.bad.size(), 1u);
}

TEST(JsonDecoder, ReportsEachBadLineAndKeepsTheOthers) {
  Json json({"a INT"});
  const std::vector<std::string> bad_lines = {"{\"a\":1",
                                              "{\"a\":1}}",
                                              "{\"a\":1} {\"a\":2}",
                                              "{\"a\":\"1}",
                                              "{\"a\" 1}",
                                              "{\"z\":[1,2}",
                                              "[1]",
                                              "1",
                                              "\"x\"",
                                              "{\"a\":1]",
                                              "{\"z\":[}",
                                              "{\"z\":{]}",
                                              "}",
                                              "{",
                                              "\\",
                                              "{\"a\":1}\x1f",
                                              "{\"a\":1}{",
                                              "{\"z\":t}",
                                              "{a:1}",
                                              "{\"z\":\"\xff\"}",
                                              "{\"a\":1\"b\":2}",
                                              "\"",
                                              "{\"a\\\":1}",
                                              "x",
                                              "{,}",
                                              "{\"a\":1,}",
                                              "{\"a\":}",
                                              "{\"z\":\"\t\"}",
                                              "\xef\xbb",
                                              "{\"a\":\"\\\""};
  std::string input;
  std::vector<std::int64_t> offsets;
  Rows expected;
  for (const std::string& line : bad_lines) {
    input += "{\"a\":7}\n";
    expected.push_back("+I[7]");
    offsets.push_back(static_cast<std::int64_t>(input.size()));
    input += line + "\n";
  }
  EXPECT_EQ(json.rows(input), expected);
  ASSERT_EQ(json.bad.size(), bad_lines.size());
  for (std::size_t i = 0; i < bad_lines.size(); ++i) {
    EXPECT_EQ(json.bad[i].bytes, bad_lines[i]);
    EXPECT_EQ(json.bad[i].line, static_cast<std::int64_t>(2 * i + 1));
    EXPECT_EQ(json.bad[i].offset, offsets[i]);
    const bool utf8 = bad_lines[i].find_first_of("\xff\xef") != std::string::npos;
    EXPECT_EQ(json.bad[i].code, utf8 ? ErrorCode::kInvalidUtf8 : ErrorCode::kMalformedRecord)
        << json.bad[i].message;
  }
  // Next to each other, too.
  input.clear();
  for (const std::string& line : bad_lines) input += line + "\n";
  json.bad.clear();
  EXPECT_EQ(json.rows(input), Rows());
  EXPECT_EQ(json.bad.size(), bad_lines.size());
}

TEST(JsonDecoder, AHandlersErrorStops) {
  const SchemaPtr schema = schema_of({"a INT"});
  JsonDecoder decoder(row_type(*schema), {}, 100);
  const Padded input("{\"a\":1}\nx\n{\"a\":2}\n");
  const Status status =
      decoder.decode(input.view(), [](const BadRecord& record) { return record.reason; });
  EXPECT_EQ(status.code(), ErrorCode::kMalformedRecord);
}

TEST(JsonDecoder, LimitsTheSizeOfRecords) {
  Json json({"a INT"}, {}, 20);
  EXPECT_EQ(json.rows("{\"a\":1,\"b\":\"123456\"}\n{\"a\":2,\"b\":\"1234567\"}\n{\"a\":3}\n"),
            (Rows{"+I[1]", "+I[3]"}));
  ASSERT_EQ(json.bad.size(), 1u);
  EXPECT_EQ(json.bad[0].code, ErrorCode::kRecordTooLarge);
}

TEST(JsonDecoder, DeepNestingIsAnErrorOfItsRecord) {
  Json json({"a INT", "s STRING"}, {}, 1 << 24);
  const std::string open(100'000, '[');
  const std::string close(100'000, ']');
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_EQ(json.rows("{\"z\":" + open + close + "}\n{\"a\":1}\n" + objects + "\n{\"s\":" + open +
                      close + "}\n" + open + "\n{\"a\":2}\n"),
            (Rows{"+I[1, null]", "+I[2, null]"}));
  ASSERT_EQ(json.bad.size(), 4u);
  EXPECT_EQ(json.bad[0].message, "more than 1000 levels of nesting");
  const std::string fine(900, '[');
  EXPECT_EQ(json.rows("{\"z\":" + fine + std::string(900, ']') + ",\"a\":1}"),
            (Rows{"+I[1, null]"}));
}

TEST(JsonDecoder, ReadsLongLines) {
  Json json({"a INT", "s STRING"}, {}, 1 << 24);
  const std::string text(3'000'000, 'x');
  EXPECT_EQ(json.rows("{\"a\":1,\"s\":\"" + text + "\"}\n{\"a\":2}\n"),
            (Rows{"+I[1, " + text + "]", "+I[2, null]"}));
}

TEST(JsonDecoder, CountsRowsWithoutColumns) {
  const SchemaPtr schema = schema_of({"a INT"});
  JsonDecoder decoder(row_type(*schema, {}), {}, 100);
  const Padded input("{\"a\":1}\n{}\n");
  ASSERT_TRUE(decoder.decode(input.view(), [](const BadRecord& b) { return b.reason; }).is_ok());
  EXPECT_EQ(decoder.num_rows(), 2);
  Result<Batch> batch = decoder.take();
  ASSERT_TRUE(batch.is_ok());
  EXPECT_EQ(batch->num_rows(), 2);
  EXPECT_EQ(batch->num_columns(), 0);
}

TEST(JsonDecoder, ReadsMessages) {
  Json json({"a INT", "s STRING"});
  const std::string big = "{\"s\":\"" + std::string(100'000, 'y') + "\",\"a\":5}";
  EXPECT_EQ(json.messages({"{\"a\":1}", "{\n\"a\":\n2\n}\n", "", "{\"a\":\"", "{\"a\":3}",
                           "{\"a\":4}\n{\"a\":9}", big, "{\"s\":\"\xc3\"}", "{\"a\":6}"}),
            (Rows{"+I[1, null]", "+I[2, null]", "+I[3, null]",
                  "+I[5, " + std::string(100'000, 'y') + "]", "+I[6, null]"}));
  ASSERT_EQ(json.bad.size(), 4u);
  EXPECT_EQ(json.bad[0].line, 2);
  EXPECT_EQ(json.bad[0].message, "an empty message");
  EXPECT_EQ(json.bad[1].line, 3);
  EXPECT_EQ(json.bad[2].line, 5);
  EXPECT_EQ(json.bad[3].line, 7);
  EXPECT_EQ(json.bad[3].code, ErrorCode::kInvalidUtf8);
}

// Rows and errors must not depend on where the input was cut into calls.
TEST(JsonDecoder, DoesNotDependOnCuts) {
  Random random(17);
  std::string input;
  std::vector<std::size_t> line_ends;
  for (int i = 0; i < 3000; ++i) {
    switch (random.below(12)) {
      case 0:
        input += "{\"a\":" + std::to_string(i);
        break;
      case 1:
        input += "";
        break;
      case 2:
        input += "{\"s\":\"\xff\"}";
        break;
      case 3:
        input += "{\"s\":\"abc\\n\", \"a\": " + std::to_string(i) + ", \"l\":[1,2]}";
        break;
      default:
        input += "{\"a\":" + std::to_string(i) + ",\"s\":\"" + std::string(random.below(60), 'x') +
                 "\",\"l\":[" + std::to_string(i) + "]}";
    }
    input += '\n';
    line_ends.push_back(input.size());
  }
  Json whole({"a INT", "s STRING", "l ARRAY<INT>"});
  const Rows expected = whole.rows(input);
  EXPECT_GT(whole.bad.size(), 100u);
  for (const std::uint64_t most : {1u, 7u, 400u}) {
    Json cut({"a INT", "s STRING", "l ARRAY<INT>"});
    Rows rows;
    std::vector<std::string> bad;
    std::size_t begin = 0;
    for (std::size_t line = 0; line < line_ends.size();) {
      line += 1 + random.below(most);
      const std::size_t end = line_ends[std::min(line, line_ends.size()) - 1];
      for (std::string& row : cut.rows(std::string_view(input).substr(begin, end - begin)))
        rows.push_back(std::move(row));
      begin = end;
    }
    EXPECT_EQ(rows, expected);
    ASSERT_EQ(cut.bad.size(), whole.bad.size());
    for (std::size_t i = 0; i < cut.bad.size(); ++i) {
      EXPECT_EQ(cut.bad[i].message, whole.bad[i].message);
      EXPECT_EQ(cut.bad[i].bytes, whole.bad[i].bytes);
    }
  }
}

}  // namespace
}  // namespace tidegate
