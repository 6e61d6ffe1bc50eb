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
  };
}

}  // namespace tidegate
