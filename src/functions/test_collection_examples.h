// SPDX-License-Identifier: Apache-2.0
//
// For examples_test.cc: the examples of functions that make or take ARRAY, MAP and ROW.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "functions/test_evaluation.h"

namespace tidegate {

inline ExprPtr array(std::vector<ExprPtr> elements) { return call("ARRAY", std::move(elements)); }
inline ExprPtr map(std::vector<ExprPtr> entries) { return call("MAP", std::move(entries)); }
inline ExprPtr ints(const std::vector<int>& values) {
  std::vector<ExprPtr> elements;
  for (int value : values) elements.push_back(lit(value));
  return array(std::move(elements));
}
inline ExprPtr texts(const std::vector<const char*>& values) {
  std::vector<ExprPtr> elements;
  for (const char* value : values) elements.push_back(lit(value));
  return array(std::move(elements));
}

inline std::map<std::string, ExprPtr> collection_examples() {
  const ExprPtr null = lit_null();
  return {
      {"ARRAY[1, 2, NULL]", array({lit(1), lit(2), null})},
      {"ARRAY[1, 2.5]", array({lit(1), typed("2.5", "DECIMAL(2, 1) NOT NULL")})},
      {"MAP['a', 1, 'b', 2]", map({lit("a"), lit(1), lit("b"), lit(2)})},
      {"MAP['a', 1, 'a', NULL]", map({lit("a"), lit(1), lit("a"), null})},
      {"ROW(1, 'a', NULL)", call("ROW", {lit(1), lit("a"), null})},
      {"ARRAY['a', 'b'][2]", call("ELEMENT_AT", {texts({"a", "b"}), lit(2)})},
      {"ARRAY['a', 'b'][3]", call("ELEMENT_AT", {texts({"a", "b"}), lit(3)})},
      {"MAP['a', 1, 'b', 2]['b']",
       call("ELEMENT_AT", {map({lit("a"), lit(1), lit("b"), lit(2)}), lit("b")})},
      {"MAP['a', 1]['c']", call("ELEMENT_AT", {map({lit("a"), lit(1)}), lit("c")})},
      {"CAST(ROW(1, 'x') AS ROW<a INT, b STRING>).b",
       call("FIELD",
            {cast(call("ROW", {lit(1), lit("x")}), *LogicalType::parse("ROW<a INT, b STRING>")),
             lit("b")})},
      {"CARDINALITY(ARRAY[5, NULL])", call("CARDINALITY", {array({lit(5), null})})},
      {"CARDINALITY(MAP['a', 1])", call("CARDINALITY", {map({lit("a"), lit(1)})})},
      {"ELEMENT(ARRAY[42])", call("ELEMENT", {ints({42})})},
      {"ARRAY_APPEND(ARRAY[1, 2], 3)", call("ARRAY_APPEND", {ints({1, 2}), lit(3)})},
      {"ARRAY_APPEND(ARRAY[1], NULL)", call("ARRAY_APPEND", {ints({1}), null})},
      {"ARRAY_PREPEND(ARRAY[1, 2], 3)", call("ARRAY_PREPEND", {ints({1, 2}), lit(3)})},
      {"ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", call("ARRAY_REMOVE", {ints({1, 2, 1}), lit(1)})},
      {"ARRAY_CONTAINS(ARRAY[1, 2], 2)", call("ARRAY_CONTAINS", {ints({1, 2}), lit(2)})},
      {"ARRAY_CONTAINS(ARRAY[1, NULL], NULL)",
       call("ARRAY_CONTAINS", {array({lit(1), null}), null})},
      {"ARRAY_POSITION(ARRAY['a', 'b', 'b'], 'b')",
       call("ARRAY_POSITION", {texts({"a", "b", "b"}), lit("b")})},
      {"ARRAY_POSITION(ARRAY['a'], 'x')", call("ARRAY_POSITION", {texts({"a"}), lit("x")})},
      {"ARRAY_DISTINCT(ARRAY[1, 2, 1, NULL, NULL])",
       call("ARRAY_DISTINCT", {array({lit(1), lit(2), lit(1), null, null})})},
      {"ARRAY_UNION(ARRAY[1, 2], ARRAY[2, 3])", call("ARRAY_UNION", {ints({1, 2}), ints({2, 3})})},
      {"ARRAY_EXCEPT(ARRAY[1, 2, 2, 3], ARRAY[3])",
       call("ARRAY_EXCEPT", {ints({1, 2, 2, 3}), ints({3})})},
      {"ARRAY_INTERSECT(ARRAY[3, 1, 3, 2], ARRAY[2, 3])",
       call("ARRAY_INTERSECT", {ints({3, 1, 3, 2}), ints({2, 3})})},
      {"ARRAY_SORT(ARRAY[2, NULL, 1])", call("ARRAY_SORT", {array({lit(2), null, lit(1)})})},
      {"ARRAY_SORT(ARRAY[1, NULL, 2], FALSE)",
       call("ARRAY_SORT", {array({lit(1), null, lit(2)}), lit(false)})},
      {"ARRAY_SORT(ARRAY[1, NULL, 2], FALSE, TRUE)",
       call("ARRAY_SORT", {array({lit(1), null, lit(2)}), lit(false), lit(true)})},
      {"ARRAY_MAX(ARRAY[1, NULL, 3])", call("ARRAY_MAX", {array({lit(1), null, lit(3)})})},
      {"ARRAY_MIN(ARRAY['b', NULL, 'a'])", call("ARRAY_MIN", {array({lit("b"), null, lit("a")})})},
      {"ARRAY_CONCAT(ARRAY[1, 2], ARRAY[2], ARRAY[3])",
       call("ARRAY_CONCAT", {ints({1, 2}), ints({2}), ints({3})})},
      {"ARRAY_REVERSE(ARRAY[1, 2, NULL])", call("ARRAY_REVERSE", {array({lit(1), lit(2), null})})},
      {"ARRAY_SLICE(ARRAY['a', 'b', 'c', 'd'], 2, 3)",
       call("ARRAY_SLICE", {texts({"a", "b", "c", "d"}), lit(2), lit(3)})},
      {"ARRAY_SLICE(ARRAY['a', 'b', 'c', 'd'], -2)",
       call("ARRAY_SLICE", {texts({"a", "b", "c", "d"}), lit(-2)})},
      {"ARRAY_SLICE(ARRAY['a', 'b'], 3)", call("ARRAY_SLICE", {texts({"a", "b"}), lit(3)})},
      {"ARRAY_JOIN(ARRAY['a', NULL, 'b'], ', ')",
       call("ARRAY_JOIN", {array({lit("a"), null, lit("b")}), lit(", ")})},
      {"ARRAY_JOIN(ARRAY['a', NULL, 'b'], '-', '?')",
       call("ARRAY_JOIN", {array({lit("a"), null, lit("b")}), lit("-"), lit("?")})},
      {"SPLIT('a,b,,c', ',')", call("SPLIT", {lit("a,b,,c"), lit(",")})},
      {"SPLIT('añb', '')", call("SPLIT", {lit("añb"), lit("")})},
      {"MAP_KEYS(MAP['a', 1, 'b', 2])",
       call("MAP_KEYS", {map({lit("a"), lit(1), lit("b"), lit(2)})})},
      {"MAP_VALUES(MAP['a', 1, 'b', 2])",
       call("MAP_VALUES", {map({lit("a"), lit(1), lit("b"), lit(2)})})},
      {"MAP_ENTRIES(MAP['a', 1, 'b', 2])",
       call("MAP_ENTRIES", {map({lit("a"), lit(1), lit("b"), lit(2)})})},
      {"MAP_UNION(MAP['a', 1, 'b', 2], MAP['b', 3])",
       call("MAP_UNION", {map({lit("a"), lit(1), lit("b"), lit(2)}), map({lit("b"), lit(3)})})},
      {"MAP_FROM_ARRAYS(ARRAY['a', 'b'], ARRAY[1, 2])",
       call("MAP_FROM_ARRAYS", {texts({"a", "b"}), ints({1, 2})})},
  };
}

}  // namespace tidegate
