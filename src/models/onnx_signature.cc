// SPDX-License-Identifier: Apache-2.0
#include "models/onnx_signature.h"

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

/// What the file says of an input or output.
struct Tensor {
  std::string name;
  std::string kind;  ///< "float[N, 2]"; for messages
  bool is_tensor = true;
  std::optional<ElementType> element;
  std::vector<std::int64_t> shape;  ///< empty: not said
};

std::optional<ElementType> element_of(ONNXTensorElementDataType type) {
  switch (type) {
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT:
      return ElementType::kFloat;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE:
      return ElementType::kDouble;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32:
      return ElementType::kInt32;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64:
      return ElementType::kInt64;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL:
      return ElementType::kBool;
    case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING:
      return ElementType::kString;
    default:
      return std::nullopt;
  }
}

Tensor describe(std::string name, const Ort::TypeInfo& info) {
  Tensor tensor;
  tensor.name = std::move(name);
  if (info.GetONNXType() != ONNX_TYPE_TENSOR) {
    tensor.is_tensor = false;
    tensor.kind = info.GetONNXType() == ONNX_TYPE_SEQUENCE ? "a sequence" : "no tensor";
    return tensor;
  }
  const auto of = info.GetTensorTypeAndShapeInfo();
  tensor.element = element_of(of.GetElementType());
  tensor.shape = of.GetShape();
  std::string dims;
  for (std::int64_t dim : tensor.shape) {
    if (!dims.empty()) dims += ", ";
    dims += dim < 0 ? "N" : std::to_string(dim);
  }
  tensor.kind = fmt::format(
      "{}[{}]", tensor.element ? element_name(*tensor.element) : "another element type", dims);
  return tensor;
}

std::string list_of(const std::vector<Tensor>& tensors) {
  std::string text;
  for (const Tensor& each : tensors) {
    text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", each.name, each.kind);
  }
  return text;
}

const Tensor* find_tensor(const std::vector<Tensor>& tensors, const std::string& name) {
  const auto found = std::ranges::find(tensors, name, &Tensor::name);
  return found == tensors.end() ? nullptr : &*found;
}

