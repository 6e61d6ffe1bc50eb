// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tidegate {

/// The first 128 bits of the SHA-256 of `content`, as 32 lower-case hexadecimal digits: a name that
/// no other content has.
std::string content_hash(std::string_view content);

}  // namespace tidegate
