// SPDX-License-Identifier: Apache-2.0
#include <openssl/evp.h>

#include <algorithm>

#include "expr/map_values.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

void encode(std::string_view bytes, std::string& out) {
  const std::size_t start = out.size();
  // OpenSSL writes a zero behind its text.
  out.resize(start + (bytes.size() + 2) / 3 * 4 + 1);
  const int written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data() + start),
                                      reinterpret_cast<const unsigned char*>(bytes.data()),
                                      static_cast<int>(bytes.size()));
  out.resize(start + static_cast<std::size_t>(written));
}

bool is_base64_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

Status not_base64(std::string_view text) {
  constexpr std::size_t kShown = 100;
  return error(ErrorCode::kCastFailed, "FROM_BASE64: '{}' is not base64", text.substr(0, kShown));
}

/// The padding may be left out, but not be wrong. OpenSSL alone would take blanks and line ends.
Status decode(std::string_view text, std::string& out) {
  std::string_view digits = text;
  while (text.size() - digits.size() < 2 && digits.ends_with('=')) digits.remove_suffix(1);
  const std::size_t padding = text.size() - digits.size();
  const bool valid = std::all_of(digits.begin(), digits.end(), is_base64_character) &&
                     digits.size() % 4 != 1 && (padding == 0 || text.size() % 4 == 0);
  if (!valid) return not_base64(text);
  std::string padded(digits);
  padded.append((4 - digits.size() % 4) % 4, '=');
  const std::size_t start = out.size();
  out.resize(start + padded.size() / 4 * 3);
  const int written = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data() + start),
                                      reinterpret_cast<const unsigned char*>(padded.data()),
                                      static_cast<int>(padded.size()));
  if (written < 0) return not_base64(text);
  // What stands for padding is decoded to zeros.
  out.resize(start + static_cast<std::size_t>(written) - (padded.size() - digits.size()));
  return Status::ok();
}

Result<BoundFunction> bind_to_base64(std::span<const LogicalType> arguments) {
  const bool fits =
      arguments.size() == 1 && (arguments[0].is_character() || arguments[0].is_bytes() ||
                                arguments[0].kind() == TypeKind::kNull);
  if (!fits) return argument_mismatch("TO_BASE64", "one string or bytes", arguments);
  BoundFunction bound;
  bound.result_type = text_type().with_nullable(arguments[0].nullable());
  bound.argument_types = {arguments[0].is_bytes() || arguments[0].is_character() ? arguments[0]
                                                                                 : text_type()};
  bound.can_fail = false;
  bound.evaluate = [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
    return map_to_text<std::string_view>(text_type(), args, num_rows, encode);
  };
  return bound;
}

}  // namespace

void register_function_base64(FunctionRegistry& registry) {
  registry.add({.name = "TO_BASE64",
                .category = "string",
                .signature = "TO_BASE64(string or bytes)",
                .description = "The bytes (of a string: its UTF-8) as base64, with padding.",
                .examples = {{"TO_BASE64('hello world')", "aGVsbG8gd29ybGQ="}},
                .bind = bind_to_base64});
  registry.add(
      {.name = "FROM_BASE64",
       .category = "string",
       .signature = "FROM_BASE64(string)",
       .description = "The string that base64 stands for; an error when it is not base64. The "
                      "padding may be left out.",
       .examples = {{"FROM_BASE64('aGVsbG8gd29ybGQ=')", "hello world"}},
       .bind = bind_fixed({.name = "FROM_BASE64",
                           .takes = "one string",
                           .parameters = {text_type()},
                           .result = text_type(),
                           .can_fail = true},
                          [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                            return map_to_text<std::string_view>(text_type(), args, num_rows,
                                                                 decode);
                          })});
}

}  // namespace tidegate
