// SPDX-License-Identifier: Apache-2.0
#include "operators/attach_watermark.h"

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>

#include "types/arrow_status.h"
#include "types/column.h"

namespace tidegate {
namespace {

class AttachWatermark final : public Operator {
 public:
  explicit AttachWatermark(std::shared_ptr<arrow::DataType> type) : type_(std::move(type)) {}

  Status open(OperatorContext& context) override {
    watermark_ = context.restored_watermark();
    return Status::ok();
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    std::vector<ArrayPtr> columns = batch.columns();
    TG_ASSIGN_OR_RETURN(columns.emplace_back(), column(batch.num_rows()));
    out.emit(batch.with_columns(std::move(columns)));
    return Progress::kDone;
  }

  Result<Progress> advance(EventTime watermark, Output&) override {
    watermark_ = watermark;
    return Progress::kDone;
  }

 private:
  Result<ArrayPtr> column(std::int64_t num_rows) const {
    if (watermark_ == kMinWatermark) return null_column(type_, num_rows);
    const auto bytes = num_rows * static_cast<std::int64_t>(sizeof(std::int64_t));
    TG_ASSIGN_ARROW_OR_RETURN(std::shared_ptr<arrow::Buffer> times, arrow::AllocateBuffer(bytes),
                              "allocate watermarks");
    std::fill_n(times->mutable_data_as<std::int64_t>(), num_rows, watermark_ - 1);
    return arrow::MakeArray(
        arrow::ArrayData::Make(type_, num_rows, {nullptr, std::move(times)}, 0));
  }

  const std::shared_ptr<arrow::DataType> type_;
  EventTime watermark_ = kMinWatermark;
};

}  // namespace

std::unique_ptr<Operator> make_attach_watermark(const LogicalType& type) {
  return std::make_unique<AttachWatermark>(type.arrow_type());
}

}  // namespace tidegate
