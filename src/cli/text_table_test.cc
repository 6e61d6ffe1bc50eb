// SPDX-License-Identifier: Apache-2.0
#include "cli/text_table.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "cli/text_width.h"

namespace tidegate {
namespace {

std::string fitted(std::string_view text, int width, bool right_aligned = false) {
  std::string out;
  append_fitted(text, width, right_aligned, out);
  return out;
}

TEST(TextWidth, CountsCellsOfATerminal) {
  EXPECT_EQ(text_width(""), 0);
  EXPECT_EQ(text_width("abc"), 3);
  EXPECT_EQ(text_width("é"), 1);
  EXPECT_EQ(text_width("e\u0301"), 1);
  EXPECT_EQ(text_width("日本"), 4);
  EXPECT_EQ(text_width("🚀"), 2);
  EXPECT_EQ(text_width("\xff\xe6"), 2);
}

TEST(TextWidth, FitsText) {
  EXPECT_EQ(fitted("ab", 4), "ab  ");
  EXPECT_EQ(fitted("ab", 4, true), "  ab");
  EXPECT_EQ(fitted("abcd", 4), "abcd");
  EXPECT_EQ(fitted("abcde", 4), "a...");
  EXPECT_EQ(fitted("日本語", 5), "日...");
  EXPECT_EQ(fitted("日本語", 4), "... ");  // half a character does not fit
  EXPECT_EQ(fitted("abc", 2), "..");
  EXPECT_EQ(fitted("e\u0301e\u0301", 2), "e\u0301e\u0301");
}

TEST(TextWidth, KeepsControlCharactersFromTheTerminal) {
  std::string out;
  append_printable("a\n\t\r\x1b[2Jé\x7f", out);
  EXPECT_EQ(out, "a\\n\\t\\r\\x1b[2Jé\\x7f");
}

TEST(TextTable, AlignsColumns) {
  TextTable table({{"url", "STRING"}, {"n", "INT", true}});
  const std::array<std::string_view, 2> rows[] = {{"/a/longer", "1"}, {"/b", "1234"}};
  for (const auto& row : rows) table.measure(row);
  std::string out;
  table.append_header(out);
  for (const auto& row : rows) table.append_row(row, out);
  table.append_rule(out);
  EXPECT_EQ(out,
            "+-----------+------+\n"
            "| url       |    n |\n"
            "| STRING    |  INT |\n"
            "+-----------+------+\n"
            "| /a/longer |    1 |\n"
            "| /b        | 1234 |\n"
            "+-----------+------+\n");
}

TEST(TextTable, TakesRoomFromTheWidestColumns) {
  TextTable table({{"a", ""}, {"b", ""}, {"c", "", true}});
  const std::string long_text(1000, 'x');
  const std::array<std::string_view, 3> row = {"short", long_text, "123456789"};
  table.measure(row);
  table.fit(40);
  std::string out;
  table.append_row(row, out);
  EXPECT_EQ(out, "| short | xxxxxxxxxxxxx... | 123456789 |\n");
  table.fit(10);  // more than it can give
  out.clear();
  table.append_row(row, out);
  EXPECT_EQ(out, "| short | xxx... | 123... |\n");
}

}  // namespace
}  // namespace tidegate
