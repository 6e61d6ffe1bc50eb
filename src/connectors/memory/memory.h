// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "dataflow/sink.h"
#include "dataflow/source.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// Rows from memory, for tests and for programs that make their input themselves. Split i is named
/// "i"; its position is the number of rows that were read. Thread-safe.
class MemorySource final : public Source {
 public:
  /// Bounded: each element is a split.
  MemorySource(SchemaPtr schema, std::vector<std::vector<Batch>> splits);
  /// `num_splits` splits that get their rows by push() and end with finish().
  MemorySource(SchemaPtr schema, int num_splits);
  ~MemorySource() override;

  /// Adds rows to a split and wakes its reader.
  void push(int split, Batch batch);
  /// No more rows will come to any split.
  void finish();

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return bounded_; }
  Status open(SourceContext&) override { return Status::ok(); }
  Result<Discovery> discover(const std::vector<std::string>& known) override;
  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override;
  Result<BatchEnd> plan_end(const Split& split, const std::optional<std::string>& position,
                            std::int64_t max_rows) override;

 private:
  struct Content;
  class Reader;

  SchemaPtr schema_;
  bool bounded_;
  std::vector<std::shared_ptr<Content>> splits_;
  std::mutex mutex_;
  std::set<std::string> found_;  // splits that discover() has returned
};

/// Keeps what it gets, for tests. Thread-safe.
class CollectSink final : public Sink {
 public:
  CollectSink();
  ~CollectSink() override;

  /// Everything that was written, in the order of its coming.
  std::vector<Batch> written() const;
  /// What belongs to committed epochs, each one's rows together and only once.
  std::vector<Batch> committed() const;
  std::int64_t rows_written() const;

  SinkGuarantee guarantee() const override { return SinkGuarantee::kTransactional; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override;
  Status commit(EpochId epoch, const std::string& committable) override;
  Status abort(EpochId epoch, const std::string& committable) override;

 private:
  struct State;
  class Writer;
  std::shared_ptr<State> state_;
};

}  // namespace tidegate
