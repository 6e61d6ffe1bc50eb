// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "types/batch.h"
#include "types/column.h"
#include "types/schema.h"

namespace tidegate {

/// Test data as JSON literals. A broken literal is a bug of the test and aborts.
///
/// Decimals, dates, times and timestamps may be strings ("12.30", "2020-10-10 00:00:01") or, but
/// for decimals, numbers in their physical unit; ARRAY is a list, ROW a list or an object, MAP and
/// MULTISET a list of [key, value] pairs.

/// A schema from column declarations: {"a INT", "b STRING NOT NULL"}.
SchemaPtr schema_of(const std::vector<std::string>& columns);

/// One array: array_of(LogicalType::string(), R"(["a", null])").
ArrayPtr array_of(const LogicalType& type, std::string_view json);

/// Rows as lists: batch_of(*schema, R"([["a", 1], ["b", null]])").
Batch batch_of(const Schema& schema, std::string_view rows_json);

/// The same with row kinds in front: changelog_of(*schema, R"([["+I", "a", 1]])").
Batch changelog_of(const Schema& schema, std::string_view rows_json);

/// Each row in Flink's print form with its kind: "+I[a, 1]".
std::vector<std::string> to_rows(const Batch& batch, const Schema& schema);

/// Each value of an array in Flink's print form.
std::vector<std::string> to_texts(const arrow::Array& array, const LogicalType& type);

}  // namespace tidegate
