// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "tidegate/status.h"

namespace tidegate::library {

struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;

  auto operator<=>(const TopicPartition&) const = default;
};

/// Who this process is in the group of its application, as of one assignment. A transaction that is
/// made as a member of an earlier generation is refused.
struct GroupMember {
  std::string group;
  std::string member_id;
  std::string instance_id;  ///< empty: not a static member
  std::int32_t generation = -1;

  friend bool operator==(const GroupMember&, const GroupMember&) = default;
};

struct Assignment {
  GroupMember member;
  std::vector<TopicPartition> partitions;  ///< sorted
};

/// What a member of the group has.
struct MemberShare {
  std::string member_id;
  std::string address;  ///< where it answers questions about state; empty: it does not
  std::vector<TopicPartition> partitions;
};

/// Hears of assignments. Called from one blocking thread at a time, which serves nothing else
/// meanwhile: the group waits for a call to return, and after five minutes (max.poll.interval.ms)
/// no longer.
class AssignmentListener {
 public:
  virtual ~AssignmentListener() = default;
  /// These partitions, and no others, belong to this process from now on. Earlier owners can commit
  /// nothing any more.
  virtual void on_assigned(const Assignment& assignment) = 0;
  /// The assignment ends when this returns; until then what is done for it may be committed.
  virtual void on_revoked() = 0;
  /// The assignment has ended before; whatever is not committed is lost.
  virtual void on_lost() = 0;
  /// There will be no further calls.
  virtual void on_failed(const Status& status) = 0;
};

/// Says which partitions this process owns, among all processes of the application.
class Assigner {
 public:
  /// Leaves the group.
  virtual ~Assigner() = default;
  /// Joins the group. Once. The listener must live until leave() has returned.
  virtual Status join(AssignmentListener& listener) = 0;
  /// Gives everything back, with a last on_revoked() when something is assigned, and waits until no
  /// call of the listener is under way. A static member keeps its place for the session time-out.
  /// Not from a call of the listener.
  virtual void leave() = 0;
  /// Who has what, of all members. kServiceUnreachable also while the group is settling that. Any
  /// thread; blocks.
  virtual Result<std::vector<MemberShare>> shares() = 0;
};

}  // namespace tidegate::library
