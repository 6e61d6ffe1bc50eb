// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "tidegate/error_code.h"

namespace tidegate {

/// The outcome of an operation that returns nothing: ok, or one error with a stable code, what went
/// wrong (with place and value) and what to do about it. One word wide; ok costs no allocation.
class [[nodiscard]] Status {
 public:
  Status() = default;
  /// An error. `remedy` replaces the catalogue's general remedy where a better one is known.
  Status(ErrorCode code, std::string message, std::string remedy = {});

  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  static Status ok() { return {}; }
  bool is_ok() const { return error_ == nullptr; }

  /// The following need an error, not ok.
  ErrorCode code() const;
  ErrorKind kind() const;
  const std::string& message() const;
  std::string_view remedy() const;

  /// Says where it happened: "operator 'count': message". Ok stays ok.
  Status with_context(std::string_view where) &&;

  /// Two lines: "TG2000 file-not-found: MESSAGE" and "  remedy: ..."; or "ok".
  std::string to_string() const;

 private:
  struct Error {
    ErrorCode code;
    std::string message;
    std::string remedy;
  };
  std::unique_ptr<Error> error_;
};

/// A value or the error that prevented it.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}         // NOLINT: implicit by intent
  Result(Status status) : state_(std::move(status)) {}  // NOLINT: implicit by intent
  /// From what converts to T: a unique_ptr to a derived class, a literal for a string.
  template <typename U>
  requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, T> &&
           !std::is_same_v<std::remove_cvref_t<U>, Status> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result>) Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

  bool is_ok() const { return state_.index() == 0; }
  explicit operator bool() const { return is_ok(); }

  /// The value; only when is_ok().
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  /// Ok when there is a value.
  Status status() const& { return is_ok() ? Status() : std::get<1>(state_); }
  Status status() && { return is_ok() ? Status() : std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace tidegate
