// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "functions/test_evaluation.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

ExprPtr ts(std::string_view text, int precision = 3) {
  return *lit_text(text, LogicalType::timestamp(precision));
}
ExprPtr date(std::string_view text) { return *lit_text(text, LogicalType(TypeKind::kDate)); }

std::string extracted(const char* unit, const ExprPtr& from, EvalContext context = {}) {
  return evaluate(call("EXTRACT", {lit(unit), from}), context);
}

TEST(ExtractTest, Parts) {
  const ExprPtr moment = ts("2020-10-15 12:34:56.123456789", 9);
  EXPECT_EQ(extracted("YEAR", moment), "2020");
  EXPECT_EQ(extracted("QUARTER", moment), "4");
  EXPECT_EQ(extracted("MONTH", moment), "10");
  EXPECT_EQ(extracted("DAY", moment), "15");
  EXPECT_EQ(extracted("DOY", moment), "289");
  EXPECT_EQ(extracted("DOW", moment), "5");
  EXPECT_EQ(extracted("ISODOW", moment), "4");
  EXPECT_EQ(extracted("HOUR", moment), "12");
  EXPECT_EQ(extracted("MINUTE", moment), "34");
  EXPECT_EQ(extracted("SECOND", moment), "56");
  EXPECT_EQ(extracted("MILLISECOND", moment), "123");
  EXPECT_EQ(extracted("MICROSECOND", moment), "123456");
  EXPECT_EQ(extracted("NANOSECOND", moment), "123456789");
  EXPECT_EQ(extracted("EPOCH", moment), "1602765296");
  EXPECT_EQ(extracted("DECADE", moment), "202");
  EXPECT_EQ(extracted("CENTURY", moment), "21");
  EXPECT_EQ(extracted("CENTURY", date("2000-01-01")), "20");
  EXPECT_EQ(extracted("MILLENNIUM", moment), "3");
  // Before 1970, and the turn of ISO years.
  EXPECT_EQ(extracted("SECOND", ts("1969-12-31 23:59:58.5")), "58");
  EXPECT_EQ(extracted("WEEK", date("2021-01-03")), "53");
  EXPECT_EQ(extracted("ISOYEAR", date("2021-01-03")), "2020");
  EXPECT_EQ(extracted("WEEK", date("2019-12-30")), "1");
  EXPECT_EQ(extracted("DOW", date("1969-12-28")), "1");
  EXPECT_EQ(extracted("HOUR", typed("-7200000", "INTERVAL DAY TO SECOND")), "-2");
  EXPECT_EQ(extracted("MONTH", typed("14", "INTERVAL YEAR TO MONTH")), "2");
}

TEST(ExtractTest, InstantsAreInTheSessionsZone) {
  EvalContext berlin{.time_zone = "Europe/Berlin"};
  const ExprPtr instant = *lit_text("2020-07-01 22:30:00Z", LogicalType::timestamp_ltz(3));
  EXPECT_EQ(extracted("HOUR", instant, berlin), "0");
  EXPECT_EQ(extracted("DAY", instant, berlin), "2");
  EXPECT_EQ(extracted("EPOCH", instant, berlin), "1593642600");
}

TEST(ExtractTest, WrongUnits) {
  EXPECT_EQ(type_text(call("EXTRACT", {lit("FORTNIGHT"), date("2020-01-01")})),
            "EXTRACT('FORTNIGHT', DATE '2020-01-01'): EXTRACT: there is no unit of time FORTNIGHT");
  EXPECT_EQ(
      type_of(call("EXTRACT", {lit("YEAR"), typed("10:00", "TIME")}), Schema(), builtin_functions())
          .status()
          .code(),
      ErrorCode::kTypeMismatch);
}

