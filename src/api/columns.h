// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "tidegate/column.h"
#include "tidegate/record.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// The schema of a record type's columns.
SchemaPtr schema_of(const std::vector<ColumnSpec>& columns);

/// The raw columns of a batch. Points into it.
BatchView view_of(const Batch& batch);

/// The rows that were written; event times and row kinds come from the rows of `in` that they were
/// made of. Leaves the writer empty.
Result<Batch> finish_batch(BatchWriter& writer, const Batch& in);
/// One array of the written column of these rows.
Result<std::shared_ptr<arrow::Array>> finish_column(ColumnWriter& writer);

std::vector<ColumnType> types_of(const std::vector<ColumnSpec>& columns);
/// The physical types of a schema made by schema_of().
Result<std::vector<ColumnType>> physical_types(const Schema& schema);

}  // namespace tidegate
