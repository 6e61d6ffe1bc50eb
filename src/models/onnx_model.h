// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "models/model.h"

namespace tidegate {

/// load_model() for the provider onnx: see there. The columns of the definition are matched with
/// the model's inputs and outputs here, so that scoring finds everything settled.
Result<std::shared_ptr<const Model>> load_onnx_model(const ModelDefinition& definition,
                                                     std::string_view content);

}  // namespace tidegate