TEST(TimeRoundingTest, FloorAndCeil) {
  const auto both = [](const char* text, const char* unit) {
    return Texts({evaluate(call("FLOOR", {ts(text, 0), lit(unit)})),
                  evaluate(call("CEIL", {ts(text, 0), lit(unit)}))});
  };
  constexpr const char* kMoment = "2020-10-15 12:34:56";
  EXPECT_EQ(both(kMoment, "MINUTE"), Texts({"2020-10-15 12:34:00", "2020-10-15 12:35:00"}));
  EXPECT_EQ(both(kMoment, "HOUR"), Texts({"2020-10-15 12:00:00", "2020-10-15 13:00:00"}));
  EXPECT_EQ(both(kMoment, "DAY"), Texts({"2020-10-15 00:00:00", "2020-10-16 00:00:00"}));
  EXPECT_EQ(both(kMoment, "WEEK"), Texts({"2020-10-11 00:00:00", "2020-10-18 00:00:00"}));
  EXPECT_EQ(both(kMoment, "MONTH"), Texts({"2020-10-01 00:00:00", "2020-11-01 00:00:00"}));
  EXPECT_EQ(both(kMoment, "QUARTER"), Texts({"2020-10-01 00:00:00", "2021-01-01 00:00:00"}));
  EXPECT_EQ(both(kMoment, "YEAR"), Texts({"2020-01-01 00:00:00", "2021-01-01 00:00:00"}));
  EXPECT_EQ(both(kMoment, "CENTURY"), Texts({"2001-01-01 00:00:00", "2101-01-01 00:00:00"}));
  EXPECT_EQ(both("1969-12-31 23:59:59", "HOUR"),
            Texts({"1969-12-31 23:00:00", "1970-01-01 00:00:00"}));
  EXPECT_EQ(both("2020-10-01 00:00:00", "MONTH"),
            Texts({"2020-10-01 00:00:00", "2020-10-01 00:00:00"}));
  EXPECT_EQ(evaluate(call("FLOOR", {date("2020-10-15"), lit("YEAR")})), "2020-01-01");
  EXPECT_EQ(evaluate(call("FLOOR", {typed("12:34:56", "TIME"), lit("HOUR")})), "12:00:00");
  EvalContext berlin{.time_zone = "Europe/Berlin"};
  EXPECT_EQ(
      evaluate(call("FLOOR",
                    {*lit_text("2020-07-01 22:30:00Z", LogicalType::timestamp_ltz(0)), lit("DAY")}),
               berlin),
      "2020-07-02 00:00:00");
}

TEST(TimeDifferenceTest, Differences) {
  const auto diff = [](const char* unit, const char* a, const char* b) {
    return evaluate(call("TIMESTAMPDIFF", {lit(unit), ts(a), ts(b)}));
  };
  EXPECT_EQ(diff("MONTH", "2020-01-31 00:00:00", "2020-02-29 00:00:00"), "1");
  EXPECT_EQ(diff("MONTH", "2020-01-31 12:00:00", "2020-02-29 11:00:00"), "0");
  EXPECT_EQ(diff("MONTH", "2020-03-31 12:00:00", "2020-02-29 11:00:00"), "-2");
  EXPECT_EQ(diff("MONTH", "2020-03-31 12:00:00", "2020-02-29 13:00:00"), "-1");
  EXPECT_EQ(diff("MONTH", "2020-02-29 00:00:00", "2020-01-31 00:00:00"), "-1");
  EXPECT_EQ(diff("MONTH", "2020-01-31 00:00:00", "2020-03-31 00:00:00"), "2");
  EXPECT_EQ(diff("MONTH", "2020-03-01 00:00:00", "2020-01-31 23:59:59"), "-1");
  EXPECT_EQ(diff("YEAR", "2020-02-29 12:00:00", "2021-02-28 12:00:00"), "1");
  EXPECT_EQ(diff("QUARTER", "2020-01-01 00:00:00", "2020-12-31 00:00:00"), "3");
  EXPECT_EQ(diff("DAY", "2020-01-01 12:00:00", "2020-01-02 11:59:59"), "0");
  EXPECT_EQ(diff("DAY", "2020-01-02 11:59:59", "2020-01-01 12:00:00"), "0");
  EXPECT_EQ(diff("WEEK", "2020-01-01 00:00:00", "2020-01-15 00:00:00"), "2");
  EXPECT_EQ(diff("SECOND", "1969-12-31 23:59:59.500", "1970-01-01 00:00:01.000"), "1");
  EXPECT_EQ(
      evaluate(call("TIMESTAMPDIFF", {lit("DAY"), date("2020-01-01"), ts("2020-01-03 00:00:00")})),
      "2");
}

