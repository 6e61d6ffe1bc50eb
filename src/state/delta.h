// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "tidegate/status.h"
#include "types/key_group.h"

namespace tidegate {

/// The bytes of a StateDelta, all numbers little-endian:
///
///   header  "TGSD" | version u8 = 1 | key groups of the writer: begin, end, total, u32 each
///           | length u32 | layout fingerprint | crc32c of all before, u32
///   block*  length u64 > 0 | crc32c of the content, u32 | content: whole records
///   end     length u64 = 0 | number of records u64 | crc32c of that number, u32
///
/// Records, in order of being applied:
///   1 drop       namespace i64                             the writer's rows there are gone
///   2 namespace  namespace i64                             where the next rows belong
///   3 put        hash u64 | key bytes | value bytes        (each with a varint length in front)
///   4 erase      hash u64 | key bytes
/// The hash gives the key group, so rows can be picked without knowing the layout.
class DeltaWriter {
 public:
  DeltaWriter(std::string_view fingerprint, KeyGroupRange key_groups);

  /// From `bytes` on it gives away what it has and goes on with another delta.
  void split_at(std::size_t bytes, std::function<void(std::string)> give_away);

  void drop(std::int64_t name_space);
  void put(std::int64_t name_space, std::uint64_t hash, std::string_view key,
           std::string_view value);
  void erase(std::int64_t name_space, std::uint64_t hash, std::string_view key);
  std::uint64_t num_records() const { return records_; }
  /// The encoded delta, or the last one; the writer is done.
  std::string finish();

 private:
  void begin();
  void begin_record(std::uint8_t kind);
  void begin_row(std::uint8_t kind, std::int64_t name_space, std::uint64_t hash,
                 std::string_view key);
  void end_block();

  std::string fingerprint_;
  KeyGroupRange key_groups_;
  std::size_t split_at_ = SIZE_MAX;
  std::function<void(std::string)> give_away_;
  std::string bytes_;
  std::size_t block_begin_ = 0;  // of the open block's length; 0: none is open
  std::uint64_t records_ = 0;
  std::optional<std::int64_t> name_space_;
};

struct DeltaRecord {
  enum class Kind : std::uint8_t { kDrop = 1, kPut = 3, kErase = 4 };
  Kind kind = Kind::kPut;
  std::int64_t name_space = 0;
  std::uint64_t hash = 0;
  std::string_view key;
  std::string_view value;
};

/// Reads a delta; trusts nothing. Views point into the bytes it was opened on.
class DeltaReader {
 public:
  /// kStateCorrupt, or kStateVersion for a newer version.
  static Result<DeltaReader> open(std::string_view bytes);

  std::string_view fingerprint() const { return fingerprint_; }
  KeyGroupRange key_groups() const { return key_groups_; }
  /// The next record; false at the end. kStateCorrupt as soon as a block's checksum does not fit.
  Result<bool> next(DeltaRecord& record);

 private:
  bool read_header(std::string_view& in);
  Status open_block();
  Status read_end();
  bool read_record(std::uint8_t kind, DeltaRecord& record);
  Status corrupt(std::string_view what) const;

  std::string_view fingerprint_;
  KeyGroupRange key_groups_;
  std::string_view rest_;   // behind the open block
  std::string_view block_;  // what is left of the open block
  std::int64_t name_space_ = 0;
  std::uint64_t records_ = 0;
  bool ended_ = false;
};

/// Reads all of it, for what cannot be applied yet: ok, or what is wrong.
Status verify_delta(std::string_view bytes);

}  // namespace tidegate
