// SPDX-License-Identifier: Apache-2.0
#include "formats/format.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "formats/record_errors.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

Options option(const std::string& name, const std::string& value) {
  Options options;
  options.set(name, value);
  return options;
}

class Formats : public testing::Test {
 protected:
  Formats() { register_all_formats(formats_); }
  FormatRegistry formats_;
};

TEST_F(Formats, AreFoundByName) {
  for (const char* name : {"json", "csv", "raw", "parquet"}) {
    Result<const Format*> format = formats_.find(name);
    ASSERT_TRUE(format.is_ok()) << name;
    EXPECT_EQ((*format)->name, name);
    EXPECT_FALSE((*format)->description.empty());
  }
  const Status status = formats_.find("jsn").status();
  EXPECT_EQ(status.code(), ErrorCode::kUnknownName);
  EXPECT_EQ(status.message(), "there is no format 'jsn'; did you mean 'json'?");
}

TEST_F(Formats, RawTakesWholeLinesAndMessages) {
  const Format& raw = **formats_.find("raw");
  const SchemaPtr schema = schema_of({"line STRING"});
  auto decoder = raw.make_decoder({schema, {0}, option("max-record-size", "8 b")});
  ASSERT_TRUE(decoder.is_ok());
  std::vector<ErrorCode> bad;
  const BadRecordHandler on_bad = [&](const BadRecord& record) {
    bad.push_back(record.reason.code());
    return Status::ok();
  };
  ASSERT_TRUE((*decoder)->decode("a\r\n\n\xff\n123456789\nb", on_bad).is_ok());
  ASSERT_TRUE((*decoder)->decode_message("c\nd", on_bad).is_ok());
  EXPECT_EQ((*decoder)->num_lines(), 5);
  EXPECT_EQ(to_rows(*(*decoder)->take(), *schema),
            (std::vector<std::string>{"+I[a]", "+I[]", "+I[b]", "+I[c\nd]"}));
  EXPECT_EQ(bad, (std::vector<ErrorCode>{ErrorCode::kInvalidUtf8, ErrorCode::kRecordTooLarge}));

  auto encoder = raw.make_encoder(schema, Options());
  std::string out;
  ASSERT_TRUE((*encoder)->encode(batch_of(*schema, R"([["x"], [null]])"), out).is_ok());
  EXPECT_EQ(out, "x\n\n");
}

TEST_F(Formats, RawReadsBytesAsTheyAre) {
  const Format& raw = **formats_.find("raw");
  auto decoder = raw.make_decoder({schema_of({"line BYTES"}), {0}, Options()});
  ASSERT_TRUE(decoder.is_ok());
  ASSERT_TRUE(
      (*decoder)->decode("\xff\n", [](const BadRecord& bad) { return bad.reason; }).is_ok());
  EXPECT_EQ((*decoder)->num_rows(), 1);
}

TEST_F(Formats, RefuseTablesThatTheyCannotHold) {
  const auto decoder_code = [&](const char* format, const std::vector<std::string>& columns) {
    return (*formats_.find(format))->make_decoder({schema_of(columns), {0}, {}}).status().code();
  };
  EXPECT_EQ(decoder_code("raw", {"a INT"}), ErrorCode::kInvalidPlan);
  EXPECT_EQ(decoder_code("raw", {"a STRING", "b STRING"}), ErrorCode::kInvalidPlan);
  EXPECT_EQ(decoder_code("json", {"m MAP<INT, INT>"}), ErrorCode::kNotSupported);
  EXPECT_EQ(decoder_code("csv", {"m MAP<STRING, INT>"}), ErrorCode::kNotSupported);
  EXPECT_EQ(decoder_code("csv", {"l ARRAY<ARRAY<INT>>"}), ErrorCode::kNotSupported);
}

TEST(RecordErrors, PolicyFollowsTheOptions) {
  EXPECT_EQ(*record_error_policy(Options(), "json"), RecordErrorPolicy::kFail);
  EXPECT_EQ(*record_error_policy(option("error-policy", "skip"), "json"), RecordErrorPolicy::kSkip);
  EXPECT_EQ(*record_error_policy(option("json.ignore-parse-errors", "true"), "json"),
            RecordErrorPolicy::kSkip);
  EXPECT_EQ(*record_error_policy(option("json.ignore-parse-errors", "true"), "csv"),
            RecordErrorPolicy::kFail);
  Options both = option("json.ignore-parse-errors", "true");
  both.set("error-policy", "dead-letter");
  EXPECT_EQ(*record_error_policy(both, "json"), RecordErrorPolicy::kDeadLetter);
  EXPECT_EQ(record_error_policy(option("error-policy", "x"), "json").status().code(),
            ErrorCode::kInvalidOption);
}

}  // namespace
}  // namespace tidegate