TEST(TimeDifferenceTest, Sums) {
  const auto sum = [](const char* unit, std::int32_t n, const ExprPtr& to) {
    return evaluate(call("TIMESTAMPADD", {lit(unit), lit(n), to}));
  };
  EXPECT_EQ(sum("MONTH", 1, date("2020-01-31")), "2020-02-29");
  EXPECT_EQ(sum("MONTH", -11, ts("2020-12-31 10:00:00")), "2020-01-31 10:00:00.000");
  EXPECT_EQ(sum("HOUR", -1, ts("1970-01-01 00:30:00")), "1969-12-31 23:30:00.000");
  EXPECT_EQ(sum("HOUR", 1, date("2020-01-31")), "2020-01-31 01:00:00.000000");
  EXPECT_EQ(sum("HOUR", 25, typed("23:30:00", "TIME")), "00:30:00");
  EXPECT_EQ(sum("DAY", 1, typed("10:00:00", "TIME")), "10:00:00");
  EXPECT_EQ(sum("QUARTER", 1, date("2020-11-30")), "2021-02-28");
  EXPECT_EQ(evaluate(call("TIMESTAMPDIFF",
                          {lit("MINUTE"), typed("10:00:00", "TIME"), typed("11:30:00", "TIME")})),
            "90");
  EXPECT_EQ(sum("SQL_TSI_DAY", 1, date("2020-02-28")), "2020-02-29");
  EXPECT_EQ(sum("MICROSECOND", 1, ts("1970-01-01 00:00:00")), "1970-01-01 00:00:00.000001");
  EXPECT_EQ(over(call("TIMESTAMPADD", {lit("DAY"), col(1), col(0)}), {"d DATE", "n INT"},
                 "[[0, 1], [0, null], [null, 1]]"),
            Texts({"1970-01-02", "NULL", "NULL"}));
}

TEST(DateFormatTest, Patterns) {
  const auto format = [](const char* pattern) {
    return evaluate(call("DATE_FORMAT", {ts("2020-01-05 15:04:09.007"), lit(pattern)}));
  };
  EXPECT_EQ(format("yyyy-MM-dd'T'HH:mm:ss.SSS"), "2020-01-05T15:04:09.007");
  EXPECT_EQ(format("d.M.yy h:m:s a"), "5.1.20 3:4:9 PM");
  EXPECT_EQ(format("EEEE, MMM d ''yy"), "Sunday, Jan 5 '20");
  EXPECT_EQ(format("DDD k K S"), "005 15 3 0");
  EXPECT_EQ(format("D w ww W e F u Y G"), "5 2 02 2 1 5 2020 2020 AD");
  EXPECT_EQ(format("[yyyy][ MM]"), "2020 01");
  EXPECT_EQ(format("Q QQQ A n N"), "1 Q1 54249007 7000000 54249007000000");
  EXPECT_EQ(format("yyyyy yyy y MMMMM EEEEE"), "02020 2020 2020 J S");
  EXPECT_EQ(evaluate(call("DATE_FORMAT", {ts("2020-12-29 15:04:09"), lit("YYYY LLL ee ww W F")})),
            "2021 Dec 03 01 5 1");
  EXPECT_EQ(type_text(call("DATE_FORMAT", {ts("2020-01-05 15:04:09"), lit("yyyy o")})),
            "DATE_FORMAT(TIMESTAMP '2020-01-05 15:04:09.000', 'yyyy o'): date pattern 'yyyy o': "
            "letter o is not supported");
  EXPECT_EQ(over(call("DATE_FORMAT", {col(0), col(1)}), {"t TIMESTAMP(3)", "p STRING"},
                 R"([[0, "yyyy"], [0, null], [null, "yyyy"]])"),
            Texts({"1970", "NULL", "NULL"}));
  EvalContext berlin{.time_zone = "Europe/Berlin"};
  const ExprPtr instant = *lit_text("2020-07-01 22:30:00Z", LogicalType::timestamp_ltz(3));
  EXPECT_EQ(evaluate(call("DATE_FORMAT", {instant, lit("HH XXX Z")}), berlin), "00 +02:00 +0200");
}

TEST(DateFormatTest, OfTexts) {
  const auto format = [](const char* text, const char* pattern) {
    return evaluate(call("DATE_FORMAT", {lit(text), lit(pattern)}));
  };
  EXPECT_EQ(format("2020-01-05 15:04:09", "HH:mm"), "15:04");
  EXPECT_EQ(format("2020-01-05 15:04:09", "u D E a"), "7 5 Sun PM");
  EXPECT_EQ(format("2020-13-05 15:04:09", "yyyy-MM-dd"), "2021-01-05");
  EXPECT_EQ(format("2020-01-05", "yyyy"), "NULL");
  EXPECT_EQ(format("soon", "yyyy"), "NULL");
}

