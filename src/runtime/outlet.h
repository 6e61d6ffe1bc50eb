// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "dataflow/event.h"

namespace tidegate {

/// Takes what a step of a chain hands on: the next step, or the channels to other tasks.
class Outlet {
 public:
  virtual ~Outlet() = default;
  /// Always taken; should wait while has_room() is false.
  virtual void accept(Event event) = 0;
  virtual bool has_room() const = 0;
};

}  // namespace tidegate
