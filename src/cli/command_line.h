// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tidegate {

/// `tidegate run | sql | check | explain`. Returns the exit code: 0 ok, 1 job failed, 2 usage,
/// 3 invalid or not supported SQL, 4 cannot reach.
int run_command_line(int argc, char** argv);

}  // namespace tidegate
