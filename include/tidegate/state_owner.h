// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace tidegate {

/// Another instance of the application, which holds state that this one has not.
struct StateOwner {
  std::string address;          ///< HOST:PORT where it answers questions; empty: it does not
  std::vector<int> partitions;  ///< that it holds, of the state that was asked about
};

}  // namespace tidegate
