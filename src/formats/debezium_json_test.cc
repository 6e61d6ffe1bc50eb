// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "formats/format.h"
#include "types/test_columns.h"

namespace tidegate {

void register_format_debezium_json(FormatRegistry& registry);

namespace {

using Rows = std::vector<std::string>;
using OptionMap = std::map<std::string, std::string, std::less<>>;

constexpr const char* kCreate = R"({"before":null,"after":{"a":1,"s":"x"},"op":"c"})";
constexpr const char* kUpdate = R"({"before":{"a":1,"s":"x"},"after":{"a":1,"s":"y"},"op":"u"})";
constexpr const char* kDelete = R"({"before":{"a":1,"s":"y"},"after":null,"op":"d"})";

class Debezium {
 public:
  explicit Debezium(const std::vector<std::string>& columns = {"a INT", "s STRING"},
                    const OptionMap& options = {}, std::vector<int> projection = {0, 1})
      : schema_(schema_of(columns)), options_(options) {
    register_format_debezium_json(registry_);
    std::vector<Field> fields;
    for (const int column : projection) fields.push_back(schema_->field(column));
    read_schema_ = std::make_shared<Schema>(std::move(fields));
    Result<std::unique_ptr<Decoder>> decoder =
        format().make_decoder({schema_, std::move(projection), options_});
    EXPECT_TRUE(decoder.is_ok()) << decoder.status().to_string();
    decoder_ = std::move(*decoder);
  }

  const Format& format() const { return **registry_.find("debezium-json"); }
  Decoder& decoder() { return *decoder_; }

  Rows rows(std::string input) {
    const std::size_t size = input.size();
    input.append(Decoder::kPadding, '"');
    EXPECT_TRUE(decoder_->decode(std::string_view(input).substr(0, size), handler()).is_ok());
    return take();
  }
  Rows messages(const std::vector<std::string_view>& messages) {
    EXPECT_TRUE(decoder_->decode_messages(messages, handler()).is_ok());
    return take();
  }
  std::string encode(std::string_view changes) {
    Result<std::unique_ptr<Encoder>> encoder = format().make_encoder(schema_, options_);
    if (!encoder.is_ok()) return encoder.status().message();
    std::string out;
    const Status status = (*encoder)->encode(changelog_of(*schema_, changes), out);
    return status.is_ok() ? out : status.message();
  }

  Rows bad;  // "<line> <code>: <message>"

 private:
  BadRecordHandler handler() {
    return [this](const BadRecord& record) {
      bad.push_back(std::to_string(record.line) + ' ' +
                    std::string(error_info(record.reason.code()).label) + ": " +
                    record.reason.message());
      return Status::ok();
    };
  }
  Rows take() {
    const std::int64_t count = decoder_->num_rows();
    Result<Batch> batch = decoder_->take();
    EXPECT_TRUE(batch.is_ok()) << batch.status().to_string();
    EXPECT_EQ(batch->num_rows(), count);
    EXPECT_EQ(decoder_->num_rows(), 0);
    insert_only = batch->insert_only();
    return to_rows(*batch, *read_schema_);
  }

 public:
  bool insert_only = false;

