// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"
#include "formats/json_decoder.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// The envelope that a tool for change data capture puts around rows: an object with the row before
/// and after a change and the kind of the change.
struct ChangeEnvelope {
  const char* format;         ///< its name, for messages
  const char* before;         ///< field with the old row
  const char* after;          ///< field with the new row
  const char* kind;           ///< field with the kind of change
  const char* const* insert;  ///< values of `kind`, ended by null
  const char* const* update;
  const char* const* remove;
  bool with_schema = false;  ///< all this stands in a field "payload", beside a "schema"
};

/// Envelopes, one a line or one a message, to rows with row kinds: an update makes two. Both rows
/// of all envelopes are read as the columns of one wide JSON object and then picked from these
/// columns, so that there is no work per value but the JSON reader's.
class ChangeJsonDecoder final : public Decoder {
 public:
  /// `columns`: a ROW of the wanted columns.
  ChangeJsonDecoder(const ChangeEnvelope& envelope, const LogicalType& columns,
                    const JsonReadOptions& options, std::int64_t max_record_bytes);

  Status decode(std::string_view input, const BadRecordHandler& on_bad) override;
  /// A message of no bytes is a tombstone, which says nothing that was not said before.
  Status decode_message(std::string_view message, const BadRecordHandler& on_bad) override;
  Status decode_messages(std::span<const std::string_view> messages,
                         const BadRecordHandler& on_bad) override;
  Result<Batch> take() override;
  std::int64_t num_rows() const override { return num_rows_; }
  std::int64_t num_lines() const override { return json_.num_lines(); }

 private:
  enum class Change : std::uint8_t { kInsert, kUpdate, kDelete };

  Status accept(const ColumnBuilder& rows, std::int64_t first);
  Status accept_row(const ColumnBuilder& envelope, std::int64_t row);
  Result<Change> change_of(std::string_view kind) const;
  Result<Batch> pick(const Batch& before, const Batch& after) const;

  ChangeEnvelope envelope_;
  JsonDecoder json_;
  std::vector<Change> changes_;  // per envelope
  bool only_inserts_ = true;
  std::int64_t num_rows_ = 0;
};

}  // namespace tidegate
