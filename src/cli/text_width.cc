// SPDX-License-Identifier: Apache-2.0
#include "cli/text_width.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace tidegate {

namespace {

constexpr std::string_view kCut = "...";

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};
// Blocks of Unicode's East Asian Width W and F, and emoji.
constexpr Range kWide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},
    {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
    {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
// Combining marks and what joins characters.
constexpr Range kNone[] = {{0x0300, 0x036f}, {0x0591, 0x05bd}, {0x064b, 0x065f},
                           {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
                           {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};

template <std::size_t kCount>
bool is_in(const Range (&ranges)[kCount], std::uint32_t code) {
  const Range* range =
      std::lower_bound(std::begin(ranges), std::end(ranges), code,
                       [](const Range& a, std::uint32_t value) { return a.last < value; });
  return range != std::end(ranges) && code >= range->first;
}

/// The character at the front of `text`, taken off it: its width.
int take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t lead = byte(0);
  const std::size_t length = lead < 0x80           ? 1
                             : (lead >> 5) == 0x6  ? 2
                             : (lead >> 4) == 0xe  ? 3
                             : (lead >> 3) == 0x1e ? 4
                                                   : 0;
  std::uint32_t code = length == 1 ? lead : lead & (0xffU >> (length + 1));
  bool valid = length > 0 && length <= text.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) >> 6) == 0x2;
    code = code << 6 | (byte(i) & 0x3fU);
  }
  text.remove_prefix(valid ? length : 1);
  if (!valid) return 1;
  return is_in(kNone, code) ? 0 : is_in(kWide, code) ? 2 : 1;
}

}  // namespace

int text_width(std::string_view text) {
  int width = 0;
  while (!text.empty()) width += take_character(text);
  return width;
}

void append_printable(std::string_view text, std::string& out) {
  for (const char c : text) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte >= 0x20 && byte != 0x7f) [[likely]] {
      out += c;
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r";
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    }
  }
}

void append_fitted(std::string_view text, int width, bool right_aligned, std::string& out) {
  int used = 0;
  int used_before_cut = 0;  // of what is kept when the text must be cut
  std::size_t kept = 0;
  const int room = std::max(0, width - static_cast<int>(kCut.size()));
  std::string_view rest = text;
  while (!rest.empty()) {
    used += take_character(rest);
    if (used <= room) {
      kept = text.size() - rest.size();
      used_before_cut = used;
    }
    if (used > width) break;
  }
  if (used > width) {
    const std::string_view mark = kCut.substr(0, static_cast<std::size_t>(std::min(width, 3)));
    out += text.substr(0, kept);
    out += mark;
    out.append(static_cast<std::size_t>(width - used_before_cut) - mark.size(), ' ');
    return;
  }
  const auto blanks = static_cast<std::size_t>(width - used);
  if (right_aligned) out.append(blanks, ' ');
  out += text;
  if (!right_aligned) out.append(blanks, ' ');
}

}  // namespace tidegate
