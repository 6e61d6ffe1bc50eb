// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cli/result_settings.h"
#include "dataflow/sink.h"
#include "tidegate/status.h"

namespace tidegate {

class ResultDisplay;

/// Shows the result of a query. Rows are written by one task; what can only be shown at the end is
/// shown by finish(), which is called once the job has ended, from whatever thread waited for it.
class ResultSink final : public Sink {
 public:
  static Result<std::shared_ptr<ResultSink>> make(ResultSettings settings, ResultOutput output);
  ~ResultSink() override;

  SinkGuarantee guarantee() const override {
    return by_epoch_ ? SinkGuarantee::kTransactional : SinkGuarantee::kAtLeastOnce;
  }
  int parallelism() const override { return 1; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override;
  Status commit(EpochId epoch, const std::string& committable) override;
  Status abort(EpochId epoch, const std::string& committable) override;

  /// Draws a table that is drawn over and over, if it has changed; to be called some times a second
  /// while the job runs, from any thread.
  Status refresh();
  /// Shows what was kept back; kInternal when the changelog took back rows that never came.
  Status finish();
  /// Rows of the final table, or changes shown so far.
  std::int64_t num_rows() const;
  /// Something is shown while the job runs, which a live line of progress would get between.
  bool shows_at_once() const;

 private:
  class EpochWriter;
  ResultSink(std::unique_ptr<ResultDisplay> display, const ResultSettings& settings);

  std::unique_ptr<ResultDisplay> display_;
  const bool with_batch_id_;
  const bool by_epoch_;
  std::mutex mutex_;
  std::map<EpochId, std::vector<Batch>> held_;  // with by_epoch_: prepared and not shown
};

}  // namespace tidegate
