// SPDX-License-Identifier: Apache-2.0
#include "operators/values.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

class ValuesReader final : public SplitReader {
 public:
  ValuesReader(std::shared_ptr<const Batch> rows, std::int64_t row)
      : rows_(std::move(rows)), row_(row) {}

  Result<Polled> poll(std::int64_t max_rows) override {
    Polled polled;
    polled.state = Polled::State::kEnd;
    if (row_ == rows_->num_rows()) return polled;
    const std::int64_t count =
        std::min(std::max<std::int64_t>(max_rows, 1), rows_->num_rows() - row_);
    polled.state = Polled::State::kRows;
    polled.batch = rows_->slice(row_, count);
    row_ += count;
    return polled;
  }

  std::string position() const override { return std::to_string(row_); }

 private:
  std::shared_ptr<const Batch> rows_;
  std::int64_t row_;
};

class ValuesSource final : public Source {
 public:
  ValuesSource(SchemaPtr schema, std::vector<Batch> batches)
      : schema_(std::move(schema)), batches_(std::move(batches)) {}

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return true; }

  Status open(SourceContext&) override {
    if (rows_ != nullptr) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch all,
                        batches_.empty() ? Result<Batch>(Batch()) : Batch::concatenate(batches_));
    rows_ = std::make_shared<const Batch>(std::move(all));
    batches_.clear();
    return Status::ok();
  }

  Result<Discovery> discover(const std::vector<std::string>& known) override {
    Discovery found;
    if (!found_.exchange(true) && std::ranges::find(known, kSplit) == known.end()) {
      found.splits.push_back({kSplit, ""});
    }
    return found;
  }

  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext&) override {
    std::int64_t row = 0;
    if (position) {
      const char* end = position->data() + position->size();
      const auto [stop, fault] = std::from_chars(position->data(), end, row);
      if (fault != std::errc() || stop != end || row < 0 || row > rows_->num_rows()) {
        return error(ErrorCode::kStateMismatch,
                     "the stored position '{}' is not one of the {} rows of {}", *position,
                     rows_->num_rows(), split.id);
      }
    }
    return std::unique_ptr<SplitReader>(std::make_unique<ValuesReader>(rows_, row));
  }

 private:
  static constexpr const char* kSplit = "values";

  SchemaPtr schema_;
  std::vector<Batch> batches_;
  std::shared_ptr<const Batch> rows_;  // all of them, from open() on
  std::atomic<bool> found_ = false;
};

}  // namespace

std::unique_ptr<Source> make_values_source(SchemaPtr schema, std::vector<Batch> batches) {
  return std::make_unique<ValuesSource>(std::move(schema), std::move(batches));
}

}  // namespace tidegate
