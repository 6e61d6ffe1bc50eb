// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "kafka/handles.h"

namespace tidegate::library {

struct AdminEventDeleter {
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
using AdminEventPtr = std::unique_ptr<rd_kafka_event_t, AdminEventDeleter>;

/// One administrative call and its answer; null: none came in time. Blocks.
AdminEventPtr administer(
    rd_kafka_t* handle, std::chrono::milliseconds timeout,
    const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& call);

}  // namespace tidegate::library
