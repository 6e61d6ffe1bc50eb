// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "state/state_backend.h"

namespace tidegate {

/// State above a RocksDB with no room in memory: an epoch counts as published as soon as it is
/// sealed, and make_room() lets go whatever it can. The store is in a temporary folder and goes
/// with the backend.
std::unique_ptr<StateBackend> make_evicting_backend(KeyGroupRange range);

}  // namespace tidegate
