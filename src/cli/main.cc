// SPDX-License-Identifier: Apache-2.0
//
// The `tidegate` program.
#include "cli/command_line.h"

int main(int argc, char** argv) { return tidegate::run_command_line(argc, argv); }
