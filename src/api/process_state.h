// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "operators/process_function.h"
#include "tidegate/process.h"
#include "tidegate/untyped.h"

namespace tidegate::untyped {

/// The event time by which state ages.
using EventClock = std::function<EventTime()>;

/// State of a process function's current key. The context outlives it.
Result<std::shared_ptr<BytesValue>> make_value_state(tidegate::ProcessContext& context,
                                                     std::string_view name, const Ttl& ttl,
                                                     const EventClock& clock);
Result<std::shared_ptr<BytesList>> make_list_state(tidegate::ProcessContext& context,
                                                   std::string_view name, const Ttl& ttl,
                                                   const EventClock& clock);
Result<std::shared_ptr<BytesMap>> make_map_state(tidegate::ProcessContext& context,
                                                 std::string_view name, const Ttl& ttl,
                                                 const EventClock& clock);

Result<std::shared_ptr<BytesMap>> make_broadcast_state(tidegate::ProcessContext& context,
                                                       std::string_view name);

}  // namespace tidegate::untyped
