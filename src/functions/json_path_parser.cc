// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/check.h"
#include "functions/json_filter.h"
#include "functions/json_path.h"

namespace tidegate {

/// Reads the text of a path from left to right.
class JsonPathParser {
 public:
  explicit JsonPathParser(std::string_view text) : text_(text) {}

  Result<JsonPath> parse() {
    JsonPath path;
    skip_blanks();
    path.lax_ = take_mode("lax");
    if (!path.lax_ && !take_mode("strict") && at_ > 0) return wrong("it starts with a blank");
    while (!text_.empty() && text_.back() == ' ') text_.remove_suffix(1);
    if (at_ == text_.size()) return wrong("it is empty");
    if (!take('$')) {
      // A path that starts with a name starts at the root.
      TG_RETURN_IF_ERROR(parse_name(path, /*deep=*/false));
    }
    TG_RETURN_IF_ERROR(parse_steps(path));
    if (at_ < text_.size()) return wrong("an unexpected character");
    return path;
  }

 private:
  using Step = JsonPath::Step;
  using StepKind = JsonPath::StepKind;

  Status wrong(const char* what) const {
    return error(ErrorCode::kInvalidSyntax, "JSON path '{}', byte {}: {}", text_, at_, what);
  }
  Status not_supported(std::string_view what) const {
    return error(ErrorCode::kNotSupported, "JSON path '{}', byte {}: {}", text_, at_, what);
  }

  bool at_end() const { return at_ >= text_.size(); }
  char here() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (here() != c || at_end()) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void skip_blanks() {
    while (here() == ' ' || here() == '\t' || here() == '\n') ++at_;
  }

  bool take_mode(std::string_view word) {
    const std::string_view rest = text_.substr(at_);
    const bool same = rest.size() > word.size() &&
                      std::equal(word.begin(), word.end(), rest.begin(), [](char a, char b) {
                        return a == (b >= 'A' && b <= 'Z' ? b + 32 : b);
                      });
    if (!same || (rest[word.size()] != ' ' && rest[word.size()] != '\t')) return false;
    at_ += word.size();
    skip_blanks();
    return true;
  }

  /// Steps until what belongs to none: the end, or a comparison in a filter.
  Status parse_steps(JsonPath& path) {
    constexpr std::size_t kMaxSteps = 1000;
    while (here() == '.' || here() == '[') {
      if (path.steps_.size() > kMaxSteps) return wrong("too many steps");
      if (path.function_ != JsonPath::Function::kNone)
        return not_supported("steps behind a function");
      const bool deep = take(std::string_view(".."));
      if (!deep) (void)take('.');  // $.['a'] is $['a']
      if (here() == '[') {
        TG_RETURN_IF_ERROR(parse_bracket(path, deep));
      } else {
        TG_RETURN_IF_ERROR(parse_name(path, deep));
      }
    }
    return Status::ok();
  }

  Status parse_name(JsonPath& path, bool deep) {
    if (take('*')) {
      path.steps_.push_back({.kind = StepKind::kAny, .deep = deep});
      return Status::ok();
    }
    constexpr std::string_view kEnds = ".[]() =<>!&|,?~\t\n";
    const std::size_t end = std::min(text_.find_first_of(kEnds, at_), text_.size());
    const std::string name(text_.substr(at_, end - at_));
    at_ = end;
    if (here() == '(') return parse_function(path, name);
    if (name.empty()) return wrong("a name is missing");
    if (here() == ' ' && !in_filter_) return wrong("a blank in a name that is not in quotes");
    path.steps_.push_back({.kind = StepKind::kMember, .deep = deep, .keys = {name}});
    return Status::ok();
  }

