// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/aggregate.h"
#include "types/logical_type.h"

namespace tidegate {

/// One aggregate of an aggregating operator: an aggregator and what it reads of the input.
struct BoundAggregate {
  std::shared_ptr<const Aggregator> aggregator;
  std::vector<int> arguments = {};  ///< columns; none for COUNT(*)
  int filter = -1;                  ///< BOOLEAN column: only rows where it is true count
  /// A ROW result becomes one column per field.
  bool flatten = false;

  // What state tells of it, and how state of an older program becomes its own.
  std::string text = {};     ///< its identity among the aggregates of its operator: "SUM(v)"
  std::string binding = {};  ///< function and types of its arguments: "SUM(INT)"; "": own code
  /// The aggregator of another binding of the same function, and whether accumulators of that
  /// one's narrower types have the bytes of this one's, or hold one value that can be added here.
  enum class Widening : std::uint8_t { kNone, kSameBytes, kOneValue };
  Widening widening = Widening::kNone;
  std::function<Result<std::shared_ptr<const Aggregator>>(std::string_view binding)> bind = {};
};

/// What an aggregating operator tells of a result that changes.
enum class Changelog : std::uint8_t {
  kAppend,   ///< every result is +I, also a newer one of the same key (DataStream API, Kafka
             ///< Streams); what is gone is not told
  kUpsert,   ///< +I, then +U per change, -D: for readers that know the key
  kRetract,  ///< +I, then -U and +U per change, -D
};

/// The columns that results of these aggregates take, in order.
std::vector<LogicalType> result_types(std::span<const BoundAggregate> aggregates);

}  // namespace tidegate
