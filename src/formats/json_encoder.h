// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/format.h"
#include "formats/json_writer.h"
#include "tidegate/status.h"
#include "types/schema.h"

namespace tidegate {

/// Rows to JSON objects, one a line.
class JsonEncoder final : public Encoder {
 public:
  JsonEncoder(const SchemaPtr& schema, const JsonWriteOptions& options);

  Status encode(const Batch& batch, std::string& out) override;
  Status encode_message(const Batch& batch, std::int64_t row, std::string& out) override;

 private:
  JsonWriter row_;
};

}  // namespace tidegate
