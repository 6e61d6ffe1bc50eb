// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "sql/parser.h"
#include "sql/print_syntax.h"

namespace tidegate::sql {
namespace {

/// A call with its arguments as they are in the tree, symbols in angle brackets.
std::string shape(std::string_view text) {
  const Result<ExpressionPtr> value = parse_expression({"", text});
  if (!value.is_ok()) return value.status().to_string();
  const auto& call = std::get<Call>((*value)->node);
  std::string out = call.function;
  for (const ExpressionPtr& arg : call.args) {
    const auto* literal = std::get_if<Literal>(&arg->node);
    const bool symbol = literal != nullptr && literal->kind == Literal::Kind::kSymbol;
    out += '|' + (symbol ? '<' + literal->text + '>' : print(*arg));
  }
  return out;
}

TEST(ParserTreeTest, SpecialSyntaxBecomesPlainCalls) {
  const std::pair<const char*, const char*> kShapes[] = {
      {"EXTRACT(day FROM x)", "EXTRACT|<DAY>|x"},
      {"CEILING(x TO hours)", "CEIL|x|<HOUR>"},
      {"FLOOR(x)", "FLOOR|x"},
      {"TRIM(x)", "TRIM|<BOTH>|' '|x"},
      {"TRIM(LEADING FROM x)", "TRIM|<LEADING>|' '|x"},
      {"TRIM('a' FROM x)", "TRIM|<BOTH>|'a'|x"},
      {"POSITION('a' IN x)", "POSITION|'a'|x"},
      {"SUBSTRING(x FROM 2)", "SUBSTRING|x|2"},
      {"OVERLAY(x PLACING y FROM 2)", "OVERLAY|x|y|2"},
      {"TIMESTAMPADD(SQL_TSI_DAY, 1, x)", "TIMESTAMPADD|<DAY>|1|x"},
      {"TIMESTAMPDIFF(WEEK, a, b)", "TIMESTAMPDIFF|<WEEK>|a|b"},
      {"x LIKE 'a' ESCAPE 'b'", "LIKE|x|'a'|'b'"},
      {"x BETWEEN SYMMETRIC 1 AND 2", "BETWEEN SYMMETRIC|x|1|2"},
      {"x IN (1, 2)", "IN|x|1|2"},
      {"x IS JSON ARRAY", "IS JSON|x|<ARRAY>"},
      {"x != y", "<>|x|y"},
      {"-5", "-|5"},
      {"(a, 1)", "ROW|a|1"},
      {"MAP[a, 1]", "MAP|a|1"},
      {"(a, b) OVERLAPS (c, d)", "OVERLAPS|a|b|c|d"},
      {"a OR b OR c", "OR|a|b|c"},
      {"CURRENT_DATE", "CURRENT_DATE"},
      {"JSON_VALUE(j, '$')", "JSON_VALUE|j|'$'|<STRING>|<NULL>|NULL|<NULL>|NULL"},
      {"JSON_VALUE(j, '$' RETURNING INTEGER DEFAULT 5 ON EMPTY ERROR ON ERROR)",
       "JSON_VALUE|j|'$'|<INT>|<DEFAULT>|5|<ERROR>|NULL"},
      {"JSON_QUERY(j, '$')", "JSON_QUERY|j|'$'|<STRING>|<WITHOUT>|<NULL>|<NULL>"},
      {"JSON_QUERY(j, '$' WITH WRAPPER EMPTY OBJECT ON ERROR)",
       "JSON_QUERY|j|'$'|<STRING>|<UNCONDITIONAL>|<NULL>|<EMPTY OBJECT>"},
      {"JSON_EXISTS(j, '$')", "JSON_EXISTS|j|'$'|<FALSE>"},
      {"JSON_OBJECT('a' VALUE 1)", "JSON_OBJECT|<NULL>|'a'|1"},
      {"JSON_ARRAY(1, 2)", "JSON_ARRAY|<ABSENT>|1|2"},
      {"JSON_OBJECTAGG(k VALUE v ABSENT ON NULL)", "JSON_OBJECTAGG|<ABSENT>|k|v"},
      {"JSON_ARRAYAGG(v)", "JSON_ARRAYAGG|<ABSENT>|v"},
  };
  for (const auto& [text, expected] : kShapes) EXPECT_EQ(shape(text), expected) << text;
}

TEST(ParserTreeTest, IntervalsAreMonthsOrMilliseconds) {
  const std::pair<const char*, std::int64_t> kIntervals[] = {
      {"INTERVAL '2' YEAR", 24},
      {"INTERVAL '1-11' YEAR TO MONTH", 23},
      {"INTERVAL '-3' QUARTER", -9},
      {"INTERVAL '2' WEEKS", 14LL * 86400000},
      {"INTERVAL '1 02:03:04.5' DAY TO SECOND", 93784500},
      {"INTERVAL -'-1' HOUR", 3600000},
      {"INTERVAL '0.0019' SECOND", 1},
      {"INTERVAL '9999999999' SECOND(10)", 9999999999000},
  };
  for (const auto& [text, expected] : kIntervals) {
    const Result<ExpressionPtr> value = parse_expression({"", text});
    ASSERT_TRUE(value.is_ok()) << value.status().to_string();
    EXPECT_EQ(std::get<Literal>((*value)->node).interval, expected) << text;
  }
}

TEST(ParserTreeTest, PlacesCoverTheirText) {
  const std::string text = "SELECT a, f(b + 1) FROM `t` -- end";
  const auto statements = parse_script({"", text});
  ASSERT_TRUE(statements.is_ok());
  const auto& query = *std::get<SelectStatement>((*statements)[0].node).query;
  const auto& select = std::get<Select>(query.body);
  const auto covered = [&](Place place) {
    return text.substr(place.begin, place.end - place.begin);
  };
  EXPECT_EQ(covered(query.place), "SELECT a, f(b + 1) FROM `t`");
  EXPECT_EQ(covered(select.items[1].value->place), "f(b + 1)");
  EXPECT_EQ(covered(select.from->place), "`t`");
}

TEST(ParserTreeTest, ViewsKeepTheTextOfTheirQuery) {
  const auto statements = parse_script({"", "CREATE VIEW v AS SELECT 1 -- one\n + 2;"});
  ASSERT_TRUE(statements.is_ok());
  EXPECT_EQ(std::get<CreateView>((*statements)[0].node).text, "SELECT 1 -- one\n + 2");
}

}  // namespace
}  // namespace tidegate::sql
