// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "formats/change_json_decoder.h"
#include "formats/format.h"
#include "formats/json_writer.h"
#include "tidegate/status.h"
#include "types/schema.h"

namespace tidegate {

/// Rows with row kinds to envelopes, one a line. As in Flink every row is a change of its own: +I
/// and +U insert, -U and -D delete.
class ChangeJsonEncoder final : public Encoder {
 public:
  ChangeJsonEncoder(const ChangeEnvelope& envelope, const SchemaPtr& schema,
                    const JsonWriteOptions& options);

  Status encode(const Batch& batch, std::string& out) override;
  Status encode_message(const Batch& batch, std::int64_t row, std::string& out) override;

 private:
  Status write(RowKind kind, std::int64_t row, std::string& out) const;

  JsonWriter row_;
  // What stands in front of and behind the row, by whether it is added.
  std::string front_[2];
  std::string back_[2];
};

}  // namespace tidegate
