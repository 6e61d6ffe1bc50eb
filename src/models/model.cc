// SPDX-License-Identifier: Apache-2.0
#include "models/model.h"

#include "base/check.h"
#include "models/onnx_model.h"

namespace tidegate {

const std::vector<OptionSpec>& model_options() {
  static const std::vector<OptionSpec> options = {
      {"provider", "onnx", "", "Who computes the model: ONNX Runtime, in the engine's process.",
       true},
      {"model-path", "string", "",
       "The model's file. When its content changes, the next epoch is scored by the new one.",
       true},
      {"input.*", "string", "",
       "'input.amount' = 'x': the column amount goes to the model's input x; by default to that of "
       "its own name."},
      {"output.*", "string", "",
       "'output.score' = 'y': the column score is the model's output y; by default that of its own "
       "name, or the only one."},
      {"nulls", "skip|nan", "skip",
       "A row with a null among its inputs: 'skip' answers nulls, 'nan' gives NaN to the model, "
       "which takes floating-point numbers only."},
      {"threads", "integer", "1",
       "Threads that one call of the model may use. More than 1 adds threads beside the workers."},
  };
  return options;
}

Status check_model(const ModelDefinition& definition) {
  const std::string owner = fmt::format("model '{}'", definition.name);
  // First, so that a definition for another system is told what is missing here.
  const std::string provider = definition.options.get_string_or("provider", "onnx");
  if (provider != "onnx") {
    return Status(ErrorCode::kNotSupported,
                  fmt::format("{} has the provider '{}', which is not supported", owner, provider),
                  "Use 'provider' = 'onnx' with 'model-path'.");
  }
  TG_RETURN_IF_ERROR(definition.options.validate(model_options(), owner));
  if (definition.inputs.empty() || definition.outputs.empty()) {
    return error(ErrorCode::kInvalidPlan, "{} needs INPUT (...) and OUTPUT (...) columns", owner);
  }
  TG_ASSIGN_OR_RETURN(const std::int64_t threads, definition.options.get_int_or("threads", 1));
  if (threads < 1 || threads > 1024) {
    return error(ErrorCode::kInvalidOption, "{}: 'threads' is {}; it must be between 1 and 1024",
                 owner, threads);
  }
  return Status::ok();
}

Result<std::shared_ptr<const Model>> load_model(const ModelDefinition& definition,
                                                std::string_view content) {
  TG_RETURN_IF_ERROR(check_model(definition));
  return load_onnx_model(definition, content);
}

}  // namespace tidegate
