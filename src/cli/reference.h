// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tidegate/status.h"

namespace tidegate {

/// A page of the reference as Markdown, made from what the program itself knows: "functions",
/// "errors", "connectors". kUnknownName for others.
Result<std::string> reference_page(std::string_view topic);

}  // namespace tidegate
