// SPDX-License-Identifier: Apache-2.0
#include "api/row_failures.h"

#include <exception>

#include "operators/user_function.h"

namespace tidegate {
namespace {

/// Within a catch block.
std::string reason_of_current() {
  try {
    throw;
  } catch (const std::exception& thrown) {
    return thrown.what();
  } catch (...) {
    return "an exception that is no std::exception";
  }
}

}  // namespace

bool HandledRows::leave_out(std::int64_t row) {
  if (!*handler_) return false;
  const RowFailure failure{std::string(step_), row_text(rows_, row), reason_of_current()};
  if ((*handler_)(failure) == RowAction::kFail) return false;
  if (out_ != nullptr) out_->take_back(static_cast<std::int32_t>(row));
  return true;
}

}  // namespace tidegate
