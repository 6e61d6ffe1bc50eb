// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tidegate {

/// Cells of a terminal that UTF-8 text takes up: two for East Asian wide characters and emoji, none
/// for combining marks. Bytes that are not UTF-8 count as one each.
int text_width(std::string_view text);

/// Text as a terminal may show it: line breaks, tabs and other control characters, which would
/// break lines or give orders to the terminal, as \n, \t, \x1b.
void append_printable(std::string_view text, std::string& out);

/// Appends `text` in exactly `width` cells: with blanks in front (or behind), or cut with "..." at
/// the end.
void append_fitted(std::string_view text, int width, bool right_aligned, std::string& out);

}  // namespace tidegate
