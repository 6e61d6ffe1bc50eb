// SPDX-License-Identifier: Apache-2.0
#include "formats/avro_input.h"

namespace tidegate {

bool AvroInput::read_long(std::int64_t& value) {
  std::uint64_t bits = 0;
  for (int shift = 0; at_ < end_ && shift < 64; shift += 7) {
    const auto byte = static_cast<std::uint8_t>(*at_++);
    bits |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      value = static_cast<std::int64_t>(bits >> 1) ^ -static_cast<std::int64_t>(bits & 1);
      return true;
    }
  }
  return false;
}

bool AvroInput::read_fixed(std::size_t size, std::string_view& bytes) {
  if (size > left()) return false;
  bytes = {at_, size};
  at_ += size;
  return true;
}

bool AvroInput::read_bytes(std::string_view& bytes) {
  std::int64_t size;
  return read_long(size) && size >= 0 && read_fixed(static_cast<std::size_t>(size), bytes);
}

}  // namespace tidegate
