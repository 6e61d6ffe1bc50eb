// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "tidegate/status.h"

namespace tidegate {

namespace json = boost::json;

/// kStateCorrupt when it is no JSON object.
Result<json::object> parse_json_object(std::string_view text);

/// Any bytes as JSON: text where they are ASCII, else {"hex": "..."}.
json::value json_bytes(std::string_view bytes);
/// The bytes again; nothing when it is another value.
std::optional<std::string> bytes_of(const json::value& value);

}  // namespace tidegate
