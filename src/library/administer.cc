// SPDX-License-Identifier: Apache-2.0
#include "library/administer.h"

namespace tidegate::library {

namespace {

struct AdminOptionsDeleter {
  void operator()(rd_kafka_AdminOptions_t* options) const {
    rd_kafka_AdminOptions_destroy(options);
  }
};
using AdminOptionsPtr = std::unique_ptr<rd_kafka_AdminOptions_t, AdminOptionsDeleter>;

}  // namespace

AdminEventPtr administer(
    rd_kafka_t* handle, std::chrono::milliseconds timeout,
    const std::function<void(const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>& call) {
  const kafka::QueuePtr queue(rd_kafka_queue_new(handle));
  const AdminOptionsPtr options(rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_ANY));
  char reason[256];
  const int wait_ms = static_cast<int>(timeout.count());
  rd_kafka_AdminOptions_set_request_timeout(options.get(), wait_ms, reason, sizeof reason);
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), wait_ms, reason, sizeof reason);
  call(options.get(), queue.get());
  // Its own time-out comes first.
  return AdminEventPtr(rd_kafka_queue_poll(queue.get(), wait_ms + 5'000));
}

}  // namespace tidegate::library
