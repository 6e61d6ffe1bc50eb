// SPDX-License-Identifier: Apache-2.0
#include "formats/registry_avro.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "formats/column_builder.h"
#include "formats/format.h"

// What needs a registry is in tests/kafka/schema_registry_test.py.
namespace tidegate {
namespace {

using testing::HasSubstr;
using testing::Not;

Options options(std::initializer_list<std::pair<const char*, const char*>> more) {
  Options options;
  for (const auto& [name, value] : more) options.set(std::string("avro-confluent.") + name, value);
  return options;
}

TEST(SchemaRegistry, MessagesBeginWithTheNumberOfTheirSchema) {
  std::string message;
  append_schema_id(0x01020304, message);
  message += "rest";
  EXPECT_EQ(message, std::string("\0\1\2\3\4rest", 9));
  std::string_view view = message;
  EXPECT_EQ(*take_schema_id(view), 0x01020304);
  EXPECT_EQ(view, "rest");
  for (const std::string& bad :
       {std::string(), std::string("\0\0\0\0", 4), std::string("{\"a\":1}")}) {
    std::string_view text = bad;
    EXPECT_EQ(take_schema_id(text).status().code(), ErrorCode::kMalformedRecord);
  }
}

TEST(SchemaRegistry, OptionsThatMakeNoSense) {
  const auto code = [](const Options& given) {
    return SchemaRegistry::from("avro-confluent", given).status().code();
  };
  EXPECT_EQ(code(options({})), ErrorCode::kMissingOption);
  EXPECT_EQ(code(options({{"url", "host:8081"}})), ErrorCode::kInvalidOption);
  EXPECT_EQ(code(options({{"url", ""}})), ErrorCode::kInvalidOption);
  EXPECT_EQ(code(options({{"url", "http://h"}, {"timeout", "0 s"}})), ErrorCode::kInvalidOption);
  EXPECT_EQ(code(options({{"url", "http://h"}, {"basic-auth.credentials-source", "USER_INFO"}})),
            ErrorCode::kMissingOption);
  const Status status =
      SchemaRegistry::from("avro-confluent",
                           options({{"url", "http://h"},
                                    {"basic-auth.credentials-source", "USER_INFO"},
                                    {"basic-auth.user-info", "hidden"}}))
          .status();
  EXPECT_EQ(status.code(), ErrorCode::kInvalidOption);
  EXPECT_THAT(status.to_string(), Not(HasSubstr("hidden")));
  EXPECT_TRUE(
      SchemaRegistry::from("avro-confluent", options({{"url", "http://a, https://b/"}})).is_ok());
  EXPECT_EQ(code(options({{"url", "http://h"}, {"bearer-auth.credentials-source", "OAUTHBEARER"}})),
            ErrorCode::kInvalidOption);
}

TEST(SchemaRegistry, ARegistryThatIsNotThereIsNotABadMessage) {
  const auto registry =
      SchemaRegistry::from("avro-confluent", options({{"url", "http://user:pw@127.0.0.1:1/x"}}));
  ASSERT_TRUE(registry.is_ok());
  const LogicalType row = *LogicalType::parse("ROW<a BIGINT> NOT NULL");
  RegistryAvroReader reader(*registry, row, 100);
  ColumnBuilder rows(row);
  const Status status = reader.read(std::string_view("\0\0\0\0\1\0\2", 7), rows);
  EXPECT_EQ(status.code(), ErrorCode::kServiceUnreachable);
  EXPECT_THAT(status.message(), HasSubstr("127.0.0.1:1/x/schemas/ids/1"));
  EXPECT_THAT(status.message(), Not(HasSubstr("pw")));
  EXPECT_EQ(reader.read("wrong", rows).kind(), ErrorKind::kBadData);
  EXPECT_EQ(reader.read(std::string(200, 'x'), rows).code(), ErrorCode::kRecordTooLarge);
  EXPECT_EQ(rows.size(), 0);
}

TEST(HttpClient, UrlsAreShownWithoutTheUser) {
  EXPECT_EQ(without_user("https://a:b@host:1/p?x=@"), "https://host:1/p?x=@");
  EXPECT_EQ(without_user("http://host/a@b"), "http://host/a@b");
  EXPECT_EQ(without_user("http://host"), "http://host");
  EXPECT_EQ(without_user("http://host:80"), "http://host:80");
  EXPECT_EQ(without_user("http://[::1]:80/a"), "http://[::1]:80/a");
  EXPECT_EQ(without_user("http://a:b/c@host:1/p"), "http://host:1/p");
  EXPECT_EQ(without_user("a:b?c@host"), "host");
}

}  // namespace
}  // namespace tidegate
