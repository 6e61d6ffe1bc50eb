// SPDX-License-Identifier: Apache-2.0
//
// ENCODE and DECODE: strings to bytes of a character set and back. What a character set does not
// have becomes '?', bytes that mean nothing in it become U+FFFD, both as in Java.
#include <cstdint>
#include <utility>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/unicode.h"

namespace tidegate {

namespace {

enum class Charset : std::uint8_t {
  kUtf8,
  kAscii,
  kLatin1,
  kUtf16,
  kUtf16BigEndian,
  kUtf16LittleEndian
};

constexpr std::pair<std::string_view, Charset> kCharsets[] = {
    {"UTF-8", Charset::kUtf8},
    {"UTF8", Charset::kUtf8},
    {"US-ASCII", Charset::kAscii},
    {"ASCII", Charset::kAscii},
    {"ISO-8859-1", Charset::kLatin1},
    {"ISO8859-1", Charset::kLatin1},
    {"ISO8859_1", Charset::kLatin1},
    {"LATIN1", Charset::kLatin1},
    {"UTF-16", Charset::kUtf16},
    {"UTF-16BE", Charset::kUtf16BigEndian},
    {"UTF-16LE", Charset::kUtf16LittleEndian},
};

Result<Charset> find_charset(std::string_view name) {
  std::string upper(name);
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  for (const auto& [known, charset] : kCharsets)
    if (upper == known) return charset;
  return error(ErrorCode::kInvalidArgument,
               "there is no character set '{}' here, but UTF-8, US-ASCII, ISO-8859-1, UTF-16, "
               "UTF-16BE and UTF-16LE",
               name);
}

/// The character set of each row, looked up again only when it changes.
class CharsetColumn {
 public:
  Result<Charset> at(std::string_view name) {
    if (!known_ || name != last_name_) {
      TG_ASSIGN_OR_RETURN(last_, find_charset(name));
      last_name_ = name;
      known_ = true;
    }
    return last_;
  }

 private:
  bool known_ = false;
  std::string last_name_;
  Charset last_ = Charset::kUtf8;
};

void append_unit(char16_t unit, bool little_endian, std::string& out) {
  const char high = static_cast<char>(unit >> 8);
  const char low = static_cast<char>(unit & 0xFF);
  out += little_endian ? low : high;
  out += little_endian ? high : low;
}

void encode(Charset charset, std::string_view text, std::string& out) {
  if (charset == Charset::kUtf8) {
    out += text;
    return;
  }
  const bool little_endian = charset == Charset::kUtf16LittleEndian;
  if (charset == Charset::kUtf16 && !text.empty()) out += "\xFE\xFF";
  while (!text.empty()) {
    const char32_t point = take_code_point(text);
    if (charset == Charset::kAscii || charset == Charset::kLatin1) {
      const char32_t limit = charset == Charset::kAscii ? 0x80 : 0x100;
      out += point < limit ? static_cast<char>(point) : '?';
    } else {
      for_each_utf16_unit(point, [&](char16_t unit) { append_unit(unit, little_endian, out); });
    }
  }
}

void decode_utf16(std::string_view bytes, bool little_endian, std::string& out) {
  const auto unit_at = [&](std::size_t i) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return static_cast<char32_t>(little_endian ? second << 8 | first : first << 8 | second);
  };
  std::size_t i = 0;
  for (; i + 1 < bytes.size(); i += 2) {
    const char32_t unit = unit_at(i);
    if (!is_surrogate(unit)) {
      append_code_point(unit, out);
    } else if (is_high_surrogate(unit) && i + 3 < bytes.size() &&
               is_low_surrogate(unit_at(i + 2))) {
      append_code_point(from_surrogates(unit, unit_at(i + 2)), out);
      i += 2;
    } else {
      append_code_point(kReplacementCharacter, out);
    }
  }
  if (i < bytes.size()) append_code_point(kReplacementCharacter, out);
}

void decode(Charset charset, std::string_view bytes, std::string& out) {
  switch (charset) {
    case Charset::kUtf8:
      return append_repaired_utf8(bytes, out);
    case Charset::kAscii:
    case Charset::kLatin1:
      for (char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        const bool known = charset == Charset::kLatin1 || byte < 0x80;
        append_code_point(known ? byte : kReplacementCharacter, out);
      }
      return;
    case Charset::kUtf16: {
      // A mark in front says the order, which else is big end first.
      const bool marked = bytes.starts_with("\xFE\xFF") || bytes.starts_with("\xFF\xFE");
      return decode_utf16(bytes.substr(marked ? 2 : 0), bytes.starts_with("\xFF\xFE"), out);
    }
    default:
      return decode_utf16(bytes, charset == Charset::kUtf16LittleEndian, out);
  }
}

template <void (*kConvert)(Charset, std::string_view, std::string&)>
Bind bind_conversion(const char* name, const char* takes, LogicalType from, LogicalType to) {
  return bind_fixed(
      {.name = name,
       .takes = takes,
       .parameters = {std::move(from), text_type()},
       .result = to,
       .can_fail = true},
      [to](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
        CharsetColumn charsets;
        return map_to_text<std::string_view, std::string_view>(
            to, args, num_rows,
            [&](std::string_view value, std::string_view name, std::string& out) -> Status {
              TG_ASSIGN_OR_RETURN(const Charset charset, charsets.at(name));
              kConvert(charset, value, out);
              return Status::ok();
            });
      });
}

}  // namespace

void register_function_charset(FunctionRegistry& registry) {
  const LogicalType bytes(TypeKind::kVarbinary);
  registry.add({.name = "ENCODE",
                .category = "string",
                .signature = "ENCODE(string, character set)",
                .description = "The string as bytes of a character set: UTF-8, US-ASCII, "
                               "ISO-8859-1, UTF-16, UTF-16BE or UTF-16LE.",
                .examples = {{"ENCODE('hello', 'US-ASCII')", "hello"}},
                .bind = bind_conversion<encode>("ENCODE", "a string and a character set",
                                                text_type(), bytes)});
  registry.add(
      {.name = "DECODE",
       .category = "string",
       .signature = "DECODE(bytes, character set)",
       .description = "The string that bytes of a character set stand for; as ENCODE.",
       .examples = {{"DECODE(X'e4e9', 'ISO-8859-1')", "äé"}},
       .bind = bind_conversion<decode>("DECODE", "bytes and a character set", bytes, text_type())});
}

}  // namespace tidegate
