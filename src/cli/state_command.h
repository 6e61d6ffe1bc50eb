// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/sql_session.h"
#include "tidegate/status.h"

namespace tidegate {

/// `tidegate state list|show|query URI [OPERATOR | QUERY]`: looks into a checkpoint or savepoint
/// through SQL (state_tables.h has the tables). Writes nothing there, and takes nothing over.
struct StateCommand {
  std::string action;  ///< list, show or query
  std::string uri;
  std::string argument;  ///< show: an operator or table, or nothing for all; query: a SELECT
};
Status run_state_command(const StateCommand& command, const SqlOptions& options);

}  // namespace tidegate
