// SPDX-License-Identifier: Apache-2.0
#include "dataflow/source.h"

namespace tidegate {

void SplitReader::committed(const std::string&) {}

}  // namespace tidegate
