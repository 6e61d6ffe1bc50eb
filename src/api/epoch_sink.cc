// SPDX-License-Identifier: Apache-2.0
// The sink behind for_each_batch(): a function of the program that gets the rows of whole epochs.

#include <arrow/array/array_primitive.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "api/columns.h"
#include "api/native_connectors.h"
#include "base/check.h"
#include "operators/user_function.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

constexpr std::string_view kKindsColumn = "row_kind";

/// Rows as an Arrow stream: the columns, and one of row kinds when there are any. One byte in
/// front, so that an epoch without rows is something too.
Result<std::string> encode_rows(const std::vector<Batch>& batches) {
  std::string bytes(1, '1');
  if (batches.empty()) return bytes;
  TG_ASSIGN_OR_RETURN(const Batch all, Batch::concatenate(batches));
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> columns = all.columns();
  for (const auto& column : columns)
    fields.push_back(arrow::field(std::to_string(fields.size()), column->type()));
  if (!all.insert_only()) {
    fields.push_back(arrow::field(std::string(kKindsColumn), arrow::uint8()));
    columns.push_back(std::make_shared<arrow::UInt8Array>(all.num_rows(), all.row_kinds_buffer()));
  }
  const auto schema = arrow::schema(std::move(fields));
  TG_ASSIGN_ARROW_OR_RETURN(auto out, arrow::io::BufferOutputStream::Create(), "keep a batch");
  TG_ASSIGN_ARROW_OR_RETURN(auto writer, arrow::ipc::MakeStreamWriter(out, schema), "keep a batch");
  const auto rows = arrow::RecordBatch::Make(schema, all.num_rows(), std::move(columns));
  TG_RETURN_IF_ARROW_ERROR(writer->WriteRecordBatch(*rows), "keep a batch");
  TG_RETURN_IF_ARROW_ERROR(writer->Close(), "keep a batch");
  TG_ASSIGN_ARROW_OR_RETURN(const auto buffer, out->Finish(), "keep a batch");
  bytes.append(reinterpret_cast<const char*>(buffer->data()),
               static_cast<std::size_t>(buffer->size()));
  return bytes;
}

Result<std::vector<Batch>> decode_rows(const std::string& bytes) {
  std::vector<Batch> batches;
  if (bytes.size() <= 1) return batches;
  const auto buffer = arrow::Buffer::FromString(bytes.substr(1));
  TG_ASSIGN_ARROW_OR_RETURN(
      const auto reader,
      arrow::ipc::RecordBatchStreamReader::Open(std::make_shared<arrow::io::BufferReader>(buffer)),
      "read a batch that was kept");
  while (true) {
    std::shared_ptr<arrow::RecordBatch> rows;
    TG_RETURN_IF_ARROW_ERROR(reader->ReadNext(&rows), "read a batch that was kept");
    if (rows == nullptr) return batches;
    TG_RETURN_IF_ARROW_ERROR(rows->ValidateFull(), "read a batch that was kept");
    std::vector<std::shared_ptr<arrow::Array>> columns = rows->columns();
    std::shared_ptr<arrow::Buffer> kinds;
    if (!columns.empty() && rows->schema()->fields().back()->name() == kKindsColumn) {
      kinds = columns.back()->data()->buffers.at(1);
      columns.pop_back();
    }
    Batch batch(rows->num_rows(), std::move(columns));
    batch.set_row_kinds(std::move(kinds));
    batches.push_back(std::move(batch));
  }
}

class EpochSink final : public Sink {
 public:
  explicit EpochSink(untyped::EpochFunction take) : take_(std::move(take)) {}

  /// The function is to skip an epoch that it has had.
  SinkGuarantee guarantee() const override { return SinkGuarantee::kIdempotent; }
  int parallelism() const override { return 1; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return std::unique_ptr<SinkWriter>(std::make_unique<Writer>(*this));
  }

  Status commit(EpochId epoch, const std::string& committable) override {
    std::vector<Batch> batches;
    if (!take_prepared(epoch, batches)) {
      TG_ASSIGN_OR_RETURN(batches, decode_rows(committable));
    }
    std::vector<BatchView> views;
    for (const Batch& batch : batches) views.push_back(view_of(batch));
    return call_user_function("for_each_batch()", [&] { return take_(epoch, views); });
  }
  Status abort(EpochId epoch, const std::string&) override {
    std::vector<Batch> batches;
    static_cast<void>(take_prepared(epoch, batches));
    return Status::ok();
  }

 private:
  class Writer final : public SinkWriter {
   public:
    explicit Writer(EpochSink& sink) : sink_(sink) {}
    Result<Progress> write(Batch batch) override {
      batch.set_event_times(nullptr);
      batch.set_key_hashes(nullptr);
      batches_.push_back(std::move(batch));
      return Progress::kDone;
    }
    Result<std::string> prepare(EpochId epoch) override {
      TG_ASSIGN_OR_RETURN(std::string bytes, encode_rows(batches_));
      const std::lock_guard lock(sink_.mutex_);
      sink_.prepared_[epoch] = std::exchange(batches_, {});
      return bytes;
    }

   private:
    EpochSink& sink_;
    std::vector<Batch> batches_;
  };

  bool take_prepared(EpochId epoch, std::vector<Batch>& batches) {
    const std::lock_guard lock(mutex_);
    auto node = prepared_.extract(epoch);
    if (node.empty()) return false;
    batches = std::move(node.mapped());
    return true;
  }

  const untyped::EpochFunction take_;
  std::mutex mutex_;
  std::map<EpochId, std::vector<Batch>> prepared_;  // what was written in this process
};

}  // namespace

std::shared_ptr<Sink> make_epoch_sink(untyped::EpochFunction take) {
  return std::make_shared<EpochSink>(std::move(take));
}

}  // namespace tidegate
