// SPDX-License-Identifier: Apache-2.0
#include "api/run_settings.h"

namespace tidegate {

Options settings_of(const RunOptions& options) {
  Options settings;
  for (const auto& [name, value] : options.settings) settings.set(name, value);
  return settings;
}

}  // namespace tidegate
