// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "sql/binder.h"
#include "sql/words.h"
#include "types/logical_type.h"

namespace tidegate::sql {
namespace {

/// Flink reads TIME '2:55:00' and DATE '2026-1-5' as well: numbers of one digit in front of the
/// fraction get a zero in front.
std::string with_two_digits(std::string_view text) {
  const auto is_digit = [&](std::size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  std::string out;
  bool in_fraction = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    in_fraction = in_fraction || text[i] == '.';
    const bool alone = is_digit(i) && (i == 0 || !is_digit(i - 1)) && !is_digit(i + 1);
    if (alone && !in_fraction) out += '0';
    out += text[i];
  }
  return out;
}

int fraction_digits(std::string_view text) {
  const std::size_t point = text.find('.');
  return point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
}

/// 12 is INT or BIGINT if it fits, else DECIMAL; 1.50 is DECIMAL(3, 2); 1e3 is DOUBLE.
Result<ExprPtr> number(std::string_view text) {
  if (text.find_first_of("eE") != std::string_view::npos) {
    return lit_text(text, LogicalType(TypeKind::kDouble, false));
  }
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) {
    std::int64_t value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) {
      if (value >= INT32_MIN && value <= INT32_MAX) return lit(static_cast<std::int32_t>(value));
      return lit(value);
    }
  }
  std::string digits;
  for (char c : text) {
    if (c != '.' && c != '-' && !(digits.empty() && c == '0')) digits += c;
  }
  const int scale = fraction_digits(text);
  const int precision = std::max({static_cast<int>(digits.size()), scale, 1});
  if (precision > 38) {
    return error(ErrorCode::kNumericOverflow, "the number {} has more than 38 digits", text);
  }
  return lit_text(text, LogicalType::decimal(precision, scale, false));
}

Result<ExprPtr> binary(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size() + 1 && i < digits.size(); i += 2) {
    int value = 0;
    const auto parsed = std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
    if (digits.size() % 2 != 0 || parsed.ptr != digits.data() + i + 2) {
      return error(ErrorCode::kInvalidSyntax, "X'{}' is not made of pairs of hexadecimal digits",
                   digits);
    }
    bytes += static_cast<char>(value);
  }
  const int length = std::max<int>(1, static_cast<int>(bytes.size()));
  return lit_text(bytes, LogicalType::binary(length, false));
}

bool is_ranking(const std::string& function) {
  static constexpr std::string_view kNames[] = {"ROW_NUMBER", "RANK",      "DENSE_RANK",   "LAG",
                                                "LEAD",       "CUME_DIST", "PERCENT_RANK", "NTILE"};
  return std::find(std::begin(kNames), std::end(kNames), function) != std::end(kNames);
}

/// What stands for a part of the grouping, not for an aggregate of rows.
bool is_grouping_part(const std::string& function) {
  if (function == "GROUPING" || function == "GROUPING_ID" || function == "GROUP_ID") return true;
  for (const std::string_view window : {"TUMBLE_", "HOP_", "SESSION_"}) {
    if (!function.starts_with(window)) continue;
    const std::string_view part = std::string_view(function).substr(window.size());
    return part == "START" || part == "END" || part == "ROWTIME" || part == "PROCTIME";
  }
  return false;
}

}  // namespace

void Binder::mark_place(const plan::Input& input, Place place) const {
  if (input.node == nullptr || input.node->place) return;
  input.node->place = [source = source_, place] {
    return error_at(source, place, ErrorCode::kInvalidPlan, "").message().substr(1);
  };
  for (const plan::Input& below : input.node->inputs) mark_place(below, place);
}

Status Binder::at(Place place, Status status) const {
  if (status.is_ok() || status.message().find("\n") != std::string::npos) return status;
  return error_at(source_, place, status.code(), status.message(), std::string(status.remedy()));
}

std::string Binder::text_at(Place place) const {
  std::string text(source_.text.substr(place.begin, place.end - place.begin));
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

Result<std::vector<ExprPtr>> Binder::bind_all(const std::vector<ExpressionPtr>& expressions,
                                              ExpressionContext& context) {
  std::vector<ExprPtr> bound;
  bound.reserve(expressions.size());
  for (const ExpressionPtr& each : expressions) {
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(each, context));
    bound.push_back(std::move(value));
  }
  return bound;
}

