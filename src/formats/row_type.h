// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// The columns of a schema as the fields of a ROW NOT NULL; just those of `projection`, in its
/// order, for the second.
LogicalType row_type(const Schema& schema);
LogicalType row_type(const Schema& schema, std::span<const int> projection);

/// kNotSupported when the batch takes rows back or updates them, which `format` cannot express.
Status check_insert_only(const Batch& batch, std::string_view format);

}  // namespace tidegate
