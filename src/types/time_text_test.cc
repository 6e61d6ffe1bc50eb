// SPDX-License-Identifier: Apache-2.0
#include "types/time_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "types/civil_time.h"
#include "types/time_zone.h"

namespace tidegate {
namespace {

constexpr std::int64_t kFailed = std::numeric_limits<std::int64_t>::min() + 7;

std::int64_t timestamp(std::string_view text, int precision = 3) {
  std::int64_t value = kFailed;
  return parse_timestamp(text, precision, &value) ? value : kFailed;
}
std::int64_t instant(std::string_view text, int precision = 3, const TimeZone* zone = nullptr) {
  std::int64_t value = kFailed;
  return parse_instant(text, precision, &value, zone) ? value : kFailed;
}
std::string text(std::int64_t value, int precision, Fraction fraction) {
  std::string out;
  append_timestamp(value, precision, ' ', fraction, out);
  return out;
}

TEST(CivilTimeTest, EveryDayOfFourCenturiesGoesBothWays) {
  std::int64_t days = days_from_civil(1799, 12, 31);
  for (int year = 1800; year < 2200; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= days_in_month(year, month); ++day) {
        ASSERT_EQ(days_from_civil(year, month, day), ++days);
        ASSERT_EQ(civil_from_days(days), (CivilDate{year, month, day}));
      }
    }
  }
  EXPECT_EQ(days_from_civil(1970, 1, 1), 0);
  EXPECT_EQ(days_from_civil(0, 3, 1), -719468);
  EXPECT_EQ(civil_from_days(-719529), (CivilDate{-1, 12, 31}));
}

TEST(TimeTextTest, ReadsTimestamps) {
  EXPECT_EQ(timestamp("1970-01-01 00:00:00"), 0);
  EXPECT_EQ(timestamp("2020-10-10 00:00:01"), 1602288001000);
  EXPECT_EQ(timestamp("2020-10-10T00:00:01"), 1602288001000);
  EXPECT_EQ(timestamp("2020-10-10 00:00"), 1602288000000);
  EXPECT_EQ(timestamp("2020-10-10"), 1602288000000);
  EXPECT_EQ(timestamp("2020-10-10 00:00:01.5"), 1602288001500);
  EXPECT_EQ(timestamp("2020-10-10 00:00:01.123456789"), 1602288001123);
  EXPECT_EQ(timestamp("2020-10-10 00:00:01.123456789", 0), 1602288001000);
  EXPECT_EQ(timestamp("2020-10-10 00:00:01.123456789", 5), 1602288001123450);
  EXPECT_EQ(timestamp("2020-10-10 00:00:01.123456789", 9), 1602288001123456789);
  EXPECT_EQ(timestamp("1969-12-31 23:59:59.999"), -1);
  EXPECT_EQ(timestamp("0000-01-01 00:00:00"), -62167219200000);
  EXPECT_EQ(timestamp("9999-12-31 23:59:59.999"), 253402300799999);
  EXPECT_EQ(timestamp("2024-02-29 12:00:00"), 1709208000000);
}

TEST(TimeTextTest, RefusesWhatIsNotATimestamp) {
  for (const char* bad : {"",
                          "2020",
                          "2020-10",
                          "2020-10-1",
                          "2020/10/10",
                          "2020-13-01",
                          "2020-00-10",
                          "2020-10-00",
                          "2020-10-32",
                          "2023-02-29",
                          "1900-02-29",
                          "2020-04-31",
                          "2020-10-10 ",
                          "2020-10-10 1:00:00",
                          "2020-10-10 24:00:00",
                          "2020-10-10 23:60:00",
                          "2020-10-10 23:59:60",
                          "2020-10-10 00:00:",
                          "2020-10-10 00:00:1",
                          "2020-10-10 00:00:01.",
                          "2020-10-10 00:00:01.1234567890",
                          "2020-10-10 00:00:01Z",
                          "2020-10-10 00:00:01 ",
                          "x020-10-10 00:00:01",
                          "2020-10-10 0a:00:00",
                          "+020-10-10",
                          "2020-10-10_00:00:01",
                          "2020-10-10 00-00-01"}) {
    EXPECT_EQ(timestamp(bad), kFailed) << bad;
  }
  // Past the range of nanoseconds.
  EXPECT_EQ(timestamp("2263-01-01 00:00:00", 9), kFailed);
  EXPECT_NE(timestamp("2263-01-01 00:00:00", 6), kFailed);
}

TEST(TimeTextTest, ReadsInstants) {
  EXPECT_EQ(instant("2020-10-10 00:00:01Z"), 1602288001000);
  EXPECT_EQ(instant("2020-10-10T00:00:01.25Z"), 1602288001250);
  EXPECT_EQ(instant("2020-10-10 02:00:01+02:00"), 1602288001000);
  EXPECT_EQ(instant("2020-10-10 02:00:01 +0200"), 1602288001000);
  EXPECT_EQ(instant("2020-10-09 21:00:01-03"), 1602288001000);
  EXPECT_EQ(instant("2020-10-10 00:00:01"), 1602288001000);
  for (const char* bad : {"2020-10-10 00:00:01Zx", "2020-10-10 00:00:01+", "2020-10-10 00:00:01+2",
                          "2020-10-10 00:00:01+02:", "2020-10-10 00:00:01+19:00",
                          "2020-10-10 00:00:01+02:60", "2020-10-10 00:00:01 Europe/Berlin"}) {
    EXPECT_EQ(instant(bad), kFailed) << bad;
  }
}

