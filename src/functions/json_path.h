// SPDX-License-Identifier: Apache-2.0
//
// Paths into JSON, in the syntax of JsonPath: $.a.b[0], $['a'], [-1], [1:3], [0,2], .*, ..a,
// [?(@.a > 1 && @.b)], .length(), .sum(), .min(), .max(), .avg().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "functions/json_document.h"
#include "tidegate/status.h"

namespace tidegate {

struct JsonFilter;  // the condition of [?( )]

/// What a path found.
struct JsonMatch {
  enum class Kind : std::uint8_t {
    kNothing,  ///< no value, or null
    kNode,     ///< one value of the document
    kNodes,    ///< what an indefinite path found, as an array
    kMembers,  ///< members of an object, as an object: $['a', 'b']
    kNumber,   ///< what a function computed
  };
  Kind kind = Kind::kNothing;
  /// kNode: one; kNodes: all; kMembers: keys and values in turn.
  std::vector<JsonDocument::Node> nodes = {};
  /// kNodes of a path that ends with ['a', 'b']: where the keys and values of each object end.
  std::vector<std::size_t> member_ends = {};
  bool has_members = false;
  std::string number = {};
  /// In strict mode a path that finds nothing is a failure: what was missing. Empty: none.
  std::string failure = {};
};

class JsonPath {
 public:
  /// "[lax|strict] path"; strict when it says neither, as in Flink. kInvalidSyntax when it is not a
  /// path, kNotSupported for what JsonPath knows and this does not.
  static Result<JsonPath> parse(std::string_view text);

  bool is_lax() const { return lax_; }
  JsonMatch find(const JsonDocument& document) const {
    return find_from(document, JsonDocument::kRoot);
  }
  /// Of a path in a filter: from this value on.
  JsonMatch find_from(const JsonDocument& document, JsonDocument::Node node) const;

 private:
  friend class JsonPathParser;

  enum class StepKind : std::uint8_t {
    kMember,
    kMembers,
    kElement,
    kElements,
    kSlice,
    kAny,
    kFilter,
  };
  struct Step {
    StepKind kind = StepKind::kAny;
    bool deep = false;  ///< at any depth: behind ..
    std::vector<std::string> keys = {};
    /// kElement, kElements: their numbers; kSlice: from and to.
    std::vector<std::int64_t> numbers = {};
    bool has_from = false;
    bool has_to = false;
    std::shared_ptr<const JsonFilter> filter = nullptr;
  };
  enum class Function : std::uint8_t { kNone, kLength, kSum, kMin, kMax, kAvg };
  class Walk;

  bool lax_ = false;
  std::vector<Step> steps_;
  Function function_ = Function::kNone;
};

}  // namespace tidegate
