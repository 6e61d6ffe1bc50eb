// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "models/model.h"
#include "plan/node.h"

namespace tidegate::plan {

/// Each row with what a model answers to some of its columns: the input's columns, then the model's
/// outputs, then maybe the model's version.
class PredictNode final : public Node {
 public:
  /// `columns`: per input of the model, of its type. `version_name`: of the version's column;
  /// empty: none.
  PredictNode(Input input, ModelDefinition model, std::vector<int> columns,
              const std::string& version_name);
  std::string_view kind() const override { return "Predict"; }
  std::string details() const override;

  ModelDefinition model;
  std::vector<int> columns;
  bool with_version;
};

}  // namespace tidegate::plan
