// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json_writer.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"
#include "types/time_zone.h"

namespace tidegate {

/// Writes rows of a query's result as text for people and programs. Bound to one batch after the
/// other. One per thread.
class ResultEncoder {
 public:
  /// `zone`: in which instants are shown by append_cells(); data formats have them in UTC.
  ResultEncoder(SchemaPtr schema, TimeZone zone);

  /// The following calls are about rows of `batch`, which must stay alive.
  void bind(const Batch& batch);

  /// A JSON object, as by the format 'json'.
  Status append_json(std::int64_t row, std::string& out);
  /// Fields between commas, without line end. Texts that need it are in quotes, and so are those
  /// that are empty, since NULL is nothing; nested values are JSON.
  Status append_csv(std::int64_t row, std::string& out);
  std::string csv_header() const;
  /// The values as Flink's client shows them, printable, each behind its length; read_cells() gets
  /// them back.
  void append_cells(std::int64_t row, std::string& out);
  static void read_cells(std::string_view encoded, std::vector<std::string_view>& cells);

 private:
  SchemaPtr schema_;
  TimeZone zone_;
  JsonWriter object_;
  std::vector<std::unique_ptr<JsonWriter>> nested_;  // per column; null for scalars
  const Batch* batch_ = nullptr;
  std::string text_;
};

/// True for types that stand at the right of their column.
bool is_right_aligned(const LogicalType& type);

}  // namespace tidegate
