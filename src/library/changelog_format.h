// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/epoch_record.h"
#include "state/state_backend.h"
#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/key_group.h"

/// The changelog of a task is a partition of a topic: what each epoch changed, and now and then, in
/// slices, the whole state as of an epoch, so that what is in front can be deleted.
///
/// Each message is a frame "TGCL" (epoch/frame.h) with
///
///   epoch : kind = 1 | run u64 | epoch u64 | previous epoch u64, 0 for none | number of parts that
///           follow, varint | epoch record (epoch/record_codec.h), without state and output
///   part  : kind = 2 | run u64 | epoch u64 | number of the part from 0, varint | its bytes
///
/// An epoch and its parts are written in one transaction. The parts are cut, anywhere, out of
///
///   number of lists of tables, varint | list ...
///   list  : as of epoch u64 | 1: a base, 0: what this epoch changed, u8 | key groups begin, end
///   u32
///           | number of tables, varint | (operator uid | table | delta, each with varint length)
///           ...
namespace tidegate::library {

/// All rows of some key groups as of an epoch.
struct BaseSlice {
  struct Table {
    std::string uid;  ///< of the operator
    StateDelta delta;
  };
  EpochId as_of = 0;
  KeyGroupRange key_groups;
  std::vector<Table> tables;
};

/// What stands in the changelog for one epoch.
struct ChangelogEpoch {
  std::uint64_t run = 0;  ///< who wrote it
  EpochId previous = 0;   ///< the epoch in front of it in the changelog; 0: there was none
  EpochRecord record;     ///< without committables
  std::vector<BaseSlice> bases;
};

/// The record without what changes its state and without output.
EpochRecord without_state(const EpochRecord& record);

/// The messages of an epoch, in order. Committables are left out.
std::vector<std::string> encode_changelog(std::uint64_t run, EpochId previous,
                                          const EpochRecord& record,
                                          std::span<const BaseSlice> bases);

/// A message, taken apart; views into it.
struct ChangelogMessage {
  bool begins_epoch = false;  ///< else a part
  std::uint64_t run = 0;
  EpochId epoch = 0;
  EpochId previous = 0;      ///< of an epoch
  std::uint64_t number = 0;  ///< of parts, or of this part
  std::string_view body;
};
/// Trusts nothing. kStateCorrupt, or kStateVersion.
Result<ChangelogMessage> decode_changelog_message(std::string_view message);

/// Puts an epoch together from the bodies of its messages. Trusts nothing.
Result<ChangelogEpoch> decode_changelog_epoch(const ChangelogMessage& epoch,
                                              std::string_view parts);

}  // namespace tidegate::library
