// SPDX-License-Identifier: Apache-2.0
//
// What is evaluated, how often and on which rows. The functions here count; those of SQL have their
// tests beside them.
#include "expr/compiled_expr.h"

#include <arrow/array/array_base.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "expr/map_values.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

using Texts = std::vector<std::string>;

LogicalType bigint() { return LogicalType(TypeKind::kBigInt); }
LogicalType boolean() { return LogicalType(TypeKind::kBoolean); }

class CompiledExprTest : public ::testing::Test {
 protected:
  CompiledExprTest() {
    add("TWICE", bigint(), false, [this](const Argument& argument, std::int64_t num_rows) {
      rows_seen_ += num_rows;
      ++calls_;
      return map_values<std::int64_t, std::int64_t>(bigint(), {&argument, 1}, num_rows,
                                                    [](std::int64_t v) { return 2 * v; });
    });
    add("CHECKED", bigint(), true, [this](const Argument& argument, std::int64_t num_rows) {
      rows_seen_ += num_rows;
      return map_values<std::int64_t, std::int64_t>(
          bigint(), {&argument, 1}, num_rows, [](std::int64_t v) -> Result<std::int64_t> {
            if (v < 0) return Status(ErrorCode::kDivisionByZero, "negative");
            return v;
          });
    });
    add("POSITIVE", boolean(), false, [](const Argument& argument, std::int64_t num_rows) {
      return map_values<bool, std::int64_t>(boolean(), {&argument, 1}, num_rows,
                                            [](std::int64_t v) { return v > 0; });
    });
    add("CHECKED_POSITIVE", boolean(), true,
        [this](const Argument& argument, std::int64_t num_rows) {
          rows_seen_ += num_rows;
          return map_values<bool, std::int64_t>(
              boolean(), {&argument, 1}, num_rows, [](std::int64_t v) -> Result<bool> {
                if (v < 0) return Status(ErrorCode::kDivisionByZero, "negative");
                return v > 0;
              });
        });
  }

  using Body = std::function<Result<ArrayPtr>(const Argument&, std::int64_t)>;
  void add(const char* name, LogicalType result, bool can_fail, Body body) {
    registry_.add({.name = name,
                   .signature = name,
                   .description = "For this test.",
                   .bind = [result, can_fail, body](std::span<const LogicalType>) {
                     BoundFunction bound;
                     bound.result_type = result;
                     bound.can_fail = can_fail;
                     bound.evaluate = [body](std::span<const Argument> args, std::int64_t num_rows,
                                             EvalContext&) { return body(args[0], num_rows); };
                     return Result<BoundFunction>(std::move(bound));
                   }});
  }

  Texts evaluate(const std::vector<ExprPtr>& exprs, std::string_view rows) {
    Result<CompiledProjection> compiled = CompiledProjection::compile(exprs, *schema_, registry_);
    if (!compiled.is_ok()) return {compiled.status().message()};
    rows_seen_ = 0;
    calls_ = 0;
    EvalContext context;
    const Batch batch = batch_of(*schema_, rows);
    Result<std::vector<ArrayPtr>> columns = compiled->evaluate(batch, context);
    if (!columns.is_ok()) return {columns.status().message()};
    Texts out;
    for (std::size_t i = 0; i < columns->size(); ++i) {
      EXPECT_EQ((*columns)[i]->length(), batch.num_rows());
      std::string text;
      for (const std::string& value : to_texts(*(*columns)[i], compiled->types()[i]))
        text += (text.empty() ? "" : " ") + value;
      out.push_back(text);
    }
    return out;
  }

  SchemaPtr schema_ = schema_of({"a BIGINT", "b BOOLEAN"});
  FunctionRegistry registry_;
  std::int64_t rows_seen_ = 0;
  int calls_ = 0;
};

TEST_F(CompiledExprTest, CommonPartsAreEvaluatedOnce) {
  const auto twice = [](ExprPtr of) { return call("TWICE", {std::move(of)}); };
  EXPECT_EQ(evaluate({twice(twice(col(0))), twice(col(0)), call("twice", {twice(col(0))})},
                     "[[1, true], [null, true]]"),
            Texts({"4 null", "2 null", "4 null"}));
  EXPECT_EQ(calls_, 2);
}

