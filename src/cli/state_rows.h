// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/blob_store.h"
#include "cli/state_values.h"
#include "epoch/manifest.h"
#include "formats/format.h"
#include "state/delta.h"
#include "tidegate/status.h"
#include "tidegate/time.h"
#include "types/key_encoding.h"

namespace tidegate {

/// A JSON object, member by member.
class JsonRow {
 public:
  void text(std::string_view name, std::string_view value);
  void number(std::string_view name, std::int64_t value);
  void flag(std::string_view name, bool value);
  /// Left out (null) when there is none; the end of time is in the year 9999.
  void time(std::string_view name, EventTime value);
  /// As text where it is printable, else as 0x and hexadecimal digits.
  void bytes(std::string_view name, std::string_view value);
  void hex(std::string_view name, std::string_view value);
  /// The members of an object that is encoded already.
  void members(std::string_view object);
  std::string take() { return std::move(out_) + "}"; }

 private:
  void begin(std::string_view name);
  std::string out_ = "{";
};

/// The rows of one state table of a checkpoint, for people: see state_table_views().
class StateRows {
 public:
  /// `info` may be null.
  StateRows(BlobStore& blobs, const TableState& table, int key_groups, const OperatorInfo* info,
            const FormatRegistry& formats);

  /// For CREATE TABLE.
  std::string columns();
  Status read(const std::function<Status(std::string_view)>& line);

 private:
  /// Looks at the rows once, to see whether the operator's keys are theirs.
  void prepare();
  Status write_key(const DeltaRecord& record, const Batch* keys, std::size_t index,
                   JsonRow& row) const;
  Status read_batch(std::vector<DeltaRecord>& rows,
                    const std::function<Status(std::string_view)>& line);
  /// True when the key columns are what these keys were made of.
  bool are_keys(const std::vector<DeltaRecord>& rows) const;

  BlobStore& blobs_;
  const TableState& table_;
  const int key_groups_;
  const OperatorInfo* const info_;
  const FormatRegistry& formats_;
  bool is_prepared_ = false;
  std::vector<NamedType> keys_;
  std::vector<int> shown_keys_;             // those that the values do not have, too
  std::unique_ptr<KeyCodec> codec_;         // null: keys are not known
  std::shared_ptr<Encoder> encoder_;        // of the key columns
  std::unique_ptr<StateValues> values_;     // null: values are not known
  std::shared_ptr<Encoder> value_encoder_;  // of their columns
};

}  // namespace tidegate
