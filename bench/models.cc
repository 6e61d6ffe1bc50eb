// SPDX-License-Identifier: Apache-2.0
//
// ML_PREDICT by its operator, against a bare loop of Run() over the same rows.
//
//   models [--json]

#include <arrow/array.h>
#include <arrow/builder.h>

#define ORT_API_MANUAL_INIT
#include <onnxruntime_cxx_api.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "measured_child.h"
#include "models/model_versions.h"
#include "models/onnx_library.h"
#include "operators/predict.h"

namespace tidegate::bench {
namespace {

constexpr std::int64_t kFeatures = 10;
constexpr std::int64_t kEvents = 20'000'000;
constexpr const char* kPath = TIDEGATE_MODELS "/network.onnx";

float feature(std::int64_t row, std::int64_t column) {
  return static_cast<float>((row * 7919 + column * 104729) % 1000) / 1000;
}

/// Makes tensors once and runs; answers the sum of one score per batch.
std::uint64_t bare_loop(std::int64_t rows) {
  const auto env = onnx_library();
  if (!env.is_ok()) return 0;
  Ort::SessionOptions options;
  options.SetIntraOpNumThreads(1);
  Ort::Session session(**env, kPath, options);
  std::vector<float> in;
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < kFeatures; ++column) in.push_back(feature(row, column));
  }
  std::vector<float> out(static_cast<std::size_t>(rows));
  const auto memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeCPU);
  const std::int64_t in_shape[] = {rows, kFeatures};
  const std::int64_t out_shape[] = {rows, 1};
  Ort::Value x = Ort::Value::CreateTensor<float>(memory, in.data(), in.size(), in_shape, 2);
  Ort::Value y = Ort::Value::CreateTensor<float>(memory, out.data(), out.size(), out_shape, 2);
  const char* in_name = "X";
  const char* out_name = "score";
  double sum = 0;
  for (std::int64_t done = 0; done < kEvents; done += rows) {
    session.Run(Ort::RunOptions{nullptr}, &in_name, &x, 1, &out_name, &y, 1);
    sum += out[0];
  }
  return static_cast<std::uint64_t>(sum);
}

class Sum final : public Output {
 public:
  void emit(Batch batch) override {
    const auto& scores = static_cast<const arrow::FloatArray&>(*batch.columns().back());
    sum += scores.Value(0);
  }
  void emit_side(int, Batch) override {}
  bool has_credit() const override { return true; }
  double sum = 0;
};

std::uint64_t ml_predict(std::int64_t rows) {
  ModelDefinition model;
  model.name = "network";
  model.options.set("provider", "onnx");
  model.options.set("model-path", kPath);
  model.outputs.push_back({"score", LogicalType(TypeKind::kFloat)});
  PredictOptions options;
  std::vector<ArrayPtr> columns;
  for (std::int64_t column = 0; column < kFeatures; ++column) {
    model.inputs.push_back({"f" + std::to_string(column), LogicalType(TypeKind::kFloat)});
    options.columns.push_back(static_cast<int>(column));
    arrow::FloatBuilder builder;
    for (std::int64_t row = 0; row < rows; ++row) {
      if (!builder.Append(feature(row, column)).ok()) return 0;
    }
    columns.push_back(*builder.Finish());
  }
  auto opened = ModelVersions::open(model, local_file_system());
  if (!opened.is_ok()) return 0;
  options.model = *opened;
  const auto predict = make_predict(options);
  const Batch batch(rows, columns);
  Sum sum;
  for (std::int64_t done = 0; done < kEvents; done += rows) {
    if (!predict->process(0, batch, sum).is_ok()) return 0;
  }
  return static_cast<std::uint64_t>(sum.sum);
}

int run(bool json) {
  for (const std::int64_t rows : {std::int64_t{4096}, std::int64_t{64}}) {
    const std::string bare = "Run() of " + std::to_string(rows) + " rows";
    const Cost loop = measure([&] { return bare_loop(rows); });
    report(json, "models", bare, kEvents, loop);
    const Cost engine = measure([&] { return ml_predict(rows); });
    if (engine.answer != loop.answer) return 1;
    report(json, "models", "ML_PREDICT of " + std::to_string(rows) + " rows", kEvents, engine, bare,
           loop.cpu_s / engine.cpu_s);
  }
  return 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  return tidegate::bench::run(argc > 1 && std::strcmp(argv[1], "--json") == 0);
}
