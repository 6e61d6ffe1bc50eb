// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/options.h"

namespace tidegate {

/// What a source or sink on Kafka says about itself to a mode that lives on the same brokers.
struct LogTopics {
  std::vector<std::string> topics;  ///< by name; empty: by a pattern
  Options client;                   ///< the table's 'properties.*'
  std::string brokers;              ///< what these come to
};

}  // namespace tidegate
