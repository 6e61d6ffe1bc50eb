// SPDX-License-Identifier: Apache-2.0
//
// Every aggregate function goes through the same treatment: its result must not depend on how rows
// were cut into batches or partial aggregates, nor on a trip through serialize().
#include <arrow/array/array_base.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "expr/distinct_aggregate.h"
#include "expr/function_registry.h"
#include "types/test_columns.h"

namespace tidegate {
namespace {

using AggregatorPtr = std::unique_ptr<Aggregator>;

/// One accumulator in memory of its own.
class Accumulator {
 public:
  explicit Accumulator(const Aggregator& aggregator)
      : aggregator_(aggregator),
        words_((static_cast<std::size_t>(aggregator.size_bytes()) + 7) / 8, 0) {
    if (aggregator.needs_create()) aggregator.create(bytes());
  }
  ~Accumulator() {
    if (aggregator_.needs_destroy()) aggregator_.destroy(bytes());
  }
  Accumulator(const Accumulator&) = delete;
  Accumulator& operator=(const Accumulator&) = delete;

  std::byte* bytes() { return reinterpret_cast<std::byte*>(words_.data()); }

  void add(const Batch& rows) {
    const std::vector<std::byte*> all(static_cast<std::size_t>(rows.num_rows()), bytes());
    const Status status = aggregator_.add(all, rows.columns());
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  void retract(const Batch& rows) {
    const std::vector<std::byte*> all(static_cast<std::size_t>(rows.num_rows()), bytes());
    const Status status = aggregator_.retract(all, rows.columns());
    ASSERT_TRUE(status.is_ok()) << status.to_string();
  }
  std::string result() {
    const std::byte* const accumulator = bytes();
    Result<ArrayPtr> array = aggregator_.result({&accumulator, 1});
    if (!array.is_ok()) return array.status().to_string();
    EXPECT_TRUE((*array)->ValidateFull().ok());
    return to_texts(**array, aggregator_.result_type())[0];
  }
  std::string serialized() {
    std::string out;
    aggregator_.serialize(bytes(), out);
    return out;
  }

 private:
  const Aggregator& aggregator_;
  std::vector<std::uint64_t> words_;
};

AggregatorPtr bind(std::string_view name, const Schema& schema, bool retracting = false) {
  std::vector<LogicalType> types;
  for (const Field& field : schema.fields()) types.push_back(field.type);
  Result<const AggregateFunction*> function = builtin_functions().find_aggregate(name);
  EXPECT_TRUE(function.is_ok());
  const bool other = retracting && (*function)->bind_retracting != nullptr;
  Result<AggregatorPtr> bound =
      other ? (*function)->bind_retracting(types) : (*function)->bind(types);
  EXPECT_TRUE(bound.is_ok()) << bound.status().to_string();
  return *std::move(bound);
}

/// The result over all rows, checked against every cut in two, rows one by one, merging, and a trip
/// through bytes.
std::string aggregate(const Aggregator& aggregator, const Batch& rows) {
  Accumulator whole(aggregator);
  whole.add(rows);
  const std::string expected = whole.result();

  for (std::int64_t cut = 0; cut <= rows.num_rows(); ++cut) {
    const Batch front = rows.slice(0, cut);
    const Batch back = rows.slice(cut, rows.num_rows() - cut);
    Accumulator in_order(aggregator);
    in_order.add(front);
    in_order.add(back);
    EXPECT_EQ(in_order.result(), expected) << "cut at " << cut;

    Accumulator left(aggregator);
    Accumulator right(aggregator);
    left.add(front);
    right.add(back);
    EXPECT_TRUE(aggregator.merge(left.bytes(), right.bytes()).is_ok());
    EXPECT_EQ(left.result(), expected) << "merged at " << cut;

    Accumulator stored(aggregator);
    stored.add(front);
    const std::string bytes = stored.serialized();
    Accumulator restored(aggregator);
    std::string_view in = bytes;
    EXPECT_TRUE(aggregator.deserialize(in, restored.bytes()).is_ok());
    EXPECT_TRUE(in.empty());
    restored.add(back);
    EXPECT_EQ(restored.result(), expected) << "restored at " << cut;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Accumulator broken(aggregator);
      std::string_view part = std::string_view(bytes).substr(0, size);
      EXPECT_EQ(aggregator.deserialize(part, broken.bytes()).code(), ErrorCode::kStateCorrupt);
    }

    if (aggregator.can_retract()) {
      Accumulator undone(aggregator);
      undone.add(rows);
      undone.retract(front);
      Accumulator alone(aggregator);
      alone.add(back);
      EXPECT_EQ(undone.result(), alone.result()) << "retracted up to " << cut;
    }
    if (aggregator.can_subtract()) {
      Accumulator rest(aggregator);
      rest.add(rows);
      aggregator.subtract(rest.bytes(), left.bytes());
      EXPECT_EQ(rest.result(), Accumulator(aggregator).result()) << "subtracted at " << cut;
    }
  }
  return expected;
}

std::string aggregate(std::string_view name, const std::vector<std::string>& columns,
                      std::string_view rows) {
  const SchemaPtr schema = schema_of(columns);
  const Batch batch = batch_of(*schema, rows);
  const std::string plain = aggregate(*bind(name, *schema), batch);
  EXPECT_EQ(aggregate(*bind(name, *schema, /*retracting=*/true), batch), plain);
  return plain;
}

std::string distinct(std::string_view name, const std::vector<std::string>& columns,
                     std::string_view rows, bool retracting = false) {
  const SchemaPtr schema = schema_of(columns);
  std::vector<LogicalType> types;
  for (const Field& field : schema->fields()) types.push_back(field.type);
  return aggregate(*make_distinct(bind(name, *schema, retracting), types), batch_of(*schema, rows));
}

TEST(AggregatesTest, Count) {
  EXPECT_EQ(aggregate("COUNT", {"a STRING"}, R"([["x"], [null], [""]])"), "2");
  EXPECT_EQ(aggregate("COUNT", {"a STRING", "b INT"}, R"([["x", 1], ["y", null], [null, 1]])"),
            "1");
  EXPECT_EQ(aggregate("COUNT", {"a INT"}, "[]"), "0");
  const AggregatorPtr star = bind("COUNT", Schema());
  EXPECT_EQ(aggregate(*star, Batch(3, {})), "3");
  EXPECT_EQ(star->result_type().to_string(), "BIGINT NOT NULL");
  EXPECT_EQ(star->size_bytes(), 8);
}

TEST(AggregatesTest, Sum) {
  EXPECT_EQ(aggregate("SUM", {"a BIGINT"}, "[[1], [null], [41]]"), "42");
  EXPECT_EQ(aggregate("SUM", {"a BIGINT"}, "[[null]]"), "null");
  EXPECT_EQ(aggregate("SUM", {"a INT"}, "[]"), "null");
  EXPECT_EQ(aggregate("SUM", {"a BIGINT"}, "[[9223372036854775807], [1]]"), "-9223372036854775808");
  EXPECT_EQ(aggregate("SUM", {"a INT"}, "[[2147483647], [1]]"), "-2147483648");
  EXPECT_EQ(aggregate("SUM", {"a SMALLINT"}, "[[-5], [3]]"), "-2");
  EXPECT_EQ(aggregate("SUM", {"a TINYINT"}, "[[100], [100]]"), "-56");
  EXPECT_EQ(aggregate("SUM", {"a DOUBLE"}, "[[0.5], [0.25], [null]]"), "0.75");
  EXPECT_EQ(aggregate("SUM", {"a FLOAT"}, "[[0.5], [1]]"), "1.5");
  EXPECT_EQ(aggregate("SUM", {"a DECIMAL(4, 2)"}, R"([["99.99"], ["0.02"], [null]])"), "100.01");
  EXPECT_EQ(bind("SUM", *schema_of({"a DECIMAL(4, 2)"}))->result_type().to_string(),
            "DECIMAL(38, 2)");
  EXPECT_EQ(bind("SUM", *schema_of({"a INT NOT NULL"}))->result_type().to_string(), "INT");
}

TEST(AggregatesTest, SumOfDecimalsPast38DigitsIsNullOnlyWhileItIs) {
  const std::string most(38, '9');
  const std::string up = "[\"" + most + "\"]";
  const std::string down = "[\"-" + most + "\"]";
  EXPECT_EQ(aggregate("SUM", {"a DECIMAL(38, 0)"}, "[" + up + "," + up + "]"), "null");
  EXPECT_EQ(aggregate("SUM", {"a DECIMAL(38, 0)"},
                      "[" + up + "," + up + "," + down + "," + down + ", [\"7\"]]"),
            "7");
}

TEST(AggregatesTest, Average) {
  EXPECT_EQ(aggregate("AVG", {"a INT"}, "[[1], [2], [null]]"), "1");
  EXPECT_EQ(aggregate("AVG", {"a INT"}, "[[-1], [-2]]"), "-1");
  EXPECT_EQ(aggregate("AVG", {"a BIGINT"}, "[[null]]"), "null");
  EXPECT_EQ(aggregate("AVG", {"a DOUBLE"}, "[[1], [2]]"), "1.5");
  EXPECT_EQ(aggregate("AVG", {"a DECIMAL(10, 2)"}, R"([["1.00"], ["2.00"], ["2.00"]])"),
            "1.666667");
  EXPECT_EQ(bind("AVG", *schema_of({"a INT"}))->result_type().to_string(), "INT");
  EXPECT_EQ(bind("AVG", *schema_of({"a DECIMAL(10, 2)"}))->result_type().to_string(),
            "DECIMAL(38, 6)");
  EXPECT_EQ(bind("AVG", *schema_of({"a DECIMAL(20, 10)"}))->result_type().to_string(),
            "DECIMAL(38, 10)");
}

TEST(AggregatesTest, MinAndMax) {
  for (const auto& [columns, rows, min, max] :
       std::vector<std::tuple<const char*, const char*, const char*, const char*>>{
           {"a TINYINT", "[[3], [null], [-4]]", "-4", "3"},
           {"a SMALLINT", "[[3], [-4]]", "-4", "3"},
           {"a INT", "[[3], [-4]]", "-4", "3"},
           {"a BIGINT", "[[3], [-4], [3]]", "-4", "3"},
           {"a DOUBLE", "[[3.5], [-4], [NaN]]", "-4.0", "NaN"},
           {"a FLOAT", "[[NaN], [1]]", "1.0", "NaN"},
           {"a DECIMAL(20, 2)", R"([["3.50"], ["-4.00"]])", "-4.00", "3.50"},
           {"a STRING", R"([["b"], [""], [null], ["abcdefghijklmnopqrstuvwxyz"], ["ba"]])", "",
            "ba"},
           {"a BOOLEAN", "[[true], [false], [null]]", "false", "true"},
           {"a DATE", "[[1], [0]]", "1970-01-01", "1970-01-02"},
           {"a TIMESTAMP(3)", "[[1000], [2000]]", "1970-01-01T00:00:01", "1970-01-01T00:00:02"},
           {"a INT", "[[null]]", "null", "null"}}) {
    EXPECT_EQ(aggregate("MIN", {columns}, rows), min) << columns;
    EXPECT_EQ(aggregate("MAX", {columns}, rows), max) << columns;
  }
}

TEST(AggregatesTest, MinTakesBackWhatHasNotComeYet) {
  const SchemaPtr schema = schema_of({"a INT"});
  const AggregatorPtr min = bind("MIN", *schema, /*retracting=*/true);
  Accumulator state(*min);
  state.retract(batch_of(*schema, "[[1]]"));
  EXPECT_EQ(state.result(), "null");
  state.add(batch_of(*schema, "[[5], [1], [7]]"));
  EXPECT_EQ(state.result(), "5");
  EXPECT_GT(min->owned_bytes(state.bytes()), 0);
}

TEST(AggregatesTest, FirstAndLast) {
  EXPECT_EQ(aggregate("FIRST_VALUE", {"a STRING"}, R"([[null], ["b"], ["a"], ["b"], [null]])"),
            "b");
  EXPECT_EQ(aggregate("LAST_VALUE", {"a STRING"}, R"([[null], ["b"], ["a"], [null]])"), "a");
  EXPECT_EQ(aggregate("FIRST_VALUE", {"a BIGINT"}, "[]"), "null");
  EXPECT_EQ(aggregate("LAST_VALUE", {"a ROW<x INT, y ARRAY<STRING>>"},
                      R"([[[1, ["a"]]], [[2, ["b", null]]], [null]])"),
            "+I[2, [b, null]]");
  EXPECT_TRUE(bind("FIRST_VALUE", *schema_of({"a INT"}))->is_order_dependent());
}

TEST(AggregatesTest, VarianceFamily) {
  constexpr const char* kRows = "[[2], [4], [4], [4], [5], [5], [7], [9], [null]]";
  EXPECT_EQ(aggregate("VAR_POP", {"a BIGINT"}, "[[1], [3]]"), "1");
  const SchemaPtr schema = schema_of({"a DOUBLE"});
  const auto over = [&schema](const char* name, const char* rows) {
    const AggregatorPtr aggregator = bind(name, *schema);
    Accumulator accumulator(*aggregator);
    accumulator.add(batch_of(*schema, rows));
    return std::stod(accumulator.result());
  };
  EXPECT_NEAR(over("STDDEV_POP", kRows), 2.0, 1e-12);
  EXPECT_NEAR(over("VAR_POP", kRows), 4.0, 1e-12);
  EXPECT_NEAR(over("VAR_SAMP", kRows), 32.0 / 7, 1e-12);
  EXPECT_NEAR(over("STDDEV", kRows), std::sqrt(32.0 / 7), 1e-12);
  // Where sums of squares would lose everything.
  EXPECT_NEAR(over("VARIANCE", "[[1000000000.1], [1000000000.2], [1000000000.3]]"), 0.01, 1e-6);
  EXPECT_EQ(aggregate("VAR_SAMP", {"a INT"}, "[[1]]"), "null");
  EXPECT_EQ(aggregate("VAR_POP", {"a INT"}, "[[1]]"), "0");
  EXPECT_EQ(aggregate("STDDEV_POP", {"a INT"}, "[]"), "null");
}

TEST(AggregatesTest, Distinct) {
  EXPECT_EQ(distinct("COUNT", {"a STRING"}, R"([["x"], ["y"], [null], ["x"], ["y"], ["x"]])"), "2");
  EXPECT_EQ(distinct("COUNT", {"a STRING", "b INT"},
                     R"([["x", 1], ["x", 2], ["x", 1], [null, 1], ["y", null]])"),
            "2");
  EXPECT_EQ(distinct("SUM", {"a INT"}, "[[5], [5], [7], [null], [5]]"), "12");
  EXPECT_EQ(distinct("AVG", {"a DOUBLE"}, "[[1], [1], [2]]"), "1.5");
  EXPECT_EQ(distinct("MAX", {"a STRING"}, R"([["x"], ["abcdefghijklmnopqrstuvwxyz"], ["x"]])",
                     /*retracting=*/true),
            "x");
}

TEST(AggregatesTest, DistinctCountsOccurrences) {
  const SchemaPtr schema = schema_of({"a STRING"});
  const std::vector<LogicalType> types = {LogicalType::string()};
  const AggregatorPtr count = make_distinct(bind("COUNT", *schema), types);
  Accumulator state(*count);
  state.add(batch_of(*schema, R"([["x"], ["x"], ["y"]])"));
  state.retract(batch_of(*schema, R"([["x"]])"));
  EXPECT_EQ(state.result(), "2");
  state.retract(batch_of(*schema, R"([["x"]])"));
  EXPECT_EQ(state.result(), "1");
  // A row that is taken back before it comes leaves no trace.
  state.retract(batch_of(*schema, R"([["z"]])"));
  state.add(batch_of(*schema, R"([["z"]])"));
  EXPECT_EQ(state.result(), "1");
}

TEST(AggregatesTest, TakenBackBeforeItCame) {
  const SchemaPtr schema = schema_of({"a STRING"});
  for (const char* name : {"FIRST_VALUE", "LISTAGG", "ARRAY_AGG", "COLLECT", "SINGLE_VALUE"}) {
    const AggregatorPtr aggregator = bind(name, *schema, /*retracting=*/true);
    Accumulator state(*aggregator);
    state.retract(batch_of(*schema, R"([["x"]])"));
    const std::string bytes = state.serialized();
    Accumulator restored(*aggregator);
    std::string_view in = bytes;
    ASSERT_TRUE(aggregator->deserialize(in, restored.bytes()).is_ok()) << name;
    restored.add(batch_of(*schema, R"([["x"], ["y"]])"));
    Accumulator alone(*aggregator);
    alone.add(batch_of(*schema, R"([["y"]])"));
    EXPECT_EQ(restored.result(), alone.result()) << name;
    EXPECT_GT(aggregator->owned_bytes(restored.bytes()), 0) << name;
  }
}

TEST(AggregatesTest, ListAgg) {
  EXPECT_EQ(aggregate("LISTAGG", {"a STRING"}, R"([["b"], [null], ["a"], [""], ["b"]])"), "b,a,,b");
  EXPECT_EQ(aggregate("LISTAGG", {"a STRING", "s CHAR(2)"},
                      R"([["b", ", "], [null, ", "], ["a", ", "]])"),
            "b, a");
  EXPECT_EQ(aggregate("LISTAGG", {"a STRING"}, "[[null]]"), "null");
  EXPECT_EQ(aggregate("LISTAGG", {"a STRING"}, R"([[""]])"), "");
  EXPECT_EQ(distinct("LISTAGG", {"a STRING"}, R"([["x"], ["x"], [null], ["x"]])"), "x");
}

TEST(AggregatesTest, ArrayAgg) {
  EXPECT_EQ(aggregate("ARRAY_AGG", {"a INT"}, "[[3], [null], [1], [3]]"), "[3, null, 1, 3]");
  EXPECT_EQ(aggregate("ARRAY_AGG IGNORE NULLS", {"a INT"}, "[[3], [null], [1]]"), "[3, 1]");
  EXPECT_EQ(aggregate("ARRAY_AGG", {"a INT"}, "[]"), "null");
  EXPECT_EQ(aggregate("ARRAY_AGG IGNORE NULLS", {"a INT"}, "[[null]]"), "null");
  EXPECT_EQ(aggregate("ARRAY_AGG", {"a ROW<x INT, y STRING>"}, R"([[[1, "a"]], [null]])"),
            "[+I[1, a], null]");
  EXPECT_EQ(bind("ARRAY_AGG", *schema_of({"a INT NOT NULL"}))->result_type().to_string(),
            "ARRAY<INT NOT NULL>");
}

TEST(AggregatesTest, RowsTakenBackAreTheOldestEqualOnes) {
  const SchemaPtr schema = schema_of({"a INT"});
  const AggregatorPtr array = bind("ARRAY_AGG", *schema, /*retracting=*/true);
  const AggregatorPtr first = bind("FIRST_VALUE", *schema, /*retracting=*/true);
  const AggregatorPtr last = bind("LAST_VALUE", *schema, /*retracting=*/true);
  Accumulator arrays(*array);
  Accumulator firsts(*first);
  Accumulator lasts(*last);
  std::vector<std::string> model;
  Random random(7);
  for (int step = 0; step < 300; ++step) {
    const std::string value = std::to_string(random.below(4));
    const Batch row = batch_of(*schema, "[[" + value + "]]");
    const auto found = std::find(model.begin(), model.end(), value);
    const bool takes = random.below(2) == 0 && found != model.end();
    if (takes) {
      model.erase(found);
    } else {
      model.push_back(value);
    }
    for (Accumulator* accumulator : {&arrays, &firsts, &lasts})
      takes ? accumulator->retract(row) : accumulator->add(row);
    std::string expected = "null";
    for (const std::string& each : model)
      expected = (expected == "null" ? "[" : expected + ", ") + each;
    ASSERT_EQ(arrays.result(), model.empty() ? "null" : expected + "]");
    ASSERT_EQ(firsts.result(), model.empty() ? "null" : model.front());
    ASSERT_EQ(lasts.result(), model.empty() ? "null" : model.back());
  }
}

TEST(AggregatesTest, Collect) {
  EXPECT_EQ(aggregate("COLLECT", {"a STRING"}, R"([["b"], [null], ["a"], ["b"]])"), "{a=1, b=2}");
  EXPECT_EQ(aggregate("COLLECT", {"a INT"}, "[]"), "{}");
  EXPECT_EQ(aggregate("COLLECT", {"a ROW<x INT>"}, "[[[2]], [[1]], [[2]]]"), "{+I[1]=1, +I[2]=2}");
  EXPECT_EQ(distinct("COLLECT", {"a INT"}, "[[1], [1], [2]]"), "{1=1, 2=1}");
}

TEST(AggregatesTest, SingleValue) {
  EXPECT_EQ(aggregate("SINGLE_VALUE", {"a INT"}, "[[7]]"), "7");
  EXPECT_EQ(aggregate("SINGLE_VALUE", {"a INT"}, "[[null]]"), "null");
  EXPECT_EQ(aggregate("SINGLE_VALUE", {"a STRING"}, "[]"), "null");
  EXPECT_EQ(aggregate("SINGLE_VALUE", {"a ARRAY<INT>"}, "[[[1, null]]]"), "[1, null]");
  EXPECT_EQ(aggregate("SINGLE_VALUE", {"a ARRAY<INT>"}, "[]"), "null");
  for (const char* rows : {"[[7], [8]]", "[[7], [7]]", "[[null], [null]]", "[[null], [7]]"}) {
    EXPECT_NE(aggregate("SINGLE_VALUE", {"a INT"}, rows).find("returned more than one row"),
              std::string::npos);
  }
}

TEST(AggregatesTest, Percentile) {
  const std::vector<std::string> columns = {"a INT", "p DOUBLE NOT NULL"};
  EXPECT_EQ(aggregate("PERCENTILE", columns, "[[10, 0.5], [30, 0.5], [null, 0.5], [20, 0.5]]"),
            "20.0");
  EXPECT_EQ(aggregate("PERCENTILE", columns, "[[10, 0.3], [20, 0.3], [20, 0.3], [40, 0.3]]"),
            "19.0");
  EXPECT_EQ(aggregate("PERCENTILE", columns, "[[10, 1], [20, 1]]"), "20.0");
  EXPECT_EQ(aggregate("PERCENTILE", columns, "[[null, 0.5]]"), "null");
  EXPECT_EQ(aggregate("PERCENTILE", {"a DOUBLE", "p DECIMAL(2, 1)", "f INT"},
                      R"([[1, "0.5", 3], [5, "0.5", 1], [9, "0.5", 0], [9, "0.5", null]])"),
            "1.0");
  EXPECT_EQ(aggregate("PERCENTILE", {"a DECIMAL(4, 1)", "p ARRAY<DOUBLE>"},
                      R"([["1.0", [0.75, 0]], ["2.0", [0.75, 0]], ["3.0", [0.75, 0]]])"),
            "[2.5, 1.0]");
  const SchemaPtr schema = schema_of(columns);
  const AggregatorPtr percentile = bind("PERCENTILE", *schema);
  Accumulator state(*percentile);
  std::byte* const accumulator = state.bytes();
  EXPECT_EQ(percentile->add({&accumulator, 1}, batch_of(*schema, "[[1, 1.5]]").columns()).message(),
            "PERCENTILE: 1.5 is not between 0 and 1");
}

TEST(AggregatesTest, JsonArrays) {
  constexpr const char* kRows = R"([["\"b\""], [null], ["[1]"], ["\"b\""]])";
  EXPECT_EQ(aggregate("JSON_ARRAYAGG", {"a STRING"}, kRows), R"(["b",[1],"b"])");
  EXPECT_EQ(aggregate("JSON_ARRAYAGG NULL ON NULL", {"a STRING"}, kRows), R"(["b",null,[1],"b"])");
  EXPECT_EQ(aggregate("JSON_ARRAYAGG", {"a STRING"}, "[]"), "[]");
  EXPECT_EQ(bind("JSON_ARRAYAGG", *schema_of({"a STRING"}))->result_type().to_string(),
            "STRING NOT NULL");
}

