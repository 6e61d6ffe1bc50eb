// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <numeric>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/memory_file_system.h"
#include "base/random.h"
#include "formats/avro_codec.h"
#include "formats/avro_file.h"
#include "formats/avro_reader.h"
#include "formats/avro_schema.h"
#include "formats/avro_writer.h"
#include "formats/row_type.h"
#include "types/test_columns.h"

namespace tidegate {

void register_format_avro(FormatRegistry& registry);

namespace {

using Rows = std::vector<std::string>;

Options option(const std::string& name, const std::string& value) {
  Options options;
  options.set(name, value);
  return options;
}

std::vector<int> all_of(const Schema& schema) {
  std::vector<int> all(static_cast<std::size_t>(schema.num_fields()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

const std::vector<std::string> kColumns = {"b BOOLEAN",
                                           "ti TINYINT",
                                           "i INT NOT NULL",
                                           "l BIGINT",
                                           "f FLOAT",
                                           "d DOUBLE",
                                           "s STRING",
                                           "y BYTES",
                                           "n DECIMAL(20, 2)",
                                           "da DATE",
                                           "t TIME(3)",
                                           "tu TIME(6)",
                                           "ts TIMESTAMP(3)",
                                           "tm TIMESTAMP(6)",
                                           "z TIMESTAMP_LTZ(3)",
                                           "a ARRAY<INT>",
                                           "m MAP<STRING, INT>",
                                           "r ROW<x INT NOT NULL, y ARRAY<ROW<z STRING>>>",
                                           "ms MULTISET<STRING>"};
constexpr const char* kRows = R"([
    [true, -1, 2, -9223372036854775808, 0.5, -1e300, "xé", "y", "-12.50", -5, 1000, 2000000000,
     "1969-12-31 23:59:59.999", "2020-10-10 00:00:01.000001", "2020-10-10 00:00:01", [1, null],
     [["k", 1], ["", null]], [1, [["p"], [null], null]], [["e", 2]]],
    [false, 127, -2147483648, 9223372036854775807, -0.0, 0, "", "", "99999999999.99", 0, 0, 0,
     0, 0, 0, [], [], [0, []], []],
    [null, null, 0, null, null, null, null, null, null, null, null, null, null, null, null, null,
     null, null, null]])";

class Avro : public testing::Test {
 protected:
  Status write(const SchemaPtr& schema, const std::vector<Batch>& batches,
               const Options& options = Options()) {
    Result<std::unique_ptr<FileEncoder>> encoder =
        create_avro(schema, options, *files_.create("/f.avro"));
    if (!encoder.is_ok()) return encoder.status();
    for (const Batch& batch : batches) {
      if (Status written = (*encoder)->write(batch); !written.is_ok()) return written;
    }
    return (*encoder)->close();
  }

  // All rows from `skip` on, `step` at a time.
  Rows read(const SchemaPtr& schema, const std::vector<int>& projection, std::int64_t skip = 0,
            std::int64_t step = 1000) {
    Result<std::unique_ptr<FileDecoder>> decoder =
        open_avro({schema, projection, {}}, *files_.open("/f.avro"));
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

TEST_F(Avro, ReadsBackWhatItWrites) {
  const SchemaPtr schema = schema_of(kColumns);
  const Batch batch = batch_of(*schema, kRows);
  for (const char* codec : {"snappy", "null", "deflate", "zstandard"}) {
    ASSERT_TRUE(write(schema, {batch, batch.slice(1, 2)}, option("avro.codec", codec)).is_ok());
    Rows expected = to_rows(batch, *schema);
    expected.insert(expected.end(), {expected[1], expected[2]});
    EXPECT_EQ(read(schema, all_of(*schema)), expected) << codec;
  }
  EXPECT_EQ(write(schema, {}, option("avro.codec", "xz")).code(), ErrorCode::kNotSupported);
}

TEST_F(Avro, GoesOnAtEveryRowOverManyBlocks) {
  const SchemaPtr schema = schema_of({"i INT", "s STRING"});
  std::string rows = "[";
  for (int i = 0; i < 50; ++i)
    rows += (i > 0 ? "," : "") + ("[" + std::to_string(i)) + ",\"" + std::string(5000, 'x') + "\"]";
  const Batch batch = batch_of(*schema, rows + "]");
  ASSERT_TRUE(write(schema, {batch}).is_ok());
  const Rows all = read(schema, {0});
  ASSERT_EQ(all.size(), 50U);
  EXPECT_EQ(all[49], "+I[49]");
  for (std::int64_t skip = 0; skip <= 50; ++skip)
    EXPECT_EQ(read(schema, {0}, skip, 7), Rows(all.begin() + skip, all.end())) << skip;
  EXPECT_EQ(read(schema, {0}, 51), (Rows{"ends 1 rows before the place to go on"}));
  EXPECT_EQ(read(schema, {}).size(), 50U);
}

TEST_F(Avro, FindsFieldsByNameAndSkipsTheOthers) {
  const SchemaPtr written = schema_of(kColumns);
  ASSERT_TRUE(write(written, {batch_of(*written, kRows)}).is_ok());
  const SchemaPtr wanted =
      schema_of({"ms MULTISET<STRING>", "new STRING", "i BIGINT", "s STRING", "ti DOUBLE"});
  EXPECT_EQ(read(wanted, {4, 2, 1, 0}),
            (Rows{"+I[-1.0, 2, null, {e=2}]", "+I[127.0, -2147483648, null, {}]",
                  "+I[null, 0, null, null]"}));
  EXPECT_EQ(read(schema_of({"new INT NOT NULL"}), {0}),
            (Rows{"has no field 'new', which is NOT NULL"}));
  EXPECT_EQ(read(schema_of({"s INT"}), {0}), (Rows{"field 's': string cannot be read as INT"}));
  const Rows null = read(schema_of({"l BIGINT NOT NULL"}), {0}, 2);
  ASSERT_EQ(null.size(), 1U);
  EXPECT_TRUE(null[0].ends_with("field 'l': the value is null and the column is NOT NULL"))
      << null[0];
}

TEST_F(Avro, SchemaIsFlinks) {
  const SchemaPtr schema = schema_of({"a INT NOT NULL", "b STRING", "t TIMESTAMP(3)",
                                      "r ROW<x DECIMAL(5, 2)>", "l ARRAY<BIGINT NOT NULL>"});
  EXPECT_EQ(
      *avro_schema_for(*schema, {}),
      R"({"type":"record","name":"record","namespace":"org.apache.flink.avro.generated",)"
      R"("fields":[{"name":"a","type":"int"},)"
      R"({"name":"b","type":["null","string"],"default":null},)"
      R"({"name":"t","type":["null",{"type":"long","logicalType":"timestamp-millis"}],)"
      R"("default":null},{"name":"r","type":["null",{"type":"record","name":"record_r",)"
      R"("namespace":"org.apache.flink.avro.generated","fields":[{"name":"x","type":["null",)"
      R"({"type":"bytes","logicalType":"decimal","precision":5,"scale":2}],"default":null}]}],)"
      R"("default":null},{"name":"l","type":["null",{"type":"array","items":"long"}],)"
      R"("default":null}]})");
  const auto code = [](const char* column) {
    return avro_schema_for(*schema_of({column}), {}).status().code();
  };
  EXPECT_EQ(code("t TIMESTAMP(9)"), ErrorCode::kNotSupported);
  EXPECT_EQ(code("m MAP<INT, INT>"), ErrorCode::kNotSupported);
  EXPECT_EQ(code("i INTERVAL DAY TO SECOND"), ErrorCode::kNotSupported);
  EXPECT_EQ(code("EXPR$0 INT"), ErrorCode::kInvalidPlan);
  EXPECT_NE(avro_schema_for(*schema_of({"t TIMESTAMP(6)"}),
                            option("avro.timestamp_mapping.legacy", "false"))
                ->find("local-timestamp-micros"),
            std::string::npos);
}

// One record of `bytes` written with the schema `writer`, read as `columns`.
std::string read_as(const char* writer, const std::string& bytes,
                    const std::vector<std::string>& columns) {
  const SchemaPtr schema = schema_of(columns);
  Result<std::unique_ptr<AvroSchema>> parsed = AvroSchema::parse(writer);
  if (!parsed.is_ok()) return parsed.status().message();
  Result<AvroReader> reader = AvroReader::make((*parsed)->root(), row_type(*schema));
  if (!reader.is_ok()) return reader.status().message();
  ColumnBuilder rows(row_type(*schema));
  AvroInput input(bytes);
  if (Status read = reader->read(input, rows); !read.is_ok()) return read.message();
  std::vector<std::shared_ptr<arrow::Array>> out;
  for (std::size_t i = 0; i < rows.num_children(); ++i) out.push_back(rows.child(i).take());
  return to_rows(Batch(1, std::move(out)), *schema)[0] + (input.left() > 0 ? " and more" : "");
}

TEST(AvroReader, ReadsWhatOthersWrite) {
  // A namespace, an alias of a type by name, enum, fixed, a union of several, a nested definition.
  const char* writer = R"({"type":"record","name":"r","namespace":"x.y","fields":[
      {"name":"e","type":{"type":"enum","name":"color","symbols":["RED","BLUE"]}},
      {"name":"e2","type":"x.y.color"}, {"name":"e3","type":["null","color"]},
      {"name":"f","type":{"type":"fixed","name":"two","size":2,"logicalType":"decimal",
                          "precision":4,"scale":1}},
      {"name":"u","type":["string","int","null"]},
      {"name":"skipped","type":{"type":"map","values":{"type":"array","items":"float"}}},
      {"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}}]})";
  std::string bytes;
  bytes += std::string("\x02\x00\x02\x00", 4);   // BLUE, RED, second branch: RED
  bytes += "\xff\x85";                           // -123
  bytes += "\x02\x54";                           // int 42
  bytes += std::string("\x01\x0e\x02k\x02", 5);  // a block of one, of 7 bytes: k -> one float
  bytes += std::string("\0\0\0\0\0\0", 6);
  append_avro_long(-1, bytes);
  const std::vector<std::string> columns = {"e STRING",         "e2 STRING", "e3 STRING",
                                            "f DECIMAL(10, 3)", "u BIGINT",  "t TIMESTAMP(3)"};
  EXPECT_EQ(read_as(writer, bytes, columns),
            "+I[BLUE, RED, RED, -12.300, 42, 1969-12-31T23:59:59.999]");
  bytes.replace(6, 2, "\x04", 1);  // null
  EXPECT_EQ(read_as(writer, bytes, columns),
            "+I[BLUE, RED, RED, -12.300, null, 1969-12-31T23:59:59.999]");
  bytes.replace(6, 1, std::string("\x00\x02x", 3));
  EXPECT_EQ(read_as(writer, bytes, columns), "field 'u': BIGINT expected, got string");
  bytes.replace(6, 1, "\x08");
  EXPECT_EQ(read_as(writer, bytes, columns), "field 'u': a union has no branch 4");
  bytes[0] = '\x04';
  EXPECT_EQ(read_as(writer, bytes, columns), "field 'e': an enum has no symbol 2");
}

TEST(AvroReader, ResolvesTypes) {
  const auto field = [](const std::string& type) {
    return R"({"type":"record","name":"r","fields":[{"name":"a","type":)" + type + "}]}";
  };
  const auto as = [&](const std::string& type, const std::string& bytes, const char* column) {
    return read_as(field(type).c_str(), bytes, {std::string("a ") + column});
  };
  std::string large;
  append_avro_long(300, large);
  EXPECT_EQ(as("\"int\"", large, "TINYINT"), "field 'a': 300 is out of the range of TINYINT");
  EXPECT_EQ(as("\"int\"", large, "FLOAT"), "+I[300.0]");
  EXPECT_EQ(as("\"long\"", large, "TIMESTAMP(6)"), "+I[1970-01-01T00:00:00.300]");
  EXPECT_EQ(as("\"double\"", large, "FLOAT"), "field 'a': double cannot be read as FLOAT");
  EXPECT_EQ(as(R"({"type":"int","logicalType":"date"})", large, "TIMESTAMP(3)"),
            "field 'a': int cannot be read as TIMESTAMP(3)");
  EXPECT_EQ(as("\"bytes\"", "\x02\xff", "STRING"), "field 'a': not valid UTF-8");
  EXPECT_EQ(as("\"bytes\"", "\x04\x04\xd2", "DECIMAL(6, 2)"), "+I[12.34]");
  EXPECT_EQ(
      as("\"bytes\"", std::string("\x24") + std::string(17, '\x7f') + "\x7f", "DECIMAL(6, 2)"),
      "field 'a': a decimal is out of the range of DECIMAL(6, 2)");
  EXPECT_EQ(as("[\"null\"]", std::string(1, '\0'), "INT"), "+I[null]");
  EXPECT_EQ(as("\"null\"", "", "INT NOT NULL"),
            "field 'a': the value is null and the column is NOT NULL");
}

TEST(AvroReader, DamageIsAnErrorAndNothingElse) {
  const SchemaPtr schema = schema_of(kColumns);
  const Batch batch = batch_of(*schema, kRows);
  AvroWriter writer(row_type(*schema));
  writer.bind_columns(batch);
  std::string whole;
  ASSERT_TRUE(writer.write(0, whole).is_ok());
  const std::string text = *avro_schema_for(*schema, {});
  EXPECT_EQ(read_as(text.c_str(), whole, kColumns), to_rows(batch, *schema)[0]);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(read_as(text.c_str(), whole.substr(0, size), kColumns).substr(0, 2), "+I") << size;
  Random random(3);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = whole;
    damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    read_as(text.c_str(), damaged, kColumns);     // must come back
    read_as(text.c_str(), damaged, {"zzz INT"});  // all of it skipped
  }
}

TEST(AvroReader, LimitsWhatAFewBytesCanCost) {
  std::string huge;
  append_avro_long(std::int64_t{1} << 60, huge);
  const char* list = R"({"type":"record","name":"r","fields":[
      {"name":"a","type":{"type":"array","items":"null"}}]})";
  EXPECT_EQ(read_as(list, huge, {"a ARRAY<INT>"}),
            "field 'a': more than 268435456 elements in one record");
  EXPECT_EQ(read_as(list, huge, {"b INT"}), "more than 268435456 elements in one record");
  const char* self = R"({"type":"record","name":"r","fields":[{"name":"a","type":["null","r"]}]})";
  EXPECT_EQ(read_as(self, std::string(1000, '\x02'), {"b INT"}), "more than 100 levels of nesting");
  EXPECT_EQ(
      read_as(R"({"type":"record","name":"r","fields":[{"name":"a","type":"r"}]})", "", {"b INT"}),
      "more than 100 levels of nesting");
}

TEST(AvroSchema, RefusesNonsense) {
  for (const char* text : {"", "{", "{}", "[]", R"({"type":"record"})", R"({"type":"nothing"})",
                           R"({"type":"record","name":"r"})", R"([["int"]])", "5",
                           R"({"type":"record","name":"r","fields":[{"name":"a"}]})",
                           R"({"type":"fixed","name":"f","size":-1})", R"({"type":"array"})",
                           R"({"type":"enum","name":"e","symbols":[1]})"})
    EXPECT_EQ(AvroSchema::parse(text).status().code(), ErrorCode::kMalformedFile) << text;
  EXPECT_EQ(AvroSchema::parse(std::string(5000, '[') + std::string(5000, ']')).status().code(),
            ErrorCode::kMalformedFile);
}

TEST_F(Avro, TellsDamageApart) {
  const SchemaPtr schema = schema_of({"s STRING"});
  ASSERT_TRUE(
      write(schema, {batch_of(*schema, R"([["hello hello hello hello"], ["x"]])")}).is_ok());
  const std::string whole = *read_file(files_, "/f.avro");
  const auto reads = [&](const std::string& content) {
    EXPECT_TRUE(write_file_atomically(files_, "/f.avro", content).is_ok());
    return read(schema, {0});
  };
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Rows rows = reads(whole.substr(0, size));
    // A file that ends behind its header is one without rows.
    if (rows.empty()) continue;
    EXPECT_TRUE(rows[0].find("ends in the middle") != std::string::npos ||
                rows[0].find("is empty") != std::string::npos)
        << size << rows[0];
  }
  EXPECT_EQ(reads("PAR1 and so on"), (Rows{"is not an Avro file"}));
  std::string flipped = whole;
  flipped[whole.size() - 20] ^= 1;
  EXPECT_NE(reads(flipped)[0].find("block at byte"), std::string::npos);
  flipped = whole;
  flipped.back() ^= 1;
  EXPECT_NE(reads(flipped)[0].find("no sync marker"), std::string::npos);
  EXPECT_EQ(crc32("123456789"), 0xcbf43926U);
}

TEST_F(Avro, MessagesAreRecordsWithoutTheirSchema) {
  FormatRegistry registry;
  register_format_avro(registry);
  const Format& format = **registry.find("avro");
  const SchemaPtr schema = schema_of({"a INT", "s STRING"});
  const Batch batch = batch_of(*schema, R"([[1, "x"], [null, "y"]])");
  auto encoder = std::move(*format.make_encoder(schema, {}));
  std::vector<std::string> messages(2);
  for (std::size_t i = 0; i < 2; ++i)
    ASSERT_TRUE(encoder->encode_message(batch, static_cast<std::int64_t>(i), messages[i]).is_ok());
  EXPECT_EQ(messages[0], "\x02\x02\x02\x02x");
  messages.push_back(messages[0] + "!");
  messages.push_back("\x02");
  auto decoder = std::move(*format.make_decoder({schema, {1, 0}, {}}));
  std::vector<std::string_view> views(messages.begin(), messages.end());
  Rows bad;
  ASSERT_TRUE(decoder
                  ->decode_messages(views,
                                    [&](const BadRecord& record) {
                                      bad.push_back(std::to_string(record.line) + ' ' +
                                                    record.reason.message());
                                      return Status::ok();
                                    })
                  .is_ok());
  EXPECT_EQ(bad,
            (Rows{"2 1 bytes follow the record", "3 field 'a': ends in the middle of a value"}));
  EXPECT_EQ(to_rows(*decoder->take(), *schema_of({"s STRING", "a INT"})),
            (Rows{"+I[x, 1]", "+I[y, null]"}));
}

TEST_F(Avro, RefusesChangelogs) {
  const SchemaPtr schema = schema_of({"m MAP<STRING, INT>"});
  EXPECT_EQ(write(schema, {changelog_of(*schema, R"([["-D", []]])")}).code(),
            ErrorCode::kNotSupported);
}

}  // namespace
}  // namespace tidegate
