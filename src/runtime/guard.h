// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <functional>
#include <new>
#include <utility>

#include "base/check.h"

namespace tidegate {

/// Calls code that may hold a user's functions: what it throws becomes an error. No exception
/// crosses a module.
template <typename F>
auto guarded(F&& call) -> std::invoke_result_t<F> {
  try {
    return std::forward<F>(call)();
  } catch (const std::bad_alloc&) {
    return error(ErrorCode::kOutOfMemory, "the system gives no more memory");
  } catch (const std::exception& thrown) {
    return error(ErrorCode::kUserFunctionFailed, "threw: {}", thrown.what());
  } catch (...) {
    return error(ErrorCode::kUserFunctionFailed, "threw something that is no std::exception");
  }
}

}  // namespace tidegate
