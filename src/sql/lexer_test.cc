// SPDX-License-Identifier: Apache-2.0
#include "sql/lexer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace tidegate::sql {
namespace {

/// The tokens with a letter for their kind, or the error.
std::string tokens(std::string_view text) {
  const TokenList list = tokenize(text);
  std::string out;
  for (const Token& token : list.tokens) {
    if (token.kind == TokenKind::kError) return fmt::format("{}: {}", token.begin, list.error);
    if (token.kind == TokenKind::kEnd) break;
    constexpr std::string_view kLetters = "-wqsubn.<>!?";
    out += fmt::format("{}{}[{}]", out.empty() ? "" : " ", kLetters[static_cast<int>(token.kind)],
                       text.substr(token.begin, token.end - token.begin));
  }
  return out;
}

TEST(LexerTest, SplitsTextIntoTokens) {
  EXPECT_EQ(tokens("SELECT a_1$, `b``c`"), "w[SELECT] w[a_1$] .[,] q[`b``c`]");
  EXPECT_EQ(tokens("'it''s' x'0A' U&'\\0041' n'y' _utf8'z'"),
            "s['it''s'] b[x'0A'] u[U&'\\0041'] s[n'y'] s[_utf8'z']");
  EXPECT_EQ(tokens("1 1.5 .5 1. 1e3 1.5E-10 a.b a.1"),
            "n[1] n[1.5] n[.5] n[1.] n[1e3] n[1.5E-10] w[a] .[.] w[b] w[a] n[.1]");
  EXPECT_EQ(tokens("a<>b!=c<=d>=e||f=>g<h>>i"),
            "w[a] .[<>] w[b] .[!=] w[c] .[<=] w[d] .[>=] w[e] .[||] w[f] .[=>] w[g] .[<] w[h] .[>] "
            ".[>] w[i]");
  EXPECT_EQ(tokens("12ab 1.5s"), "![12ab] ![1.5s]");
  EXPECT_EQ(tokens("gr\xC3\xB6\xC3\x9F"
                   "e"),
            "w[gr\xC3\xB6\xC3\x9F"
            "e]");
}

TEST(LexerTest, SkipsBlanksAndComments) {
  EXPECT_EQ(tokens("\xEF\xBB\xBF a--x\n/* y\n*/ // z\n\tb\xC2\xA0/**/c"), "w[a] w[b] w[c]");
  EXPECT_EQ(tokens("s3://b/c // d"), "w[s3] .[:] .[/] .[/] w[b] .[/] w[c]");
  EXPECT_EQ(tokens("/*+ a */ b * c"), "<[/*+] w[a] >[*/] w[b] .[*] w[c]");
}

TEST(LexerTest, RefusesWhatIsNoToken) {
  EXPECT_EQ(tokens("a 'b"), "2: the text is not closed with '");
  EXPECT_EQ(tokens("a `b"), "2: the name is not closed with `");
  EXPECT_EQ(tokens("a /* b"), "2: the comment is not closed with */");
  EXPECT_EQ(tokens("a /*+ b"), "2: the hint is not closed with */");
  EXPECT_EQ(tokens("``"), "0: a name must not be empty");
  EXPECT_EQ(tokens("a \xC3("), "2: the byte 0xC3 is not UTF-8 text");
  EXPECT_EQ(tokens("'\xED\xA0\x80'"), "1: the byte 0xED is not UTF-8 text");
  EXPECT_EQ(tokens(std::string_view("\0", 1)), "0: the character 0x00 is not part of SQL");
  EXPECT_TRUE(tokens("\"a\"").starts_with("0: double quotes have no meaning here"));
}

TEST(LexerTest, FindsKeywordsInAnyCase) {
  EXPECT_EQ(find_word("SeLeCt"), Word::kSelect);
  EXPECT_EQ(find_word("current_timestamp"), Word::kCurrentTimestamp);
  EXPECT_EQ(find_word("selects"), Word::kNone);
  EXPECT_EQ(find_word(""), Word::kNone);
  EXPECT_TRUE(is_reserved(Word::kSelect));
  EXPECT_FALSE(is_reserved(Word::kValue));
  EXPECT_FALSE(is_reserved(Word::kNone));
}

TEST(LexerTest, DecodesTexts) {
  EXPECT_EQ(name_of("`a``b`"), "a`b");
  EXPECT_EQ(name_of("aB"), "aB");
  EXPECT_EQ(string_of("_UTF8'it''s'"), "it's");
  EXPECT_EQ(string_of("e'a\\tb\\x3f\\u00e9\\\\'"), "a\tb?\xC3\xA9\\");
  EXPECT_EQ(string_of("E'\\''''"), "''");
  EXPECT_EQ(string_of("E'\\55\\p\\u12'"), "\\55\\p\\u12");
  EXPECT_EQ(*unicode_string_of("U&'\\00e9\\\\x\\D83D\\DE00'", '\\'), "\xC3\xA9\\x\xF0\x9F\x98\x80");
  EXPECT_EQ(*unicode_string_of("U&'!0041'", '!'), "A");
  for (const char* text : {"U&'\\12'", "U&'\\D83D'", "U&'\\D83Dx'", "U&'\\DE00'", "U&'\\12G4'"})
    EXPECT_FALSE(unicode_string_of(text, '\\').is_ok()) << text;
}

}  // namespace
}  // namespace tidegate::sql
