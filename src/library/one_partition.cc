// SPDX-License-Identifier: Apache-2.0
#include "library/one_partition.h"

#include <utility>

#include "base/check.h"
#include "kafka/partition_split.h"
#include "kafka/position_letters.h"

namespace tidegate::library {
namespace {

class OnePartition final : public Source {
 public:
  OnePartition(std::shared_ptr<Source> source, std::int32_t partition)
      : source_(std::move(source)), partition_(partition) {}

  const SchemaPtr& schema() const override { return source_->schema(); }
  bool is_bounded() const override { return source_->is_bounded(); }
  bool splits_end() const override { return source_->splits_end(); }
  std::optional<LogTopics> log_topics() const override { return source_->log_topics(); }
  Status open(SourceContext& context) override { return source_->open(context); }
  std::int64_t discovery_interval_ms() const override { return source_->discovery_interval_ms(); }
  BatchLimits batch_limits() const override { return source_->batch_limits(); }

  Result<Discovery> discover(const std::vector<std::string>& known) override {
    TG_ASSIGN_OR_RETURN(Discovery all, source_->discover(known));
    Discovery own;
    own.complete = all.complete;
    for (Split& split : all.splits) {
      TG_ASSIGN_OR_RETURN(const kafka::PartitionSplit found,
                          kafka::PartitionSplit::from_split(split));
      if (found.partition == partition_) own.splits.push_back(std::move(split));
    }
    return own;
  }
  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override {
    return source_->open_split(split, position, context);
  }
  Result<BatchEnd> plan_end(const Split& split, const std::optional<std::string>& position,
                            std::int64_t max_rows) override {
    return source_->plan_end(split, position, max_rows);
  }

 private:
  const std::shared_ptr<Source> source_;
  const std::int32_t partition_;
};

}  // namespace

std::shared_ptr<Source> one_partition_of(std::shared_ptr<Source> source, std::int32_t partition) {
  if (auto* const letters = dynamic_cast<kafka::KeepsLetters*>(source.get()))
    letters->keep_letters();
  return std::make_shared<OnePartition>(std::move(source), partition);
}

}  // namespace tidegate::library
