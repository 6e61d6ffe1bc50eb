// SPDX-License-Identifier: Apache-2.0
#include "functions/java_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

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

/// Reads a format from left to right.
class JavaFormatParser {
 public:
  explicit JavaFormatParser(std::string_view text) : text_(text) {}

  Result<JavaFormat> parse() {
    JavaFormat format;
    while (at_ < text_.size()) {
      Item& item = format.items_.emplace_back();
      const std::size_t percent = std::min(text_.find('%', at_), text_.size());
      item.text = text_.substr(at_, percent - at_);
      at_ = percent;
      if (at_ == text_.size()) break;
      ++at_;
      TG_RETURN_IF_ERROR(parse_item(item));
    }
    return format;
  }

 private:
  using Item = JavaFormat::Item;

  Status wrong(const char* what) const {
    return error(ErrorCode::kInvalidSyntax, "format '{}': {}", text_, what);
  }
  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool is_one_of(std::string_view characters) const {
    return at_ < text_.size() && characters.find(text_[at_]) != std::string_view::npos;
  }
  bool at_positive_number() const { return here() >= '1' && here() <= '9'; }

  bool take_number(int* number) {
    const auto parsed = std::from_chars(text_.data() + at_, text_.data() + text_.size(), *number);
    const bool found = parsed.ec == std::errc() && *number >= 0 && *number <= kMostCharacters;
    if (found) at_ = static_cast<std::size_t>(parsed.ptr - text_.data());
    return found;
  }

  Status parse_item(Item& item) {
    const int index = take_index();
    while (is_one_of("-#+ 0,(")) item.flags += text_[at_++];
    if (at_positive_number() && !take_number(&item.width))
      return wrong("a width that is too large");
    if (here() == '.') {
      ++at_;
      if (!take_number(&item.precision)) return wrong("a precision is missing or too large");
    }
    if (at_ == text_.size()) return wrong("a conversion is missing");
    TG_RETURN_IF_ERROR(parse_conversion(item));
    if (item.conversion == '%' || item.conversion == 'n') return Status::ok();
    item.index = index == kNext ? next_++ : index == kSame ? last_ : index;
    if (item.index < 0) return wrong("%< without a value before");
    last_ = item.index;
    return Status::ok();
  }

  /// '2$' or '<'.
  int take_index() {
    const std::size_t start = at_;
    int number = 0;
    if (here() == '<') {
      ++at_;
      return kSame;
    }
    if (at_positive_number() && take_number(&number) && here() == '$') {
      ++at_;
      return number - 1;
    }
    at_ = start;
    return kNext;
  }

  Status parse_conversion(Item& item) {
    const char written = text_[at_++];
    item.upper = written >= 'A' && written <= 'Z';
    item.conversion = item.upper ? static_cast<char>(written - 'A' + 'a') : written;
    const auto is_in = [&item](std::string_view conversions) {
      return conversions.find(item.conversion) != std::string_view::npos;
    };
    if (is_in("aht"))
      return error(ErrorCode::kNotSupported, "the conversion %{} of a format", written);
    if (!is_in("bscdoxefg%n") || (item.upper && !is_in("bscxeg")))
      return wrong("an unknown conversion");
    return Status::ok();
  }

  static constexpr int kNext = -1;
  static constexpr int kSame = -2;

  std::string_view text_;
  std::size_t at_ = 0;
  int next_ = 0;
  int last_ = -1;
};

Result<JavaFormat> JavaFormat::parse(std::string_view text) {
  return JavaFormatParser(text).parse();
}

bool JavaFormat::make_text(const FormatValue& value, Body& body) {
  if (const auto* flag = std::get_if<bool>(&value)) {
    body.text = *flag ? "true" : "false";
  } else if (const auto* integer = std::get_if<FormatInteger>(&value)) {
    body.text = fmt::format("{}", integer->value);
  } else if (const auto* single = std::get_if<float>(&value)) {
    append_float(*single, body.text);
  } else if (const auto* floating = std::get_if<double>(&value)) {
    append_double(*floating, body.text);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    body.text = *text;
  } else {
    body.text = std::get<FormatOther>(value).text;
  }
  return true;
}

