// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/options.h"
#include "tidegate/app.h"

namespace tidegate {

/// What SET, --set and the program say by name, to be read by type.
Options settings_of(const RunOptions& options);

}  // namespace tidegate
