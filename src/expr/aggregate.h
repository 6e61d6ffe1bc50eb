// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

/// An aggregate bound to its argument types: how to keep, change and read accumulators. An
/// accumulator is `size_bytes` bytes in place inside a state row, aligned to 8; it may own memory
/// beyond that (DISTINCT sets, strings), which destroy() gives back. All calls work on a batch at a
/// time; `accumulators[i]` belongs to row i and the same one may occur many times.
class Aggregator {
 public:
  virtual ~Aggregator() = default;

  virtual LogicalType result_type() const = 0;
  virtual std::int32_t size_bytes() const = 0;
  /// Makes an empty accumulator in zeroed memory. All-zero bytes are the empty accumulator unless
  /// this is overridden; overriding it also requires needs_create() to be true.
  virtual void create(std::byte* accumulator) const { (void)accumulator; }
  virtual bool needs_create() const { return false; }
  virtual void destroy(std::byte* accumulator) const { (void)accumulator; }
  virtual bool needs_destroy() const { return false; }
  /// True when an accumulator may be moved by copying its bytes. Others move through serialize().
  virtual bool is_relocatable() const { return !needs_destroy(); }
  /// Memory that the accumulator owns beyond size_bytes(), for budgets.
  virtual std::int64_t owned_bytes(const std::byte* accumulator) const {
    (void)accumulator;
    return 0;
  }
  /// Tells aggregators apart that cannot read each other's serialized accumulators; stored with the
  /// state.
  virtual std::string fingerprint() const;

  /// Adds row i of `arguments` (one array per argument, none for COUNT(*)) to accumulators[i].
  virtual Status add(std::span<std::byte* const> accumulators,
                     std::span<const std::shared_ptr<arrow::Array>> arguments) const = 0;
  /// Takes rows back that were added before.
  virtual bool can_retract() const { return false; }
  virtual Status retract(std::span<std::byte* const> accumulators,
                         std::span<const std::shared_ptr<arrow::Array>> arguments) const;
  /// False when there is no merge() (an aggregate of the program's own without one).
  virtual bool can_merge() const { return true; }
  /// Adds what `from` holds to `into`, as if its rows had come after; `from` stays as it is.
  virtual Status merge(std::byte* into, const std::byte* from) const = 0;
  /// True when the result depends on the order of rows (FIRST_VALUE, LISTAGG).
  virtual bool is_order_dependent() const { return false; }
  /// True when subtract() is exact (counts, integer sums), so that a sliding window may keep a
  /// running accumulator.
  virtual bool can_subtract() const { return false; }
  virtual void subtract(std::byte* from, const std::byte* what) const {
    (void)from;
    (void)what;
  }
  /// The results of these accumulators, in order, as an array of result_type().
  virtual Result<std::shared_ptr<arrow::Array>> result(
      std::span<const std::byte* const> accumulators) const = 0;

  /// The accumulator as bytes for deltas and exchanges, and back. The default copies size_bytes().
  virtual void serialize(const std::byte* accumulator, std::string& out) const;
  /// Reads into a created accumulator and consumes the bytes from the front of
  /// `in`; kStateCorrupt when they are not what serialize() wrote.
  virtual Status deserialize(std::string_view& in, std::byte* accumulator) const;
};

/// An aggregate function: a name and what it can be bound to.
struct AggregateFunction {
  std::string name;         ///< upper case: "COUNT"
  std::string signature;    ///< for people: "COUNT(*) | COUNT([DISTINCT] expr)"
  std::string description;  ///< one sentence
  /// Binds to argument types, or kTypeMismatch that says which types are taken.
  std::function<Result<std::unique_ptr<Aggregator>>(std::span<const LogicalType> arguments)> bind;
  /// The same with an aggregator that can retract, at the price of more state (MIN keeps all
  /// values); not set where bind()'s own can.
  std::function<Result<std::unique_ptr<Aggregator>>(std::span<const LogicalType> arguments)>
      bind_retracting = {};
};

}  // namespace tidegate
