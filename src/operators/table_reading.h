// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataflow/operator.h"
#include "dataflow/source.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// Reads a source to its end, beside an operator's work. One operator's, on its thread; only the
/// looking for splits, which may block, is done elsewhere.
class TableReading {
 public:
  /// The waker of `context` says when there is reason to go_on().
  static Result<std::unique_ptr<TableReading>> begin(std::shared_ptr<Source> source,
                                                     OperatorContext& context);
  ~TableReading();

  /// Reads what is there; true at the end.
  Result<bool> go_on();
  /// All rows, once go_on() has answered true.
  std::vector<Batch> take() { return std::move(batches_); }

 private:
  struct Search;
  class Context;

  TableReading(std::shared_ptr<Source> source, OperatorContext& context);
  void look_for_splits(OperatorContext& context);
  Result<bool> read_split();

  // Shared with the search, which may outlive this.
  std::shared_ptr<Source> source_;
  std::shared_ptr<Context> context_;
  std::shared_ptr<Search> search_;
  std::vector<Split> splits_;
  bool found_ = false;
  std::size_t split_ = 0;
  std::unique_ptr<SplitReader> reader_;
  std::vector<Batch> batches_;
};

}  // namespace tidegate
