// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "tidegate/untyped.h"

namespace tidegate::untyped {

/// Windows that a trigger ends, as a process function: assigns rows to windows, keeps what they
/// hold in state, merges sessions, asks the trigger, and calls the function of the program.
/// `spec.trigger` is set.
std::unique_ptr<NativeProcess> make_window_process(WindowSpec spec,
                                                   std::unique_ptr<NativeWindow> window);

/// Count and global windows, which cover all of time.
constexpr bool is_row_window(const Window& window) {
  return window.kind == Window::Kind::kCount || window.kind == Window::Kind::kGlobal;
}

}  // namespace tidegate::untyped
