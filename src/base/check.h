// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <string>

#include "tidegate/status.h"

namespace tidegate {

/// Prints place, condition and message to stderr and aborts: a broken invariant must not go on to
/// write state.
[[noreturn]] void check_failed(const char* file, int line, const char* condition,
                               const std::string& message);

/// An error with a formatted message.
template <typename... Args>
Status error(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  return Status(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace tidegate

/// An invariant; stays on in release builds. Usage: TG_CHECK(a == b, "a={} b={}", a, b).
#define TG_CHECK(condition, ...)                                                          \
  do {                                                                                    \
    if (!(condition)) [[unlikely]]                                                        \
      ::tidegate::check_failed(__FILE__, __LINE__, #condition, fmt::format(__VA_ARGS__)); \
  } while (false)

/// The same for hot loops: off in release builds.
#ifdef NDEBUG
#define TG_DCHECK(condition, ...) \
  do {                            \
  } while (false)
#else
#define TG_DCHECK(condition, ...) TG_CHECK(condition, __VA_ARGS__)
#endif

#define TG_CONCAT_INNER(a, b) a##b
#define TG_CONCAT(a, b) TG_CONCAT_INNER(a, b)

/// Returns the error of a Status expression from the enclosing function.
#define TG_RETURN_IF_ERROR(expression)                                                     \
  do {                                                                                     \
    if (::tidegate::Status tg_status = (expression); !tg_status.is_ok()) return tg_status; \
  } while (false)

/// TG_ASSIGN_OR_RETURN(auto x, f()): x is the value, or the error is returned.
#define TG_ASSIGN_OR_RETURN(lhs, expression) \
  TG_ASSIGN_OR_RETURN_INNER(TG_CONCAT(tg_result_, __LINE__), lhs, expression)
#define TG_ASSIGN_OR_RETURN_INNER(result, lhs, expression) \
  auto result = (expression);                              \
  if (!result.is_ok()) return std::move(result).status();  \
  lhs = *std::move(result)
