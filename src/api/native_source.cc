// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "api/columns.h"
#include "api/native_connectors.h"
#include "base/check.h"
#include "operators/user_function.h"

namespace tidegate {
namespace {

/// Between looks for new splits of a source that is asked again and again.
constexpr std::int64_t kLookIntervalMs = 100;

class NativeSplitReader final : public SplitReader {
 public:
  NativeSplitReader(std::unique_ptr<untyped::NativeReader> reader, std::vector<ColumnType> types)
      : reader_(std::move(reader)), writer_(types) {}

  Result<Polled> poll(std::int64_t max_rows) override {
    Polled polled;
    TG_RETURN_IF_ERROR(call_user_function("poll()", [&]() -> Status {
      TG_ASSIGN_OR_RETURN(const auto state, reader_->poll(writer_, max_rows));
      polled.state = static_cast<Polled::State>(state);
      return Status::ok();
    }));
    if (writer_.num_rows() > 0) {
      // Rows of a source are made of nothing: no event times or kinds to follow.
      TG_ASSIGN_OR_RETURN(polled.batch, finish_batch(writer_, Batch(1, {})));
      // Rows that come with the end go first; the next poll says it again.
      polled.state = Polled::State::kRows;
    }
    return polled;
  }
  std::string position() const override { return reader_->position(); }

 private:
  static_assert(static_cast<int>(Polled::State::kRows) ==
                static_cast<int>(untyped::NativeReader::State::kRows));
  static_assert(static_cast<int>(Polled::State::kEnd) ==
                static_cast<int>(untyped::NativeReader::State::kEnd));

  std::unique_ptr<untyped::NativeReader> reader_;
  BatchWriter writer_;
};

class NativeSource final : public Source {
 public:
  NativeSource(SchemaPtr schema, std::shared_ptr<untyped::NativeSource> source)
      : schema_(std::move(schema)), source_(std::move(source)) {}

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return source_->is_bounded(); }
  bool splits_end() const override { return source_->splits_end(); }
  std::int64_t discovery_interval_ms() const override { return kLookIntervalMs; }
  Status open(SourceContext&) override { return Status::ok(); }

  Result<Discovery> discover(const std::vector<std::string>& known) override {
    Discovery found;
    found.complete = is_bounded() || !splits_end();
    TG_RETURN_IF_ERROR(call_user_function("splits()", [&]() -> Status {
      TG_ASSIGN_OR_RETURN(const auto splits, source_->splits());
      for (const std::string& id : splits) {
        if (std::find(known.begin(), known.end(), id) == known.end()) {
          found.splits.push_back({id, ""});
        }
      }
      return Status::ok();
    }));
    return found;
  }

  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override {
    std::unique_ptr<untyped::NativeReader> reader;
    TG_RETURN_IF_ERROR(call_user_function("open()", [&]() -> Status {
      TG_ASSIGN_OR_RETURN(
          reader, source_->open(split.id, position, [waker = context.waker()] { waker.wake(); }));
      return Status::ok();
    }));
    std::vector<ColumnType> types;
    TG_ASSIGN_OR_RETURN(types, physical_types(*schema_));
    return std::unique_ptr<SplitReader>(
        std::make_unique<NativeSplitReader>(std::move(reader), std::move(types)));
  }

 private:
  SchemaPtr schema_;
  std::shared_ptr<untyped::NativeSource> source_;
};

}  // namespace

std::shared_ptr<Source> make_native_source(SchemaPtr schema,
                                           std::shared_ptr<untyped::NativeSource> source) {
  return std::make_shared<NativeSource>(std::move(schema), std::move(source));
}

}  // namespace tidegate
