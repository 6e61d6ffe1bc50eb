// SPDX-License-Identifier: Apache-2.0
//
// IS_ALPHA, IS_DIGIT and IS_DECIMAL. They are never NULL: a string that is NULL is none of these,
// and of other types only the type counts.
#include <arrow/compute/exec.h>
#include <arrow/compute/initialize.h>
#include <arrow/datum.h>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/java_number.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

/// One answer for all rows.
Result<ArrayPtr> all_rows(bool answer, std::int64_t num_rows) {
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<bool>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row) writer.set(row, answer);
  return writer.finish(boolean_type());
}

template <typename F>
Result<ArrayPtr> test_texts(const Argument& argument, std::int64_t num_rows, F test) {
  const ArgumentReader<std::string_view> texts(argument);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<bool>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row)
    writer.set(row, !texts.is_null(row) && test(texts[row]));
  return writer.finish(boolean_type());
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// All characters are of a class: ASCII here, for others Arrow's kernel knows.
template <bool (*kTest)(char)>
Result<ArrayPtr> test_characters(const char* kernel, const Argument& argument,
                                 std::int64_t num_rows) {
  const ArgumentReader<std::string_view> texts(argument);
  bool ascii = true;
  for (std::int64_t row = 0; row < num_rows && ascii; ++row)
    ascii = texts.is_null(row) || is_ascii(texts[row]);
  if (ascii) {
    return test_texts(argument, num_rows, [](std::string_view text) {
      return !text.empty() && std::all_of(text.begin(), text.end(), kTest);
    });
  }
  TG_ASSIGN_ARROW_OR_RETURN(arrow::Datum tested,
                            arrow::compute::CallFunction(kernel, {argument.array}), kernel);
  const Argument answers{tested.make_array(), argument.is_constant};
  const ArgumentReader<bool> all_are(answers);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<bool>::make(num_rows));
  for (std::int64_t row = 0; row < num_rows; ++row)
    writer.set(row, !all_are.is_null(row) && all_are[row]);
  return writer.finish(boolean_type());
}

Result<ArrayPtr> is_alpha(const Argument& argument, std::int64_t num_rows) {
  return test_characters<is_letter>("utf8_is_alpha", argument, num_rows);
}
Result<ArrayPtr> is_digits(const Argument& argument, std::int64_t num_rows) {
  return test_characters<is_digit>("utf8_is_decimal", argument, num_rows);
}
Result<ArrayPtr> is_decimal(const Argument& argument, std::int64_t num_rows) {
  return test_texts(argument, num_rows, [](std::string_view text) {
    double value = 0;
    return parse_java_floating(text, &value);
  });
}

struct CharacterTest {
  const char* name;
  const char* description;
  std::vector<ScalarFunction::Example> examples;
  Result<ArrayPtr> (*of_texts)(const Argument& argument, std::int64_t num_rows);
  bool (*of_type)(const LogicalType& type);
};

void add_test(FunctionRegistry& registry, CharacterTest test) {
  registry.add({.name = test.name,
                .category = "conditional",
                .signature = std::string(test.name) + "(string or number)",
                .description = test.description,
                .examples = test.examples,
                .bind = [test](std::span<const LogicalType> arguments) -> Result<BoundFunction> {
                  const bool fits = arguments.size() == 1 &&
                                    (arguments[0].is_character() || arguments[0].is_numeric() ||
                                     arguments[0].kind() == TypeKind::kNull);
                  if (!fits) return argument_mismatch(test.name, "a string or a number", arguments);
                  BoundFunction bound;
                  bound.result_type = LogicalType(TypeKind::kBoolean, false);
                  bound.can_fail = false;
                  const bool is_text = arguments[0].is_character();
                  bound.evaluate = [test, is_text, answer = test.of_type(arguments[0])](
                                       std::span<const Argument> args, std::int64_t num_rows,
                                       EvalContext&) {
                    return is_text ? test.of_texts(args[0], num_rows) : all_rows(answer, num_rows);
                  };
                  return bound;
                }});
}

}  // namespace

void register_function_character_tests(FunctionRegistry& registry) {
  const bool ready = arrow::compute::Initialize().ok();
  TG_CHECK(ready, "Arrow's compute functions cannot be used");
  add_test(registry, {"IS_ALPHA",
                      "True when all characters of a string are letters, and there are any.",
                      {{"IS_ALPHA('abc')", "TRUE"}, {"IS_ALPHA('ab1')", "FALSE"}},
                      is_alpha,
                      [](const LogicalType&) { return false; }});
  add_test(registry, {"IS_DIGIT",
                      "True when all characters of a string are digits, and there are any; of "
                      "numbers, those of whole types.",
                      {{"IS_DIGIT('42')", "TRUE"}, {"IS_DIGIT('-1')", "FALSE"}},
                      is_digits,
                      [](const LogicalType& type) { return type.is_integer(); }});
  add_test(registry, {"IS_DECIMAL",
                      "True when a string can be read as a number; of numbers, for all but "
                      "DECIMAL, as in Flink.",
                      {{"IS_DECIMAL('-1.5e3')", "TRUE"}, {"IS_DECIMAL('abc')", "FALSE"}},
                      is_decimal,
                      [](const LogicalType& type) {
                        return type.is_numeric() && type.kind() != TypeKind::kDecimal;
                      }});
}

}  // namespace tidegate