  Status parse_function(JsonPath& path, std::string_view name) {
    using Function = JsonPath::Function;
    constexpr std::pair<std::string_view, Function> kFunctions[] = {
        {"length", Function::kLength}, {"size", Function::kLength}, {"sum", Function::kSum},
        {"min", Function::kMin},       {"max", Function::kMax},     {"avg", Function::kAvg}};
    for (const auto& [known, function] : kFunctions)
      if (name == known) path.function_ = function;
    if (path.function_ == Function::kNone || !take(std::string_view("()")))
      return not_supported("this function");
    for (const Step& step : path.steps_) {
      if (step.deep || (step.kind != StepKind::kMember && step.kind != StepKind::kElement))
        return not_supported("a function of a path that may find several values");
    }
    return Status::ok();
  }

  Status parse_bracket(JsonPath& path, bool deep) {
    ++at_;
    skip_blanks();
    Step step;
    step.deep = deep;
    if (here() == '\'' || here() == '"') {
      TG_RETURN_IF_ERROR(parse_keys(step));
    } else if (take('*')) {
      step.kind = StepKind::kAny;
    } else if (here() == '?') {
      TG_RETURN_IF_ERROR(parse_filter_step(step));
    } else {
      TG_RETURN_IF_ERROR(parse_numbers(step));
    }
    skip_blanks();
    if (!take(']')) return wrong("a ] is missing");
    path.steps_.push_back(std::move(step));
    return Status::ok();
  }

  Status parse_quoted(std::string& out) {
    const char quote = text_[at_++];
    while (!at_end() && here() != quote) {
      if (here() == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_++];
    }
    return take(quote) ? Status::ok() : wrong("a quote is missing");
  }

  Status parse_keys(Step& step) {
    do {
      skip_blanks();
      if (here() != '\'' && here() != '"') return wrong("a key in quotes is missing");
      TG_RETURN_IF_ERROR(parse_quoted(step.keys.emplace_back()));
      skip_blanks();
    } while (take(','));
    step.kind = step.keys.size() == 1 ? StepKind::kMember : StepKind::kMembers;
    return Status::ok();
  }

  std::optional<std::int64_t> parse_number() {
    skip_blanks();
    std::int64_t number = 0;
    const auto parsed = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (parsed.ec != std::errc()) return std::nullopt;
    at_ = static_cast<std::size_t>(parsed.ptr - text_.data());
    skip_blanks();
    return number;
  }

  /// One index, several of them, or a slice.
  Status parse_numbers(Step& step) {
    const std::optional<std::int64_t> first = parse_number();
    if (take(':')) {
      const std::optional<std::int64_t> second = parse_number();
      if (here() == ':') return not_supported("a slice with steps");
      step.kind = StepKind::kSlice;
      step.has_from = first.has_value();
      step.has_to = second.has_value();
      step.numbers = {first.value_or(0), second.value_or(0)};
      return Status::ok();
    }
    if (!first) return wrong("a number is missing");
    step.numbers.push_back(*first);
    while (take(',')) {
      const std::optional<std::int64_t> next = parse_number();
      if (!next) return wrong("a number is missing");
      step.numbers.push_back(*next);
    }
    step.kind = step.numbers.size() == 1 ? StepKind::kElement : StepKind::kElements;
    return Status::ok();
  }

  using FilterPtr = std::shared_ptr<const JsonFilter>;

  Status parse_filter_step(Step& step) {
    ++at_;
    skip_blanks();
    if (!take('(')) return wrong("a filter is written [?( )]");
    const bool outer = in_filter_;
    in_filter_ = true;
    TG_ASSIGN_OR_RETURN(step.filter, parse_or());
    in_filter_ = outer;
    skip_blanks();
    if (!take(')')) return not_supported("this filter");
    step.kind = StepKind::kFilter;
    return Status::ok();
  }