TEST(DateFormatTest, ToTimestampIsExact) {
  const auto read = [](const char* text, const char* pattern) {
    return evaluate(call("TO_TIMESTAMP", {lit(text), lit(pattern)}));
  };
  EXPECT_EQ(read("20201010123456", "yyyyMMddHHmmss"), "2020-10-10 12:34:56.000");
  EXPECT_EQ(read("10 October 2020", "d MMMM yyyy"), "2020-10-10 00:00:00.000");
  EXPECT_EQ(read("10 october 2020", "d MMMM yyyy"), "NULL");
  EXPECT_EQ(read("12:00 am", "hh:mm a"), "NULL");
  EXPECT_EQ(read("12:00 AM", "hh:mm a"), "1970-01-01 00:00:00.000");
  EXPECT_EQ(read("12:00 PM", "hh:mm a"), "1970-01-01 12:00:00.000");
  EXPECT_EQ(read("2020-10-10 1.25", "yyyy-MM-dd H.S"), "NULL");
  EXPECT_EQ(read("2020-10-10 1.2", "yyyy-MM-dd H.S"), "2020-10-10 01:00:00.200");
  EXPECT_EQ(read("2020-060", "yyyy-DDD"), "2020-02-29 00:00:00.000");
  EXPECT_EQ(read("2020-02-31", "yyyy-MM-dd"), "2020-02-29 00:00:00.000");
  EXPECT_EQ(read("2020-10-10 24:00:00", "yyyy-MM-dd HH:mm:ss"), "2020-10-11 00:00:00.000");
  EXPECT_EQ(read("99", "yy"), "2099-01-01 00:00:00.000");
  EXPECT_EQ(read("2020-10-10T12:34:56+02:00", "yyyy-MM-dd'T'HH:mm:ssXXX"),
            "2020-10-10 12:34:56.000");
  for (const char* bad : {"2020-13-01", "2020-10-32", "2020-1", "2020-01-01x", "", "a-b-c"})
    EXPECT_EQ(read(bad, "yyyy-MM-dd"), "NULL") << bad;
  constexpr const char* kOptional = "yyyy/MM/dd[ HH:mm[:ss]]";
  EXPECT_EQ(read("2020/10/11", kOptional), "2020-10-11 00:00:00.000");
  EXPECT_EQ(read("2020/10/11 12:30", kOptional), "2020-10-11 12:30:00.000");
  EXPECT_EQ(read("2020/10/11 12:30:15", kOptional), "2020-10-11 12:30:15.000");
  EXPECT_EQ(read("2020/10/11 12", kOptional), "NULL");
  EXPECT_EQ(read("1/2/2020", "dd/MM/yyyy"), "NULL");
  EXPECT_EQ(read("2020-10-10", "nope"), "NULL");
  // A text of the usual form is read whatever the pattern is.
  EXPECT_EQ(read("2020-1-1", "yyyy-MM-dd"), "2020-01-01 00:00:00.000");
  EXPECT_EQ(read("2020-10-10 25:00:00", "yyyy-MM-dd HH:mm:ss"), "2020-10-11 01:00:00.000");
  EXPECT_EQ(read("2020-10-10 12:34:56.1", "yyyy-MM-dd HH:mm:ss.SSS"), "2020-10-10 12:34:56.100");
}

