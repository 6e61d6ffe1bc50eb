// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tidegate {

/// Base64 of RFC 4648, with padding.
void append_base64(std::string_view bytes, std::string& out);
/// Appends what `text` stands for; false (and nothing appended) when it is not base64. Padding may
/// be missing.
bool append_base64_decoded(std::string_view text, std::string& out);

}  // namespace tidegate
