// SPDX-License-Identifier: Apache-2.0
#include <arrow/array/array_primitive.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"
#include "expr/bind.h"
#include "expr/columns_of.h"
#include "plan/time_join.h"
#include "planner/event_time_check.h"
#include "planner/expr_properties.h"
#include "planner/plan_settings.h"
#include "planner/rewrite.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

/// A time column and a distance to it.
struct Moment {
  int column = -1;
  std::int64_t offset_ms = 0;
};

/// A day-time interval that is known now.
std::optional<std::int64_t> interval_of(const ExprPtr& expr, const FunctionRegistry& functions) {
  if (!columns_read(expr).empty()) return std::nullopt;
  const Result<BoundExprPtr> bound = tidegate::bind(expr, Schema(), functions);
  if (!bound.is_ok() || (*bound)->kind != BoundExpr::Kind::kLiteral ||
      (*bound)->type.kind() != TypeKind::kIntervalDayTime || (*bound)->value->IsNull(0)) {
    return std::nullopt;
  }
  // Times of day-time intervals are kept in milliseconds.
  const Result<BoundExprPtr> number =
      bind_cast(*bound, LogicalType(TypeKind::kIntervalDayTime), functions);
  if (!number.is_ok()) return std::nullopt;
  const std::int64_t ms = static_cast<const arrow::Int64Array&>(*(*number)->value).Value(0);
  constexpr std::int64_t kMost = std::int64_t{1} << 50;
  return ms > kMost || ms < -kMost ? std::nullopt : std::optional(ms);
}

std::optional<Moment> moment_of(const ExprPtr& expr, const FunctionRegistry& functions) {
  if (expr->kind() == Expr::Kind::kColumn) return Moment{expr->column(), 0};
  if (expr->kind() == Expr::Kind::kCast && expr->type().is_timestamp() &&
      expr->type().precision() >= 3 && expr->args()[0]->kind() == Expr::Kind::kColumn) {
    return Moment{expr->args()[0]->column(), 0};
  }
  if (expr->kind() != Expr::Kind::kCall || expr->args().size() != 2) return std::nullopt;
  const bool plus = expr->function() == "+";
  if (!plus && expr->function() != "-") return std::nullopt;
  for (int swap = 0; swap < (plus ? 2 : 1); ++swap) {
    std::optional<Moment> moment =
        moment_of(expr->args()[static_cast<std::size_t>(swap)], functions);
    const std::optional<std::int64_t> interval =
        interval_of(expr->args()[static_cast<std::size_t>(1 - swap)], functions);
    if (!moment || !interval) continue;
    moment->offset_ms += plus ? *interval : -*interval;
    return moment;
  }
  return std::nullopt;
}

/// Bounds as they are found, conjunct by conjunct.
class BoundFinder {
 public:
  BoundFinder(const plan::JoinNode& join, PlanFacts& facts)
      : join_(join),
        facts_(facts),
        functions_(*facts.options().functions),
        left_width_(join.inputs[0].schema()->num_fields()) {}

  /// False when the conjunct is not such a bound, or of other columns than those before.
  bool take(const ExprPtr& conjunct) {
    if (conjunct->kind() != Expr::Kind::kCall) return false;
    const std::vector<ExprPtr>& args = conjunct->args();
    if (conjunct->function() == "BETWEEN" && args.size() == 3) {
      BoundFinder tried = *this;
      if (!tried.compare(">=", args[0], args[1]) || !tried.compare("<=", args[0], args[2])) {
        return false;
      }
      adopt(tried);
      return true;
    }
    return args.size() == 2 && compare(conjunct->function(), args[0], args[1]);
  }

  bool is_complete() const { return lower_ && upper_; }
  bool by_processing_time() const { return time_ == TimeAttribute::kProctime; }
  plan::TimeBounds bounds() const {
    return {left_, right_, *lower_, *upper_, lower_inclusive_, upper_inclusive_};
  }

 private:
  void adopt(const BoundFinder& other) {
    left_ = other.left_;
    right_ = other.right_;
    time_ = other.time_;
    lower_ = other.lower_;
    upper_ = other.upper_;
    lower_inclusive_ = other.lower_inclusive_;
    upper_inclusive_ = other.upper_inclusive_;
  }

  TimeAttribute time_at(int column) const {
    return column < left_width_ ? time_of(join_.inputs[0], column, facts_)
                                : time_of(join_.inputs[1], column - left_width_, facts_);
  }

  LogicalType type_at(int column) const {
    return column < left_width_ ? join_.inputs[0].schema()->field(column).type
                                : join_.inputs[1].schema()->field(column - left_width_).type;
  }

