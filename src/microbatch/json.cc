// SPDX-License-Identifier: Apache-2.0
#include "microbatch/json.h"

#include <boost/json/src.hpp>  // the library itself, once in the program

#include <algorithm>
#include <charconv>

#include "base/check.h"

namespace tidegate {

Result<json::object> parse_json_object(std::string_view text) {
  boost::system::error_code failure;
  json::value value = json::parse(json::string_view(text.data(), text.size()), failure);
  if (failure) return error(ErrorCode::kStateCorrupt, "it is no JSON: {}", failure.message());
  if (!value.is_object()) return error(ErrorCode::kStateCorrupt, "it is no JSON object");
  return std::move(value.get_object());
}

json::value json_bytes(std::string_view bytes) {
  if (std::ranges::all_of(bytes, [](char c) { return static_cast<unsigned char>(c) < 0x80; }))
    return json::string(json::string_view(bytes.data(), bytes.size()));
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  json::object object;
  object["hex"] = hex;
  return object;
}

std::optional<std::string> bytes_of(const json::value& value) {
  if (value.is_string()) return std::string(std::string_view(value.get_string()));
  if (!value.is_object()) return std::nullopt;
  const json::value* hex = value.get_object().if_contains("hex");
  if (hex == nullptr || !hex->is_string() || hex->get_string().size() % 2 != 0) return std::nullopt;
  const std::string_view digits(hex->get_string());
  std::string bytes;
  for (std::size_t at = 0; at < digits.size(); at += 2) {
    unsigned int byte = 0;
    const char* const end = digits.data() + at + 2;
    if (std::from_chars(digits.data() + at, end, byte, 16).ptr != end) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace tidegate