TEST(AggregatesTest, JsonObjects) {
  const std::vector<std::string> columns = {"k STRING NOT NULL", "v STRING"};
  EXPECT_EQ(aggregate("JSON_OBJECTAGG", columns, R"([["b", "1"], ["a\"", null], ["a", "[3]"]])"),
            R"({"a":[3],"a\"":null,"b":1})");
  EXPECT_EQ(aggregate("JSON_OBJECTAGG ABSENT ON NULL", columns, R"([["b", "1"], ["a", null]])"),
            R"({"b":1})");
  EXPECT_EQ(aggregate("JSON_OBJECTAGG", columns, "[]"), "{}");
  EXPECT_NE(
      aggregate("JSON_OBJECTAGG", columns, R"([["b", "1"], ["b", "2"]])").find("is there twice"),
      std::string::npos);
  const SchemaPtr schema = schema_of({"k STRING", "v STRING"});
  const AggregatorPtr object = bind("JSON_OBJECTAGG", *schema);
  Accumulator state(*object);
  std::byte* const accumulator = state.bytes();
  EXPECT_EQ(
      object->add({&accumulator, 1}, batch_of(*schema, R"([[null, "1"]])").columns()).message(),
      "JSON_OBJECTAGG: a key is NULL");
}

TEST(AggregatesTest, ApproximateCountIsExact) {
  EXPECT_EQ(aggregate("APPROX_COUNT_DISTINCT", {"a STRING"}, R"([["x"], ["y"], [null], ["x"]])"),
            "2");
}

