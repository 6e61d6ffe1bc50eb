// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "dataflow/operator.h"

namespace tidegate {

/// An operator without state that can make many rows out of one: works through a batch in pieces,
/// and stops between them when its output has no credit.
class PiecewiseOperator : public Operator {
 public:
  static constexpr std::int64_t kPieceRows = 8192;

  Result<Progress> process(int, Batch batch, Output& out) final {
    batch_ = std::move(batch);
    TG_RETURN_IF_ERROR(begin(batch_));
    return resume(out);
  }

  Result<Progress> resume(Output& out) final {
    while (true) {
      TG_ASSIGN_OR_RETURN(const bool more, emit_piece(batch_, out));
      if (!more) break;
      if (!out.has_credit()) return Progress::kMore;
    }
    batch_ = Batch();
    return Progress::kDone;
  }

 protected:
  /// A new batch has come.
  virtual Status begin(const Batch& batch) = 0;
  /// Emits up to about kPieceRows rows; true when there are more to come.
  virtual Result<bool> emit_piece(const Batch& batch, Output& out) = 0;

 private:
  Batch batch_;
};

}  // namespace tidegate
