// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "kafka/client_properties.h"
#include "library/assigner.h"
#include "tidegate/status.h"

namespace tidegate {

class Executor;  // base/executor.h

namespace library {

struct MembershipOptions {
  kafka::ClientProperties client;   ///< the cluster and how to reach it
  std::string application_id;       ///< the name of the group
  std::string instance_id;          ///< static membership (group.instance.id); empty: dynamic
  std::string address;              ///< told to other members; empty: none
  std::vector<std::string> topics;  ///< all source and repartition topics
  Executor* executor = nullptr;  ///< one blocking thread of it is kept; must outlive the assigner
  std::chrono::milliseconds session_timeout{45'000};  ///< the user's property counts instead
};

/// Membership by Kafka's classic group protocol, with the `range` assignment: partitions of the
/// same number go to the same member when all topics have equally many. Works on every broker. The
/// consumer behind it reads nothing.
Result<std::unique_ptr<Assigner>> make_range_assigner(const MembershipOptions& options);

}  // namespace library
}  // namespace tidegate
