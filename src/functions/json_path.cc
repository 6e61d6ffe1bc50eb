// SPDX-License-Identifier: Apache-2.0
#include "functions/json_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/check.h"
#include "functions/json_filter.h"
#include "types/decimal.h"

namespace tidegate {

using Node = JsonDocument::Node;

/// One search. A member that is missing, or a value of another kind than a step asks for, ends it
/// with a failure only in strict mode, and only while no step before may find several values.
class JsonPath::Walk {
 public:
  Walk(const JsonPath& path, const JsonDocument& document) : path_(path), document_(document) {
    for (const Step& step : path.steps_) {
      definite_until_.push_back(definite_);
      const bool last = &step == &path.steps_.back();
      const bool merges = step.kind == StepKind::kMembers && last;
      merges_ = merges;
      definite_ = definite_ && !step.deep &&
                  (step.kind == StepKind::kMember || step.kind == StepKind::kElement || merges);
    }
  }

  JsonMatch run(Node start) {
    JsonMatch match;
    go(0, start);
    match.failure = std::move(failure_);
    if (!match.failure.empty()) return match;
    if (!definite_) {
      match.kind = JsonMatch::Kind::kNodes;
      match.nodes = std::move(found_);
      match.member_ends = std::move(member_ends_);
      match.has_members = merges_;
      return match;
    }
    if (!member_ends_.empty()) {
      match.kind = JsonMatch::Kind::kMembers;
      match.nodes = std::move(found_);
    } else if (!found_.empty()) {
      match.kind = JsonMatch::Kind::kNode;
      match.nodes = {found_.back()};
    } else if (!path_.lax_) {
      match.failure = "the path finds nothing";
    }
    return match;
  }

 private:
  bool failed() const { return !failure_.empty(); }
  bool may_fail(std::size_t step) const { return definite_until_[step] && !path_.lax_; }
  void fail_at(std::size_t step, const char* what) {
    if (may_fail(step)) failure_ = fmt::format("step {} of the path finds no {}", step + 1, what);
  }

  void go(std::size_t index, Node node) {
    if (failed()) return;
    if (index == path_.steps_.size()) {
      found_.push_back(node);
      return;
    }
    const Step& step = path_.steps_[index];
    if (step.deep) {
      scan(index, node);
    } else {
      apply(index, node);
    }
  }

  /// The step on this value and on all below it, as far as it can be taken there.
  void scan(std::size_t index, Node node) {
    if (document_.is_scalar(node)) return;
    const Step& step = path_.steps_[index];
    const bool object = document_.kind(node) == JsonKind::kObject;
    const bool of_members = step.kind == StepKind::kMember || step.kind == StepKind::kMembers;
    if (step.kind == StepKind::kAny || object == of_members) apply(index, node);
    for_each_child(node, [&](Node child) { scan(index, child); });
  }

  template <typename F>
  void for_each_child(Node node, F f) {
    if (document_.kind(node) == JsonKind::kArray) {
      for (Node child = document_.first(node); child < document_.next(node);
           child = document_.next(child))
        f(child);
    } else if (document_.kind(node) == JsonKind::kObject) {
      for (const auto& [key, value] : document_.members(node)) f(value);
    }
  }

  void apply(std::size_t index, Node node) {
    const Step& step = path_.steps_[index];
    switch (step.kind) {
      case StepKind::kMember:
      case StepKind::kMembers:
        return apply_members(index, node);
      case StepKind::kElement:
      case StepKind::kElements:
      case StepKind::kSlice:
        return apply_elements(index, node);
      case StepKind::kAny:
        return for_each_child(node, [&](Node child) { go(index + 1, child); });
      case StepKind::kFilter:
        return apply_filter(index, node);
    }
  }

