// SPDX-License-Identifier: Apache-2.0
//
// Aggregators that list their rows in the order in which they came.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "functions/value_sequence.h"
#include "types/key_encoding.h"

namespace tidegate {

/// Values one behind the other in one buffer; none can be taken back.
class AppendedValues {
 public:
  static constexpr bool kCanTake = false;

  void add(std::string_view value) {
    append_sized(value, bytes_);
    ++count_;
  }
  void merge(const AppendedValues& other) {
    bytes_ += other.bytes_;
    count_ += other.count_;
  }
  template <typename F>
  void for_each(F f) const {
    std::string_view rest = bytes_;
    std::string_view value;
    while (take_sized(rest, &value)) f(value);
  }

  std::int64_t owned_bytes() const {
    return static_cast<std::int64_t>(sizeof(*this) + bytes_.capacity());
  }
  void serialize(std::string& out) const {
    append_plain(count_, out);
    out += bytes_;
  }
  bool deserialize(std::string_view& in) {
    std::uint64_t count = 0;
    if (!take_plain(in, &count)) return false;
    std::string_view value;
    for (; count_ < count; add(value))
      if (!take_sized(in, &value)) return false;
    return true;
  }

 private:
  std::string bytes_;
  std::uint64_t count_ = 0;
};

/// The same with values that can be taken back.
class TakenValues : public ValueSequence<std::string_view> {
 public:
  static constexpr bool kCanTake = true;
};

/// Keeps rows of its arguments as keys (key_encoding.h: so -0.0 becomes 0.0). `Content` is one of
/// the two above.
template <typename Content>
class RowSequence : public HeapAggregator<Content> {
 public:
  using Base = HeapAggregator<Content>;
  using Base::content_of;
  using Base::state;

  /// Rows whose first argument is NULL are left out when `ignore_nulls` says so.
  RowSequence(LogicalType result_type, std::span<const LogicalType> arguments, bool ignore_nulls)
      : Base(std::move(result_type)),
        codec_({arguments.begin(), arguments.end()}),
        ignore_nulls_(ignore_nulls) {}

  std::string fingerprint() const override {
    std::string out = Content::kCanTake ? "sequence" : "appended";
    for (const LogicalType& type : codec_.types()) out += ' ' + type.to_string();
    return out;
  }
  bool is_order_dependent() const override { return true; }

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    return for_each_row(accumulators, arguments,
                        [](Content& content, std::string_view row) { content.add(row); });
  }
  bool can_retract() const override { return Content::kCanTake; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    if constexpr (Content::kCanTake) {
      return for_each_row(accumulators, arguments,
                          [](Content& content, std::string_view row) { content.take(row); });
    } else {
      return Base::retract(accumulators, arguments);
    }
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    if (state(from) != nullptr) content_of(into).merge(*state(from));
    return Status::ok();
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    std::vector<std::string_view> rows;
    std::vector<std::int32_t> ends;
    for (const std::byte* accumulator : accumulators) {
      if (const Content* content = state(accumulator))
        content->for_each([&rows](std::string_view row) { rows.push_back(row); });
      ends.push_back(static_cast<std::int32_t>(rows.size()));
    }
    TG_ASSIGN_OR_RETURN(const std::vector<ArrayPtr> columns, codec_.decode(rows));
    return make_result(columns, ends);
  }

 protected:
  /// The results of these rows: those of accumulator i end before row ends[i].
  virtual Result<ArrayPtr> make_result(const std::vector<ArrayPtr>& columns,
                                       std::span<const std::int32_t> ends) const = 0;

 private:
  template <typename F>
  Status for_each_row(Accumulators accumulators, ArgumentArrays arguments, F f) const {
    EncodedKeys rows;
    TG_RETURN_IF_ERROR(
        codec_.encode(arguments, static_cast<std::int64_t>(accumulators.size()), rows));
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      if (ignore_nulls_ && arguments[0]->IsNull(row)) continue;
      f(content_of(accumulators[i]), rows.key(row));
    }
    return Status::ok();
  }

  KeyCodec codec_;
  bool ignore_nulls_;
};

}  // namespace tidegate
