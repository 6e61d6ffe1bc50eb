// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "tidegate/status.h"

namespace tidegate {

/// The error of a system call on a file: "cannot WHAT 'PATH': No such file or directory".
Status errno_status(int error_number, std::string_view what, std::string_view path);

}  // namespace tidegate
