// SPDX-License-Identifier: Apache-2.0
//
// The `tidegate` program.
#include <cstdlib>

#include "base/blob_store.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  // Arrow's own allocator keeps some ten MiB a thread more for columns, and saves no time here.
  setenv("ARROW_DEFAULT_MEMORY_POOL", "system", /*replace=*/0);
  const int code = tidegate::run_command_line(argc, argv);
  tidegate::close_remote_stores();
  return code;
}