TEST(TimeTextTest, ReadsDatesAndTimes) {
  std::int32_t days = 0;
  EXPECT_TRUE(parse_date("2020-10-10", &days));
  EXPECT_EQ(days, 18545);
  EXPECT_FALSE(parse_date("2020-10-10 00:00:00", &days));
  EXPECT_FALSE(parse_date("2020-02-30", &days));
  std::int64_t nanos = 0;
  EXPECT_TRUE(parse_time("23:59:59.999999999", &nanos));
  EXPECT_EQ(nanos, kNanosPerDay - 1);
  EXPECT_TRUE(parse_time("01:02", &nanos));
  EXPECT_EQ(nanos, 3'720'000'000'000);
  EXPECT_FALSE(parse_time("24:00:00", &nanos));
  EXPECT_FALSE(parse_time("1:02:03", &nanos));
}

TEST(TimeTextTest, WritesFractionsInThreeWays) {
  EXPECT_EQ(text(1602288001500, 3, Fraction::kTrimmed), "2020-10-10 00:00:01.5");
  EXPECT_EQ(text(1602288001500, 3, Fraction::kFixed), "2020-10-10 00:00:01.500");
  EXPECT_EQ(text(1602288001500, 3, Fraction::kGroups), "2020-10-10 00:00:01.500");
  EXPECT_EQ(text(1602288001000, 3, Fraction::kTrimmed), "2020-10-10 00:00:01");
  EXPECT_EQ(text(1602288000000, 3, Fraction::kGroups), "2020-10-10 00:00");
  EXPECT_EQ(text(1602288000000, 3, Fraction::kTrimmed), "2020-10-10 00:00:00");
  EXPECT_EQ(text(1602288001123400000, 9, Fraction::kGroups), "2020-10-10 00:00:01.123400");
  EXPECT_EQ(text(1602288001000, 0, Fraction::kFixed), "2020-10-10 00:00:01");
  EXPECT_EQ(text(-1, 3, Fraction::kTrimmed), "1969-12-31 23:59:59.999");
  EXPECT_EQ(text(253402300800000, 3, Fraction::kTrimmed), "+10000-01-01 00:00:00");
  EXPECT_EQ(text(-62167219200001, 3, Fraction::kTrimmed), "-0001-12-31 23:59:59.999");
}

TEST(TimeTextTest, TextGoesBothWays) {
  for (int precision : {0, 3, 4, 6, 7, 9}) {
    for (std::int64_t seconds = -9'000'000'000; seconds < 9'000'000'000; seconds += 123'456'789) {
      const std::int64_t value = seconds * timestamp_units_per_second(precision);
      EXPECT_EQ(timestamp(text(value, precision, Fraction::kTrimmed), precision), value);
    }
  }
}

TEST(TimeZoneTest, OffsetsFollowTheSeasons) {
  Result<TimeZone> berlin = TimeZone::find("Europe/Berlin");
  ASSERT_TRUE(berlin.is_ok()) << berlin.status().to_string();
  const std::int64_t winter = timestamp("2020-01-01 12:00:00") / 1000;
  const std::int64_t summer = timestamp("2020-07-01 12:00:00") / 1000;
  EXPECT_EQ(berlin->offset_seconds(winter), 3600);
  EXPECT_EQ(berlin->offset_seconds(summer), 7200);
  EXPECT_EQ(berlin->to_utc_seconds(summer), summer - 7200);
  EXPECT_EQ(berlin->to_utc_seconds(winter), winter - 3600);
}

TEST(TimeZoneTest, GapsAndOverlapsAreAsInJava) {
  const TimeZone berlin = *TimeZone::find("Europe/Berlin");
  // 02:30 does not exist: clocks jump from 02:00 to 03:00, Java goes on to 03:30 summer time.
  EXPECT_EQ(instant("2021-03-28 02:30:00", 3, &berlin), timestamp("2021-03-28 01:30:00"));
  // 02:30 exists twice: the earlier one, in summer time.
  EXPECT_EQ(instant("2021-10-31 02:30:00", 3, &berlin), timestamp("2021-10-31 00:30:00"));
  // The remembered period must not decide about hours near its ends.
  const TimeZone zone = *TimeZone::find("America/New_York");
  for (std::int64_t local = timestamp("2021-01-01") / 1000; local < timestamp("2022-01-01") / 1000;
       local += 1800) {
    const TimeZone fresh = *TimeZone::find("America/New_York");
    ASSERT_EQ(zone.to_utc_seconds(local), fresh.to_utc_seconds(local));
  }
}

TEST(TimeZoneTest, FixedOffsetsAndErrors) {
  EXPECT_EQ(TimeZone::find("+08:00")->offset_seconds(0), 28800);
  EXPECT_EQ(TimeZone::find("GMT-03:30")->offset_seconds(0), -12600);
  EXPECT_EQ(TimeZone::find("UTC+8")->offset_seconds(0), 28800);
  EXPECT_TRUE(TimeZone::find("UTC")->is_utc());
  EXPECT_EQ(TimeZone::find("Mars/Olympus").status().code(), ErrorCode::kUnknownName);
  EXPECT_EQ(TimeZone::find("").status().code(), ErrorCode::kUnknownName);
  EXPECT_EQ(TimeZone::find("+25:00").status().code(), ErrorCode::kUnknownName);
}

}  // namespace
}  // namespace tidegate
