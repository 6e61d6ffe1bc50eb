// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/blob_store.h"
#include "epoch/manifest.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// A part of a checkpoint or savepoint as a table.
struct StateTableView {
  std::string name;                      ///< as SQL knows it
  std::string uid;                       ///< of the operator whose state it is; "": not state
  std::function<std::string()> columns;  ///< "`k` INT, `namespace` BIGINT": for CREATE TABLE
  /// Gives every row to `line`, as a JSON object with these columns. Once.
  std::function<Status(const std::function<Status(std::string_view)>& line)> read;
};

/// The tables of a checkpoint or savepoint:
///
///   checkpoint      one row: epoch, finished, key_groups, files, bytes, run
///   splits          where every source is: source, split, state, position, rows, watermark, idle
///   operators       operator, name, subtask, watermark, finished
///   state_tables    one row per state table: table_name, operator, state, row_count, bytes, ...
///   <operator>_<state>   the rows of a state table: its key columns (by the names that they have
///       where rows come to the operator), or `key` in hexadecimal where that cannot be told for
///       certain; namespace, and as a time (a window's or slice's end, a timer's time); key_group;
///       the columns of the value: results so far, or stored rows, one by one; `value` in
///       hexadecimal where only the program knows what it is
///
/// `blobs`, `manifest` and `formats` must outlive them.
std::vector<StateTableView> state_table_views(BlobStore& blobs, const Manifest& manifest,
                                              const FormatRegistry& formats);

}  // namespace tidegate
