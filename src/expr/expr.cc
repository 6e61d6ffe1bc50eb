// SPDX-License-Identifier: Apache-2.0
#include "expr/expr.h"

#include <arrow/array.h>
#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "expr/column_values.h"
#include "types/civil_time.h"
#include "types/time_text.h"
#include "types/value_format.h"

namespace tidegate {

struct ExprMaker {
  static std::shared_ptr<Expr> make(Expr::Kind kind) {
    return std::shared_ptr<Expr>(new Expr(kind));
  }
  static ExprPtr column(int index) {
    auto expr = make(Expr::Kind::kColumn);
    expr->column_ = index;
    return expr;
  }
  static ExprPtr literal(LogicalType type, ArrayPtr value) {
    auto expr = make(Expr::Kind::kLiteral);
    expr->type_ = std::move(type);
    expr->value_ = std::move(value);
    return expr;
  }
  static ExprPtr call(std::string_view function, std::vector<ExprPtr> args) {
    auto expr = make(Expr::Kind::kCall);
    expr->function_ = function;
    expr->args_ = std::move(args);
    return expr;
  }
  static ExprPtr cast(Expr::Kind kind, ExprPtr value, LogicalType type) {
    auto expr = make(kind);
    expr->type_ = std::move(type);
    expr->args_.push_back(std::move(value));
    return expr;
  }
  static ExprPtr with_args(const Expr& expr, std::vector<ExprPtr> args) {
    auto copy = std::shared_ptr<Expr>(new Expr(expr));
    copy->args_ = std::move(args);
    return copy;
  }
  static ExprPtr form(Expr::Kind kind, std::vector<ExprPtr> args) {
    auto expr = make(kind);
    expr->args_ = std::move(args);
    return expr;
  }
};

namespace {

template <typename T>
ExprPtr flat_literal(const LogicalType& type, T value) {
  Result<ValueWriter<T>> writer = ValueWriter<T>::make(1);
  TG_CHECK(writer.is_ok(), "{}", writer.status().to_string());
  writer->set(0, value);
  Result<ArrayPtr> array = writer->finish(type);
  TG_CHECK(array.is_ok(), "{}", array.status().to_string());
  return ExprMaker::literal(type, *array);
}

/// Code points, taking any text as UTF-8.
int count_characters(std::string_view text) {
  int count = 0;
  for (char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  return count;
}

bool is_operator(const std::string& function) {
  return !function.empty() && std::isalpha(static_cast<unsigned char>(function[0])) == 0;
}

std::string literal_to_string(const Expr& expr) {
  if (expr.value()->IsNull(0)) return "NULL";
  std::string text;
  append_value(expr.type(), *expr.value(), 0, TextForm::kCast, text);
  switch (expr.type().kind()) {
    case TypeKind::kChar:
    case TypeKind::kVarchar: {
      std::string quoted = "'";
      for (char c : text) {
        if (c == '\'') quoted += '\'';
        quoted += c;
      }
      return quoted + "'";
    }
    case TypeKind::kDate:
      return "DATE '" + text + "'";
    case TypeKind::kTime:
      return "TIME '" + text + "'";
    case TypeKind::kTimestamp:
      return "TIMESTAMP '" + text + "'";
    case TypeKind::kTimestampLtz:
      return "TIMESTAMP_LTZ '" + text + "'";
    case TypeKind::kIntervalYearMonth:
    case TypeKind::kIntervalDayTime:
      return "INTERVAL '" + text + "'";
    default:
      return text;
  }
}

std::string joined(const std::vector<ExprPtr>& args, std::string_view separator,
                   const Schema* schema) {
  std::string out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (i > 0) out += separator;
    out += args[i]->to_string(schema);
  }
  return out;
}

std::string call_to_string(const Expr& expr, const Schema* schema) {
  const std::string& name = expr.function();
  const auto& args = expr.args();
  if (is_operator(name) && args.size() == 2)
    return "(" + joined(args, " " + name + " ", schema) + ")";
  if (is_operator(name) && args.size() == 1) return name + args[0]->to_string(schema);
  if (name.starts_with("IS ") && args.size() == 1)
    return "(" + args[0]->to_string(schema) + " " + name + ")";
  return name + "(" + joined(args, ", ", schema) + ")";
}

std::string case_to_string(const std::vector<ExprPtr>& args, const Schema* schema) {
  std::string out = "CASE";
  for (std::size_t i = 0; i + 1 < args.size(); i += 2) {
    out +=
        fmt::format(" WHEN {} THEN {}", args[i]->to_string(schema), args[i + 1]->to_string(schema));
  }
  return out + fmt::format(" ELSE {} END", args.back()->to_string(schema));
}

template <typename T>
bool parse_integer(std::string_view text, T* value) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), *value);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

Status not_a_literal(std::string_view text, const LogicalType& type) {
  return error(ErrorCode::kCastFailed, "'{}' is not a value of type {}", text, type.to_string());
}

}  // namespace

