// SPDX-License-Identifier: Apache-2.0
#include "library/repartition_block.h"

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/compression.h>

#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "base/crc32c.h"
#include "kafka/message_journal.h"
#include "types/arrow_status.h"

namespace tidegate::library {
namespace {

constexpr std::string_view kMagic = "TGRB";
constexpr char kVersion = 1;
constexpr std::size_t kHeadBytes = kMagic.size() + 1 + sizeof(std::uint32_t);
/// A block that says more of itself is damaged.
constexpr std::uint64_t kMostRows = std::uint64_t{1} << 24;

enum Flag : std::uint64_t { kIdle = 1, kEnded = 2, kHasKinds = 4, kHasTimes = 8 };

using kafka::append_varint;
using kafka::take_varint;

Status corrupt(std::string_view what) {
  return error(ErrorCode::kStateCorrupt, "a block of a repartition topic is damaged: {}", what);
}

std::shared_ptr<arrow::Schema> ipc_schema(const Schema& schema, std::uint64_t flags) {
  arrow::FieldVector fields = schema.to_arrow()->fields();
  if ((flags & kHasKinds) != 0) fields.push_back(arrow::field("kinds", arrow::uint8()));
  if ((flags & kHasTimes) != 0) fields.push_back(arrow::field("times", arrow::int64()));
  return arrow::schema(std::move(fields));
}

/// Slices of side arrays stand on their own.
template <typename ArrayType>
std::shared_ptr<arrow::Array> side_column(const std::shared_ptr<arrow::Buffer>& values,
                                          std::int64_t rows) {
  return std::make_shared<ArrayType>(rows, values);
}

Result<std::shared_ptr<arrow::Buffer>> encode_rows(const Batch& rows, const Schema& schema,
                                                   std::uint64_t flags) {
  arrow::ArrayVector columns = rows.columns();
  if ((flags & kHasKinds) != 0)
    columns.push_back(side_column<arrow::UInt8Array>(rows.row_kinds_buffer(), rows.num_rows()));
  if ((flags & kHasTimes) != 0)
    columns.push_back(side_column<arrow::Int64Array>(rows.event_times_buffer(), rows.num_rows()));
  const auto types = ipc_schema(schema, flags);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& field = types->field(static_cast<int>(i));
    if (columns[i]->type_id() != field->type()->id())
      return error(ErrorCode::kInternal, "column '{}' of a repartition topic is {}, not {}",
                   field->name(), columns[i]->type()->ToString(), field->type()->ToString());
  }
  const auto batch = arrow::RecordBatch::Make(types, rows.num_rows(), columns);
  arrow::ipc::IpcWriteOptions options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;
  TG_ASSIGN_ARROW_OR_RETURN(options.codec,
                            arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME),
                            "write a repartition block");
  TG_ASSIGN_ARROW_OR_RETURN(auto bytes, arrow::ipc::SerializeRecordBatch(*batch, options),
                            "write a repartition block");
  return bytes;
}

Result<Batch> decode_rows(std::string_view bytes, const Schema& schema, std::uint64_t flags,
                          std::int64_t rows) {
  // Arrow keeps views of what it reads.
  const auto owned = arrow::Buffer::FromString(std::string(bytes));
  arrow::io::BufferReader input(owned);
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  const arrow::ipc::DictionaryMemo dictionaries;
  const auto read =
      arrow::ipc::ReadRecordBatch(ipc_schema(schema, flags), &dictionaries, options, &input);
  if (!read.ok()) return corrupt(read.status().message());
  const arrow::RecordBatch& batch = **read;
  if (const auto valid = batch.Validate(); !valid.ok()) return corrupt(valid.message());
  if (batch.num_rows() != rows) return corrupt("another number of rows");
  arrow::ArrayVector columns = batch.columns();
  const auto take_side = [&]() -> std::shared_ptr<arrow::Buffer> {
    const auto buffer = columns.back()->data()->buffers[1];
    columns.pop_back();
    return buffer;
  };
  std::shared_ptr<arrow::Buffer> times, kinds;
  if ((flags & kHasTimes) != 0) times = take_side();
  if ((flags & kHasKinds) != 0) kinds = take_side();
  Batch decoded(rows, std::move(columns));
  if (times != nullptr) decoded.set_event_times(std::move(times));
  if (kinds != nullptr) decoded.set_row_kinds(std::move(kinds));
  return decoded;
}

