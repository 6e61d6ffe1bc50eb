// SPDX-License-Identifier: Apache-2.0
//
// The condition of a filter in a JSON path: [?(@.a > 1 && !(@.b == 'x'))].
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "functions/json_path.h"

namespace tidegate {

struct JsonFilter {
  enum class Kind : std::uint8_t { kAnd, kOr, kNot, kExists, kCompare };
  enum class Comparison : std::uint8_t {
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual
  };

  /// A side of a comparison: a path from the element at hand (@) or from the document ($), or a
  /// constant.
  struct Operand {
    bool is_path = false;
    bool from_root = false;
    std::shared_ptr<const JsonPath> path = nullptr;
    JsonKind kind = JsonKind::kNull;
    std::string text = {};  ///< of a constant number or string
  };

  Kind kind = Kind::kExists;
  Comparison comparison = Comparison::kEqual;
  std::vector<std::shared_ptr<const JsonFilter>> parts = {};  ///< kAnd, kOr, kNot
  Operand left = {};
  Operand right = {};

  bool accepts(const JsonDocument& document, JsonDocument::Node node) const;
};

}  // namespace tidegate