  /// The watermark must be about both times; in Spark it is enough that it is about the one that
  /// unmatched rows wait for.
  std::optional<TimeAttribute> time_of_both(int left, int right) const {
    using Type = plan::JoinType;
    const TimeAttribute l = time_at(left);
    const TimeAttribute r = time_at(right);
    if (l == r && l != TimeAttribute::kNone) return l;
    if (!is_watermark_per_batch(facts_.options().settings)) return std::nullopt;
    if (!type_at(left).is_timestamp() || !type_at(right).is_timestamp()) return std::nullopt;
    const bool by_left = l == TimeAttribute::kRowtime;
    const bool by_right = r == TimeAttribute::kRowtime;
    bool enough = false;
    if (join_.type == Type::kInner) enough = by_left || by_right;
    if (join_.type == Type::kLeft || join_.type == Type::kSemi) enough = by_right;
    if (join_.type == Type::kRight) enough = by_left;
    return enough ? std::optional(TimeAttribute::kRowtime) : std::nullopt;
  }

  /// a `sign` b, where one is a time of the left and the other of the right.
  bool compare(const std::string& sign, const ExprPtr& a, const ExprPtr& b) {
    const std::optional<Moment> first = moment_of(a, functions_);
    const std::optional<Moment> second = moment_of(b, functions_);
    if (!first || !second) return false;
    const bool straight = first->column < left_width_;
    const Moment& left = straight ? *first : *second;
    const Moment& right = straight ? *second : *first;
    if (left.column >= left_width_ || right.column < left_width_) return false;
    const std::optional<TimeAttribute> time = time_of_both(left.column, right.column);
    if (!time) return false;
    if (left_ >= 0 && (left_ != left.column || right_ != right.column - left_width_)) return false;
    // right + r `sign'` left + l, that is right - left `sign'` l - r.
    const std::int64_t distance = left.offset_ms - right.offset_ms;
    const bool greater = straight ? sign[0] == '<' : sign[0] == '>';
    const bool smaller = straight ? sign[0] == '>' : sign[0] == '<';
    if (sign == "=") {
      raise_lower(distance, true);
      cut_upper(distance, true);
    } else if (sign == "<" || sign == ">" || sign == "<=" || sign == ">=") {
      const bool inclusive = sign.size() == 2;
      if (greater) raise_lower(distance, inclusive);
      if (smaller) cut_upper(distance, inclusive);
    } else {
      return false;
    }
    left_ = left.column;
    right_ = right.column - left_width_;
    time_ = *time;
    return true;
  }

  void raise_lower(std::int64_t bound, bool inclusive) {
    if (lower_ && *lower_ > bound) return;
    lower_inclusive_ = lower_ == bound ? lower_inclusive_ && inclusive : inclusive;
    lower_ = bound;
  }
  void cut_upper(std::int64_t bound, bool inclusive) {
    if (upper_ && *upper_ < bound) return;
    upper_inclusive_ = upper_ == bound ? upper_inclusive_ && inclusive : inclusive;
    upper_ = bound;
  }

  const plan::JoinNode& join_;
  PlanFacts& facts_;
  const FunctionRegistry& functions_;
  const int left_width_;
  int left_ = -1;
  int right_ = -1;
  TimeAttribute time_ = TimeAttribute::kNone;
  std::optional<std::int64_t> lower_;
  std::optional<std::int64_t> upper_;
  bool lower_inclusive_ = true;
  bool upper_inclusive_ = true;
};

/// Rows carry the time of their arrival, so that the join compares those, and forgets rows that no
/// row to come can match.
Result<plan::NodePtr> join_by_arrival(const plan::JoinNode& join, const plan::TimeBounds& bounds) {
  if (join.type != plan::JoinType::kInner) {
    return error(ErrorCode::kNotSupported,
                 "an outer interval join by processing time is not supported");
  }
  constexpr std::int64_t kSlackMs = 1000;
  auto made = std::make_shared<plan::JoinNode>(join);
  made->left_ttl_ms = std::max<std::int64_t>(bounds.upper_ms, 0) + kSlackMs;
  made->right_ttl_ms = std::max<std::int64_t>(-bounds.lower_ms, 0) + kSlackMs;
  return plan::NodePtr(std::move(made));
}

}  // namespace

Result<plan::NodePtr> find_interval_join(const plan::NodePtr& node, PlanFacts& facts) {
  const auto* join = node_as<plan::JoinNode>(node);
  if (join == nullptr || facts.options().functions == nullptr ||
      join->type == plan::JoinType::kAnti) {
    return node;
  }
  const bool per_batch = is_watermark_per_batch(facts.options().settings);
  if (join->type == plan::JoinType::kSemi && !per_batch) return node;
  if (facts.of(join->inputs[0]).retracts || facts.of(join->inputs[1]).retracts) return node;
  BoundFinder finder(*join, facts);
  std::vector<ExprPtr> rest;
  for (ExprPtr& each : conjuncts_of(join->condition)) {
    if (!finder.take(each)) rest.push_back(std::move(each));
  }
  if (!finder.is_complete()) return node;
  const plan::TimeBounds bounds = finder.bounds();
  // Nothing can match; a regular join says so, too.
  if (bounds.lower_ms > bounds.upper_ms) return node;
  if (finder.by_processing_time()) return join_by_arrival(*join, bounds);
  return std::make_shared<plan::IntervalJoinNode>(join->inputs[0], join->inputs[1], join->type,
                                                  bounds, conjunction_of(std::move(rest)),
                                                  join->schema);
}

}  // namespace tidegate