bool take_marks(std::string_view& rest, std::uint64_t rows, std::vector<TimeMark>& marks) {
  std::uint64_t count = 0;
  if (!take_varint(rest, count) || count > rest.size()) return false;
  std::uint64_t before = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t row = 0;
    std::string_view time;
    TimeMark mark;
    if (!take_varint(rest, row) || row < before || row > rows ||
        !kafka::take_bytes(rest, sizeof mark.watermark, time))
      return false;
    before = row;
    mark.row = static_cast<std::int64_t>(row);
    std::memcpy(&mark.watermark, time.data(), sizeof mark.watermark);
    marks.push_back(mark);
  }
  return true;
}

}  // namespace

Result<std::string> encode_block(const RepartitionBlock& block, const Schema& schema) {
  std::uint64_t flags = 0;
  if (block.idle) flags |= kIdle;
  if (block.ended) flags |= kEnded;
  if (!block.rows.insert_only()) flags |= kHasKinds;
  if (block.rows.event_times_buffer() != nullptr) flags |= kHasTimes;
  std::string body;
  append_varint(body, static_cast<std::uint64_t>(block.upstream));
  append_varint(body, static_cast<std::uint64_t>(block.upstreams));
  append_varint(body, block.sequence);
  append_varint(body, flags);
  append_varint(body, static_cast<std::uint64_t>(block.rows.num_rows()));
  append_varint(body, block.marks.size());
  for (const TimeMark& mark : block.marks) {
    append_varint(body, static_cast<std::uint64_t>(mark.row));
    body.append(reinterpret_cast<const char*>(&mark.watermark), sizeof mark.watermark);
  }
  if (!block.rows.empty()) {
    TG_ASSIGN_OR_RETURN(const auto rows, encode_rows(block.rows, schema, flags));
    body.append(reinterpret_cast<const char*>(rows->data()),
                static_cast<std::size_t>(rows->size()));
  }
  std::string bytes(kMagic);
  bytes += kVersion;
  const std::uint32_t checksum = crc32c(body);
  bytes.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  return bytes + body;
}

Result<RepartitionBlock> decode_block(std::string_view bytes, const Schema& schema) {
  if (bytes.size() < kHeadBytes || !bytes.starts_with(kMagic)) return corrupt("no block at all");
  if (bytes[kMagic.size()] != kVersion)
    return error(ErrorCode::kStateVersion, "a repartition block of version {}, not {}",
                 static_cast<int>(bytes[kMagic.size()]), static_cast<int>(kVersion));
  std::uint32_t checksum = 0;
  std::memcpy(&checksum, bytes.data() + kMagic.size() + 1, sizeof checksum);
  std::string_view rest = bytes.substr(kHeadBytes);
  if (crc32c(rest) != checksum) return corrupt("its checksum is wrong");
  RepartitionBlock block;
  std::uint64_t upstream = 0, upstreams = 0, flags = 0, rows = 0;
  if (!take_varint(rest, upstream) || !take_varint(rest, upstreams) || upstream >= upstreams ||
      upstreams > INT32_MAX || !take_varint(rest, block.sequence) || !take_varint(rest, flags) ||
      !take_varint(rest, rows) || rows > kMostRows || !take_marks(rest, rows, block.marks))
    return corrupt("its header");
  block.upstream = static_cast<int>(upstream);
  block.upstreams = static_cast<int>(upstreams);
  block.idle = (flags & kIdle) != 0;
  block.ended = (flags & kEnded) != 0;
  if (rows > 0) {
    TG_ASSIGN_OR_RETURN(block.rows,
                        decode_rows(rest, schema, flags, static_cast<std::int64_t>(rows)));
  }
  return block;
}

}  // namespace tidegate::library