TEST_F(CompiledExprTest, ConstantsAreNotSpreadOut) {
  EXPECT_EQ(evaluate({call("TWICE", {lit(std::int64_t{4})}), lit("x")}, "[[1, true], [2, true]]"),
            Texts({"8 8", "x x"}));
  EXPECT_EQ(calls_, 0);  // it was folded when it was bound
}

TEST_F(CompiledExprTest, AndLeavesDecidedRowsOut) {
  const ExprPtr both = logical_and({col(1), call("CHECKED_POSITIVE", {col(0)})});
  EXPECT_EQ(evaluate({both}, "[[1, true], [-1, false], [0, true], [5, null]]"),
            Texts({"true false false null"}));
  EXPECT_EQ(rows_seen_, 3);
  EXPECT_EQ(evaluate({both}, "[[-1, false], [-2, false]]"), Texts({"false false"}));
  EXPECT_EQ(rows_seen_, 0);
  EXPECT_EQ(evaluate({both}, "[[-1, true]]"), Texts({"negative"}));
}

TEST_F(CompiledExprTest, OrLeavesDecidedRowsOut) {
  const ExprPtr any = logical_or({col(1), call("CHECKED_POSITIVE", {col(0)})});
  EXPECT_EQ(evaluate({any}, "[[-1, true], [1, false], [0, null], [0, false]]"),
            Texts({"true true null false"}));
  EXPECT_EQ(rows_seen_, 3);
}

TEST_F(CompiledExprTest, CaseEvaluatesBranchesForTheirRows) {
  const ExprPtr expr =
      case_when({{call("POSITIVE", {col(0)}), call("CHECKED", {col(0)})}}, call("TWICE", {col(0)}));
  EXPECT_EQ(evaluate({expr}, "[[1, true], [-1, true], [2, true], [null, true]]"),
            Texts({"1 -2 2 null"}));
  EXPECT_EQ(rows_seen_, 4);
}

// What the whole batch has computed already is taken from there, and not computed again.
TEST_F(CompiledExprTest, InnerRowsReuseWhatIsKnown) {
  const ExprPtr twice = call("TWICE", {col(0)});
  EXPECT_EQ(evaluate({twice, case_when({{col(1), twice}}, lit(std::int64_t{0}))},
                     "[[1, true], [2, false], [3, true]]"),
            Texts({"2 4 6", "2 0 6"}));
  EXPECT_EQ(calls_, 1);
}

TEST_F(CompiledExprTest, NestedCasesGatherFromTheOuterRows) {
  const ExprPtr inner =
      case_when({{call("POSITIVE", {col(0)}), call("CHECKED", {col(0)})}}, lit(std::int64_t{-7}));
  EXPECT_EQ(evaluate({case_when({{col(1), inner}}, call("TWICE", {col(0)}))},
                     "[[1, true], [-2, true], [-3, false], [4, null], [5, true]]"),
            Texts({"1 -7 -6 8 5"}));
}

TEST_F(CompiledExprTest, NoRowsNeverFail) {
  EXPECT_EQ(evaluate({call("CHECKED", {lit(std::int64_t{-1})})}, "[]"), Texts({""}));
  EXPECT_EQ(evaluate({call("CHECKED", {lit(std::int64_t{-1})})}, "[[1, true]]"),
            Texts({"negative"}));
}

TEST_F(CompiledExprTest, ErrorsNameThePart) {
  EXPECT_EQ(evaluate({call("TWIC", {col(0)})}, "[]"), Texts({"there is no function TWIC"}));
  EXPECT_EQ(evaluate({logical_and({col(0), col(1)})}, "[]"),
            Texts({"(a AND b): a is of type BIGINT, a condition is BOOLEAN"}));
  EXPECT_EQ(evaluate({col(7)}, "[]"), Texts({"there is no column 7 in (a BIGINT, b BOOLEAN)"}));
}

TEST_F(CompiledExprTest, RegistryFindsAliasesInAnyCase) {
  registry_.add_alias("DOUBLED", "TWICE");
  EXPECT_EQ(evaluate({call("doubled", {col(0)})}, "[[2, true]]"), Texts({"4"}));
  EXPECT_EQ(registry_.find("DOUBLE").status().remedy(), "Did you mean DOUBLED?");
}

}  // namespace
}  // namespace tidegate
