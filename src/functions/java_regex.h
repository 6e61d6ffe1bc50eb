// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tidegate/status.h"

namespace tidegate {

/// A regular expression of Java in the syntax of PCRE2, which differs in little: \uXXXX, the names
/// of classes in \p{..}, and sets within sets. kNotSupported for the latter.
Result<std::string> pcre_from_java(std::string_view pattern);

}  // namespace tidegate
