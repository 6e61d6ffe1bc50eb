// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "connectors/filesystem/block.h"
#include "tidegate/status.h"

namespace tidegate {

/// The bad records of a block as JSON lines: {"file":..,"line":..,"offset":..,"code":"TG2005",
/// "label":"malformed-record","reason":..,"encoding":"utf-8"|"base64","bytes":..}. Lines count from
/// 1, offsets from 0; `first_line` is the file's line at which the block begins.
std::string dead_letter_lines(std::string_view file, std::int64_t first_line,
                              std::span<const KeptRecord> records);

/// Where the dead letters of a block go: the name follows from file and place, so that a block that
/// is read again after a failure writes the same file again and not another one.
std::string dead_letter_path(std::string_view folder, std::string_view file, std::int64_t offset);

/// "file 'a.json', line 3 (byte 120): ..."
Status at_record(Status reason, std::string_view file, std::int64_t line, std::int64_t offset);

}  // namespace tidegate