TEST(AggregatesTest, ManyAccumulatorsAtOnce) {
  const SchemaPtr schema = schema_of({"a BIGINT"});
  const AggregatorPtr sum = bind("SUM", *schema);
  Accumulator even(*sum);
  Accumulator odd(*sum);
  const std::vector<std::byte*> rows = {even.bytes(), odd.bytes(), even.bytes(), odd.bytes()};
  ASSERT_TRUE(sum->add(rows, batch_of(*schema, "[[2], [3], [4], [null]]").columns()).is_ok());
  EXPECT_EQ(even.result(), "6");
  EXPECT_EQ(odd.result(), "3");
}

TEST(AggregatesTest, WrongArgumentsSayWhatIsTaken) {
  const std::vector<LogicalType> text = {LogicalType::string()};
  Result<const AggregateFunction*> sum = builtin_functions().find_aggregate("sum");
  ASSERT_TRUE(sum.is_ok());
  const Status status = (*sum)->bind(text).status();
  EXPECT_EQ(status.code(), ErrorCode::kTypeMismatch);
  EXPECT_EQ(status.message(), "SUM takes one number, not (STRING)");
  EXPECT_EQ(builtin_functions().find_aggregate("SUMM").status().remedy(), "Did you mean SUM?");
}

}  // namespace
}  // namespace tidegate