  template <typename Parse>
  Result<FilterPtr> parse_chain(std::string_view sign, JsonFilter::Kind kind, Parse parse) {
    TG_ASSIGN_OR_RETURN(FilterPtr first, parse());
    skip_blanks();
    if (!text_.substr(at_).starts_with(sign)) return first;
    auto chain = std::make_shared<JsonFilter>();
    chain->kind = kind;
    chain->parts.push_back(std::move(first));
    while (take(sign)) {
      TG_ASSIGN_OR_RETURN(FilterPtr part, parse());
      chain->parts.push_back(std::move(part));
      skip_blanks();
    }
    return FilterPtr(std::move(chain));
  }
  Result<FilterPtr> parse_or() {
    return parse_chain("||", JsonFilter::Kind::kOr, [this] { return parse_and(); });
  }
  Result<FilterPtr> parse_and() {
    return parse_chain("&&", JsonFilter::Kind::kAnd, [this] { return parse_condition(); });
  }

  Result<FilterPtr> parse_condition() {
    constexpr int kMaxDepth = 100;
    skip_blanks();
    if (++depth_ > kMaxDepth) return wrong("the filter nests too deep");
    Result<FilterPtr> condition = parse_nested_condition();
    --depth_;
    return condition;
  }

  Result<FilterPtr> parse_nested_condition() {
    if (here() == '!' && at_ + 1 < text_.size() && text_[at_ + 1] != '=') {
      ++at_;
      auto negation = std::make_shared<JsonFilter>();
      negation->kind = JsonFilter::Kind::kNot;
      TG_ASSIGN_OR_RETURN(FilterPtr part, parse_condition());
      negation->parts.push_back(std::move(part));
      return FilterPtr(std::move(negation));
    }
    if (take('(')) {
      TG_ASSIGN_OR_RETURN(FilterPtr inner, parse_or());
      skip_blanks();
      if (!take(')')) return wrong("a ) is missing");
      return inner;
    }
    auto condition = std::make_shared<JsonFilter>();
    TG_ASSIGN_OR_RETURN(condition->left, parse_operand());
    skip_blanks();
    using Comparison = JsonFilter::Comparison;
    constexpr std::pair<std::string_view, Comparison> kComparisons[] = {
        {"==", Comparison::kEqual},       {"!=", Comparison::kNotEqual},
        {"<=", Comparison::kLessOrEqual}, {">=", Comparison::kGreaterOrEqual},
        {"<", Comparison::kLess},         {">", Comparison::kGreater}};
    for (const auto& [sign, comparison] : kComparisons) {
      if (!take(sign)) continue;
      condition->kind = JsonFilter::Kind::kCompare;
      condition->comparison = comparison;
      TG_ASSIGN_OR_RETURN(condition->right, parse_operand());
      return FilterPtr(std::move(condition));
    }
    if (!condition->left.is_path) return not_supported("this filter");
    return FilterPtr(std::move(condition));
  }

  Result<JsonFilter::Operand> parse_operand() {
    skip_blanks();
    JsonFilter::Operand operand;
    if (here() == '@' || here() == '$') {
      operand.is_path = true;
      operand.from_root = take('$');
      if (!operand.from_root) ++at_;
      auto path = std::make_shared<JsonPath>();
      path->lax_ = true;
      TG_RETURN_IF_ERROR(parse_steps(*path));
      operand.path = std::move(path);
      return operand;
    }
    if (here() == '\'' || here() == '"') {
      operand.kind = JsonKind::kString;
      TG_RETURN_IF_ERROR(parse_quoted(operand.text));
      return operand;
    }
    if (take(std::string_view("true"))) {
      operand.kind = JsonKind::kTrue;
    } else if (take(std::string_view("false"))) {
      operand.kind = JsonKind::kFalse;
    } else if (!take(std::string_view("null"))) {
      double value = 0;
      const auto parsed = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
      if (parsed.ec != std::errc()) return not_supported("this filter");
      const auto end = static_cast<std::size_t>(parsed.ptr - text_.data());
      operand.kind = JsonKind::kNumber;
      operand.text = text_.substr(at_, end - at_);
      at_ = end;
    }
    return operand;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  bool in_filter_ = false;
};

Result<JsonPath> JsonPath::parse(std::string_view text) { return JsonPathParser(text).parse(); }

}  // namespace tidegate
