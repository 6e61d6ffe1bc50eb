// SPDX-License-Identifier: Apache-2.0
#include "models/onnx_library.h"

#include <dlfcn.h>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include "base/check.h"

namespace tidegate {
namespace {

Result<const Ort::Env*> load() {
  void* library = nullptr;
  for (const char* name : {TIDEGATE_ONNXRUNTIME_LIBRARY, "libonnxruntime.so.1"}) {
    if (library == nullptr) library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  }
  if (library == nullptr) {
    return Status(ErrorCode::kNotSupported,
                  fmt::format("ONNX Runtime, which scores models, cannot be loaded: {}", dlerror()),
                  "Put libonnxruntime.so.1 where the system looks for libraries "
                  "(LD_LIBRARY_PATH), in version 1.21 or newer.");
  }
  using GetApiBase = const OrtApiBase* (*)();
  const auto base = reinterpret_cast<GetApiBase>(dlsym(library, "OrtGetApiBase"));
  const OrtApi* api = base == nullptr ? nullptr : base()->GetApi(ORT_API_VERSION);
  if (api == nullptr) {
    return error(ErrorCode::kNotSupported, "ONNX Runtime {} is older than 1.{}",
                 base == nullptr ? "" : base()->GetVersionString(), ORT_API_VERSION);
  }
  Ort::InitApi(api);
  try {
    return new Ort::Env(ORT_LOGGING_LEVEL_ERROR, "tidegate");
  } catch (const Ort::Exception& failure) {
    return error(ErrorCode::kInternal, "ONNX Runtime does not start: {}", failure.what());
  }
}

}  // namespace

Result<const Ort::Env*> onnx_library() {
  static const auto* const loaded = new Result<const Ort::Env*>(load());
  return *loaded;
}

}  // namespace tidegate
