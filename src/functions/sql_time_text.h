// SPDX-License-Identifier: Apache-2.0
//
// Dates and times in the forms that SQL's casts and functions take, which are looser than those of
// data formats: fields of one digit, and days past a month's end.
#pragma once

#include <cstdint>
#include <string_view>

#include "functions/time_fields.h"

namespace tidegate {

/// 'yyyy[-M[-d]]', and anything behind a blank; blanks around. False when it is no such date.
bool read_sql_date(std::string_view text, std::int32_t* days);

/// 'H[:m[:s[.fraction]]]', blanks around, to nanoseconds of the day.
bool read_sql_time(std::string_view text, std::int64_t* nanos);

/// 'yyyy-M-d[ H:m:s[.fraction]]', no blanks around. The 30th of February is the last day of that
/// month, 24:00:00 the start of the next day.
bool read_sql_timestamp(std::string_view text, Moment* moment);

/// The same forms as java.sql.Timestamp and java.sql.Date read them: blanks around, and fields that
/// are too large carry over, so that the 30th of February is the 1st or 2nd of March.
bool read_jdbc_timestamp(std::string_view text, Moment* moment);

}  // namespace tidegate