bool JavaFormat::make_integer(const Item& item, const FormatValue& value, Body& body) {
  const auto* integer = std::get_if<FormatInteger>(&value);
  if (integer == nullptr || item.precision >= 0) return false;
  body.is_number = true;
  const auto bits = static_cast<std::uint64_t>(integer->value);
  if (item.conversion == 'd') {
    body.is_negative = integer->value < 0;
    body.text = fmt::format("{}", body.is_negative ? 0 - bits : bits);
    if (item.has(',')) group_thousands(body.text);
    return true;
  }
  const int unused = 64 - 8 * integer->bytes;
  const bool octal = item.conversion == 'o';
  const std::uint64_t own = bits << unused >> unused;
  body.text = octal ? fmt::format("{:o}", own) : fmt::format("{:x}", own);
  if (item.has('#')) body.text.insert(0, octal ? "0" : "0x");
  return true;
}

bool JavaFormat::make_floating(const Item& item, const FormatValue& value, Body& body) {
  double number = 0;
  if (const auto* single = std::get_if<float>(&value)) {
    number = *single;
  } else if (const auto* floating = std::get_if<double>(&value)) {
    number = *floating;
  } else {
    return false;
  }
  if (!std::isfinite(number)) {
    body.text = std::isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity";
    return true;
  }
  const int precision = item.precision < 0 ? 6 : item.precision;
  body.is_number = true;
  body.is_negative = std::signbit(number);
  body.text = item.conversion == 'f'   ? fixed(number, precision)
              : item.conversion == 'e' ? scientific(number, precision)
                                       : general(number, precision);
  if (item.has(',') && item.conversion != 'e') group_thousands(body.text);
  return true;
}

bool JavaFormat::make_body(const Item& item, const FormatValue& value, Body& body) {
  const bool null = std::holds_alternative<std::monostate>(value);
  if (item.conversion == 'b') {
    const auto* flag = std::get_if<bool>(&value);
    body.text = null || (flag != nullptr && !*flag) ? "false" : "true";
    return true;
  }
  if (null) {
    body.text = "null";
    return true;
  }
  switch (item.conversion) {
    case 's':
      return make_text(value, body);
    case 'c': {
      const auto* integer = std::get_if<FormatInteger>(&value);
      if (integer == nullptr || integer->value < 0 || integer->value > 0x10FFFF) return false;
      append_code_point(static_cast<char32_t>(integer->value), body.text);
      return true;
    }
    case 'd':
    case 'o':
    case 'x':
      return make_integer(item, value, body);
    default:
      return make_floating(item, value, body);
  }
}

void JavaFormat::append_filled(const Item& item, Body body, std::string& out) {
  std::string text = std::move(body.text);
  if (!body.is_number && item.precision >= 0) text = first_characters(text, item.precision);
  std::string sign;
  std::string closing;
  if (body.is_negative) {
    sign = item.has('(') ? "(" : "-";
    closing = item.has('(') ? ")" : "";
  } else if (body.is_number) {
    sign = item.has('+') ? "+" : item.has(' ') ? " " : "";
  }
  const std::int64_t length =
      count_characters(text) + static_cast<std::int64_t>(sign.size() + closing.size());
  const auto missing = static_cast<std::size_t>(std::max<std::int64_t>(item.width - length, 0));
  const bool zeros = body.is_number && item.has('0');
  if (zeros) text.insert(0, missing, '0');
  text = sign + text + closing;
  if (!zeros) text.insert(item.has('-') ? text.size() : 0, missing, ' ');
  if (item.upper) {
    for (char& c : text)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  out += text;
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
    Body body;
    if (index >= values.size() || !make_body(item, values[index], body)) {
      out.resize(start);
      return false;
    }
    append_filled(item, std::move(body), out);
  }
  return true;
}

}  // namespace tidegate
