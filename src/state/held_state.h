// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <utility>

#include "tidegate/time.h"

namespace tidegate {

/// An epoch that is durable, and whose it is.
struct CommittedEpoch {
  std::string run;  ///< who has committed it; empty: nobody can tell
  EpochId epoch = 0;
  std::string position;  ///< where a reader of the run's changes goes on behind it; opaque
};

/// Uid of an operator, name of a table of its.
using TableName = std::pair<std::string, std::string>;

/// What a state store on this machine still has of the run before: all rows of these tables as of
/// an epoch.
struct HeldState {
  CommittedEpoch as_of;
  /// Some of what came after, up to this epoch, may be there too: of no use for an earlier one.
  EpochId least_epoch = 0;
  std::set<TableName> tables;

  /// True when what came after `as_of` makes `epoch` of `run` from it.
  bool serves(const std::string& of_run, EpochId epoch) const {
    return !of_run.empty() && as_of.run == of_run && as_of.epoch <= epoch && least_epoch <= epoch;
  }
};

}  // namespace tidegate
