// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tidegate/status.h"

namespace Ort {
struct Env;
}

namespace tidegate {

/// ONNX Runtime, loaded when first asked for; lives for the process. Thread-safe. The C++ interface
/// (onnxruntime_cxx_api.h with ORT_API_MANUAL_INIT) can be used once this has answered.
Result<const Ort::Env*> onnx_library();

}  // namespace tidegate
