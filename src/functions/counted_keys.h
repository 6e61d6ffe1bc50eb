// SPDX-License-Identifier: Apache-2.0
//
// Aggregators that keep each value of any type, as its key, with how often it is there.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "functions/counted_values.h"
#include "types/key_encoding.h"

namespace tidegate {

class CountedKeys : public HeapAggregator<CountedValues<std::string_view>> {
 public:
  using Content = CountedValues<std::string_view>;

  CountedKeys(LogicalType result_type, const LogicalType& argument, bool ignore_nulls)
      : HeapAggregator(std::move(result_type)), codec_({argument}), ignore_nulls_(ignore_nulls) {}

  std::string fingerprint() const override {
    return "counted keys " + result_type().to_string() + (ignore_nulls_ ? "" : " with nulls");
  }

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    return change(accumulators, arguments, 1);
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    return change(accumulators, arguments, -1);
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    if (state(from) != nullptr) content_of(into).merge(*state(from));
    return Status::ok();
  }

 protected:
  const KeyCodec& codec() const { return codec_; }

 private:
  Status change(Accumulators accumulators, ArgumentArrays arguments, std::int64_t by) const {
    EncodedKeys keys;
    TG_RETURN_IF_ERROR(
        codec_.encode(arguments, static_cast<std::int64_t>(accumulators.size()), keys));
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      if (ignore_nulls_ && arguments[0]->IsNull(row)) continue;
      content_of(accumulators[i]).change(keys.key(row), by);
    }
    return Status::ok();
  }

  KeyCodec codec_;
  bool ignore_nulls_;
};

}  // namespace tidegate
