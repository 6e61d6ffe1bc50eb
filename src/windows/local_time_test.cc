// SPDX-License-Identifier: Apache-2.0
#include "windows/local_time.h"

#include <gtest/gtest.h>

#include "base/check.h"
#include "types/civil_time.h"

namespace tidegate {
namespace {

constexpr EventTime kHour = 3'600'000;

EventTime at(std::int64_t year, int month, int day, int hour, int minute = 0) {
  return days_from_civil(year, month, day) * kMsPerDay + hour * kHour + minute * 60'000;
}

LocalTime in(const char* zone) {
  Result<TimeZone> found = TimeZone::find(zone);
  TG_CHECK(found.is_ok(), "{}", found.status().to_string());
  return LocalTime(*std::move(found));
}

TEST(LocalTimeTest, UtcAndFixedOffsets) {
  const LocalTime utc;
  EXPECT_TRUE(utc.is_utc());
  EXPECT_EQ(utc.to_local(17), 17);
  const LocalTime shanghai = in("+08:00");
  EXPECT_EQ(shanghai.to_local(-1), 8 * kHour - 1);
  EXPECT_EQ(shanghai.to_utc(8 * kHour - 1), -1);
  EXPECT_EQ(shanghai.watermark_to_local(5), 8 * kHour + 5);
  EXPECT_EQ(shanghai.watermark_to_utc(8 * kHour + 5), 5);
  for (const EventTime limit : {kMinWatermark, kMaxWatermark}) {
    EXPECT_EQ(shanghai.to_local(limit), limit);
    EXPECT_EQ(shanghai.watermark_to_local(limit), limit);
  }
}

TEST(LocalTimeTest, ClocksThatGoBackHoldTheWatermark) {
  // 2021-11-07 in Los Angeles: 02:00 becomes 01:00 at 09:00 UTC.
  const LocalTime la = in("America/Los_Angeles");
  const EventTime back = at(2021, 11, 7, 9);
  const EventTime one = at(2021, 11, 7, 1);
  EXPECT_EQ(la.to_local(back - kHour), one);
  EXPECT_EQ(la.to_local(back), one);
  EXPECT_EQ(la.watermark_to_local(back - 2 * kHour), one - kHour);
  EXPECT_EQ(la.watermark_to_local(back - kHour / 2), one);
  EXPECT_EQ(la.watermark_to_local(back), one);
  EXPECT_EQ(la.watermark_to_local(back + 1), one + 1);
  EXPECT_EQ(la.watermark_to_utc(one + kHour / 2), back + kHour / 2);
}

TEST(LocalTimeTest, ClocksThatGoForwardTakeTheWatermarkAlong) {
  // 2021-03-14 in Los Angeles: 02:00 becomes 03:00 at 10:00 UTC.
  const LocalTime la = in("America/Los_Angeles");
  const EventTime forward = at(2021, 3, 14, 10);
  EXPECT_EQ(la.watermark_to_local(forward - 1), at(2021, 3, 14, 2) - 1);
  EXPECT_EQ(la.watermark_to_local(forward), at(2021, 3, 14, 3));
  EXPECT_EQ(la.watermark_to_utc(at(2021, 3, 14, 2)), forward);
}

TEST(LocalTimeTest, TheWatermarkNeverGoesBackAndIsNeverPassedByATime) {
  for (const char* zone : {"America/Los_Angeles", "Australia/Lord_Howe", "Asia/Kolkata"}) {
    const LocalTime local = in(zone);
    for (const EventTime begin : {at(2021, 3, 1, 0), at(2021, 10, 1, 0)}) {
      EventTime before = kMinWatermark;
      for (EventTime time = begin; time < begin + 45 * kMsPerDay; time += 7 * 60'000) {
        const EventTime watermark = local.watermark_to_local(time);
        ASSERT_GE(watermark, before) << zone << " " << time;
        before = watermark;
        for (const EventTime later : {0, 1, 20 * 60'000, 61 * 60'000}) {
          ASSERT_GE(local.to_local(time + later), watermark) << zone << " " << time;
        }
        ASSERT_GE(local.watermark_to_local(local.watermark_to_utc(watermark)), watermark);
      }
    }
  }
}

}  // namespace
}  // namespace tidegate
