// SPDX-License-Identifier: Apache-2.0
//
// Reading and making columns of ARRAY, MAP and MULTISET, whatever their elements are: results are
// made by saying which elements of a pool they consist of.
#pragma once

#include <arrow/array/array_base.h>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "expr/column_values.h"
#include "expr/function_registry.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"

namespace tidegate {

/// The lists of an argument: those of row r are the elements [begin(r), end(r)) of elements(). For
/// MAP and MULTISET an element is an entry.
class ListReader {
 public:
  explicit ListReader(const Argument& argument);

  bool is_null(std::int64_t row) const { return array_->IsNull(row * step_); }
  std::int32_t begin(std::int64_t row) const { return offsets_[row * step_] - first_; }
  std::int32_t end(std::int64_t row) const { return offsets_[row * step_ + 1] - first_; }
  std::int32_t size(std::int64_t row) const { return is_null(row) ? 0 : end(row) - begin(row); }

  /// Those of the rows in view only.
  const ArrayPtr& elements() const { return elements_; }
  /// Of MAP and MULTISET.
  ArrayPtr keys() const;
  ArrayPtr items() const;

 private:
  const arrow::Array* array_;
  std::int64_t step_;
  const std::int32_t* offsets_ = nullptr;
  std::int32_t first_ = 0;
  ArrayPtr elements_;
};

/// Columns of one type, one behind the other, so that an index says where an element comes from.
class ElementPool {
 public:
  /// Where the elements of this column begin.
  std::int32_t add(ArrayPtr column);
  /// For an argument: the element of row r is at begin + r * step.
  struct Rows {
    std::int32_t begin;
    std::int32_t step;
    std::int32_t operator[](std::int64_t row) const {
      return begin + static_cast<std::int32_t>(row) * step;
    }
  };
  Rows add(const Argument& argument) { return {add(argument.array), argument.is_constant ? 0 : 1}; }

  /// All of them; kLimitExceeded past 2 GiB.
  Result<ArrayPtr> column() const;

 private:
  std::vector<ArrayPtr> columns_;
  std::int64_t size_ = 0;
};

/// Makes a column of lists, row by row: push() the elements, then end_row() or set_null().
class ListWriter {
 public:
  explicit ListWriter(std::int64_t num_rows);

  void push(std::int32_t element) { elements_.push_back(element); }
  void push(std::int32_t first, std::int32_t end) {
    for (; first < end; ++first) elements_.push_back(first);
  }
  /// For MAP: an entry whose key and value stand at different places.
  void push_entry(std::int32_t key, std::int32_t item) {
    elements_.push_back(key);
    items_.push_back(item);
  }
  /// Changes the value of entry `at` of the row at hand.
  void replace_item(std::int64_t at, std::int32_t item) {
    items_[static_cast<std::size_t>(offsets_.back() + at)] = item;
  }
  /// How many elements the row at hand has so far.
  std::int64_t row_size() const {
    return static_cast<std::int64_t>(elements_.size()) - offsets_.back();
  }
  void end_row() { offsets_.push_back(static_cast<std::int32_t>(elements_.size())); }
  Status set_null() {
    const auto row = static_cast<std::int64_t>(offsets_.size()) - 1;
    end_row();
    return validity_.set_null(row);
  }

  /// An ARRAY column of elements of `pool`.
  Result<ArrayPtr> finish(const LogicalType& type, const ArrayPtr& pool);
  /// A MAP column. Without push_entry(), a key and its value are at the same place.
  Result<ArrayPtr> finish_map(const LogicalType& type, const ArrayPtr& keys, const ArrayPtr& items);
  /// An ARRAY of ROW<key, value> or the like.
  Result<ArrayPtr> finish_rows(const LogicalType& type, std::span<const ArrayPtr> fields);

 private:
  Result<ArrayPtr> make(const LogicalType& type, std::shared_ptr<arrow::ArrayData> child);

  std::int64_t num_rows_;
  std::vector<std::int32_t> offsets_;
  std::vector<std::int32_t> elements_;
  std::vector<std::int32_t> items_;
  ValidityWriter validity_;
};

/// Which elements of a pool are equal, and their order (SQL's, NULL first): their keys.
class ElementKeys {
 public:
  static Result<ElementKeys> make(const LogicalType& type, const ArrayPtr& pool);

  std::string_view operator[](std::int32_t element) const { return keys_.key(element); }

 private:
  EncodedKeys keys_;
};

/// Elements of one row by their keys, each with a number: where it was put first. For sets and
/// maps.
class ElementIndex {
 public:
  void clear() { places_.clear(); }
  bool contains(std::string_view key) const { return places_.contains(key); }
  /// The place of the key if it is there already, else -1, and it is there from now on.
  std::int64_t put(std::string_view key, std::int64_t place) {
    const auto [found, is_new] = places_.try_emplace(key, place);
    return is_new ? -1 : found->second;
  }

 private:
  struct Hash {
    using is_avalanching = void;
    std::size_t operator()(std::string_view key) const { return hash_key(key); }
  };
  boost::unordered_flat_map<std::string_view, std::int64_t, Hash> places_;
};

/// A column of type `type` with an element of `elements` in each row, or NULL where `choose(row)`
/// answers -1.
template <typename F>
Result<ArrayPtr> pick_elements(const LogicalType& type, const ArrayPtr& elements,
                               std::int64_t num_rows, F choose) {
  ElementPool pool;
  pool.add(elements);
  TG_ASSIGN_OR_RETURN(ArrayPtr null, null_column(type.arrow_type(), 1));
  const std::int32_t none = pool.add(std::move(null));
  std::vector<std::int32_t> rows;
  rows.reserve(static_cast<std::size_t>(num_rows));
  bool any_missing = false;
  for (std::int64_t row = 0; row < num_rows; ++row) {
    const std::int32_t element = choose(row);
    any_missing = any_missing || element < 0;
    rows.push_back(element < 0 ? none : element);
  }
  if (!any_missing) return take_column(elements, rows);
  TG_ASSIGN_OR_RETURN(const ArrayPtr all, pool.column());
  return take_column(all, rows);
}

/// A column with one entry per row, for functions whose results are made of whole arguments.
Result<ArrayPtr> spread(const Argument& argument, std::int64_t num_rows);

/// The argument's own type when its columns are those of `wanted` already (so that nothing is cast
/// for a NOT NULL or a length), else `wanted` with the argument's nullability.
LogicalType without_needless_cast(const LogicalType& argument, const LogicalType& wanted);

/// A function of any number of ARRAYs or MAPs (`kind`) that have a type in common, which is that of
/// the result. `expected` says so in the error for others.
Result<BoundFunction> bind_to_common_type(std::string_view name, TypeKind kind,
                                          std::string_view expected,
                                          std::span<const LogicalType> arguments,
                                          Result<ArrayPtr> (*evaluate)(const LogicalType& type,
                                                                       std::span<const Argument>,
                                                                       std::int64_t num_rows));

/// True when one of these arguments is NULL in this row.
template <typename... Reader>
bool any_is_null(std::int64_t row, const Reader&... readers) {
  return (readers.is_null(row) || ...);
}

}  // namespace tidegate
