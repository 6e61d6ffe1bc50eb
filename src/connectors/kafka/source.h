// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "connectors/kafka/dead_letters.h"
#include "connectors/kafka/table_options.h"
#include "dataflow/connector.h"
#include "dataflow/source.h"
#include "dataflow/split_key.h"
#include "kafka/consumer.h"
#include "kafka/position_letters.h"

namespace tidegate::kafka {

/// Reads topics. A split is a partition; where it starts and ends is settled when it is found, so
/// that every attempt at the job reads the same messages.
class KafkaSource final : public Source, public SplitKey, public KeepsLetters {
 public:
  static Result<std::shared_ptr<Source>> make(const ConnectorRequest& request,
                                              TableKind kind = TableKind::kAppend);

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return settings_.stop.kind != OffsetRule::Kind::kNone; }
  Status open(SourceContext& context) override;
  Result<Discovery> discover(const std::vector<std::string>& known) override;
  std::int64_t discovery_interval_ms() const override {
    return settings_.discovery_interval.count();
  }
  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override;
  std::vector<int> split_key() const override;
  void keep_letters() override { keeps_letters_ = true; }
  std::optional<LogTopics> log_topics() const override;
  Result<BatchEnd> plan_end(const Split& split, const std::optional<std::string>& position,
                            std::int64_t max_rows) override;

 private:
  KafkaSource(const ConnectorRequest& request, SourceSettings settings, MessageFormats formats);

  const ConnectorRequest request_;
  const SourceSettings settings_;
  const MessageFormats formats_;
  SchemaPtr schema_;
  std::shared_ptr<Consumer> consumer_;
  std::shared_ptr<DeadLetters> letters_;
  std::set<std::string> found_;  // ids of splits that discover() has returned
  bool looked_ = false;          // discover() has succeeded
  std::int32_t key_partitions_ = 0;
  bool keeps_letters_ = false;  // in positions
};

}  // namespace tidegate::kafka
