// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/epoch_record.h"
#include "tidegate/status.h"
#include "types/key_group.h"

namespace tidegate {

/// A file of state rows, named after what is in it (base/content_hash.h).
struct DataFile {
  std::string hash;
  std::int64_t size_bytes = 0;
  friend bool operator==(const DataFile&, const DataFile&) = default;
};

/// A state delta (state/delta.h) within a data file.
struct StateSection {
  DataFile file;
  std::int64_t offset = 0;
  std::int64_t size_bytes = 0;
  EpochId epoch = 0;
  bool is_base = false;      ///< of the full image that the sections behind it change
  KeyGroupRange key_groups;  ///< of the task that wrote it
};

/// The rows of one state table: its sections in the order of being applied.
struct TableState {
  std::string uid;  ///< of the operator
  std::string table;
  std::string layout;  ///< fingerprint of the values
  std::vector<StateSection> sections;
};

/// A column of keys or rows, by name and type (LogicalType::to_string()).
struct NamedType {
  std::string name;
  std::string type;
};

/// What an operator was when the epoch was written, for people and tools: restoring does not look
/// at it.
struct OperatorInfo {
  std::string uid;
  std::string name;
  std::vector<NamedType> keys;    ///< by which its rows come to it; empty: not by key
  std::vector<NamedType> output;  ///< its columns; empty for a sink
};

/// All that a checkpoint or savepoint is: what belongs to the epoch itself, and where its state is.
struct Manifest {
  std::string run;     ///< the run that wrote it
  EpochRecord record;  ///< without deltas
  std::vector<TableState> tables;
  std::vector<OperatorInfo> operators = {};
};

/// As bytes: a frame "TGMF" (epoch/frame.h) with
///
///   run | epoch record (record_codec.h)
///   number of files | per file: hash, size
///   number of tables | per table: uid, table, layout
///     number of sections | per section: file, offset, size, epoch, is base, key groups
///   number of operators | per operator: uid, name, and name and type of its key and output columns
///
/// numbers as varints, strings with a varint length in front.
std::string encode_manifest(const Manifest& manifest);

/// Trusts nothing: kStateCorrupt, or kStateVersion for another version.
Result<Manifest> decode_manifest(std::string_view bytes);

/// Each once, in the order of first use.
std::vector<DataFile> files_of(const std::vector<TableState>& tables);

}  // namespace tidegate