TEST(DateFormatTest, TextsWithoutAPattern) {
  EXPECT_EQ(over(call("TO_TIMESTAMP", {col(0)}), {"s STRING"},
                 R"([["2020-1-1 1:2:3"], ["2020-10-10"], ["2020-10-10 12:34:56.123456789"],
                     ["2020-02-30 12:34:56"], ["2020-10-10T12:34:56"], ["2020-10-10 12:34"],
                     [" 2020-10-10"], ["20201010"], [null]])"),
            Texts({"2020-01-01 01:02:03.000", "2020-10-10 00:00:00.000", "2020-10-10 12:34:56.123",
                   "2020-02-29 12:34:56.000", "NULL", "NULL", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(over(call("TO_DATE", {col(0)}), {"s STRING"},
                 R"([["2020-10-10"], ["2020-1-1"], ["2020-10-10 12:00:00"], ["2020-02-30"], ["x"],
                     [null]])"),
            Texts({"2020-10-10", "2020-01-01", "2020-10-10", "NULL", "NULL", "NULL"}));
}

TEST(DateFormatTest, ToDateIsLenient) {
  const auto read = [](const char* text, const char* pattern) {
    return evaluate(call("TO_DATE", {lit(text), lit(pattern)}));
  };
  EXPECT_EQ(read("1/2/2020", "dd/MM/yyyy"), "2020-02-01");
  EXPECT_EQ(read("2020-13-01", "yyyy-MM-dd"), "2021-01-01");
  EXPECT_EQ(read("2020-02-30", "yyyy-MM-dd"), "2020-03-01");
  EXPECT_EQ(read("2020-10-10x", "yyyy-MM-dd"), "2020-10-10");
  EXPECT_EQ(read(" 2020-10-10", "yyyy-MM-dd"), "2020-10-10");
  EXPECT_EQ(read("99-10-10", "yy-MM-dd"), "1999-10-10");
  EXPECT_EQ(read("20-10-10", "yy-MM-dd"), "2020-10-10");
  EXPECT_EQ(read("10 oct 2020", "dd MMM yyyy"), "2020-10-10");
  EXPECT_EQ(read("x", "yyyy"), "NULL");
}

TEST(DateFormatTest, UnixTimesAreInTheSessionsZone) {
  EvalContext berlin{.time_zone = "Europe/Berlin"};
  EXPECT_EQ(evaluate(call("FROM_UNIXTIME", {lit(0)}), berlin), "1970-01-01 01:00:00");
  EXPECT_EQ(evaluate(call("FROM_UNIXTIME", {lit(-1)})), "1969-12-31 23:59:59");
  const auto seconds = [&](const char* text) {
    return evaluate(call("UNIX_TIMESTAMP", {lit(text)}), berlin);
  };
  EXPECT_EQ(seconds("1970-01-01 01:00:00"), "0");
  EXPECT_EQ(seconds("1970-1-1 1:0:10xyz"), "10");
  EXPECT_EQ(seconds("1970-01-01 25:00:00"), "86400");
  EXPECT_EQ(seconds("soon"), "-9223372036854775808");
  EXPECT_EQ(seconds("1970-01-01"), "-9223372036854775808");
  EXPECT_EQ(evaluate(call("UNIX_TIMESTAMP",
                          {lit("1970-01-01 00:00:08 +0800"), lit("yyyy-MM-dd HH:mm:ss Z")}),
                     berlin),
            "-28792");
  EXPECT_EQ(evaluate(call("UNIX_TIMESTAMP", {lit("1970-01-01 00:00:08.001 +0800"),
                                             lit("yyyy-MM-dd HH:mm:ss.SSS X")})),
            "-28791");
  EXPECT_EQ(evaluate(call("UNIX_TIMESTAMP", {})), "1602288001");
}

TEST(InstantsTest, FromNumbers) {
  const auto instant = [](const ExprPtr& number, std::int32_t precision) {
    return evaluate(call("TO_TIMESTAMP_LTZ", {number, lit(precision)}));
  };
  EXPECT_EQ(over(call("TO_TIMESTAMP_LTZ", {col(0), lit(3)}), {"n BIGINT"}, "[[1500], [null]]"),
            Texts({"1970-01-01 00:00:01.500", "NULL"}));
  EXPECT_EQ(evaluate(call("TO_TIMESTAMP_LTZ", {lit(1000)})), "1970-01-01 00:00:01.000");
  EXPECT_EQ(instant(lit(1500000), 6), "1970-01-01 00:00:01.500000");
  EXPECT_EQ(instant(lit(1), 4), "1970-01-01 00:00:00.0001");
  EXPECT_EQ(instant(lit(-1), 0), "1969-12-31 23:59:59.000");
  EXPECT_EQ(instant(lit(1.5), 0), "1970-01-01 00:00:01.500");
  EXPECT_EQ(instant(typed("1.2345", "DECIMAL(5, 4)"), 0), "1970-01-01 00:00:01.000");
  EXPECT_EQ(instant(lit(std::int64_t{9223372036854775807}), 0), "NULL");
  EXPECT_EQ(type_text(call("TO_TIMESTAMP_LTZ", {lit(1), lit(10)})),
            "TO_TIMESTAMP_LTZ(1, 10): TO_TIMESTAMP_LTZ: the precision is 10, not 0 (seconds) to 9 "
            "(nanoseconds)");
}

TEST(InstantsTest, FromTexts) {
  const auto instant = [](std::vector<ExprPtr> arguments) {
    return evaluate(call("TO_TIMESTAMP_LTZ", std::move(arguments)));
  };
  EXPECT_EQ(instant({lit("2020-10-10 12:00:00.123456")}), "2020-10-10 12:00:00.123");
  EXPECT_EQ(instant({lit("soon")}), "TO_TIMESTAMP_LTZ: 'soon' is no date and time");
  EXPECT_EQ(instant({lit("soon"), lit("yyyy")}), "NULL");
  EXPECT_EQ(instant({lit("2020-10-10 12:00:00"), lit("yyyy-MM-dd HH:mm:ss"), lit("Asia/Tokyo")}),
            "2020-10-10 03:00:00.000");
  EXPECT_EQ(
      evaluate(call("CONVERT_TZ", {lit("2020-07-01 12:00:00"), lit("Europe/Berlin"), lit("UTC")})),
      "2020-07-01 10:00:00");
  EXPECT_EQ(over(call("CONVERT_TZ", {col(0), lit("UTC"), col(1)}), {"s STRING", "z STRING"},
                 R"([["1970-01-01 00:00:00.5", "GMT+08:00"], ["1970-01-01 00:00:00", "Nope"],
                     ["1970-01-01", "UTC"], [null, "UTC"]])"),
            Texts({"1970-01-01 08:00:00", "1970-01-01 00:00:00", "NULL", "NULL"}));
  EXPECT_EQ(evaluate(call("CONVERT_TZ", {lit("1970-01-01 00:00:00"), lit("PST"), lit("UTC")})),
            "1970-01-01 08:00:00");
}

