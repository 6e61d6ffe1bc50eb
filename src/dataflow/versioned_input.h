// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dataflow/operator.h"
#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate {

/// Something beside the streams that results depend on and that may change while a job runs, such
/// as the file of a model. All tasks see one version of it throughout an epoch. A mode that plans
/// its epochs says which, so that an epoch that is run again sees the same; else the newest that is
/// known when an epoch begins counts. Thread-safe.
class VersionedInput {
 public:
  virtual ~VersionedInput() = default;
  /// For messages: "model 'fraud' (fraud.onnx)".
  virtual std::string name() const = 0;
  /// The newest version that can be used. Looks outside; may block.
  virtual std::string newest() = 0;
  /// Epoch `epoch` sees `version`; said before the first of its rows comes, and then of every
  /// epoch. kStateMismatch when that version is not there any more. May block.
  virtual Status use(EpochId epoch, const std::string& version) = 0;
};

/// A node's make_operator for operators that use a versioned input. A mode that plans its epochs
/// finds the input by `node.make_operator.target<VersionedOperatorFactory>()`.
struct VersionedOperatorFactory {
  std::shared_ptr<VersionedInput> input;
  std::function<Result<std::unique_ptr<Operator>>()> make;

  Result<std::unique_ptr<Operator>> operator()() const { return make(); }
};

}  // namespace tidegate
