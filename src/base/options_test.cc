// SPDX-License-Identifier: Apache-2.0
#include "base/options.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidegate {
namespace {

using std::chrono::milliseconds;

milliseconds duration(std::string_view text) {
  const Result<milliseconds> result = parse_duration(text);
  EXPECT_TRUE(result.is_ok()) << result.status().to_string();
  return result.is_ok() ? *result : milliseconds(-1);
}

std::int64_t size(std::string_view text) {
  const Result<std::int64_t> result = parse_size(text);
  EXPECT_TRUE(result.is_ok()) << result.status().to_string();
  return result.is_ok() ? *result : -1;
}

TEST(ParseDurationTest, TakesEveryFormOfFlink) {
  EXPECT_EQ(duration("10 s"), milliseconds(10'000));
  EXPECT_EQ(duration("5min"), milliseconds(300'000));
  EXPECT_EQ(duration("1 min"), milliseconds(60'000));
  EXPECT_EQ(duration("1m"), milliseconds(60'000));
  EXPECT_EQ(duration("2 MINUTES"), milliseconds(120'000));
  EXPECT_EQ(duration("100ms"), milliseconds(100));
  EXPECT_EQ(duration("250"), milliseconds(250));
  EXPECT_EQ(duration("0"), milliseconds(0));
  EXPECT_EQ(duration("  3   Hours "), milliseconds(10'800'000));
  EXPECT_EQ(duration("1 d"), milliseconds(86'400'000));
  EXPECT_EQ(duration("7 days"), milliseconds(604'800'000));
  EXPECT_EQ(duration("3000 us"), milliseconds(3));
  EXPECT_EQ(duration("3000 \u00b5s"), milliseconds(3));
  EXPECT_EQ(duration("2000000 nanos"), milliseconds(2));
}

TEST(ParseDurationTest, RefusesWhatItCannotKeep) {
  for (const std::string_view text :
       {"", " ", "s", "-1 s", "1.5 s", "1 parsec", "10 s 5", "1 s s", "0x10 ms", "1500 us",
        "9223372036854775807 s", "9223372036854775808", "10 ms\n5"}) {
    const Result<milliseconds> result = parse_duration(text);
    ASSERT_FALSE(result.is_ok()) << text;
    EXPECT_EQ(result.status().code(), ErrorCode::kInvalidOption);
  }
  EXPECT_EQ(duration("9223372036854775807 ms").count(), std::numeric_limits<std::int64_t>::max());
}

TEST(ParseSizeTest, CountsInPowersOfTwo) {
  EXPECT_EQ(size("1024"), 1'024);
  EXPECT_EQ(size("12b"), 12);
  EXPECT_EQ(size("1 kb"), 1'024);
  EXPECT_EQ(size("64mb"), 64 << 20);
  EXPECT_EQ(size("64 m"), 64 << 20);
  EXPECT_EQ(size("1 MiB"), 1 << 20);
  EXPECT_EQ(size("512MiB"), 512 << 20);
  EXPECT_EQ(size("2g"), std::int64_t{2} << 30);
  EXPECT_EQ(size("3 tebibytes"), std::int64_t{3} << 40);
  for (const std::string_view text : {"", "mb", "-1", "1.5g", "1 pb", "9000000 tb"}) {
    EXPECT_FALSE(parse_size(text).is_ok()) << text;
  }
}

TEST(OptionsTest, FallsBackWhenAbsent) {
  const Options options;
  EXPECT_FALSE(options.has("x"));
  EXPECT_EQ(options.get_string("x").status().code(), ErrorCode::kMissingOption);
  EXPECT_EQ(options.get_string_or("x", "y"), "y");
  EXPECT_EQ(*options.get_int_or("x", 7), 7);
  EXPECT_EQ(*options.get_double_or("x", 0.5), 0.5);
  EXPECT_EQ(*options.get_bool_or("x", true), true);
  EXPECT_EQ(*options.get_size_or("x", 9), 9);
  EXPECT_EQ(*options.get_duration_or("x", milliseconds(8)), milliseconds(8));
  EXPECT_EQ(*options.get_choice_or("x", "a|b", "b"), "b");
}

TEST(OptionsTest, ReadsTypedValues) {
  Options options({{"i", " -42 "},
                   {"p", "+7"},
                   {"d", "1e3"},
                   {"b", "TRUE"},
                   {"s", "1 kb"},
                   {"t", "1 s"},
                   {"c", "Earliest-Offset"}});
  options.set("name", "  kept as it is ");
  EXPECT_EQ(*options.get_int_or("i", 0), -42);
  EXPECT_EQ(*options.get_int_or("p", 0), 7);
  EXPECT_EQ(*options.get_double_or("d", 0), 1000);
  EXPECT_EQ(*options.get_bool_or("b", false), true);
  EXPECT_EQ(*options.get_size_or("s", 0), 1'024);
  EXPECT_EQ(*options.get_duration_or("t", milliseconds(0)), milliseconds(1'000));
  EXPECT_EQ(*options.get_choice_or("c", "earliest-offset|latest-offset", ""), "earliest-offset");
  EXPECT_EQ(*options.get_string("name"), "  kept as it is ");
}

TEST(OptionsTest, WrongValuesAreNamedWithTheirForm) {
  const Options options({{"i", "12x"},
                         {"big", "9223372036854775808"},
                         {"d", "nan"},
                         {"b", "1"},
                         {"c", "sideways"},
                         {"e", ""}});
  EXPECT_EQ(options.get_int_or("i", 0).status().message(), "option 'i': '12x' is not an integer");
  EXPECT_FALSE(options.get_int_or("big", 0).is_ok());
  EXPECT_FALSE(options.get_int_or("e", 0).is_ok());
  EXPECT_FALSE(options.get_double_or("d", 0).is_ok());
  EXPECT_EQ(options.get_bool_or("b", false).status().message(),
            "option 'b': '1' is not true or false");
  EXPECT_EQ(options.get_choice_or("c", "up|down", "up").status().message(),
            "option 'c': 'sideways' is not one of up, down");
  EXPECT_EQ(options.get_choice_or("c", "up|down", "up").status().code(), ErrorCode::kInvalidOption);
}

Options make_options(std::map<std::string, std::string, std::less<>> values) {
  return Options(std::move(values));
}

const std::vector<OptionSpec>& kafka_specs() {
  static const std::vector<OptionSpec> specs = {
      {.name = "topic", .type = "string", .description = "The topic.", .required = true},
      {.name = "scan.startup.mode", .type = "earliest-offset|latest-offset"},
      {.name = "scan.interval", .type = "duration"},
      {.name = "pin", .type = "integer", .secret = true},
      {.name = "properties.*", .type = "string"},
      {.name = "properties.retries", .type = "integer"},
  };
  return specs;
}

Status validate(std::map<std::string, std::string, std::less<>> values) {
  return Options(std::move(values)).validate(kafka_specs(), "connector 'kafka'");
}

TEST(OptionsValidateTest, AcceptsWhatTheSpecsTake) {
  const Status status = validate({{"topic", "clicks"},
                                  {"scan.startup.mode", "LATEST-OFFSET"},
                                  {"scan.interval", "5 s"},
                                  {"properties.retries", "3"},
                                  {"properties.anything.at.all", "x"}});
  EXPECT_TRUE(status.is_ok()) << status.to_string();
}

TEST(OptionsValidateTest, UnknownOptionGetsASuggestion) {
  const Status status = validate({{"topic", "t"}, {"scan.start.mode", "latest-offset"}});
  EXPECT_EQ(status.code(), ErrorCode::kUnknownOption);
  EXPECT_EQ(status.message(),
            "connector 'kafka': unknown option 'scan.start.mode'; did you mean "
            "'scan.startup.mode'?");
}

TEST(OptionsValidateTest, UnknownOptionWithoutNeighbourGetsTheList) {
  const Status status = validate({{"topic", "t"}, {"zzz", "1"}});
  EXPECT_EQ(status.message(),
            "connector 'kafka': unknown option 'zzz'; there are: pin, properties.*, "
            "properties.retries, scan.interval, scan.startup.mode, topic");
  EXPECT_EQ(make_options({{"zzz", "1"}}).validate({}, "format 'x'").message(),
            "format 'x': unknown option 'zzz'; there are: none");
}

TEST(OptionsValidateTest, AStarNeedsASuffix) {
  EXPECT_EQ(validate({{"topic", "t"}, {"properties.", "x"}}).code(), ErrorCode::kUnknownOption);
}

TEST(OptionsValidateTest, TheExactSpecWinsOverTheStar) {
  EXPECT_EQ(validate({{"topic", "t"}, {"properties.retries", "many"}}).message(),
            "connector 'kafka': option 'properties.retries': 'many' is not an integer");
}

TEST(OptionsValidateTest, RequiredOptionIsMissed) {
  const Status status = validate({});
  EXPECT_EQ(status.code(), ErrorCode::kMissingOption);
  EXPECT_EQ(status.message(), "connector 'kafka': option 'topic' is required (The topic.)");
}

TEST(OptionsValidateTest, SecretsAreNeverPrinted) {
  const Status marked = validate({{"topic", "t"}, {"pin", "12e4-hush"}});
  EXPECT_EQ(marked.message(), "connector 'kafka': option 'pin': *** is not an integer");
  const Options options = make_options({{"properties.sasl.password", "hush"}});
  EXPECT_EQ(options.get_int_or("properties.sasl.password", 0).status().message(),
            "option 'properties.sasl.password': *** is not an integer");
}

TEST(OptionsValidateTest, LongValuesAreCut) {
  const Status status = validate({{"topic", "t"}, {"scan.interval", std::string(100'000, 'x')}});
  EXPECT_LT(status.message().size(), 500);
}

TEST(IsSecretNameTest, KnowsTheUsualNames) {
  EXPECT_TRUE(is_secret_name("properties.sasl.password"));
  EXPECT_TRUE(is_secret_name("AWS.Secret.Access.Key"));
  EXPECT_TRUE(is_secret_name("properties.sasl.jaas.config"));
  EXPECT_FALSE(is_secret_name("properties.bootstrap.servers"));
  EXPECT_FALSE(is_secret_name("key.format"));
}

TEST(NearestNameTest, FindsTypingErrors) {
  const std::vector<std::string> names = {"connector", "topic", "format", "path", "scan.interval"};
  EXPECT_EQ(nearest_name("topc", names), "topic");
  EXPECT_EQ(nearest_name("tpoic", names), "topic");
  EXPECT_EQ(nearest_name("FORMAT", names), "format");
  EXPECT_EQ(nearest_name("scan_interval", names), "scan.interval");
  EXPECT_EQ(nearest_name("conector", names), "connector");
}

TEST(NearestNameTest, SaysNothingWhenNothingIsNear) {
  const std::vector<std::string> names = {"topic", "format", "id"};
  EXPECT_EQ(nearest_name("zzzzz", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("xy", names), "");
  EXPECT_EQ(nearest_name("topic", {}), "");
  EXPECT_EQ(nearest_name(std::string(1'000'000, 'a'), names), "");
}

TEST(NearestNameTest, FirstOfEquallyNearOnesWins) {
  EXPECT_EQ(nearest_name("max2", {"max1", "max3"}), "max1");
  EXPECT_EQ(nearest_name("max3", {"max1", "max3"}), "max3");
}

}  // namespace
}  // namespace tidegate
