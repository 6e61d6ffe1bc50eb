// SPDX-License-Identifier: Apache-2.0
#include "models/onnx_model.h"

#include <arrow/array/array_binary.h>
#include <arrow/array/array_nested.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/content_hash.h"
#include "models/onnx_library.h"
#include "models/onnx_signature.h"
#include "models/tensor_columns.h"
#include "types/arrow_status.h"

namespace tidegate {
namespace {

ONNXTensorElementDataType onnx_type(ElementType type) {
  switch (type) {
    case ElementType::kFloat:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT;
    case ElementType::kDouble:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE;
    case ElementType::kInt32:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32;
    case ElementType::kInt64:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64;
    case ElementType::kBool:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL;
    case ElementType::kString:
      return ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING;
  }
  return ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED;
}

struct Loaded {
  std::string name;
  std::string version;
  bool nan = false;
  std::vector<OnnxInput> inputs;
  std::vector<OnnxOutput> outputs;
  std::vector<const char*> input_names;
  std::vector<const char*> output_names;
  /// Ort::Session::Run may be called by several threads, but is not const.
  mutable Ort::Session session{nullptr};
};

class OnnxScorer final : public Scorer {
 public:
  explicit OnnxScorer(std::shared_ptr<const Loaded> model)
      : model_(std::move(model)), buffers_(model_->inputs.size()) {}

  Result<std::vector<ArrayPtr>> score(const std::vector<ArrayPtr>& inputs,
                                      std::int64_t rows) override {
    try {
      return run(inputs, rows);
    } catch (const Ort::Exception& failure) {
      return error(ErrorCode::kUserFunctionFailed, "model '{}' cannot score {} rows: {}",
                   model_->name, rows, failure.what());
    }
  }

 private:
  Result<std::vector<ArrayPtr>> run(const std::vector<ArrayPtr>& inputs, std::int64_t rows) {
    std::vector<Ort::Value> in;
    for (std::size_t i = 0; i < model_->inputs.size(); ++i) {
      TG_ASSIGN_OR_RETURN(Ort::Value tensor,
                          make_input(model_->inputs[i], inputs, rows, buffers_[i]));
      in.push_back(std::move(tensor));
    }
    std::vector<Ort::Value> out;
    std::vector<std::shared_ptr<arrow::Buffer>> data(model_->outputs.size());
    for (std::size_t i = 0; i < model_->outputs.size(); ++i) {
      TG_ASSIGN_OR_RETURN(Ort::Value tensor, make_output(model_->outputs[i], rows, data[i]));
      out.push_back(std::move(tensor));
    }
    model_->session.Run(Ort::RunOptions{nullptr}, model_->input_names.data(), in.data(), in.size(),
                        model_->output_names.data(), out.data(), out.size());
    std::shared_ptr<arrow::Buffer> validity;
    if (!model_->nan) {
      TG_ASSIGN_OR_RETURN(validity, rows_without_nulls(inputs, rows));
    }
    std::vector<ArrayPtr> columns;
    for (std::size_t i = 0; i < model_->outputs.size(); ++i) {
      TG_ASSIGN_OR_RETURN(ArrayPtr column,
                          read_output(model_->outputs[i], rows, out[i], data[i], validity));
      columns.push_back(std::move(column));
    }
    return columns;
  }

  Result<Ort::Value> make_input(const OnnxInput& plan, const std::vector<ArrayPtr>& columns,
                                std::int64_t rows, std::vector<std::byte>& buffer) {
    std::int64_t width = plan.width;
    if (plan.vector && width == kUnknownWidth) {
      width = first_length(static_cast<const arrow::ListArray&>(*column(plan, 0, columns)));
    }
    const std::int64_t shape[] = {rows, width};
    const auto rank = static_cast<std::size_t>(plan.rank);
    if (plan.element == ElementType::kString) {
      Ort::AllocatorWithDefaultOptions allocator;
      Ort::Value tensor = Ort::Value::CreateTensor(allocator, shape, rank, onnx_type(plan.element));
      for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        fill_strings(*column(plan, i, columns), width, static_cast<std::int64_t>(i), tensor);
      }
      return tensor;
    }
    const std::int64_t size = element_size(plan.element);
    buffer.resize(std::max(buffer.size(), static_cast<std::size_t>(rows * width * size)));
    if (plan.vector) {
      TG_RETURN_IF_ERROR(fill_vectors(plan, *column(plan, 0, columns), width, buffer.data()));
    } else {
      for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        fill_elements(*column(plan, i, columns), plan.element, width, model_->nan,
                      buffer.data() + static_cast<std::int64_t>(i) * size);
      }
    }
    return Ort::Value::CreateTensor(memory_, buffer.data(),
                                    static_cast<std::size_t>(rows * width * size), shape, rank,
                                    onnx_type(plan.element));
  }

