// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tidegate/column.h"
#include "tidegate/failures.h"
#include "types/batch.h"

namespace tidegate {

/// The program's handler of rows that its functions throw at, once it has set one. Shared by the
/// steps of a plan, which may outlive it.
using SharedFailureHandler = std::shared_ptr<const RowFailureHandler>;

/// Asks the handler about the rows of a batch.
class HandledRows final : public ThrownAtRows {
 public:
  /// `out`: where the step writes rows, unless it is null. All of them must stay.
  HandledRows(const SharedFailureHandler& handler, std::string_view step, const Batch& rows,
              BatchWriter* out)
      : handler_(handler), step_(step), rows_(rows), out_(out) {}
  bool leave_out(std::int64_t row) override;

 private:
  const SharedFailureHandler& handler_;
  const std::string_view step_;
  const Batch& rows_;
  BatchWriter* const out_;
};

}  // namespace tidegate