/// The columns of a definition beside the tensors of a file.
class Matching {
 public:
  Matching(const ModelDefinition& definition, const Ort::Session& session)
      : definition_(definition),
        what_(fmt::format("model '{}' ({})", definition.name,
                          definition.options.get_string_or("model-path", ""))) {
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < session.GetInputCount(); ++i) {
      inputs_.push_back(
          describe(session.GetInputNameAllocated(i, allocator).get(), session.GetInputTypeInfo(i)));
    }
    for (std::size_t i = 0; i < session.GetOutputCount(); ++i) {
      outputs_.push_back(describe(session.GetOutputNameAllocated(i, allocator).get(),
                                  session.GetOutputTypeInfo(i)));
    }
  }

  Result<std::vector<OnnxInput>> match_inputs() const {
    TG_RETURN_IF_ERROR(check_mappings("input.", definition_.inputs));
    for (const Tensor& tensor : inputs_) TG_RETURN_IF_ERROR(check_input(tensor));
    std::vector<OnnxInput> plans;
    std::vector<bool> taken(definition_.inputs.size(), false);
    for (const Tensor& tensor : inputs_) {
      OnnxInput plan;
      plan.name = tensor.name;
      plan.element = *tensor.element;
      plan.rank = tensor.shape.empty() ? 2 : static_cast<int>(tensor.shape.size());
      const std::int64_t width = tensor.shape.size() == 2   ? tensor.shape[1]
                                 : tensor.shape.size() == 1 ? 1
                                                            : kUnknownWidth;
      for (std::size_t i = 0; i < definition_.inputs.size(); ++i) {
        if (inputs_.size() > 1 && tensor_name("input.", definition_.inputs[i]) != tensor.name) {
          continue;
        }
        plan.columns.push_back(static_cast<int>(i));
        taken[i] = true;
      }
      TG_RETURN_IF_ERROR(check_columns(tensor, width, plan));
      plans.push_back(std::move(plan));
    }
    for (std::size_t i = 0; i < taken.size(); ++i) {
      if (taken[i]) continue;
      return error(ErrorCode::kUnknownName, "{} has no input '{}'; it takes {}", what_,
                   tensor_name("input.", definition_.inputs[i]), list_of(inputs_));
    }
    return plans;
  }

  Result<std::vector<OnnxOutput>> match_outputs() const {
    TG_RETURN_IF_ERROR(check_mappings("output.", definition_.outputs));
    std::vector<OnnxOutput> plans;
    for (const Field& column : definition_.outputs) {
      const std::string name = tensor_name("output.", column);
      const Tensor* tensor = find_tensor(outputs_, name);
      const bool mapped = definition_.options.has("output." + column.name);
      if (tensor == nullptr && !mapped && outputs_.size() == 1 && definition_.outputs.size() == 1) {
        tensor = &outputs_[0];
      }
      if (tensor == nullptr) {
        return Status(
            ErrorCode::kUnknownName,
            fmt::format("{} has no output '{}'; it answers {}", what_, name, list_of(outputs_)),
            fmt::format("Name the column like an output, or say 'output.{}' = '...' in "
                        "WITH.",
                        column.name));
      }
      TG_ASSIGN_OR_RETURN(OnnxOutput plan, match_output(*tensor, column));
      plans.push_back(std::move(plan));
    }
    return plans;
  }

 private:
  std::string tensor_name(std::string_view prefix, const Field& column) const {
    return definition_.options.get_string_or(fmt::format("{}{}", prefix, column.name), column.name);
  }

  /// 'input.x' and 'output.x' name columns of the definition.
  Status check_mappings(std::string_view prefix, const std::vector<Field>& columns) const {
    for (const auto& [key, value] : definition_.options.values()) {
      if (!key.starts_with(prefix)) continue;
      const std::string name = key.substr(prefix.size());
      if (std::ranges::find(columns, name, &Field::name) != columns.end()) continue;
      return error(ErrorCode::kUnknownName, "{}: '{}' names the column '{}', which is not declared",
                   what_, key, name);
    }
    return Status::ok();
  }

  Status check_input(const Tensor& tensor) const {
    if (!tensor.is_tensor || !tensor.element) {
      return error(ErrorCode::kNotSupported, "{}: its input '{}' is {}; columns cannot become that",
                   what_, tensor.name, tensor.kind);
    }
    if (tensor.shape.size() > 2) {
      return error(ErrorCode::kNotSupported,
                   "{}: its input '{}' is {}; [N] and [N, k] are supported, one row each in N",
                   what_, tensor.name, tensor.kind);
    }
    if (!tensor.shape.empty() && tensor.shape[0] >= 0) {
      return Status(ErrorCode::kInvalidPlan,
                    fmt::format("{}: its input '{}' is {}, of a fixed number of rows", what_,
                                tensor.name, tensor.kind),
                    "Export the model with a dynamic first dimension (batch size).");
    }
    return Status::ok();
  }

  Status check_columns(const Tensor& tensor, std::int64_t width, OnnxInput& plan) const {
    if (plan.columns.empty()) {
      return Status(ErrorCode::kInvalidPlan,
                    fmt::format("{} takes {}, and no INPUT column is '{}'", what_, list_of(inputs_),
                                tensor.name),
                    "Name the columns like the model's inputs, or say 'input.column' = 'x' in "
                    "WITH.");
    }
    const auto column = [&](int i) -> const Field& {
      return definition_.inputs[static_cast<std::size_t>(i)];
    };
    const Field& first = column(plan.columns[0]);
    plan.vector = plan.columns.size() == 1 && first.type.kind() == TypeKind::kArray;
    const auto given = static_cast<std::int64_t>(plan.columns.size());
    plan.width = plan.vector ? width : given;
    if (!plan.vector && width != kUnknownWidth && width != given) {
      return error(ErrorCode::kInvalidPlan,
                   "{}: its input '{}' is {}, so it takes {} columns, but INPUT gives {}", what_,
                   tensor.name, tensor.kind, width, given);
    }
    for (int i : plan.columns) {
      const LogicalType& type = plan.vector ? column(i).type.children()[0].type : column(i).type;
      const bool fits =
          can_become(type, plan.element) && !(plan.vector && plan.element == ElementType::kString);
      if (fits) continue;
      return error(ErrorCode::kTypeMismatch,
                   "{}: INPUT column '{}' is {}, which cannot become {} of the input '{}'", what_,
                   column(i).name, column(i).type.to_string(), tensor.kind, tensor.name);
    }
    const bool floating =
        plan.element == ElementType::kFloat || plan.element == ElementType::kDouble;
    if (!floating && definition_.options.get_string_or("nulls", "skip") == "nan") {
      return error(ErrorCode::kInvalidOption,
                   "{}: 'nulls' = 'nan' needs inputs of floating-point numbers, and '{}' is {}",
                   what_, tensor.name, tensor.kind);
    }
    return Status::ok();
  }

  Result<OnnxOutput> match_output(const Tensor& tensor, const Field& column) const {
    if (!tensor.is_tensor) {
      return Status(
          ErrorCode::kNotSupported,
          fmt::format("{}: its output '{}' is {} and no tensor (scikit-learn's classifiers answer "
                      "a map per row unless told otherwise)",
                      what_, tensor.name, tensor.kind),
          "Convert the model with the option zipmap=False; the output is then [N, classes].");
    }
    OnnxOutput plan;
    plan.name = tensor.name;
    plan.type = column.type;
    plan.vector = column.type.kind() == TypeKind::kArray;
    plan.rank = static_cast<int>(tensor.shape.size());
    if (plan.rank == 1) plan.width = 1;
    if (plan.rank == 2) plan.width = tensor.shape[1];
    const LogicalType& type = plan.vector ? column.type.children()[0].type : column.type;
    const bool shape_fits =
        plan.rank <= 2 &&
        (plan.vector ? plan.rank != 1 : plan.width == kUnknownWidth || plan.width == 1);
    if (!tensor.element || !shape_fits || !can_be_read_as(*tensor.element, type) ||
        (plan.vector && *tensor.element == ElementType::kString)) {
      return Status(ErrorCode::kTypeMismatch,
                    fmt::format("{}: OUTPUT column '{}' is {}, but the output '{}' is {}", what_,
                                column.name, column.type.to_string(), tensor.name, tensor.kind),
                    "float[N] is FLOAT or DOUBLE, double DOUBLE, int64 BIGINT, int32 INT, bool "
                    "BOOLEAN, string STRING; [N, k] is an ARRAY of these.");
    }
    plan.element = *tensor.element;
    return plan;
  }

  const ModelDefinition& definition_;
  const std::string what_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
};

}  // namespace

Result<OnnxSignature> match_columns(const ModelDefinition& definition,
                                    const Ort::Session& session) {
  const Matching matching(definition, session);
  OnnxSignature signature;
  TG_ASSIGN_OR_RETURN(signature.inputs, matching.match_inputs());
  TG_ASSIGN_OR_RETURN(signature.outputs, matching.match_outputs());
  return signature;
}

}  // namespace tidegate
