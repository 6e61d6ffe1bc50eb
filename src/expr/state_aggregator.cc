// SPDX-License-Identifier: Apache-2.0
#include "expr/state_aggregator.h"

namespace tidegate {

void append_sized(std::string_view bytes, std::string& out) {
  append_plain(static_cast<std::uint32_t>(bytes.size()), out);
  out += bytes;
}

bool take_sized(std::string_view& in, std::string_view* bytes) {
  std::uint32_t size = 0;
  if (!take_plain(in, &size) || in.size() < size) return false;
  *bytes = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

Status corrupt_accumulator() {
  return error(ErrorCode::kStateCorrupt, "an accumulator is not what was written");
}

}  // namespace tidegate
