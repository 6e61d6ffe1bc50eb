// SPDX-License-Identifier: Apache-2.0
#include "functions/java_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <iterator>
#include <optional>

#include "base/check.h"
#include "functions/unicode.h"
#include "functions/utf8.h"
#include "types/decimal.h"

namespace tidegate {

namespace {

/// Widths and precisions beyond are a mistake that must not eat the memory.
constexpr int kMostCharacters = 100'000;

/// The digits of a number without its sign: 0.d1d2d3... * 10^exponent.
struct Digits {
  std::string digits;
  int exponent = 0;

  explicit Digits(double number) {
    char buffer[32];
    // The shortest digits that read back as the number: those are what Java rounds.
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), std::fabs(number),
                                   std::chars_format::scientific);
    const char* const e = std::find(buffer, end.ptr, 'e');
    for (const char* c = buffer; c != e; ++c)
      if (*c != '.') digits += *c;
    const char* const sign = e + 1;
    std::from_chars(*sign == '+' ? sign + 1 : sign, end.ptr, exponent);
    ++exponent;
    if (number == 0) exponent = 1;
  }

  /// Keeps `kept` digits, halves up; with less than one the number becomes 0 or a single 1.
  void round(int kept) {
    if (kept >= static_cast<int>(digits.size())) return;
    const bool up = kept >= 0 && digits[static_cast<std::size_t>(kept)] >= '5';
    digits.resize(static_cast<std::size_t>(std::max(kept, 0)));
    if (!up) return;
    for (std::size_t i = digits.size(); i-- > 0;) {
      if (digits[i] != '9') {
        ++digits[i];
        return;
      }
      digits[i] = '0';
    }
    digits.insert(0, 1, '1');
    ++exponent;
  }

  char at(int place) const {
    return place >= 0 && place < static_cast<int>(digits.size())
               ? digits[static_cast<std::size_t>(place)]
               : '0';
  }
};

std::string fixed(double number, int precision) {
  Digits digits(number);
  digits.round(digits.exponent + precision);
  std::string out;
  for (int place = std::min(0, digits.exponent - 1); place < digits.exponent; ++place)
    out += digits.at(place);
  if (digits.exponent <= 0) out = "0";
  if (precision > 0) out += '.';
  for (int place = digits.exponent; place < digits.exponent + precision; ++place)
    out += digits.at(place);
  return out;
}

std::string scientific(double number, int precision) {
  Digits digits(number);
  digits.round(precision + 1);
  std::string out(1, digits.at(0));
  if (precision > 0) out += '.';
  for (int place = 1; place <= precision; ++place) out += digits.at(place);
  const int exponent = number == 0 ? 0 : digits.exponent - 1;
  return out + fmt::format("e{}{:02}", exponent < 0 ? '-' : '+', std::abs(exponent));
}

/// Of %f and %e what fits better.
std::string general(double number, int precision) {
  if (precision == 0) precision = 1;
  Digits digits(number);
  digits.round(precision);
  const bool plain = number == 0 || (digits.exponent > -4 && digits.exponent <= precision);
  if (number == 0) return fixed(number, precision - 1);
  return plain ? fixed(number, precision - digits.exponent) : scientific(number, precision - 1);
}

void group_thousands(std::string& number) {
  const std::size_t end = std::min(number.find_first_of(".e"), number.size());
  for (std::size_t place = end; place > 3;) {
    place -= 3;
    number.insert(place, 1, ',');
  }
}

}  // namespace

Result<JavaFormat> JavaFormat::parse(std::string_view text) {
  JavaFormat format;
  const auto wrong = [&](const char* what) {
    return error(ErrorCode::kInvalidSyntax, "format '{}': {}", text, what);
  };
  int next = 0;
  int last = -1;
  std::size_t at = 0;
  const auto take_number = [&](int* number) {
    const auto parsed = std::from_chars(text.data() + at, text.data() + text.size(), *number);
    const bool found = parsed.ec == std::errc() && *number >= 0 && *number <= kMostCharacters;
    if (found) at = static_cast<std::size_t>(parsed.ptr - text.data());
    return found;
  };
  while (at < text.size()) {
    Item& item = format.items_.emplace_back();
    const std::size_t percent = std::min(text.find('%', at), text.size());
    item.text = text.substr(at, percent - at);
    at = percent + 1;
    if (percent == text.size()) break;
    bool same_again = false;
    int explicit_index = 0;
    const std::size_t start = at;
    if (at < text.size() && text[at] >= '1' && text[at] <= '9' && take_number(&explicit_index)) {
      if (at < text.size() && text[at] == '$') {
        ++at;
      } else {
        at = start;
        explicit_index = 0;
      }
    } else if (at < text.size() && text[at] == '<') {
      same_again = true;
      ++at;
    }
    while (at < text.size() && std::string_view("-#+ 0,(").find(text[at]) != std::string_view::npos)
      item.flags += text[at++];
    if (at < text.size() && text[at] >= '1' && text[at] <= '9' && !take_number(&item.width))
      return wrong("a width that is too large");
    if (at < text.size() && text[at] == '.') {
      ++at;
      if (!take_number(&item.precision)) return wrong("a precision is missing or too large");
    }
    if (at == text.size()) return wrong("a conversion is missing");
    char conversion = text[at++];
    item.upper = conversion >= 'A' && conversion <= 'Z';
    if (item.upper) conversion = static_cast<char>(conversion - 'A' + 'a');
    if (std::string_view("aht").find(conversion) != std::string_view::npos)
      return error(ErrorCode::kNotSupported, "the conversion %{} of a format", text[at - 1]);
    if (std::string_view("bscdoxefg%n").find(conversion) == std::string_view::npos ||
        (item.upper && std::string_view("bscxeg").find(conversion) == std::string_view::npos))
      return wrong("an unknown conversion");
    item.conversion = conversion;
    if (conversion == '%' || conversion == 'n') continue;
    item.index = same_again ? last : explicit_index > 0 ? explicit_index - 1 : next++;
    if (item.index < 0) return wrong("%< without a value before");
    last = item.index;
  }
  return format;
}

