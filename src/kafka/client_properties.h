// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/options.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// A table's 'properties.*' options, which speak of the Java client, in librdkafka's words.
struct ClientProperties {
  /// Names as librdkafka has them; a later one overrides an earlier one.
  std::vector<std::pair<std::string, std::string>> settings;
  std::string brokers;  ///< bootstrap.servers
  std::string group;    ///< group.id; empty: no offsets are committed
  /// auto.offset.reset: "earliest", "latest" or "none"; empty: not set.
  std::string offset_reset;

  /// The value of the last setting of this name, or "".
  std::string_view find(std::string_view name) const;
};

/// Takes Java's names and values (also librdkafka's own). What has no meaning here is left out;
/// what would silently change the outcome (partitioner.class, JKS key stores) is kInvalidOption
/// with the way to say it. `default_brokers` stands in for properties.bootstrap.servers.
Result<ClientProperties> translate_properties(const Options& options,
                                              std::string_view default_brokers);

}  // namespace tidegate::kafka
