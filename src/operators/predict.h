// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/watermark_strategy.h"
#include "models/model_versions.h"

namespace tidegate {

struct PredictOptions {
  std::shared_ptr<ModelVersions> model;
  std::vector<int> columns;   ///< of the input, per input of the model
  bool with_version = false;  ///< a STRING column with the model's version stands last
};

/// Scores each batch by one call of a model: its columns, then the model's outputs. All rows of an
/// epoch are scored by one version of the model. Row kinds, event times and key hashes stay.
std::unique_ptr<Operator> make_predict(PredictOptions options);

/// Time does not matter to it.
inline constexpr TimeGrain kPredictTimeGrain{0, 0};

}  // namespace tidegate
