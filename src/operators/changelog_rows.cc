// SPDX-License-Identifier: Apache-2.0
#include "operators/changelog_rows.h"

#include <unordered_map>

#include "base/metrics.h"
#include "expr/column_values.h"

namespace tidegate {
namespace {

constexpr std::string_view kNames[] = {"INSERT", "UPDATE_BEFORE", "UPDATE_AFTER", "DELETE"};

/// The parts of "a, b", without blanks around them.
std::vector<std::string_view> parts_of(std::string_view list) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view part = list.substr(0, comma);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.push_back(part);
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

Result<std::shared_ptr<arrow::Buffer>> kinds_buffer(const std::vector<RowKind>& kinds) {
  TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> buffer,
                            arrow::AllocateBuffer(std::ssize(kinds)), "make row kinds");
  if (!kinds.empty()) std::memcpy(buffer->mutable_data(), kinds.data(), kinds.size());
  return buffer;
}

class ToChangelog final : public Operator {
 public:
  explicit ToChangelog(ToChangelogOptions options) : options_(std::move(options)) {}

  Status open(OperatorContext&) override { return Status::ok(); }

  Result<Progress> process(int, Batch batch, Output& out) override {
    std::vector<std::int32_t> kept;
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      if (code(batch.row_kind(row))) kept.push_back(row);
    }
    if (kept.empty()) return Progress::kDone;
    if (std::ssize(kept) < batch.num_rows()) {
      TG_ASSIGN_OR_RETURN(batch, batch.take(kept));
    }
    std::vector<ArrayPtr> columns = {nullptr};
    columns.insert(columns.end(), batch.columns().begin(), batch.columns().end());
    TG_ASSIGN_OR_RETURN(columns[0], code_column(batch));
    TG_RETURN_IF_ERROR(empty_deletes(batch, columns));
    batch = batch.with_columns(std::move(columns));
    batch.set_row_kinds(nullptr);
    out.emit(std::move(batch));
    return Progress::kDone;
  }

 private:
  const std::optional<std::string>& code(RowKind kind) const {
    return options_.codes[static_cast<std::size_t>(kind)];
  }

  Result<ArrayPtr> code_column(const Batch& batch) const {
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(batch.num_rows()));
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      writer.set(row, *code(batch.row_kind(row)));
    }
    return writer.finish(LogicalType::string());
  }

  /// `columns` has the code in front.
  Status empty_deletes(const Batch& batch, std::vector<ArrayPtr>& columns) const {
    if (options_.columns_null_in_deletes.empty() || batch.insert_only()) return Status::ok();
    for (const int c : options_.columns_null_in_deletes) {
      ArrayPtr& column = columns[static_cast<std::size_t>(c) + 1];
      ValidityWriter validity(batch.num_rows());
      for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
        if (batch.row_kind(row) == RowKind::kDelete || column->IsNull(row)) {
          TG_RETURN_IF_ERROR(validity.set_null(row));
        }
      }
      // The new validity begins with the first row, so the values must, too.
      TG_ASSIGN_OR_RETURN(ArrayPtr copy, copy_of(column));
      std::shared_ptr<arrow::ArrayData> data = copy->data()->Copy();
      if (data->buffers.empty() || copy->type_id() == arrow::Type::NA) continue;
      data->buffers[0] = validity.finish();
      data->SetNullCount(data->buffers[0] == nullptr ? 0 : arrow::kUnknownNullCount);
      column = arrow::MakeArray(std::move(data));
    }
    return Status::ok();
  }

  static Result<ArrayPtr> copy_of(const ArrayPtr& column) {
    if (column->offset() == 0) return column;
    std::vector<std::int32_t> rows(static_cast<std::size_t>(column->length()));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i);
    return take_column(column, rows);
  }

  ToChangelogOptions options_;
};

class FromChangelog final : public Operator {
 public:
  explicit FromChangelog(FromChangelogOptions options) : options_(std::move(options)) {
    for (const auto& [code, kind] : options_.codes) kinds_.emplace(code, kind);
  }

  Status open(OperatorContext& context) override {
    rows_unknown_ = &context.metrics().counter("rows_unknown_op");
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    std::vector<std::int32_t> kept;
    std::vector<RowKind> kinds;
    TG_RETURN_IF_ERROR(read_codes(batch, kept, kinds));
    if (kept.empty()) return Progress::kDone;
    if (std::ssize(kept) < batch.num_rows()) {
      TG_ASSIGN_OR_RETURN(batch, batch.take(kept));
    }
    std::vector<ArrayPtr> columns = batch.columns();
    columns.erase(columns.begin() + options_.op_column);
    batch = batch.with_columns(std::move(columns));
    TG_ASSIGN_OR_RETURN(auto buffer, kinds_buffer(kinds));
    batch.set_row_kinds(std::move(buffer));
    out.emit(std::move(batch));
    return Progress::kDone;
  }

