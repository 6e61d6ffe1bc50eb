// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <string_view>

#include "base/check.h"
#include "tidegate/status.h"

namespace tidegate {

/// What an Arrow call reported, as ours: `what` says what was being done. Memory and capacity
/// errors keep their meaning, I/O errors become kFileIo, everything else becomes `otherwise`.
Status from_arrow_status(const arrow::Status& status, std::string_view what,
                         ErrorCode otherwise = ErrorCode::kInternal);

}  // namespace tidegate

/// TG_ASSIGN_ARROW_OR_RETURN(auto buffer, arrow::AllocateBuffer(n), "take rows").
#define TG_ASSIGN_ARROW_OR_RETURN(lhs, expression, what) \
  TG_ASSIGN_ARROW_OR_RETURN_INNER(TG_CONCAT(tg_arrow_, __LINE__), lhs, expression, what)
#define TG_ASSIGN_ARROW_OR_RETURN_INNER(result, lhs, expression, what)           \
  auto result = (expression);                                                    \
  if (!result.ok()) return ::tidegate::from_arrow_status(result.status(), what); \
  lhs = std::move(result).ValueUnsafe()

/// The same for calls that return arrow::Status.
#define TG_RETURN_IF_ARROW_ERROR(expression, what)                 \
  do {                                                             \
    if (::arrow::Status tg_status = (expression); !tg_status.ok()) \
      return ::tidegate::from_arrow_status(tg_status, what);       \
  } while (false)
