// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace tidegate {

/// True when `text` is valid UTF-8. Many gigabytes a second.
bool is_valid_utf8(std::string_view text);

}  // namespace tidegate
