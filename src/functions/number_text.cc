// SPDX-License-Identifier: Apache-2.0
//
// BIN, HEX, UNHEX: numbers and bytes as digits of base 2 and 16.
#include <fmt/format.h>

#include <iterator>

#include "expr/map_values.h"
#include "functions/binding.h"

namespace tidegate {

namespace {

/// Of a number below zero the 64 bits of its two's complement, as in Java.
void append_bin(std::int64_t number, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:b}", static_cast<std::uint64_t>(number));
}
void append_hex(std::int64_t number, std::string& out) {
  fmt::format_to(std::back_inserter(out), "{:X}", static_cast<std::uint64_t>(number));
}
void append_hex_of_bytes(std::string_view bytes, std::string& out) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
}

/// -1 when it is none.
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Of an odd number of digits the first one counts as 00, as Flink has it.
bool append_unhex(std::string_view digits, std::string& out) {
  const std::size_t before = out.size();
  if (digits.size() % 2 != 0) {
    if (hex_digit(digits[0]) < 0) return false;
    out += '\0';
    digits.remove_prefix(1);
  }
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) {
      out.resize(before);
      return false;
    }
    out += static_cast<char>(high << 4 | low);
  }
  return true;
}

Evaluate digits_of_numbers(void (*append)(std::int64_t, std::string&)) {
  return [append](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
    return map_to_text<std::int64_t>(text_type(), args, num_rows, append);
  };
}

Result<BoundFunction> bind_hex(std::span<const LogicalType> arguments) {
  constexpr const char* kTakes = "one whole number or string";
  FixedSignature signature{
      .name = "HEX", .takes = kTakes, .parameters = {integer_type()}, .result = text_type()};
  if (arguments.size() == 1 && arguments[0].is_character()) {
    signature.parameters = {text_type()};
    return bind_fixed(
        signature, [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
          return map_to_text<std::string_view>(text_type(), args, num_rows, append_hex_of_bytes);
        })(arguments);
  }
  return bind_fixed(signature, digits_of_numbers(append_hex))(arguments);
}

}  // namespace

void register_function_number_text(FunctionRegistry& registry) {
  registry.add({.name = "BIN",
                .category = "arithmetic",
                .signature = "BIN(integer)",
                .description = "The whole number in base 2.",
                .examples = {{"BIN(4)", "100"}, {"BIN(0)", "0"}},
                .bind = bind_fixed({.name = "BIN",
                                    .takes = "one whole number",
                                    .parameters = {integer_type()},
                                    .result = text_type()},
                                   digits_of_numbers(append_bin))});
  registry.add({.name = "HEX",
                .category = "arithmetic",
                .signature = "HEX(integer) | HEX(string)",
                .description = "The whole number in base 16, or the bytes of the string.",
                .examples = {{"HEX(20)", "14"}, {"HEX('hello,world')", "68656C6C6F2C776F726C64"}},
                .bind = bind_hex});
  registry.add(
      {.name = "UNHEX",
       .category = "arithmetic",
       .signature = "UNHEX(string)",
       .description = "The bytes of these digits of base 16, a 00 for the first of an odd number "
                      "of them; NULL when it is not such digits.",
       .examples = {{"UNHEX('466C696E6B')", "Flink"}, {"UNHEX('xy')", "NULL"}},
       .bind = bind_fixed({.name = "UNHEX",
                           .takes = "one string",
                           .parameters = {text_type()},
                           .result = LogicalType(TypeKind::kVarbinary),
                           .may_be_null = true},
                          [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                            return map_to_text<std::string_view>(LogicalType(TypeKind::kVarbinary),
                                                                 args, num_rows, append_unhex);
                          })});
}

}  // namespace tidegate