 private:
  Status read_codes(const Batch& batch, std::vector<std::int32_t>& kept,
                    std::vector<RowKind>& kinds) {
    const ValueReader<std::string_view> codes(*batch.column(options_.op_column));
    for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
      const auto found = codes.is_null(row) ? kinds_.end() : kinds_.find(std::string(codes[row]));
      if (found != kinds_.end()) {
        kept.push_back(row);
        kinds.push_back(found->second);
      } else if (options_.skip_unknown) {
        rows_unknown_->add(1);
      } else {
        return Status(ErrorCode::kMalformedRecord,
                      codes.is_null(row)
                          ? std::string("the operation code of a row is null")
                          : fmt::format("the operation code '{}' of a row is not one of those that "
                                        "are mapped",
                                        codes[row]),
                      "Add the code to op_mapping, or skip such rows with error_handling.");
      }
    }
    return Status::ok();
  }

  FromChangelogOptions options_;
  std::unordered_map<std::string, RowKind> kinds_;
  Counter* rows_unknown_ = nullptr;
};

class DropUpdateBefore final : public Operator {
 public:
  Status open(OperatorContext&) override { return Status::ok(); }

  Result<Progress> process(int, Batch batch, Output& out) override {
    if (!batch.insert_only()) {
      std::vector<std::int32_t> kept;
      for (std::int32_t row = 0; row < batch.num_rows(); ++row) {
        if (batch.row_kind(row) != RowKind::kUpdateBefore) kept.push_back(row);
      }
      if (kept.empty()) return Progress::kDone;
      if (std::ssize(kept) < batch.num_rows()) {
        TG_ASSIGN_OR_RETURN(batch, batch.take(kept));
      }
    }
    out.emit(std::move(batch));
    return Progress::kDone;
  }
};

}  // namespace

Result<RowKind> row_kind_of_name(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i]) return static_cast<RowKind>(i);
  }
  return Status(ErrorCode::kUnknownName, fmt::format("there is no change '{}'", name),
                "Changes are INSERT, UPDATE_BEFORE, UPDATE_AFTER and DELETE.");
}

Result<std::array<std::optional<std::string>, 4>> to_changelog_codes(
    const std::vector<std::pair<std::string, std::string>>& op_mapping) {
  std::array<std::optional<std::string>, 4> codes;
  for (const auto& [names, code] : op_mapping) {
    for (const std::string_view name : parts_of(names)) {
      TG_ASSIGN_OR_RETURN(const RowKind kind, row_kind_of_name(name));
      std::optional<std::string>& place = codes[static_cast<std::size_t>(kind)];
      if (place) {
        return error(ErrorCode::kInvalidArgument, "op_mapping gives {} two codes, '{}' and '{}'",
                     name, *place, code);
      }
      place = code;
    }
  }
  return codes;
}

Result<std::vector<std::pair<std::string, RowKind>>> from_changelog_codes(
    const std::vector<std::pair<std::string, std::string>>& op_mapping) {
  std::vector<std::pair<std::string, RowKind>> codes;
  for (const auto& [list, name] : op_mapping) {
    TG_ASSIGN_OR_RETURN(const RowKind kind, row_kind_of_name(name));
    for (const std::string_view code : parts_of(list)) {
      for (const auto& [other, other_kind] : codes) {
        if (other == code) {
          return error(ErrorCode::kInvalidArgument,
                       "op_mapping gives the code '{}' two meanings, {} and {}", code,
                       kNames[static_cast<std::size_t>(other_kind)], name);
        }
      }
      codes.emplace_back(code, kind);
    }
  }
  return codes;
}

std::unique_ptr<Operator> make_to_changelog(ToChangelogOptions options) {
  return std::make_unique<ToChangelog>(std::move(options));
}

std::unique_ptr<Operator> make_from_changelog(FromChangelogOptions options) {
  return std::make_unique<FromChangelog>(std::move(options));
}

std::unique_ptr<Operator> make_drop_update_before() { return std::make_unique<DropUpdateBefore>(); }

}  // namespace tidegate
