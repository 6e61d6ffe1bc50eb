// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <compare>
#include <string>

namespace tidegate::library {

/// The unit of work that moves between instances: a connected part of the program between
/// repartition topics, for one partition of each of its topics.
struct TaskId {
  int subtopology = 0;
  int partition = 0;

  auto operator<=>(const TaskId&) const = default;
  /// "1_0".
  std::string to_string() const { return fmt::format("{}_{}", subtopology, partition); }
};

}  // namespace tidegate::library
