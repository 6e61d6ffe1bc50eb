// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// A type of an Avro schema, one node of the schema's graph: a record may hold itself.
struct AvroType {
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kInt,
    kLong,
    kFloat,
    kDouble,
    kBytes,
    kString,
    kRecord,
    kEnum,
    kArray,
    kMap,
    kUnion,
    kFixed,
  };
  enum class Logical : std::uint8_t {
    kNone,
    kDecimal,
    kDate,
    kTimeMillis,
    kTimeMicros,
    kTimestampMillis,  ///< also local-timestamp-millis: the number is the same
    kTimestampMicros,
    kTimestampNanos,
  };

  Kind kind = Kind::kNull;
  Logical logical = Logical::kNone;
  int scale = 0;                       ///< kDecimal
  std::int64_t size = 0;               ///< kFixed: bytes
  std::string name;                    ///< kRecord, kEnum, kFixed: with its namespace
  std::vector<const AvroType*> parts;  ///< fields, branches, or what array and map hold
  std::vector<std::string> names;      ///< of fields, or the symbols of an enum
};

/// "long", "record 'a.b'".
std::string describe(const AvroType& type);

/// A schema that came with data.
class AvroSchema {
 public:
  /// kMalformedFile for anything that is not a schema.
  static Result<std::unique_ptr<AvroSchema>> parse(std::string_view json);
  const AvroType& root() const { return *root_; }

 private:
  friend class AvroSchemaParser;
  AvroSchema() = default;

  const AvroType* root_ = nullptr;
  std::vector<std::unique_ptr<AvroType>> types_;
};

/// The schema in which Flink writes rows of this type, as JSON: a record named
/// org.apache.flink.avro.generated.record, nullable values as unions with null.
/// `legacy_timestamps`: TIMESTAMP is Avro's timestamp and not its local-timestamp, as before Flink
/// had both. kNotSupported for types that have no form in Avro.
Result<std::string> avro_schema_of(const LogicalType& row, bool legacy_timestamps);

}  // namespace tidegate
