// SPDX-License-Identifier: Apache-2.0
//
// The `tidegate` program.
#include "base/blob_store.h"
#include "cli/command_line.h"

int main(int argc, char** argv) {
  const int code = tidegate::run_command_line(argc, argv);
  tidegate::close_remote_stores();
  return code;
}
