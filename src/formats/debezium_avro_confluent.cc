// SPDX-License-Identifier: Apache-2.0
// The format 'debezium-avro-confluent': changes as Debezium tells them, as Avro records whose
// schemas are in a Schema Registry. Options as of 'avro-confluent'.

#include <arrow/array/array_nested.h>
#include <arrow/buffer.h>

#include <array>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "formats/column_builder.h"
#include "formats/format.h"
#include "formats/record_errors.h"
#include "formats/registry_avro.h"
#include "formats/row_type.h"
#include "types/arrow_status.h"
#include "types/column.h"

namespace tidegate {
namespace {

constexpr std::string_view kName = "debezium-avro-confluent";

Status no_framing() {
  return error(ErrorCode::kNotSupported, "{} is a format of messages, not of files", kName);
}

/// A row before and after a change, and what was done: c, r (by a snapshot), u or d.
LogicalType envelope(const LogicalType& row) {
  const LogicalType side = row.with_nullable(true);
  return LogicalType::row(
      {{"before", side}, {"after", side}, {"op", LogicalType(TypeKind::kVarchar)}},
      /*nullable=*/false);
}

class DebeziumDecoder final : public Decoder {
 public:
  DebeziumDecoder(RegistryAvroReader reader, const LogicalType& row)
      : reader_(std::move(reader)), changes_(envelope(row)) {}

  Status decode(std::string_view, const BadRecordHandler&) override { return no_framing(); }
  Status decode_message(std::string_view message, const BadRecordHandler& on_bad) override {
    const std::int64_t change = changes_.size();
    Status read = reader_.read(message, changes_);
    if (read.is_ok()) read = take_change(change);
    if (read.is_ok()) return read;
    changes_.truncate(change);
    if (read.kind() != ErrorKind::kBadData) return read;
    return on_bad({std::move(read), 0, 0, message});
  }

  Result<Batch> take() override {
    const auto taken = changes_.take();
    const auto& changes = static_cast<const arrow::StructArray&>(*taken);
    const auto& before = static_cast<const arrow::StructArray&>(*changes.field(0));
    const auto& after = static_cast<const arrow::StructArray&>(*changes.field(1));
    std::vector<std::int32_t> sources;
    for (const Row& row : rows_)
      sources.push_back(
          static_cast<std::int32_t>(row.change + (row.is_after ? changes.length() : 0)));
    std::vector<ArrayPtr> columns;
    for (int i = 0; i < before.num_fields(); ++i) {
      const std::array<ArrayPtr, 2> parts = {before.field(i), after.field(i)};
      TG_ASSIGN_OR_RETURN(const ArrayPtr both, concatenate_columns(parts));
      TG_ASSIGN_OR_RETURN(ArrayPtr column, take_column(both, sources));
      columns.push_back(std::move(column));
    }
    TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> kinds,
                              arrow::AllocateBuffer(static_cast<std::int64_t>(rows_.size())),
                              "kinds of rows");
    for (std::size_t i = 0; i < rows_.size(); ++i)
      kinds->mutable_data()[i] = static_cast<std::uint8_t>(rows_[i].kind);
    Batch batch(static_cast<std::int64_t>(rows_.size()), std::move(columns));
    batch.set_row_kinds(std::move(kinds));
    rows_.clear();
    return batch;
  }
  std::int64_t num_rows() const override { return static_cast<std::int64_t>(rows_.size()); }

 private:
  struct Row {
    std::int64_t change = 0;
    bool is_after = false;
    RowKind kind = RowKind::kInsert;
  };

  Status take_change(std::int64_t change) {
    const ColumnBuilder& op = changes_.child(2);
    if (op.is_null(change)) return error(ErrorCode::kMalformedRecord, "the field 'op' is null");
    const std::string what(op.bytes_at(change));
    const bool inserts = what == "c" || what == "r", updates = what == "u", deletes = what == "d";
    if (!inserts && !updates && !deletes)
      return error(ErrorCode::kMalformedRecord, "the field 'op' is '{}'; there are c, r, u and d",
                   what);
    const auto check = [&](bool needed, std::size_t side, const char* name) {
      if (!needed || !changes_.child(side).is_null(change)) return Status::ok();
      return error(ErrorCode::kMalformedRecord,
                   "the field '{}' of a change '{}' is null; a Postgres connector needs REPLICA "
                   "IDENTITY FULL",
                   name, what);
    };
    TG_RETURN_IF_ERROR(check(updates || deletes, 0, "before"));
    TG_RETURN_IF_ERROR(check(inserts || updates, 1, "after"));
    if (inserts) rows_.push_back({change, true, RowKind::kInsert});
    if (updates) rows_.push_back({change, false, RowKind::kUpdateBefore});
    if (updates) rows_.push_back({change, true, RowKind::kUpdateAfter});
    if (deletes) rows_.push_back({change, false, RowKind::kDelete});
    return Status::ok();
  }

  RegistryAvroReader reader_;
  ColumnBuilder changes_;
  std::vector<Row> rows_;
};

/// An update is the delete of a row and another row, as in Flink.
class DebeziumEncoder final : public Encoder {
 public:
  DebeziumEncoder(RegistryAvroSchema schema, const LogicalType& row)
      : schema_(std::move(schema)), row_(row) {}

  Status encode(const Batch&, std::string&) override { return no_framing(); }
  Status encode_message(const Batch& batch, std::int64_t row, std::string& out) override {
    constexpr char kNull = 0, kValue = 2;  // branches of unions
    const bool adds = row_kind_adds(batch.row_kind(row));
    TG_RETURN_IF_ERROR(schema_.append_head(out));
    row_.bind_columns(batch);
    if (adds) out += kNull;
    out += kValue;
    TG_RETURN_IF_ERROR(row_.write(row, out));
    if (!adds) out += kNull;
    out += kValue;
    append_avro_long(1, out);
    out += adds ? 'c' : 'd';
    return Status::ok();
  }

 private:
  RegistryAvroSchema schema_;
  AvroWriter row_;
};

Result<std::unique_ptr<Decoder>> make_decoder(const DecodeRequest& request) {
  TG_ASSIGN_OR_RETURN(SchemaRegistry registry, SchemaRegistry::from(kName, request.options));
  TG_ASSIGN_OR_RETURN(const std::int64_t max_bytes, max_record_bytes(request.options));
  const LogicalType row = row_type(*request.schema, request.projection);
  RegistryAvroReader reader(std::move(registry), envelope(row), max_bytes);
  return std::make_unique<DebeziumDecoder>(std::move(reader), row);
}

Result<std::unique_ptr<Encoder>> make_encoder(const SchemaPtr& schema, const Options& options) {
  const LogicalType row = row_type(*schema);
  TG_ASSIGN_OR_RETURN(RegistryAvroSchema registered,
                      RegistryAvroSchema::make(kName, options, envelope(row)));
  return std::make_unique<DebeziumEncoder>(std::move(registered), row);
}

}  // namespace

void register_format_debezium_avro_confluent(FormatRegistry& registry) {
  Format format;
  format.name = kName;
  format.description =
      "Changes as Debezium tells them, as Avro records whose schemas are in a Confluent Schema "
      "Registry.";
  format.changelog = true;
  format.options = registry_avro_options(kName);
  format.make_decoder = make_decoder;
  format.make_encoder = make_encoder;
  registry.add(std::move(format));
}

}  // namespace tidegate
