// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model.h"
#include "models/tensor_columns.h"

namespace Ort {
struct Session;
}

namespace tidegate {

constexpr std::int64_t kUnknownWidth = -1;

/// An input tensor and the columns that it is made of: one of each, or one ARRAY column.
struct OnnxInput {
  std::string name;
  ElementType element = ElementType::kFloat;
  std::vector<int> columns;
  std::int64_t width = 1;
  int rank = 1;
  bool vector = false;
};

struct OnnxOutput {
  std::string name;
  ElementType element = ElementType::kFloat;
  LogicalType type;  ///< of the column
  std::int64_t width = kUnknownWidth;
  int rank = 0;  ///< 0: not said
  bool vector = false;
};

struct OnnxSignature {
  std::vector<OnnxInput> inputs;    ///< all of the file's, in its order
  std::vector<OnnxOutput> outputs;  ///< one per column of the definition
};

/// Matches the columns of a definition with the inputs and outputs of a model's file, and checks
/// their types and shapes. Throws Ort::Exception.
Result<OnnxSignature> match_columns(const ModelDefinition& definition, const Ort::Session& session);

}  // namespace tidegate
