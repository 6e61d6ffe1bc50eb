// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// Rows of text in the format that these options of a connector name, by its error policy.
Result<Batch> decode_rows(std::string_view text, const SchemaPtr& schema, const Options& options,
                          const FormatRegistry& formats);
/// Rows as text.
Result<std::string> encode_rows(const std::vector<Batch>& rows, const SchemaPtr& schema,
                                const Options& options, const FormatRegistry& formats);

}  // namespace tidegate