TEST(OverlapsTest, EndsBelongToPeriods) {
  const auto overlaps = [](const char* a, const char* b, const char* c, const char* d) {
    return evaluate(call("OVERLAPS", {date(a), date(b), date(c), date(d)}));
  };
  EXPECT_EQ(overlaps("2020-10-10", "2020-10-12", "2020-10-12", "2020-10-14"), "TRUE");
  EXPECT_EQ(overlaps("2020-10-12", "2020-10-10", "2020-10-11", "2020-10-11"), "TRUE");
  EXPECT_EQ(overlaps("2020-10-10", "2020-10-12", "2020-10-13", "2020-10-14"), "FALSE");
  const ExprPtr day = typed("86400000", "INTERVAL DAY TO SECOND");
  EXPECT_EQ(over(call("OVERLAPS", {col(0), day, col(1), typed("1", "INTERVAL YEAR TO MONTH")}),
                 {"a DATE", "b DATE"}, "[[0, 1], [0, 2], [40, 10], [null, 1]]"),
            Texts({"TRUE", "FALSE", "TRUE", "NULL"}));
}

TEST(WatermarkFunctionsTest, OfASourceIsNotSupported) {
  EXPECT_EQ(type_of(call("SOURCE_WATERMARK", {}), Schema(), builtin_functions()).status().code(),
            ErrorCode::kNotSupported);
}

TEST(CurrentTimeTest, FollowsTheClockAndTheZone) {
  EvalContext tokyo{.time_zone = "Asia/Tokyo"};
  EXPECT_EQ(evaluate(call("CURRENT_TIMESTAMP", {})), "2020-10-10 00:00:01.500");
  EXPECT_EQ(evaluate(call("LOCALTIMESTAMP", {}), tokyo), "2020-10-10 09:00:01.500");
  EXPECT_EQ(evaluate(call("CURRENT_DATE", {})), "2020-10-10");
  EXPECT_EQ(evaluate(call("LOCALTIME", {}), tokyo), "09:00:01");
  EXPECT_EQ(type_text(call("NOW", {})), "TIMESTAMP_LTZ(3) NOT NULL");
  EXPECT_EQ(over(call("-", {call("CURRENT_TIMESTAMP", {}), call("CURRENT_TIMESTAMP", {})}),
                 {"a INT"}, "[[1], [2]]"),
            Texts({"+0 00:00:00.000", "+0 00:00:00.000"}));
}

}  // namespace
}  // namespace tidegate
