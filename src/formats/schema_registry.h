// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/http_client.h"
#include "base/options.h"
#include "tidegate/status.h"

namespace tidegate {

/// A Confluent Schema Registry, or one that speaks as it does: gives schemas numbers. Everything
/// blocks, for as long as its time-out.
class SchemaRegistry {
 public:
  /// Options of `format`: "avro-confluent.url" and so on, as Flink names them.
  static Result<SchemaRegistry> from(std::string_view format, const Options& options);
  static std::vector<OptionSpec> option_specs(std::string_view format);

  /// The Avro schema of this number. kUnknownName when there is none.
  Result<std::string> schema_of(std::int32_t id) const;
  /// The number of the schema, which becomes the newest version of the subject when it is new
  /// there. kServiceRefused when it does not fit the versions that are there.
  Result<std::int32_t> register_schema(const std::string& subject, const std::string& schema) const;

 private:
  SchemaRegistry() = default;
  Status read_credentials(std::string_view format, const Options& options);
  /// Asks one registry after the other until one answers.
  Result<std::string> ask(const std::string& method, const std::string& path,
                          const std::string& body) const;

  std::vector<std::string> urls_;
  HttpRequest request_;  // what all have in common
};

/// What stands in front of each message: a zero and the number of its schema, the highest byte
/// first.
inline constexpr std::size_t kRegistryHeadBytes = 5;
/// kMalformedRecord when `message` does not begin so; else takes it off.
Result<std::int32_t> take_schema_id(std::string_view& message);
void append_schema_id(std::int32_t id, std::string& out);

}  // namespace tidegate