Result<ExprPtr> Binder::bind_literal(const Literal& literal, Place place) {
  const std::string& text = literal.text;
  const auto placed = [&](Result<ExprPtr> value) -> Result<ExprPtr> {
    if (value.is_ok()) return value;
    // A constant that is none is a mistake of the text, not of data.
    return at(place, Status(ErrorCode::kInvalidSyntax, value.status().message()));
  };
  switch (literal.kind) {
    case Literal::Kind::kNull:
    case Literal::Kind::kDefault:
      return lit_null();
    case Literal::Kind::kTrue:
      return lit(true);
    case Literal::Kind::kFalse:
      return lit(false);
    case Literal::Kind::kNumber:
      return placed(number(text));
    case Literal::Kind::kString:
    case Literal::Kind::kSymbol:
      return lit(std::string_view(text));
    case Literal::Kind::kBinary:
      return placed(binary(text));
    case Literal::Kind::kDate:
      return placed(lit_text(with_two_digits(text), LogicalType(TypeKind::kDate, false)));
    case Literal::Kind::kTime:
      return placed(lit_text(with_two_digits(text),
                             LogicalType::time(std::min(fraction_digits(text), 9), false)));
    case Literal::Kind::kTimestamp:
      return placed(lit_text(with_two_digits(text),
                             LogicalType::timestamp(std::min(fraction_digits(text), 9), false)));
    case Literal::Kind::kInterval:
      return placed(lit_text(std::to_string(literal.interval),
                             LogicalType(literal.interval_in_months ? TypeKind::kIntervalYearMonth
                                                                    : TypeKind::kIntervalDayTime,
                                         false)));
  }
  return lit_null();
}

Result<ExprPtr> Binder::bind(const ExpressionPtr& expression, ExpressionContext& context) {
  const Place place = expression->place;
  const auto& node = expression->node;
  if (const auto* column = std::get_if<ColumnName>(&node)) {
    Result<ExprPtr> value = resolve(*context.scope, column->name);
    if (!value.is_ok()) return at(place, std::move(value).status());
    return value;
  }
  if (const auto* literal = std::get_if<Literal>(&node)) return bind_literal(*literal, place);
  if (const auto* call = std::get_if<Call>(&node)) return bind_call(*call, place, context);
  if (const auto* each = std::get_if<Cast>(&node)) {
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(each->value, context));
    return each->or_null ? try_cast(std::move(value), each->type)
                         : cast(std::move(value), each->type);
  }
  if (const auto* each = std::get_if<Case>(&node)) {
    ExprPtr operand;
    if (each->operand != nullptr) {
      TG_ASSIGN_OR_RETURN(operand, bind(each->operand, context));
    }
    std::vector<CaseBranch> branches;
    for (const auto& [when, then] : each->branches) {
      TG_ASSIGN_OR_RETURN(ExprPtr condition, bind(when, context));
      TG_ASSIGN_OR_RETURN(ExprPtr result, bind(then, context));
      if (operand != nullptr) condition = tidegate::call("=", {operand, std::move(condition)});
      branches.push_back({std::move(condition), std::move(result)});
    }
    ExprPtr otherwise;
    if (each->otherwise != nullptr) {
      TG_ASSIGN_OR_RETURN(otherwise, bind(each->otherwise, context));
    }
    return case_when(branches, std::move(otherwise));
  }
  if (const auto* element = std::get_if<ElementAccess>(&node)) {
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(element->value, context));
    TG_ASSIGN_OR_RETURN(ExprPtr index, bind(element->index, context));
    return tidegate::call("ELEMENT_AT", {std::move(value), std::move(index)});
  }
  if (const auto* field = std::get_if<FieldAccess>(&node)) {
    TG_ASSIGN_OR_RETURN(ExprPtr value, bind(field->value, context));
    return field_of(std::move(value), field->field.text);
  }
  if (const auto* subquery = std::get_if<Subquery>(&node)) {
    return bind_subquery(*subquery, place, context);
  }
  return error_here(place, ErrorCode::kInvalidSyntax, "'*' cannot stand in {}", context.clause);
}