bool JavaFormat::append_item(const Item& item, const FormatValue& value, std::string& out) {
  std::string body;
  bool negative = false;
  bool number = false;
  const bool null = std::holds_alternative<std::monostate>(value);
  const auto* integer = std::get_if<FormatInteger>(&value);
  std::optional<double> floating;
  if (const auto* wide = std::get_if<double>(&value)) floating = *wide;
  const auto* single = std::get_if<float>(&value);
  if (single != nullptr) floating = *single;
  switch (item.conversion) {
    case 'b':
      body = null                                                            ? "false"
             : std::holds_alternative<bool>(value) && !std::get<bool>(value) ? "false"
                                                                             : "true";
      break;
    case 's':
      if (null) body = "null";
      if (const auto* flag = std::get_if<bool>(&value)) body = *flag ? "true" : "false";
      if (integer != nullptr) body = fmt::format("{}", integer->value);
      if (single != nullptr) {
        append_float(*single, body);
      } else if (floating) {
        append_double(*floating, body);
      }
      if (const auto* text = std::get_if<std::string_view>(&value)) body = *text;
      if (const auto* other = std::get_if<FormatOther>(&value)) body = other->text;
      break;
    case 'c':
      if (null) {
        body = "null";
      } else if (integer != nullptr && integer->value >= 0 && integer->value <= 0x10FFFF) {
        append_code_point(static_cast<char32_t>(integer->value), body);
      } else {
        return false;
      }
      break;
    case 'd':
    case 'o':
    case 'x': {
      if (null) {
        body = "null";
        break;
      }
      if (integer == nullptr || item.precision >= 0) return false;
      if (item.conversion == 'd') {
        negative = integer->value < 0;
        const auto bits = static_cast<std::uint64_t>(integer->value);
        body = fmt::format("{}", negative ? 0 - bits : bits);
        if (item.has(',')) group_thousands(body);
      } else {
        const int shift = 64 - 8 * integer->bytes;
        const auto bits = static_cast<std::uint64_t>(integer->value) << shift >> shift;
        body = item.conversion == 'o' ? fmt::format("{:o}", bits) : fmt::format("{:x}", bits);
        if (item.has('#')) body.insert(0, item.conversion == 'o' ? "0" : "0x");
      }
      number = true;
      break;
    }
    default: {
      if (null) {
        body = "null";
        break;
      }
      if (!floating) return false;
      if (!std::isfinite(*floating)) {
        body = std::isnan(*floating) ? "NaN" : *floating < 0 ? "-Infinity" : "Infinity";
        break;
      }
      const int precision = item.precision < 0 ? 6 : item.precision;
      negative = std::signbit(*floating);
      body = item.conversion == 'f'   ? fixed(*floating, precision)
             : item.conversion == 'e' ? scientific(*floating, precision)
                                      : general(*floating, precision);
      if (item.has(',') && item.conversion != 'e') group_thousands(body);
      number = true;
    }
  }
  if (!number && item.precision >= 0) body = first_characters(body, item.precision);
  std::string sign;
  if (number)
    sign = negative ? (item.has('(') ? "(" : "-") : item.has('+') ? "+" : item.has(' ') ? " " : "";
  const std::string closing = negative && item.has('(') ? ")" : "";
  const auto length =
      count_characters(body) + static_cast<std::int64_t>(sign.size() + closing.size());
  const auto missing = static_cast<std::size_t>(std::max<std::int64_t>(item.width - length, 0));
  if (number && item.has('0')) {
    body.insert(0, missing, '0');
    body = sign + body + closing;
  } else {
    body = sign + body + closing;
    if (item.has('-')) {
      body.append(missing, ' ');
    } else {
      body.insert(0, missing, ' ');
    }
  }
  if (item.upper)
    for (char& c : body)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  out += body;
  return true;
}

bool JavaFormat::append(const std::vector<FormatValue>& values, std::string& out) const {
  const std::size_t start = out.size();
  for (const Item& item : items_) {
    out += item.text;
    if (item.conversion == 0) continue;
    if (item.conversion == '%' || item.conversion == 'n') {
      out += item.conversion == '%' ? '%' : '\n';
      continue;
    }
    const auto index = static_cast<std::size_t>(item.index);
    if (index >= values.size() || !append_item(item, values[index], out)) {
      out.resize(start);
      return false;
    }
  }
  return true;
}

}  // namespace tidegate
