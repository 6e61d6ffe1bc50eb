// SPDX-License-Identifier: Apache-2.0
#include "operators/stored_rows.h"

#include <arrow/buffer.h>

#include <utility>

#include "base/check.h"
#include "state/binary_codec.h"

namespace tidegate {
namespace {

constexpr std::int64_t kBatchRows = 4096;
constexpr std::int64_t kBatchBytes = 4 << 20;

}  // namespace

void StoredRowEncoder::append(std::int64_t row, std::string& out) const {
  const auto times = batch_.event_times();
  write_fixed(out, batch_.row_kind(row));
  write_fixed(out, static_cast<std::uint8_t>(times.empty() ? 0 : 1));
  if (!times.empty()) write_fixed(out, times[static_cast<std::size_t>(row)]);
  rows_.append(row, out);
}

Status StoredRowDecoder::append(std::string_view bytes) {
  const auto kind = bytes.empty() ? RowKind::kInsert : static_cast<RowKind>(bytes[0]);
  return append(bytes, kind);
}

Status StoredRowDecoder::append(std::string_view bytes, RowKind kind) {
  RowKind stored_kind{};
  std::uint8_t has_time = 0;
  EventTime time = 0;
  if (!read_fixed(bytes, stored_kind) || !read_fixed(bytes, has_time) ||
      (has_time != 0 && !read_fixed(bytes, time)) || kind > RowKind::kDelete) {
    return error(ErrorCode::kStateCorrupt, "a stored row is not what was written");
  }
  if (has_time != 0) times_.push_back(time);
  kinds_.push_back(kind);
  insert_only_ = insert_only_ && kind == RowKind::kInsert;
  return rows_.append(bytes);
}

bool StoredRowDecoder::full() const {
  return num_rows() >= kBatchRows || rows_.byte_size() >= kBatchBytes;
}

Result<Batch> StoredRowDecoder::take() {
  const std::int64_t rows = num_rows();
  TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, rows_.take());
  Batch batch(rows, std::move(columns));
  std::vector<RowKind> kinds = std::exchange(kinds_, {});
  std::vector<EventTime> times = std::exchange(times_, {});
  if (!std::exchange(insert_only_, true)) {
    std::string bytes(kinds.size(), '\0');
    for (std::size_t i = 0; i < kinds.size(); ++i) bytes[i] = static_cast<char>(kinds[i]);
    batch.set_row_kinds(arrow::Buffer::FromString(std::move(bytes)));
  }
  if (!times.empty()) {
    if (std::ssize(times) != rows) {
      return error(ErrorCode::kInvalidPlan, "only some rows of its input carry an event time");
    }
    batch.set_event_times(arrow::Buffer::FromVector(std::move(times)));
  }
  return batch;
}

Status StoredRowDecoder::flush(Output& out) {
  if (num_rows() == 0) return Status::ok();
  TG_ASSIGN_OR_RETURN(Batch batch, take());
  out.emit(std::move(batch));
  return Status::ok();
}

}  // namespace tidegate
