// SPDX-License-Identifier: Apache-2.0
#include "formats/utf8.h"

#include <simdjson.h>

namespace tidegate {

bool is_valid_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace tidegate