  static const ArrayPtr& column(const OnnxInput& plan, std::size_t i,
                                const std::vector<ArrayPtr>& columns) {
    return columns[static_cast<std::size_t>(plan.columns[i])];
  }

  static std::int64_t first_length(const arrow::ListArray& lists) {
    for (std::int64_t row = 0; row < lists.length(); ++row) {
      if (lists.IsValid(row)) return lists.value_length(row);
    }
    return 1;
  }

  static void fill_strings(const arrow::Array& column, std::int64_t stride, std::int64_t at,
                           Ort::Value& tensor) {
    const auto& texts = static_cast<const arrow::StringArray&>(column);
    for (std::int64_t row = 0; row < texts.length(); ++row) {
      const std::string_view text = texts.IsNull(row) ? std::string_view() : texts.GetView(row);
      char* out = tensor.GetResizedStringTensorElementBuffer(
          static_cast<std::size_t>(row * stride + at), text.size());
      if (!text.empty()) std::memcpy(out, text.data(), text.size());
    }
  }

  Status fill_vectors(const OnnxInput& plan, const arrow::Array& column, std::int64_t width,
                      std::byte* out) const {
    const auto& lists = static_cast<const arrow::ListArray&>(column);
    const std::int64_t size = element_size(plan.element);
    for (std::int64_t row = 0; row < lists.length(); ++row) {
      if (lists.IsNull(row) || lists.value_length(row) == width) continue;
      return error(ErrorCode::kMalformedRecord,
                   "model '{}' takes vectors of {} values in '{}', and a row has {}", model_->name,
                   width, plan.name, lists.value_length(row));
    }
    if (lists.null_count() == 0) {
      fill_elements(*lists.values()->Slice(lists.value_offset(0), lists.length() * width),
                    plan.element, 1, model_->nan, out);
      return Status::ok();
    }
    for (std::int64_t row = 0; row < lists.length(); ++row) {
      std::byte* to = out + row * width * size;
      if (lists.IsValid(row)) {
        fill_elements(*lists.value_slice(row), plan.element, 1, model_->nan, to);
      } else {
        TG_ASSIGN_OR_RETURN(const ArrayPtr nulls, null_column(lists.value_type(), width));
        fill_elements(*nulls, plan.element, 1, model_->nan, to);
      }
    }
    return Status::ok();
  }

  Result<Ort::Value> make_output(const OnnxOutput& plan, std::int64_t rows,
                                 std::shared_ptr<arrow::Buffer>& data) const {
    // Where the size is not known, the library allocates.
    if (plan.width == kUnknownWidth || plan.element == ElementType::kString)
      return Ort::Value{nullptr};
    const std::int64_t bytes = rows * plan.width * element_size(plan.element);
    TG_ASSIGN_ARROW_OR_RETURN(data, arrow::AllocateBuffer(bytes), "scores of a model");
    const std::int64_t shape[] = {rows, plan.width};
    return Ort::Value::CreateTensor(memory_, data->mutable_data(), static_cast<std::size_t>(bytes),
                                    shape, static_cast<std::size_t>(plan.rank),
                                    onnx_type(plan.element));
  }

  Result<ArrayPtr> read_output(const OnnxOutput& plan, std::int64_t rows, const Ort::Value& tensor,
                               std::shared_ptr<arrow::Buffer> data,
                               const std::shared_ptr<arrow::Buffer>& validity) const {
    const auto info = tensor.GetTensorTypeAndShapeInfo();
    const std::vector<std::int64_t> shape = info.GetShape();
    const std::int64_t width = shape.size() == 2 ? shape[1] : 1;
    if (shape.empty() || shape.size() > 2 || shape[0] != rows || (!plan.vector && width != 1)) {
      return error(ErrorCode::kUserFunctionFailed,
                   "model '{}' answered {} values in the output '{}' for {} rows", model_->name,
                   info.GetElementCount(), plan.name, rows);
    }
    if (plan.element == ElementType::kString) return read_strings(rows, tensor, validity);
    if (data == nullptr) {
      const std::int64_t bytes = rows * width * element_size(plan.element);
      TG_ASSIGN_ARROW_OR_RETURN(data, arrow::AllocateBuffer(bytes), "scores of a model");
      std::memcpy(data->mutable_data(), tensor.GetTensorRawData(), static_cast<std::size_t>(bytes));
    }
    if (!plan.vector) return column_of_elements(plan.type, plan.element, rows, data, validity);
    TG_ASSIGN_OR_RETURN(const ArrayPtr elements,
                        column_of_elements(plan.type.children()[0].type, plan.element, rows * width,
                                           data, nullptr));
    return column_of_vectors(plan.type, rows, width, elements, validity);
  }