  void apply_members(std::size_t index, Node node) {
    if (document_.kind(node) != JsonKind::kObject) return fail_at(index, "object");
    const Step& step = path_.steps_[index];
    const bool last = index + 1 == path_.steps_.size();
    for (const std::string& key : step.keys) {
      const Node value = document_.member(node, key);
      if (value == JsonDocument::kNone) {
        if (!last && step.kind == StepKind::kMember) fail_at(index, "such member");
        continue;
      }
      if (last && merges_) found_.push_back(value - 1);
      go(index + 1, value);
    }
    if (last && merges_) member_ends_.push_back(found_.size());
  }

  void apply_elements(std::size_t index, Node node) {
    if (document_.kind(node) != JsonKind::kArray) return fail_at(index, "array");
    const Step& step = path_.steps_[index];
    if (step.kind != StepKind::kSlice) {
      for (const std::int64_t number : step.numbers) {
        const Node element = document_.element(node, number);
        if (element != JsonDocument::kNone) go(index + 1, element);
      }
      return;
    }
    const std::int64_t size = document_.size(node);
    const auto place = [size](std::int64_t number) {
      return std::clamp<std::int64_t>(number < 0 ? number + size : number, 0, size);
    };
    const std::int64_t from = step.has_from ? place(step.numbers[0]) : 0;
    const std::int64_t to = step.has_to ? place(step.numbers[1]) : size;
    Node element = from < to ? document_.element(node, from) : JsonDocument::kNone;
    for (std::int64_t i = from; i < to; ++i, element = document_.next(element))
      go(index + 1, element);
  }

  void apply_filter(std::size_t index, Node node) {
    const JsonFilter& filter = *path_.steps_[index].filter;
    if (document_.kind(node) == JsonKind::kArray) {
      for_each_child(node, [&](Node child) {
        if (filter.accepts(document_, child)) go(index + 1, child);
      });
    } else if (document_.kind(node) == JsonKind::kObject) {
      if (filter.accepts(document_, node)) go(index + 1, node);
    } else {
      fail_at(index, "array or object");
    }
  }

  const JsonPath& path_;
  const JsonDocument& document_;
  std::vector<bool> definite_until_;
  bool definite_ = true;
  bool merges_ = false;  // the last step makes an object of members
  std::vector<Node> found_;
  std::vector<std::size_t> member_ends_;
  std::string failure_;
};

namespace {

/// The numbers among the elements of an array.
std::vector<double> numbers_of(const JsonDocument& document, Node array) {
  std::vector<double> numbers;
  for (Node node = document.first(array); node < document.next(array); node = document.next(node)) {
    if (document.kind(node) != JsonKind::kNumber) continue;
    const std::string_view token = document.token(node);
    std::from_chars(token.data(), token.data() + token.size(), numbers.emplace_back());
  }
  return numbers;
}

}  // namespace

JsonMatch JsonPath::find_from(const JsonDocument& document, Node node) const {
  JsonMatch match = Walk(*this, document).run(node);
  if (function_ == Function::kNone || match.kind != JsonMatch::Kind::kNode) return match;
  const Node value = match.nodes[0];
  match = {};
  if (function_ == Function::kLength && !document.is_scalar(value)) {
    match.kind = JsonMatch::Kind::kNumber;
    const bool object = document.kind(value) == JsonKind::kObject;
    match.number = fmt::format("{}", object ? document.members(value).size()
                                            : static_cast<std::size_t>(document.size(value)));
    return match;
  }
  const std::vector<double> numbers = document.kind(value) == JsonKind::kArray
                                          ? numbers_of(document, value)
                                          : std::vector<double>();
  if (function_ == Function::kLength || numbers.empty()) {
    if (!lax_) match.failure = "the function has nothing to count";
    return match;
  }
  double result = 0;
  for (double number : numbers) result += number;
  if (function_ == Function::kMin) result = *std::min_element(numbers.begin(), numbers.end());
  if (function_ == Function::kMax) result = *std::max_element(numbers.begin(), numbers.end());
  if (function_ == Function::kAvg) result /= static_cast<double>(numbers.size());
  match.kind = JsonMatch::Kind::kNumber;
  append_double(result, match.number);
  return match;
}

}  // namespace tidegate
