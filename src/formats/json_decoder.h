// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/column_builder.h"
#include "formats/format.h"
#include "formats/json_index.h"
#include "formats/json_reader.h"
#include "tidegate/status.h"

namespace tidegate {

/// Objects, one a line or one a message, to rows.
///
/// Works on pieces of some 64 KiB, so that a piece and its index stay in the cache. A piece that
/// the index finds fault with is halved until the fault is in one record, which alone is reported.
class JsonDecoder final : public Decoder {
 public:
  /// Looks at the rows of `rows` from `first` on, whose records could be read, and says what is
  /// wrong with them. Called with many rows at once; when it finds fault with them, again with each
  /// of them, and the record of one that it finds fault with is bad. Rows that it accepts stay.
  using RowCheck = std::function<Status(const ColumnBuilder& rows, std::int64_t first)>;

  /// `columns`: a ROW of the wanted columns.
  JsonDecoder(const LogicalType& columns, const JsonReadOptions& options,
              std::int64_t max_record_bytes);
  void set_row_check(RowCheck check) { check_ = std::move(check); }

  Status decode(std::string_view input, const BadRecordHandler& on_bad) override;
  Status decode_message(std::string_view message, const BadRecordHandler& on_bad) override;
  Status decode_messages(std::span<const std::string_view> messages,
                         const BadRecordHandler& on_bad) override;
  Result<Batch> take() override;
  std::int64_t num_rows() const override { return rows_.size(); }
  std::int64_t num_lines() const override { return num_lines_; }

 private:
  /// Where a piece stands in the input of the call.
  struct Place {
    std::int64_t offset = 0;
    std::int64_t record = 0;
  };

  Status check_capacity(std::size_t bytes);
  /// Moves `place` behind them.
  Status decode_lines(std::string_view lines, Place& place, const BadRecordHandler& on_bad);
  /// `ends` holds the offset of the newline behind each record of `piece`, which begins `skipped`
  /// bytes before it: a half keeps the offsets of the whole.
  Status decode_piece(std::string_view piece, std::span<const std::uint32_t> ends,
                      std::uint32_t skipped, Place place, const BadRecordHandler& on_bad);
  Status read_records(std::string_view piece, std::span<const std::uint32_t> ends,
                      std::uint32_t skipped, Place place, const BadRecordHandler& on_bad);

  std::int64_t max_record_bytes_;
  RowCheck check_;
  bool messages_ = false;  // a record without any token is bad, where a blank line is nothing
  JsonIndex index_;
  JsonReader reader_;
  ColumnBuilder rows_;
  std::vector<std::uint32_t> ends_;
  std::string joined_;            // messages, or a last line without newline
  std::int64_t input_bytes_ = 0;  // since the last take()
  std::int64_t num_lines_ = 0;
};

}  // namespace tidegate
