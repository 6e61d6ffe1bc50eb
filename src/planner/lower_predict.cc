// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "base/check.h"
#include "models/model_versions.h"
#include "operators/predict.h"
#include "plan/predict.h"
#include "planner/changelog.h"
#include "planner/lower_nodes.h"
#include "planner/stream_facts.h"

namespace tidegate {
namespace {

Status at_place(Status status, const plan::Node& node) {
  if (status.is_ok() || !node.place) return status;
  return Status(status.code(), fmt::format("{}\n{}", status.message(), node.place()),
                std::string(status.remedy()));
}

Status lower_predict(const plan::PredictNode& predict, Lowering& lowering) {
  // Taking a row back needs the score that it had, and the model may be another one by then.
  TG_RETURN_IF_ERROR(
      at_place(check_insert_only_input(predict, predict.inputs[0], lowering.facts()), predict));
  FileSystem* files = lowering.options().files;
  auto opened = ModelVersions::open(predict.model, files == nullptr ? local_file_system() : *files);
  if (!opened.is_ok()) return at_place(std::move(opened).status(), predict);
  PredictOptions options;
  options.model = *std::move(opened);
  options.columns = predict.columns;
  options.with_version = predict.with_version;
  Node node = lowering.make_node(predict);
  lowering.feed_in_place(node, predict.inputs[0]);
  node.time_grain = kPredictTimeGrain;
  node.make_operator = VersionedOperatorFactory{
      options.model,
      [options]() -> Result<std::unique_ptr<Operator>> { return make_predict(options); }};
  return lowering.finish(predict, std::move(node));
}

}  // namespace

void register_predict_lowering(LoweringRegistry& registry) {
  registry.add<plan::PredictNode>(lower_predict);
}

}  // namespace tidegate
