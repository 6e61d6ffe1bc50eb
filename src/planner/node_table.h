// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <typeindex>
#include <unordered_map>

#include "plan/node.h"

namespace tidegate {

/// A function per kind of plan node, so that each kind stands by itself and nobody keeps a chain of
/// casts.
template <typename R, typename... Args>
class NodeTable {
 public:
  template <typename N>
  void on(R (*function)(const N&, Args...)) {
    by_type_[typeid(N)] = [function](const plan::Node& node, Args... args) -> R {
      return function(static_cast<const N&>(node), args...);
    };
  }
  bool has(const plan::Node& node) const { return by_type_.contains(typeid(node)); }
  /// Only for kinds that it has.
  R operator()(const plan::Node& node, Args... args) const {
    return by_type_.at(typeid(node))(node, args...);
  }

 private:
  std::unordered_map<std::type_index, std::function<R(const plan::Node&, Args...)>> by_type_;
};

}  // namespace tidegate
