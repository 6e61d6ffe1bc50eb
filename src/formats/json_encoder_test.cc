// SPDX-License-Identifier: Apache-2.0
#include "formats/json_encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "types/test_columns.h"

namespace tidegate {
namespace {

std::string encode(const SchemaPtr& schema, const Batch& batch, const JsonWriteOptions& options) {
  JsonEncoder encoder(schema, options);
  std::string out;
  const Status status = encoder.encode(batch, out);
  return status.is_ok() ? out : status.message();
}

std::string encode(const std::vector<std::string>& columns, std::string_view rows,
                   const JsonWriteOptions& options = {}) {
  const SchemaPtr schema = schema_of(columns);
  return encode(schema, batch_of(*schema, rows), options);
}

TEST(JsonEncoder, WritesScalarsAsFlinkDoes) {
  EXPECT_EQ(encode({"b BOOLEAN", "i INT", "l BIGINT", "f FLOAT", "d DOUBLE", "s STRING", "y BYTES"},
                   R"([[true, -1, 9223372036854775807, 1.5, 1e10, "x\"\\\n\u0001/é", "hi"],
                       [null, null, null, null, null, null, null]])"),
            R"({"b":true,"i":-1,"l":9223372036854775807,"f":1.5,"d":1.0E10,)"
            R"("s":"x\"\\\n\u0001/é","y":"aGk="})"
            "\n"
            R"({"b":null,"i":null,"l":null,"f":null,"d":null,"s":null,"y":null})"
            "\n");
}

TEST(JsonEncoder, WritesTimes) {
  const std::vector<std::string> columns = {"d DATE", "t TIME(3)", "ts TIMESTAMP(3)",
                                            "z TIMESTAMP_LTZ(6)"};
  const std::string rows = R"([[18545, 36001500, "2020-10-10 00:00:01",
                                "2020-10-10 00:00:01.25"]])";
  EXPECT_EQ(encode(columns, rows),
            R"({"d":"2020-10-10","t":"10:00:01.5","ts":"2020-10-10 00:00:01",)"
            R"("z":"2020-10-10 00:00:01.25Z"})"
            "\n");
  EXPECT_EQ(encode({"ts TIMESTAMP(3)"}, R"([["2020-10-10 00:00:01"]])", {.iso_timestamps = true}),
            "{\"ts\":\"2020-10-10T00:00:01\"}\n");
}

TEST(JsonEncoder, WritesDecimals) {
  const std::vector<std::string> columns = {"a DECIMAL(10, 2)", "b DECIMAL(20, 10)"};
  const std::string rows =
      R"([["1.50", "0.0000000270"], ["-0.05", "0.0000000000"], ["0.00", "-0.0000001000"]])";
  EXPECT_EQ(
      encode(columns, rows),
      "{\"a\":1.50,\"b\":2.70E-8}\n{\"a\":-0.05,\"b\":0E-10}\n{\"a\":0.00,\"b\":-1.000E-7}\n");
  EXPECT_EQ(encode(columns, rows, {.plain_decimals = true}),
            "{\"a\":1.50,\"b\":0.0000000270}\n{\"a\":-0.05,\"b\":0.0000000000}\n"
            "{\"a\":0.00,\"b\":-0.0000001000}\n");
}

TEST(JsonEncoder, WritesNestedTypes) {
  const std::vector<std::string> columns = {"r ROW<a INT, b ROW<c STRING>>", "l ARRAY<INT>",
                                            "m MAP<STRING, INT>", "s MULTISET<STRING>"};
  const std::string rows =
      R"([[[1, ["x"]], [1, null], [["k", 1], ["q", null]], [["e", 2]]],
          [[null, null], [], [], []], [null, null, null, null]])";
  EXPECT_EQ(encode(columns, rows),
            R"({"r":{"a":1,"b":{"c":"x"}},"l":[1,null],"m":{"k":1,"q":null},"s":{"e":2}})"
            "\n"
            R"({"r":{"a":null,"b":null},"l":[],"m":{},"s":{}})"
            "\n"
            R"({"r":null,"l":null,"m":null,"s":null})"
            "\n");
  EXPECT_EQ(encode(columns, rows, {.ignore_null_fields = true}),
            R"({"r":{"a":1,"b":{"c":"x"}},"l":[1,null],"m":{"k":1,"q":null},"s":{"e":2}})"
            "\n"
            R"({"r":{},"l":[],"m":{},"s":{}})"
            "\n"
            "{}\n");
}

TEST(JsonEncoder, WritesSlices) {
  const SchemaPtr schema = schema_of(
      {"a INT", "b BOOLEAN", "s STRING", "l ARRAY<INT>", "m MAP<STRING, INT>", "r ROW<x INT>"});
  const Batch batch = batch_of(*schema, R"([[1, true, "a", [1], [["k", 1]], [1]],
                                            [2, false, null, [2, 3], [["q", 2]], [2]],
                                            [null, null, "c", null, null, null],
                                            [4, true, "d", [5], [["z", 4]], [4]]])");
  EXPECT_EQ(encode(schema, batch.slice(1, 2), {}),
            R"({"a":2,"b":false,"s":null,"l":[2,3],"m":{"q":2},"r":{"x":2}})"
            "\n"
            R"({"a":null,"b":null,"s":"c","l":null,"m":null,"r":null})"
            "\n");
}

TEST(JsonEncoder, WritesOneMessage) {
  const SchemaPtr schema = schema_of({"a INT"});
  JsonEncoder encoder(schema, {});
  std::string out = "x";
  ASSERT_TRUE(encoder.encode_message(batch_of(*schema, "[[1], [2]]"), 1, out).is_ok());
  EXPECT_EQ(out, "x{\"a\":2}");
}

TEST(JsonEncoder, RefusesAChangelog) {
  const SchemaPtr schema = schema_of({"a INT"});
  EXPECT_EQ(encode(schema, changelog_of(*schema, R"([["+I", 1], ["-D", 1]])"), {}),
            "format 'json' can only hold inserts, got a row of kind -D");
  EXPECT_EQ(encode(schema, changelog_of(*schema, R"([["+I", 1]])"), {}), "{\"a\":1}\n");
}

}  // namespace
}  // namespace tidegate