  static Result<ArrayPtr> read_strings(std::int64_t rows, const Ort::Value& tensor,
                                       const std::shared_ptr<arrow::Buffer>& validity) {
    const std::size_t bytes = tensor.GetStringTensorDataLength();
    if (bytes > std::numeric_limits<std::int32_t>::max()) {
      return error(ErrorCode::kLimitExceeded, "a model answered {} bytes of text in one batch",
                   bytes);
    }
    const auto count = static_cast<std::size_t>(rows);
    TG_ASSIGN_ARROW_OR_RETURN(auto text, arrow::AllocateBuffer(static_cast<std::int64_t>(bytes)),
                              "texts of a model");
    TG_ASSIGN_ARROW_OR_RETURN(auto offsets, arrow::AllocateBuffer((rows + 1) * 4),
                              "texts of a model");
    std::vector<std::size_t> begins(count);
    tensor.GetStringTensorContent(text->mutable_data(), bytes, begins.data(), count);
    auto* out = offsets->mutable_data_as<std::int32_t>();
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::int32_t>(begins[i]);
    out[count] = static_cast<std::int32_t>(bytes);
    return arrow::MakeArray(
        arrow::ArrayData::Make(arrow::utf8(), rows,
                               {validity, std::shared_ptr<arrow::Buffer>(std::move(offsets)),
                                std::shared_ptr<arrow::Buffer>(std::move(text))}));
  }

  const std::shared_ptr<const Loaded> model_;
  const Ort::MemoryInfo memory_ = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  std::vector<std::vector<std::byte>> buffers_;  // per input; they only grow
};

class OnnxModel final : public Model {
 public:
  explicit OnnxModel(std::shared_ptr<const Loaded> loaded) : loaded_(std::move(loaded)) {}

  const std::string& version() const override { return loaded_->version; }
  std::unique_ptr<Scorer> make_scorer() const override {
    return std::make_unique<OnnxScorer>(loaded_);
  }

 private:
  const std::shared_ptr<const Loaded> loaded_;
};

}  // namespace

Result<std::shared_ptr<const Model>> load_onnx_model(const ModelDefinition& definition,
                                                     std::string_view content) {
  TG_ASSIGN_OR_RETURN(const Ort::Env* env, onnx_library());
  TG_ASSIGN_OR_RETURN(const std::int64_t threads, definition.options.get_int_or("threads", 1));
  auto loaded = std::make_shared<Loaded>();
  loaded->name = definition.name;
  loaded->version = content_hash(content);
  loaded->nan = definition.options.get_string_or("nulls", "skip") == "nan";
  try {
    Ort::SessionOptions options;
    options.SetIntraOpNumThreads(static_cast<int>(threads));
    options.SetInterOpNumThreads(1);
    // Threads that wait sleep: the cores are the workers'.
    options.AddConfigEntry("session.intra_op.allow_spinning", "0");
    options.SetExecutionMode(ORT_SEQUENTIAL);
    // Batches are of any size, so there is no pattern to remember.
    options.DisableMemPattern();
    loaded->session = Ort::Session(*env, content.data(), content.size(), options);
    TG_ASSIGN_OR_RETURN(OnnxSignature signature, match_columns(definition, loaded->session));
    loaded->inputs = std::move(signature.inputs);
    loaded->outputs = std::move(signature.outputs);
  } catch (const Ort::Exception& failure) {
    return Status(
        ErrorCode::kInvalidOption,
        fmt::format("model '{}': '{}' cannot be loaded as an ONNX model: {}", definition.name,
                    definition.options.get_string_or("model-path", ""), failure.what()),
        "Name a file of the ONNX format in 'model-path'.");
  }
  for (const OnnxInput& input : loaded->inputs) loaded->input_names.push_back(input.name.c_str());
  for (const OnnxOutput& out : loaded->outputs) loaded->output_names.push_back(out.name.c_str());
  return std::shared_ptr<const Model>(std::make_shared<OnnxModel>(std::move(loaded)));
}

}  // namespace tidegate
