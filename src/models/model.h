// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "tidegate/status.h"
#include "types/column.h"
#include "types/schema.h"

namespace tidegate {

/// What a pipeline says of a model: the columns that it takes and answers, and who computes them.
struct ModelDefinition {
  std::string name;
  std::vector<Field> inputs;
  std::vector<Field> outputs;
  Options options;  ///< 'provider', 'model-path' and those of model_options()
  std::string comment = {};
};

/// Scores batches for one task. Single-threaded.
class Scorer {
 public:
  virtual ~Scorer() = default;
  /// One column per output of the definition, for columns of its inputs' types, each of `rows`
  /// values. What a row of nulls becomes is the definition's option 'nulls'.
  virtual Result<std::vector<ArrayPtr>> score(const std::vector<ArrayPtr>& inputs,
                                              std::int64_t rows) = 0;
};

/// A model in memory, of which nothing changes any more. Thread-safe.
class Model {
 public:
  virtual ~Model() = default;
  /// The hash of its content.
  virtual const std::string& version() const = 0;
  virtual std::unique_ptr<Scorer> make_scorer() const = 0;
};

/// The options of CREATE MODEL ... WITH.
const std::vector<OptionSpec>& model_options();

/// Whether a model can be used as it is defined, as far as that shows without its file.
Status check_model(const ModelDefinition& definition);

/// The model in the bytes of its file. kInvalidOption when they are none; kTypeMismatch and
/// kInvalidPlan when it takes or answers something else than the definition says.
Result<std::shared_ptr<const Model>> load_model(const ModelDefinition& definition,
                                                std::string_view content);

}  // namespace tidegate
