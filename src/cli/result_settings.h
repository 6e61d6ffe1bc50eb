// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "types/schema.h"
#include "types/time_zone.h"

namespace tidegate {

/// How a bare SELECT is shown.
enum class ResultForm : std::uint8_t {
  kTable,      ///< for people: the final table, or each change when the input never ends
  kJson,       ///< the final table, one object a line
  kCsv,        ///< the final table, with a header
  kChangelog,  ///< each change as it comes: {"op":"+I","row":{...}}
};

/// "table", "json", "csv", "changelog"; kInvalidOption for anything else.
Result<ResultForm> parse_result_form(std::string_view name);

/// Where text goes; what it returns ends the job.
using ResultOutput = std::function<Status(std::string_view text)>;

/// Standard output, flushed after every piece.
ResultOutput standard_output();

/// A column that orders the final table.
struct ResultOrder {
  int column = 0;
  bool descending = false;
  bool nulls_last = false;
};

struct ResultSettings {
  ResultForm form = ResultForm::kTable;
  SchemaPtr schema;
  /// No row is ever taken back, so that rows can be shown as they come.
  bool insert_only = false;
  /// The input ends.
  bool bounded = true;
  /// How the final table is ordered; empty: as rows came. Of no use to rows shown as they come.
  std::vector<ResultOrder> order;
  /// kTable: at most so many rows and cells of a terminal; 0: no limit.
  std::int64_t max_rows = 0;
  int width = 0;
  /// kTable of an input that never ends, with rows that change: the table so far is drawn over and
  /// over in as many lines, instead of each change; 0: it is not.
  int refresh_lines = 0;
  /// Each row as it comes, with the number of its micro-batch as "batch_id"; for kJson (of rows
  /// that stay) and kChangelog.
  bool with_batch_id = false;
  /// Rows are shown when their epoch is durable, and not as they come, so that a job that restarts
  /// shows none twice.
  bool by_epoch = false;
  TimeZone zone;  ///< in which kTable shows instants
};

/// Limits of a table for standard output: the terminal's size and a sensible number of rows, or
/// none when it is no terminal.
void limit_to_terminal(ResultSettings& settings);

}  // namespace tidegate