 private:
  FormatRegistry registry_;
  SchemaPtr schema_, read_schema_;
  Options options_;
  std::unique_ptr<Decoder> decoder_;
};

std::string lines(const Rows& records) {
  std::string out;
  for (const std::string& record : records) out += record + '\n';
  return out;
}

TEST(DebeziumJson, ReadsChanges) {
  Debezium debezium;
  EXPECT_EQ(debezium.rows(lines({kCreate, kUpdate, "", kDelete})),
            (Rows{"+I[1, x]", "-U[1, x]", "+U[1, y]", "-D[1, y]"}));
  EXPECT_FALSE(debezium.insert_only);
  // A snapshot; fields in another order, others in between, the unused row left out.
  EXPECT_EQ(debezium.rows(R"({"ts_ms":1,"op":"r","source":{"op":"d"},"after":{"s":null,"a":2}})"),
            (Rows{"+I[2, null]"}));
  EXPECT_TRUE(debezium.insert_only);
  EXPECT_EQ(debezium.rows(""), Rows());
  EXPECT_TRUE(debezium.bad.empty());
}

TEST(DebeziumJson, ReadsTheWantedColumnsOnly) {
  Debezium debezium({"a INT NOT NULL", "s STRING", "n ROW<x INT, l ARRAY<STRING>>"}, {}, {2, 0});
  EXPECT_EQ(debezium.rows(
                R"({"before":{"a":1,"n":null},"after":{"a":2,"n":{"x":3,"l":["p",null]}},"op":"u"})"
                "\n"
                R"({"before":{"a":2,"n":{"l":[]}},"after":null,"op":"d"})"),
            (Rows{"-U[null, 1]", "+U[+I[3, [p, null]], 2]", "-D[+I[null, []], 2]"}));
  Debezium none({"a INT"}, {}, {});
  EXPECT_EQ(none.rows(lines({kCreate, kUpdate})), (Rows{"+I[]", "-U[]", "+U[]"}));
}

TEST(DebeziumJson, OneBadRecordCostsItsNeighboursNothing) {
  const Rows records = {R"({"before":null,"after":{"a":7,"s":"x"},"op":"u"})",
                        R"({"before":null,"after":{"a":7},"op":"d"})",
                        R"({"before":{"a":7},"after":null,"op":"c"})",
                        R"({"after":{"a":7},"op":"t"})",
                        R"({"after":{"a":7}})",
                        R"({"after":{"a":"x"},"op":"c"})",
                        R"({"after":{"a":7},"op":"c")",
                        R"(null)"};
  const Rows expected = {
      "missing-field: field 'before' is missing or null in a change of kind 'u'",
      "missing-field: field 'before' is missing or null in a change of kind 'd'",
      "missing-field: field 'after' is missing or null in a change of kind 'c'",
      "malformed-record: field 'op' is 't', which is no kind of change for debezium-json",
      "missing-field: field 'op', the kind of change, is missing or null",
      "wrong-field-type: field 'after': field 'a': INT expected, got 'x'",
      "",
      ""};
  Rows all = {kCreate};
  Rows all_rows = {"+I[1, x]"};
  for (std::size_t i = 0; i < records.size(); ++i) {
    Debezium debezium;
    EXPECT_EQ(debezium.rows(lines({kUpdate, records[i], kDelete})),
              (Rows{"-U[1, x]", "+U[1, y]", "-D[1, y]"}));
    ASSERT_EQ(debezium.bad.size(), 1U) << records[i];
    EXPECT_TRUE(debezium.bad[0].starts_with("1 ")) << debezium.bad[0];
    if (!expected[i].empty()) {
      EXPECT_EQ(debezium.bad[0], "1 " + expected[i]);
    }
    all.push_back(records[i]);
    all.push_back(kDelete);
    all_rows.push_back("-D[1, y]");
  }
  Debezium debezium;
  EXPECT_EQ(debezium.rows(lines(all)), all_rows);
  EXPECT_EQ(debezium.bad.size(), records.size());
  std::vector<std::string_view> messages(all.begin(), all.end());
  messages.emplace_back();  // a tombstone
  debezium.bad.clear();
  EXPECT_EQ(debezium.messages(messages), all_rows);
  messages.pop_back();
  EXPECT_EQ(debezium.messages(messages), all_rows);
  EXPECT_EQ(debezium.bad.size(), 2 * records.size());
}

TEST(DebeziumJson, IgnoresValuesThatCannotBeRead) {
  Debezium debezium({"a INT", "s STRING"}, {{"debezium-json.ignore-parse-errors", "true"}});
  EXPECT_EQ(debezium.rows(R"({"after":{"a":"x","s":"y"},"op":"c"})"), (Rows{"+I[null, y]"}));
}

TEST(DebeziumJson, ManyRecordsGiveTheSameHoweverTheyAreCut) {
  std::string input;
  Rows expected;
  for (int i = 0; i < 4000; ++i) {
    const std::string row = R"({"a":)" + std::to_string(i) + R"(,"s":"t"})";
    const std::string text = "[" + std::to_string(i) + ", t]";
    if (i % 3 == 0) {
      input += R"({"before":null,"after":)" + row + R"(,"op":"c"})" + "\n";
      expected.push_back("+I" + text);
    } else if (i % 3 == 1) {
      input += R"({"before":)" + row + R"(,"after":)" + row + R"(,"op":"u"})" + "\n";
      expected.insert(expected.end(), {"-U" + text, "+U" + text});
    } else {
      input += R"({"before":)" + row + R"(,"after":null,"op":"d"})" + "\n";
      expected.push_back("-D" + text);
    }
    if (i % 1000 == 999) input += "{\"op\":\"x\"}\n";
  }
  Debezium debezium;
  EXPECT_EQ(debezium.rows(input), expected);
  EXPECT_EQ(debezium.bad.size(), 4U);
  Rows pieces;
  for (std::size_t at = 0; at < input.size();) {
    const std::size_t end = input.find('\n', std::min(at + 777, input.size() - 1)) + 1;
    for (std::string& row : debezium.rows(input.substr(at, end - at)))
      pieces.push_back(std::move(row));
    at = end;
  }
  EXPECT_EQ(pieces, expected);
}

TEST(DebeziumJson, ReadsPayloadsBesideASchema) {
  Debezium debezium({"a INT", "s STRING"}, {{"debezium-json.schema-include", "true"}});
  EXPECT_EQ(debezium.rows(R"({"schema":{"op":1},"payload":)" + std::string(kUpdate) + "}\n" +
                          R"({"schema":null,"payload":null})" + "\n" + kCreate),
            (Rows{"-U[1, x]", "+U[1, y]"}));
  EXPECT_EQ(debezium.bad.size(), 2U);
  EXPECT_EQ(debezium.encode("[]"),
            "option 'debezium-json.schema-include' is for reading; changes are written without a "
            "schema");
}

TEST(DebeziumJson, WritesEveryRowAsAChangeOfItsOwn) {
  Debezium debezium;
  EXPECT_EQ(debezium.encode(R"([["+I", 1, "x"], ["-U", 1, "x"], ["+U", 1, null], ["-D", 1, ""]])"),
            R"({"before":null,"after":{"a":1,"s":"x"},"op":"c"})"
            "\n"
            R"({"before":{"a":1,"s":"x"},"after":null,"op":"d"})"
            "\n"
            R"({"before":null,"after":{"a":1,"s":null},"op":"c"})"
            "\n"
            R"({"before":{"a":1,"s":""},"after":null,"op":"d"})"
            "\n");
  Debezium sparse({"t TIMESTAMP(3)", "d DECIMAL(20, 10)"},
                  {{"debezium-json.encode.ignore-null-fields", "true"},
                   {"debezium-json.timestamp-format.standard", "iso-8601"},
                   {"debezium-json.encode.decimal-as-plain-number", "true"}});
  EXPECT_EQ(sparse.encode(R"([["+I", "2020-10-10 00:00:01", null], ["-D", null, "0.0000000001"]])"),
            R"({"after":{"t":"2020-10-10T00:00:01"},"op":"c"})"
            "\n"
            R"({"before":{"d":0.0000000001},"op":"d"})"
            "\n");
}

TEST(DebeziumJson, WhatIsWrittenReadsBack) {
  const std::vector<std::string> columns = {"a INT", "l ARRAY<DOUBLE>", "m MAP<STRING, BYTES>"};
  const std::string changes = R"([["+I", 1, [1.5, null], [["k", "v"]]], ["-D", null, null, []]])";
  Debezium debezium(columns, {}, {0, 1, 2});
  const SchemaPtr schema = schema_of(columns);
  EXPECT_EQ(debezium.rows(debezium.encode(changes)),
            to_rows(changelog_of(*schema, changes), *schema));
}

TEST(DebeziumJson, RefusesMapsThatJsonCannotSay) {
  Debezium debezium;
  const SchemaPtr schema = schema_of({"m MAP<INT, INT>"});
  EXPECT_EQ(debezium.format().make_encoder(schema, {}).status().code(), ErrorCode::kNotSupported);
  EXPECT_EQ(debezium.format().make_decoder({schema, {0}, {}}).status().code(),
            ErrorCode::kNotSupported);
}

}  // namespace
}  // namespace tidegate
