// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/column_builder.h"
#include "formats/csv_scanner.h"
#include "formats/format.h"
#include "tidegate/status.h"
#include "types/schema.h"

namespace tidegate {

/// CSV records to rows. A field's place in the record says which column it is for; fields of
/// columns that are not wanted are only stepped over.
class CsvDecoder final : public Decoder {
 public:
  CsvDecoder(const Schema& schema, const std::vector<int>& projection, const CsvDialect& dialect,
             bool ignore_parse_errors, std::int64_t max_record_bytes);

  Status decode(std::string_view input, const BadRecordHandler& on_bad) override;
  Status decode_message(std::string_view message, const BadRecordHandler& on_bad) override;
  Result<Batch> take() override;
  std::int64_t num_rows() const override { return rows_.size(); }
  std::int64_t num_lines() const override { return num_lines_; }

 private:
  static constexpr int kUnread = -1;

  Status decode_records(std::string_view input, const BadRecordHandler& on_bad);
  /// Reads the record at the scanner's place and leaves the scanner behind it.
  Status read_record(CsvScanner::Stop& stop);
  Status append_row(CsvScanner::Stop& stop);
  Status append_field(const CsvField& field, std::size_t column);
  Status append_value(const CsvField& field, ColumnBuilder& column);
  Status append_elements(std::string_view text, ColumnBuilder& column);
  bool is_null(const CsvField& field, const LogicalType& type) const;

  CsvDialect dialect_;
  bool ignore_parse_errors_;
  std::int64_t max_record_bytes_;
  CsvScanner scanner_;
  std::vector<std::string> names_;  // of all columns
  std::vector<int> targets_;        // per column of a record: the one of rows_, or kUnread
  ColumnBuilder rows_;
  bool check_utf8_ = false;  // of each record
  std::string padded_;
  std::int64_t input_bytes_ = 0;  // since the last take()
  std::int64_t num_lines_ = 0;
};

/// CSV of nested types goes no deeper than ARRAY and ROW of scalars.
Status check_csv_type(const LogicalType& type);

}  // namespace tidegate
