// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/csv_scanner.h"
#include "formats/format.h"
#include "tidegate/status.h"
#include "types/schema.h"

namespace tidegate {

/// Rows to CSV. Fields are quoted only where they would not read back otherwise.
class CsvEncoder final : public Encoder {
 public:
  CsvEncoder(SchemaPtr schema, const CsvDialect& dialect);

  std::string header() const override;
  Status encode(const Batch& batch, std::string& out) override;
  Status encode_message(const Batch& batch, std::int64_t row, std::string& out) override;

 private:
  Status append_field(const LogicalType& type, const arrow::Array& array, std::int64_t row,
                      std::string& out);
  Status append_text(std::string_view text, std::string& out) const;
  void append_elements(const LogicalType& type, const arrow::Array& array, std::int64_t row);
  void append_scalar(const LogicalType& type, const arrow::Array& array, std::int64_t row);
  bool needs_quotes(std::string_view text) const;

  SchemaPtr schema_;
  CsvDialect dialect_;
  std::string text_;  // of the field being written
};

}  // namespace tidegate
