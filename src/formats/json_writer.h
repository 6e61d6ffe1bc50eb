// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/bound_values.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/logical_type.h"

namespace tidegate {

enum class NullKeyMode : std::uint8_t { kFail, kDrop, kLiteral };

/// How values are turned into JSON; from the format's options.
struct JsonWriteOptions {
  bool ignore_null_fields = false;
  bool plain_decimals = false;
  bool iso_timestamps = false;  ///< a T between date and time
  NullKeyMode null_keys = NullKeyMode::kFail;
  std::string null_key = "null";
};

/// Writes the values of one column as JSON, in the form that Flink (Jackson) gives them. A tree
/// beside the tree of the column's type. The array is bound once per batch, so that writing a value
/// is a switch and no virtual call.
class JsonWriter : public BoundValues<JsonWriter> {
 public:
  JsonWriter(const LogicalType& type, const JsonWriteOptions& options);

  Status write(std::int64_t row, std::string& out) const;

 private:
  void write_scalar(std::int64_t row, std::string& out) const;
  void write_decimal(std::int64_t row, std::string& out) const;
  void write_time(std::int64_t row, std::string& out) const;
  Status write_array(std::int64_t row, std::string& out) const;
  Status write_map(std::int64_t row, std::string& out) const;
  Status write_as_key(std::int64_t row, std::string& out) const;
  Status write_row(std::int64_t row, std::string& out) const;

  JsonWriteOptions options_;
  std::vector<std::string> keys_;  // of a ROW's fields, quoted, with the colon
};

/// Appends `text` in quotes, with the escapes that JSON needs.
void append_json_string(std::string_view text, std::string& out);

}  // namespace tidegate
