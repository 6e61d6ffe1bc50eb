// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <utility>

#include "api/columns.h"
#include "api/native_connectors.h"
#include "base/check.h"
#include "operators/user_function.h"

namespace tidegate {
namespace {

/// Records are lines; each goes to the program's function.
class NativeDecoder final : public Decoder {
 public:
  NativeDecoder(std::shared_ptr<const untyped::NativeFormat> format, std::vector<int> projection)
      : format_(std::move(format)), projection_(std::move(projection)), writer_(format_->columns) {}

  Status decode(std::string_view input, const BadRecordHandler& on_bad) override {
    std::int64_t line = 0;
    for (std::size_t at = 0; at < input.size(); ++line) {
      const void* newline = std::memchr(input.data() + at, '\n', input.size() - at);
      const std::size_t end =
          newline == nullptr
              ? input.size()
              : static_cast<std::size_t>(static_cast<const char*>(newline) - input.data());
      std::string_view record = input.substr(at, end - at);
      if (record.ends_with('\r')) record.remove_suffix(1);
      if (!record.empty()) {
        TG_RETURN_IF_ERROR(decode_record(record, static_cast<std::int64_t>(at), line, on_bad));
      }
      at = end + 1;
    }
    lines_ += line;
    return Status::ok();
  }
  Status decode_message(std::string_view message, const BadRecordHandler& on_bad) override {
    return decode_record(message, 0, 0, on_bad);
  }
  Result<Batch> take() override {
    TG_ASSIGN_OR_RETURN(const Batch all, finish_batch(writer_, Batch(1, {})));
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (int column : projection_) columns.push_back(all.column(column));
    return all.with_columns(std::move(columns));
  }
  std::int64_t num_rows() const override { return writer_.num_rows(); }
  std::int64_t num_lines() const override { return lines_; }

 private:
  Status decode_record(std::string_view record, std::int64_t offset, std::int64_t line,
                       const BadRecordHandler& on_bad) {
    Status status = call_user_function("decode", [&] { return format_->decode(record, writer_); });
    if (status.is_ok() || status.code() == ErrorCode::kUserFunctionFailed) return status;
    return on_bad({std::move(status), offset, line, record});
  }

  std::shared_ptr<const untyped::NativeFormat> format_;
  std::vector<int> projection_;
  BatchWriter writer_;
  std::int64_t lines_ = 0;
};

class NativeEncoder final : public Encoder {
 public:
  explicit NativeEncoder(std::shared_ptr<const untyped::NativeFormat> format)
      : format_(std::move(format)) {}

  Status encode(const Batch& batch, std::string& out) override {
    const BatchView rows = view_of(batch);
    return for_each_row(batch, [&](std::int64_t row) {
      format_->encode(rows, row, out);
      out.push_back('\n');
    });
  }
  Status encode_message(const Batch& batch, std::int64_t row, std::string& out) override {
    return call_user_function("encode", [&] { format_->encode(view_of(batch), row, out); });
  }

 private:
  std::shared_ptr<const untyped::NativeFormat> format_;
};

}  // namespace

Format make_native_format(std::string name, std::shared_ptr<const untyped::NativeFormat> native) {
  Format format;
  format.name = std::move(name);
  format.description = "A format of the program's own.";
  format.line_framed = true;
  if (native->decode) {
    format.make_decoder =
        [native](const DecodeRequest& request) -> Result<std::unique_ptr<Decoder>> {
      return std::unique_ptr<Decoder>(std::make_unique<NativeDecoder>(native, request.projection));
    };
  }
  if (native->encode) {
    format.make_encoder = [native](const SchemaPtr&,
                                   const Options&) -> Result<std::unique_ptr<Encoder>> {
      return std::unique_ptr<Encoder>(std::make_unique<NativeEncoder>(native));
    };
  }
  return format;
}

}  // namespace tidegate
