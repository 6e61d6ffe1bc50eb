// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataflow/source.h"

namespace tidegate {

/// A source that a test pushes rows into. Keeps everything that was pushed, so that a restarted job
/// can read it again. For one thread.
class TestSource final : public Source {
 public:
  TestSource(SchemaPtr schema, int splits);
  ~TestSource() override;

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return false; }
  Status open(SourceContext&) override { return Status::ok(); }
  Result<Discovery> discover(const std::vector<std::string>& known) override;
  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override;

  int num_splits() const { return static_cast<int>(logs_.size()); }
  void push(int split, Batch batch);
  void advance_event_time(int split, EventTime watermark);
  void end();

 private:
  class Reader;
  struct Log;  // what was pushed into one split, and who waits for more

  SchemaPtr schema_;
  std::vector<std::shared_ptr<Log>> logs_;
};

}  // namespace tidegate
