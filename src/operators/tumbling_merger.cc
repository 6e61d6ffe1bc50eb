// SPDX-License-Identifier: Apache-2.0
#include "operators/window_merger.h"

namespace tidegate {
namespace {

class TumblingMerger final : public WindowMerger {
 public:
  TumblingMerger(const StateTable* slices, const AccumulatorLayout* layout)
      : slices_(slices), layout_(layout) {}

  Status begin(EventTime window_end) override {
    window_end_ = window_end;
    cursor_ = {};
    return Status::ok();
  }

  Status next(std::size_t limit, ResultRows& rows) override {
    values_.resize(limit);
    // A piece of which no row is left after retractions is not the end.
    for (const std::size_t before = rows.size(); rows.size() == before;) {
      const std::size_t count = slices_->next(window_end_, cursor_, values_);
      if (count == 0) break;
      rows.add(*slices_, *layout_, std::span(values_).first(count));
    }
    return Status::ok();
  }

  Status end(EventTime) override { return Status::ok(); }
  bool covers(EventTime) const override { return false; }
  Status keys_changed(const KeyBatch&) override { return Status::ok(); }

 private:
  const StateTable* slices_;
  const AccumulatorLayout* layout_;
  EventTime window_end_ = 0;
  RowCursor cursor_;
  std::vector<std::byte*> values_;
};

}  // namespace

std::unique_ptr<WindowMerger> make_tumbling_merger(const StateTable* slices,
                                                   const AccumulatorLayout* layout) {
  return std::make_unique<TumblingMerger>(slices, layout);
}

}  // namespace tidegate