Result<ExprPtr> Binder::bind_call(const Call& call, Place place, ExpressionContext& context) {
  const std::string function = upper(call.function);
  for (const auto& name : call.names) {
    if (name) {
      return error_here(name->place, ErrorCode::kNotSupported, "{} does not take arguments by name",
                        call.function);
    }
  }
  if (call.over != nullptr) return bind_over(call, place, context);
  if (is_ranking(function)) {
    return error_here(place, ErrorCode::kInvalidSyntax, "{} needs OVER (...)", function);
  }
  if (is_grouping_part(function) || functions_.has_aggregate(function)) {
    return bind_aggregate_call(call, place, context);
  }
  if (call.distinct || call.filter != nullptr || !call.within_group.empty()) {
    const auto known = functions_.find(function);
    if (!known.is_ok()) return at(place, known.status());
    return error_here(place, ErrorCode::kInvalidSyntax,
                      "{} is not an aggregate: DISTINCT, FILTER and WITHIN GROUP do not apply",
                      function);
  }
  // A minus in front of a number belongs to it: -9223372036854775808 is a BIGINT.
  if (function == "-" && call.args.size() == 1) {
    const auto* literal = std::get_if<Literal>(&call.args[0]->node);
    if (literal != nullptr && literal->kind == Literal::Kind::kNumber) {
      Literal negative = *literal;
      negative.text = "-" + literal->text;
      return bind_literal(negative, place);
    }
  }
  TG_ASSIGN_OR_RETURN(std::vector<ExprPtr> args, bind_all(call.args, context));
  if (function == "AND") return logical_and(std::move(args));
  if (function == "OR") return logical_or(std::move(args));
  if (!call.is_operator) {
    if (const auto known = functions_.find(function); !known.is_ok()) {
      return at(place, known.status());
    }
  }
  return tidegate::call(function, std::move(args));
}

/// What an aggregate does about nulls is part of its name in the registry.
Status Binder::choose_nulls(const Call& call, AggregateUse& use) const {
  if (use.function == "JSON_OBJECTAGG" || use.function == "JSON_ARRAYAGG") {
    // NULL or ABSENT ON NULL is the first argument, the value the last.
    const auto* nulls = call.args.empty() ? nullptr : std::get_if<Literal>(&call.args[0]->node);
    if (nulls == nullptr || nulls->kind != Literal::Kind::kSymbol) return Status::ok();
    use.arguments.erase(use.arguments.begin());
    use.arguments.back() = tidegate::call("JSON_STRING", {use.arguments.back()});
    if (use.function == "JSON_OBJECTAGG" && nulls->text == "ABSENT") {
      use.function += " ABSENT ON NULL";
    } else if (use.function == "JSON_ARRAYAGG" && nulls->text == "NULL") {
      use.function += " NULL ON NULL";
    }
    return Status::ok();
  }
  if (!call.ignore_nulls) return Status::ok();
  if (!functions_.has_aggregate(use.function + " IGNORE NULLS")) {
    return error_here(use.place, ErrorCode::kNotSupported, "{} does not take IGNORE NULLS",
                      use.function);
  }
  use.function += " IGNORE NULLS";
  return Status::ok();
}

Result<ExprPtr> Binder::bind_aggregate_call(const Call& call, Place place,
                                            ExpressionContext& context) {
  if (context.inside_aggregate) {
    return error_here(place, ErrorCode::kInvalidSyntax, "aggregates cannot be nested: {}",
                      text_at(place));
  }
  if (context.aggregates == nullptr) {
    return error_here(place, ErrorCode::kInvalidSyntax, "the aggregate {} cannot stand in {}",
                      text_at(place), context.clause);
  }
  AggregateUse use;
  use.function = upper(call.function);
  use.distinct = call.distinct;
  use.text = text_at(place);
  use.place = place;
  context.inside_aggregate = true;
  const bool is_star = call.args.size() == 1 && std::get_if<Star>(&call.args[0]->node) != nullptr;
  if (is_star && (use.function != "COUNT" || use.distinct)) {
    return error_here(place, ErrorCode::kInvalidSyntax, "'*' is an argument of COUNT(*) only");
  }
  if (!is_star) {
    TG_ASSIGN_OR_RETURN(use.arguments, bind_all(call.args, context));
  }
  if (call.filter != nullptr) {
    TG_ASSIGN_OR_RETURN(use.filter, bind(call.filter, context));
  }
  context.inside_aggregate = false;
  TG_RETURN_IF_ERROR(choose_nulls(call, use));
  if (!call.within_group.empty()) {
    return error_here(place, ErrorCode::kNotSupported, "WITHIN GROUP is not supported yet");
  }
  // COUNT of what is never null counts rows.
  if (use.function == "COUNT" && !use.distinct && use.arguments.size() == 1 &&
      use.arguments[0]->kind() == Expr::Kind::kLiteral && !use.arguments[0]->type().nullable()) {
    use.arguments.clear();
  }
  context.aggregates->push_back(std::move(use));
  return col(kAggregateColumns + static_cast<int>(context.aggregates->size()) - 1);
}

}  // namespace tidegate::sql
