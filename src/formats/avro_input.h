// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tidegate {

/// Bytes in Avro's binary form, read from the front. All calls are false when the bytes end too
/// early or cannot be right.
class AvroInput {
 public:
  explicit AvroInput(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool read_long(std::int64_t& value);
  bool read_fixed(std::size_t size, std::string_view& bytes);
  /// A length, and so many bytes.
  bool read_bytes(std::string_view& bytes);

 private:
  const char* at_;
  const char* end_;
};

}  // namespace tidegate
