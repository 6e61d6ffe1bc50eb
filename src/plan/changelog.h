// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "plan/node.h"

namespace tidegate::plan {

/// Names of row kinds to codes, or codes to names of row kinds: as they were written in MAP[...].
using OpMapping = std::vector<std::pair<std::string, std::string>>;

/// TO_CHANGELOG: each change as a row of its own, with what it does in a STRING column in front.
class ToChangelogNode final : public Node {
 public:
  ToChangelogNode(Input input, std::string op_column, OpMapping mapping, bool full_deletes);
  std::string_view kind() const override { return "ToChangelog"; }
  std::string details() const override;

  OpMapping mapping;  ///< kinds to codes; empty: the names of the kinds
  bool full_deletes;  ///< else rows that are deleted hold their key alone
};

/// FROM_CHANGELOG: rows whose column `op_column` says what they do, as the changes that they are.
/// Output: the input's columns without that one.
class FromChangelogNode final : public Node {
 public:
  FromChangelogNode(Input input, int op_column, OpMapping mapping, bool skip_unknown);
  std::string_view kind() const override { return "FromChangelog"; }
  std::string details() const override;

  int op_column;
  OpMapping mapping;  ///< codes to kinds; empty: the names of the kinds
  bool skip_unknown;  ///< else a row with another code fails the job
};

}  // namespace tidegate::plan
