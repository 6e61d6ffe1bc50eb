// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "base/options.h"
#include "formats/json_reader.h"
#include "formats/json_writer.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// The options that all formats made of JSON share, under the format's own name: 'json',
/// 'debezium-json'.
std::vector<OptionSpec> json_option_specs(std::string_view format);
Result<JsonReadOptions> json_read_options(std::string_view format, const Options& options);
Result<JsonWriteOptions> json_write_options(std::string_view format, const Options& options);

/// kNotSupported when a map in `type` has keys that are not strings, which JSON cannot say.
Status check_json_keys(std::string_view format, const LogicalType& type);

}  // namespace tidegate
