// SPDX-License-Identifier: Apache-2.0
//
// A scalar function from a C++ function of one row's values: map_values() does the loop, the nulls
// (NULL if any argument is, unless said otherwise) and the constants.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/buffer.h>
#include <arrow/util/bitmap_ops.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "expr/column_values.h"
#include "expr/function_registry.h"

namespace tidegate {

/// Reads an argument of a call, constant or not.
template <typename T>
class ArgumentReader {
 public:
  explicit ArgumentReader(const Argument& argument)
      : values_(*argument.array), step_(argument.is_constant ? 0 : 1) {}
  T operator[](std::int64_t row) const { return values_[row * step_]; }
  bool is_null(std::int64_t row) const { return values_.is_null(row * step_); }
  bool has_nulls() const { return values_.has_nulls(); }

 private:
  ValueReader<T> values_;
  std::int64_t step_;
};

/// True when an argument is NULL in all rows.
inline bool is_constant_null(const Argument& argument) {
  return argument.is_constant && argument.array->IsNull(0);
}

/// The rows in which no argument is null, as a bitmap without offset; null pointer: all. Not for
/// arguments that are constant and null.
inline Result<std::shared_ptr<arrow::Buffer>> rows_without_nulls(
    std::span<const Argument> arguments, std::int64_t num_rows) {
  std::shared_ptr<arrow::Buffer> out;
  for (const Argument& argument : arguments) {
    if (argument.is_constant || argument.array->null_count() == 0) continue;
    const std::uint8_t* bits = argument.array->null_bitmap_data();
    const std::int64_t offset = argument.array->offset();
    if (out == nullptr) {
      TG_ASSIGN_ARROW_OR_RETURN(
          out, arrow::internal::CopyBitmap(arrow::default_memory_pool(), bits, offset, num_rows),
          "combine nulls");
    } else {
      arrow::internal::BitmapAnd(out->data(), 0, bits, offset, num_rows, 0, out->mutable_data());
    }
  }
  return out;
}

namespace map_values_detail {

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <typename T>
struct IsResult : std::false_type {};
template <typename T>
struct IsResult<Result<T>> : std::true_type {};

/// Writes what the function of one row answered.
template <typename Out, typename Answer>
Status write(ValueWriter<Out>& writer, std::int64_t row, Answer&& answer) {
  using Type = std::remove_cvref_t<Answer>;
  if constexpr (IsResult<Type>::value) {
    if (!answer.is_ok()) return std::move(answer).status();
    return write<Out>(writer, row, *std::move(answer));
  } else if constexpr (IsOptional<Type>::value) {
    if (!answer) return writer.set_null(row);
    writer.set(row, *answer);
    return Status::ok();
  } else {
    writer.set(row, answer);
    return Status::ok();
  }
}

}  // namespace map_values_detail

/// f(values...) for each row in which no argument is null, as a column of `type`.
/// In: physical types of the arguments (column_values.h). f answers Out, std::optional<Out> (none:
/// NULL), Result<Out> or Result<std::optional<Out>>.
template <typename Out, typename... In, typename F>
Result<ArrayPtr> map_values(const LogicalType& type, std::span<const Argument> arguments,
                            std::int64_t num_rows, F&& f) {
  TG_DCHECK(arguments.size() == sizeof...(In), "arguments={}", arguments.size());
  for (const Argument& argument : arguments)
    if (is_constant_null(argument)) return null_column(type.arrow_type(), num_rows);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<Out>::make(num_rows));
  return [&]<std::size_t... I>(std::index_sequence<I...>)->Result<ArrayPtr> {
    const std::tuple<ArgumentReader<In>...> readers{ArgumentReader<In>(arguments[I])...};
    using Answer = decltype(f(std::get<I>(readers)[0]...));
    const bool has_nulls = (std::get<I>(readers).has_nulls() || ...);
    if constexpr (std::is_same_v<Answer, Out> && !std::is_same_v<Out, std::string_view>) {
      // Values behind nulls are harmless to a function that always answers.
      for (std::int64_t row = 0; row < num_rows; ++row)
        writer.set(row, f(std::get<I>(readers)[row]...));
      TG_ASSIGN_OR_RETURN(auto validity, rows_without_nulls(arguments, num_rows));
      return writer.finish(type, std::move(validity));
    } else {
      for (std::int64_t row = 0; row < num_rows; ++row) {
        if (has_nulls && (std::get<I>(readers).is_null(row) || ...)) {
          TG_RETURN_IF_ERROR(writer.set_null(row));
        } else {
          TG_RETURN_IF_ERROR(
              map_values_detail::write<Out>(writer, row, f(std::get<I>(readers)[row]...)));
        }
      }
      return writer.finish(type);
    }
  }
  (std::index_sequence_for<In...>());
}

/// The same for text that is made: f(values..., std::string& out) appends it to `out`, which holds
/// the rows before, and answers nothing, bool (false: NULL; it must not have appended then) or
/// Status.
template <typename... In, typename F>
Result<ArrayPtr> map_to_text(const LogicalType& type, std::span<const Argument> arguments,
                             std::int64_t num_rows, F&& f) {
  TG_DCHECK(arguments.size() == sizeof...(In), "arguments={}", arguments.size());
  for (const Argument& argument : arguments)
    if (is_constant_null(argument)) return null_column(type.arrow_type(), num_rows);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
  return [&]<std::size_t... I>(std::index_sequence<I...>)->Result<ArrayPtr> {
    const std::tuple<ArgumentReader<In>...> readers{ArgumentReader<In>(arguments[I])...};
    using Answer = decltype(f(std::get<I>(readers)[0]..., writer.text()));
    const bool has_nulls = (std::get<I>(readers).has_nulls() || ...);
    for (std::int64_t row = 0; row < num_rows; ++row) {
      bool present = !(has_nulls && (std::get<I>(readers).is_null(row) || ...));
      if (present) {
        if constexpr (std::is_same_v<Answer, bool>) {
          present = f(std::get<I>(readers)[row]..., writer.text());
        } else if constexpr (std::is_same_v<Answer, Status>) {
          TG_RETURN_IF_ERROR(f(std::get<I>(readers)[row]..., writer.text()));
        } else {
          f(std::get<I>(readers)[row]..., writer.text());
        }
      }
      if (present) {
        writer.end_row();
      } else {
        TG_RETURN_IF_ERROR(writer.set_null(row));
      }
    }
    return writer.finish(type);
  }
  (std::index_sequence_for<In...>());
}

}  // namespace tidegate
