// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "cli/sql_session.h"
#include "tidegate/app.h"
#include "tidegate/status.h"

namespace tidegate {

/// What the jobs of a changed script keep of the savepoint (options.restore) that those of the old
/// one have left. A line per step:
///
///   keep      its state or positions go on
///   migrate   its state goes on with another schema: columns are new, types wider
///   refuse    its state does not fit; the reason is what restoring would say
///   begin     it is new, or has nothing in the savepoint: it begins empty
///   rebuild   it stands for a step of the old script with another meaning: it begins empty, and
///             the state of the old one is dropped
///   drop      nobody claims this state; restoring needs --allow-non-restored-state
Result<std::string> upgrade_report(const std::vector<JobOutline>& old_jobs,
                                   const std::vector<JobOutline>& new_jobs,
                                   const RunOptions& options);

}  // namespace tidegate
