// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/row_kind.h"
#include "tidegate/time.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

// Batches as literals in tests, and back to text. What is wrong with a literal is a bug of the test
// and stops it.

/// A schema from Flink's notation of its columns: "url STRING, n BIGINT NOT NULL".
SchemaPtr schema_of(std::string_view columns);

/// Rows in Arrow's JSON notation, each an array: batch_of(schema, R"([["/a", 1], ["/b", null]])").
Batch batch_of(const SchemaPtr& schema, std::string_view json_rows);

/// The same rows with these kinds, or attached event times; one per row.
Batch with_row_kinds(Batch batch, const std::vector<RowKind>& kinds);
Batch with_event_times(Batch batch, const std::vector<EventTime>& times);

/// One text per row, in order: "+I[/a, 1]", with attached event times "+I[/a, 1] @17".
std::vector<std::string> text_rows(const Batch& batch);

}  // namespace tidegate
