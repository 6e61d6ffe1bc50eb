// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>

#include "types/batch.h"
#include "types/logical_type.h"
#include "types/schema.h"

namespace tidegate {

class TimeZone;  // types/time_zone.h

/// In which of Flink's forms a value is written.
enum class TextForm : std::uint8_t {
  /// What the print connector shows: null, true, 2020-10-10T00:00:01, 2020-10-10T00:00:01Z (an
  /// instant), [a, b], {k=v}, +I[a, 1] (a row), [104, -1] (bytes), P1Y2M and PT26H (intervals).
  kPrint,
  /// CAST(.. AS STRING): NULL, TRUE, 2020-10-10 00:00:01.000 (as many digits as the type has; an
  /// instant in the given zone), (a, 1) for a row, bytes as UTF-8, +1-02 and +1 02:00:00.000.
  kCast,
  /// For data formats: as kCast, but null, true, no zeros at a fraction's end, and an instant in
  /// UTC
  /// with a Z: 2020-10-10 00:00:01Z.
  kData,
};

/// Appends value `row` of `array`, which is of type.arrow_type(). `zone` (null: UTC) is for kCast.
/// For whole columns in a hot loop, use append_timestamp() and the like of time_text.h and
/// decimal.h directly.
void append_value(const LogicalType& type, const arrow::Array& array, std::int64_t row,
                  TextForm form, std::string& out, const TimeZone* zone = nullptr);

/// Appends a row with its kind in the print form: "+I[a, 1]".
void append_row(const Schema& schema, const Batch& batch, std::int64_t row, std::string& out);

}  // namespace tidegate
