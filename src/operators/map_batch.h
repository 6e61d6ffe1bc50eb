// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"

namespace tidegate {

/// A native function of the program over whole batches: map, flat_map, filter, and the splitting of
/// a stream into side outputs are all this. Emits any number of rows to the main output and to side
/// outputs. Row kinds, event times and key hashes of what it emits are its own concern. Called from
/// one thread at a time; made once per task.
using BatchFunction = std::function<Status(const Batch& in, Output& out)>;

/// Runs a function over every batch. What it throws is kUserFunctionFailed; use for_each_row()
/// (user_function.h) inside, so that the message shows the row.
std::unique_ptr<Operator> make_map_batch(BatchFunction function);

/// For functions that make one batch out of one.
std::unique_ptr<Operator> make_map_batch(std::function<Result<Batch>(const Batch& in)> function);

/// Time does not matter to it.
inline constexpr TimeGrain kMapBatchTimeGrain{0, 0};

}  // namespace tidegate