std::string Expr::to_string(const Schema* schema) const {
  switch (kind_) {
    case Kind::kColumn:
      return schema != nullptr && column_ < schema->num_fields() ? schema->field(column_).name
                                                                 : fmt::format("${}", column_);
    case Kind::kLiteral:
      return literal_to_string(*this);
    case Kind::kCall:
      return call_to_string(*this, schema);
    case Kind::kCast:
    case Kind::kTryCast:
      return fmt::format("{}({} AS {})", kind_ == Kind::kCast ? "CAST" : "TRY_CAST",
                         args_[0]->to_string(schema), type_.to_string());
    case Kind::kAnd:
      return "(" + joined(args_, " AND ", schema) + ")";
    case Kind::kOr:
      return "(" + joined(args_, " OR ", schema) + ")";
    case Kind::kCase:
      return case_to_string(args_, schema);
  }
  return "?";
}

ExprPtr col(int index) { return ExprMaker::column(index); }

ExprPtr lit(std::int32_t value) { return flat_literal(LogicalType(TypeKind::kInt, false), value); }
ExprPtr lit(std::int64_t value) {
  return flat_literal(LogicalType(TypeKind::kBigInt, false), value);
}
ExprPtr lit(double value) { return flat_literal(LogicalType(TypeKind::kDouble, false), value); }
ExprPtr lit(bool value) { return flat_literal(LogicalType(TypeKind::kBoolean, false), value); }
ExprPtr lit(std::string_view value) {
  return flat_literal(LogicalType::character(count_characters(value), false), value);
}
ExprPtr lit(const char* value) { return lit(std::string_view(value)); }

ExprPtr lit(LogicalType type, ArrayPtr value) {
  TG_CHECK(value->length() == 1, "length={}", value->length());
  return ExprMaker::literal(std::move(type), std::move(value));
}

ExprPtr lit_null(LogicalType type) {
  Result<ArrayPtr> value = null_column(type.arrow_type(), 1);
  TG_CHECK(value.is_ok(), "{}", value.status().to_string());
  return ExprMaker::literal(type.with_nullable(true), *value);
}

Result<ExprPtr> lit_text(std::string_view text, const LogicalType& nullable_type) {
  const LogicalType type = nullable_type.with_nullable(false);
  switch (type.kind()) {
    case TypeKind::kDate: {
      std::int32_t days = 0;
      if (!parse_date(text, &days)) return not_a_literal(text, type);
      return flat_literal(type, days);
    }
    case TypeKind::kTime: {
      std::int64_t nanos = 0;
      if (!parse_time(text, &nanos)) return not_a_literal(text, type);
      const std::int64_t value =
          nanos / (kNanosPerSecond / time_units_per_second(type.precision()));
      if (type.precision() <= 3) return flat_literal(type, static_cast<std::int32_t>(value));
      return flat_literal(type, value);
    }
    case TypeKind::kTimestamp:
    case TypeKind::kTimestampLtz: {
      std::int64_t value = 0;
      const bool parsed = type.kind() == TypeKind::kTimestamp
                              ? parse_timestamp(text, type.precision(), &value)
                              : parse_instant(text, type.precision(), &value);
      if (!parsed) return not_a_literal(text, type);
      return flat_literal(type, value);
    }
    case TypeKind::kDecimal: {
      Int128 value = 0;
      if (parse_decimal(text, type.precision(), type.scale(), &value) != DecimalText::kOk)
        return not_a_literal(text, type);
      return flat_literal(type, value);
    }
    case TypeKind::kBoolean:
      if (text != "true" && text != "false") return not_a_literal(text, type);
      return flat_literal(type, text == "true");
    default:
      break;
  }
  if (!is_flat(type)) return not_a_literal(text, type);
  return with_physical_type(type, [&]<typename T>() -> Result<ExprPtr> {
    if constexpr (std::is_same_v<T, std::string_view>) {
      return flat_literal(type, text);
    } else if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
      T value{};
      if (!parse_integer(text, &value)) return not_a_literal(text, type);
      return flat_literal(type, value);
    } else {
      return not_a_literal(text, type);
    }
  });
}

ExprPtr call(std::string_view function, std::vector<ExprPtr> args) {
  return ExprMaker::call(function, std::move(args));
}

ExprPtr cast(ExprPtr value, LogicalType type) {
  return ExprMaker::cast(Expr::Kind::kCast, std::move(value), std::move(type));
}

ExprPtr try_cast(ExprPtr value, LogicalType type) {
  return ExprMaker::cast(Expr::Kind::kTryCast, std::move(value), std::move(type));
}

ExprPtr logical_and(std::vector<ExprPtr> conditions) {
  TG_CHECK(!conditions.empty(), "AND of nothing");
  if (conditions.size() == 1) return conditions[0];
  return ExprMaker::form(Expr::Kind::kAnd, std::move(conditions));
}

ExprPtr logical_or(std::vector<ExprPtr> conditions) {
  TG_CHECK(!conditions.empty(), "OR of nothing");
  if (conditions.size() == 1) return conditions[0];
  return ExprMaker::form(Expr::Kind::kOr, std::move(conditions));
}

ExprPtr case_when(const std::vector<CaseBranch>& branches, ExprPtr otherwise) {
  std::vector<ExprPtr> args;
  for (const CaseBranch& branch : branches) {
    args.push_back(branch.condition);
    args.push_back(branch.result);
  }
  args.push_back(otherwise != nullptr ? std::move(otherwise) : lit_null());
  return ExprMaker::form(Expr::Kind::kCase, std::move(args));
}

ExprPtr with_args(const ExprPtr& expr, std::vector<ExprPtr> args) {
  return ExprMaker::with_args(*expr, std::move(args));
}

}  // namespace tidegate
