// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "types/schema.h"

namespace tidegate {

/// The columns of a table that a source returns, in the order of `projection`; the rowtime stays
/// marked when it is one of them.
SchemaPtr projected_schema(const Schema& table, const std::vector<int>& projection);

}  // namespace tidegate
