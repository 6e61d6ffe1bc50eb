// SPDX-License-Identifier: Apache-2.0
#include "expr/distinct_aggregate.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "expr/state_aggregator.h"
#include "expr/word_counts.h"
#include "types/column.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"

namespace tidegate {

namespace {

struct KeyHash {
  using is_transparent = void;
  using is_avalanching = void;
  std::size_t operator()(std::string_view key) const { return hash_key(key); }
};

/// The values that are there, with how often; below zero when one was taken back before it came.
/// Keys of eight bytes (BIGINT, timestamps, DOUBLE) take less room as words.
struct ValueCounts {
  struct Keys {
    boost::unordered_flat_map<std::string, std::int64_t, KeyHash, std::equal_to<>> counts;
    std::int64_t bytes = 0;
  };
  WordCounts words;
  std::unique_ptr<Keys> keys;  // the others; null: none so far

  std::size_t size() const { return words.size() + (keys == nullptr ? 0 : keys->counts.size()); }

  /// visit(key, count); keys stay as long as nothing changes.
  template <typename Visit>
  void for_each(const Visit& visit) const {
    words.for_each([&](const std::uint64_t& word, std::int64_t count) {
      visit(std::string_view(reinterpret_cast<const char*>(&word), sizeof(word)), count);
    });
    if (keys == nullptr) return;
    for (const auto& [key, count] : keys->counts) visit(std::string_view(key), count);
  }

  std::int64_t owned_bytes() const {
    constexpr std::int64_t kSlot = sizeof(std::string) + sizeof(std::int64_t) + 1;
    std::int64_t bytes = static_cast<std::int64_t>(sizeof(*this)) +
                         static_cast<std::int64_t>(words.capacity() * WordCounts::kSlotBytes);
    if (keys == nullptr) return bytes;
    bytes += static_cast<std::int64_t>(sizeof(Keys)) + keys->bytes;
    return bytes + static_cast<std::int64_t>(keys->counts.bucket_count()) * kSlot;
  }

  /// +1 when the key came to be there, -1 when it is there no longer, else 0.
  int add(std::string_view key, std::int64_t by) {
    if (key.size() == sizeof(std::uint64_t)) return words.add(key_hash::load(key.data()), by);
    if (keys == nullptr) keys = std::make_unique<Keys>();
    auto found = keys->counts.find(key);
    if (found == keys->counts.end()) {
      found = keys->counts.emplace(std::string(key), 0).first;
      keys->bytes += heap_bytes(found->first);
    }
    const bool was_there = found->second > 0;
    found->second += by;
    const bool is_there = found->second > 0;
    if (found->second == 0) {
      keys->bytes -= heap_bytes(found->first);
      keys->counts.erase(found);
    }
    return static_cast<int>(is_there) - static_cast<int>(was_there);
  }

 private:
  static std::int64_t heap_bytes(const std::string& key) {
    return key.size() > 15 ? static_cast<std::int64_t>(key.capacity()) : 0;
  }
};

/// In the accumulator: the set, then the accumulator of the aggregator.
class DistinctAggregator final : public Aggregator, public DistinctParts {
 public:
  DistinctAggregator(std::unique_ptr<Aggregator> inner, std::span<const LogicalType> arguments)
      : inner_(std::move(inner)), codec_({arguments.begin(), arguments.end()}) {}

  LogicalType result_type() const override { return inner_->result_type(); }
  std::int32_t size_bytes() const override { return kInnerOffset + inner_->size_bytes(); }
  void create(std::byte* accumulator) const override { inner_->create(accumulator + kInnerOffset); }
  bool needs_create() const override { return inner_->needs_create(); }
  void destroy(std::byte* accumulator) const override {
    delete std::exchange(set(accumulator), nullptr);
    if (inner_->needs_destroy()) inner_->destroy(accumulator + kInnerOffset);
  }
  bool needs_destroy() const override { return true; }
  bool is_relocatable() const override { return inner_->is_relocatable(); }
  std::int64_t owned_bytes(const std::byte* accumulator) const override {
    const ValueCounts* values = set(accumulator);
    return (values == nullptr ? 0 : values->owned_bytes()) +
           inner_->owned_bytes(accumulator + kInnerOffset);
  }
  std::string fingerprint() const override {
    std::string out = "distinct";
    for (const LogicalType& type : codec_.types()) out += ' ' + type.to_string();
    return out + ": " + inner_->fingerprint();
  }

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    Changed changed;
    TG_RETURN_IF_ERROR(change(accumulators, arguments, 1, changed));
    return inner_->add(changed.accumulators, changed.arguments);
  }
  bool can_retract() const override { return inner_->can_retract(); }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    Changed changed;
    TG_RETURN_IF_ERROR(change(accumulators, arguments, -1, changed));
    return inner_->retract(changed.accumulators, changed.arguments);
  }

  bool can_merge() const override { return inner_->can_merge(); }
  Status merge(std::byte* into, const std::byte* from) const override {
    const ValueCounts* values = set(from);
    if (values == nullptr) return Status::ok();
    std::vector<std::string_view> appeared;
    std::vector<std::string_view> vanished;
    values->for_each([&](std::string_view key, std::int64_t count) {
      const int step = count_up(into, key, count);
      if (step > 0) appeared.push_back(key);
      if (step < 0) vanished.push_back(key);
    });
    TG_RETURN_IF_ERROR(pass_on(into, appeared, /*add=*/true));
    return pass_on(into, vanished, /*add=*/false);
  }
  bool is_order_dependent() const override { return inner_->is_order_dependent(); }

  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    std::vector<const std::byte*> inner;
    inner.reserve(accumulators.size());
    for (const std::byte* accumulator : accumulators) inner.push_back(accumulator + kInnerOffset);
    return inner_->result(inner);
  }

  const Aggregator& inner() const override { return *inner_; }
  std::int32_t inner_offset() const override { return kInnerOffset; }
  Status count(Accumulators accumulators, ArgumentArrays arguments, std::span<const std::int8_t> by,
               std::span<std::int8_t> steps) const override {
    EncodedKeys keys;
    TG_RETURN_IF_ERROR(
        codec_.encode(arguments, static_cast<std::int64_t>(accumulators.size()), keys));
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      prefetch(accumulators, keys, i);
      steps[i] = static_cast<std::int8_t>(
          count_up(accumulators[i], keys.key(static_cast<std::int64_t>(i)), by[i]));
    }
    return Status::ok();
  }

  void serialize(const std::byte* accumulator, std::string& out) const override {
    const ValueCounts* values = set(accumulator);
    append_plain(static_cast<std::uint64_t>(values == nullptr ? 0 : values->size()), out);
    if (values != nullptr) {
      values->for_each([&out](std::string_view key, std::int64_t count) {
        append_sized(key, out);
        append_plain(count, out);
      });
    }
    inner_->serialize(accumulator + kInnerOffset, out);
  }
  Status deserialize(std::string_view& in, std::byte* accumulator) const override {
    std::uint64_t size = 0;
    if (!take_plain(in, &size)) return corrupt_accumulator();
    delete std::exchange(set(accumulator), nullptr);
    for (; size > 0; --size) {
      std::string_view key;
      std::int64_t count = 0;
      if (!take_sized(in, &key) || !take_plain(in, &count)) return corrupt_accumulator();
      count_up(accumulator, key, count);
    }
    return inner_->deserialize(in, accumulator + kInnerOffset);
  }

 private:
  static constexpr std::int32_t kInnerOffset = sizeof(ValueCounts*);

  /// Rows that change what the inner aggregator has seen.
  struct Changed {
    std::vector<std::byte*> accumulators;
    std::vector<ArrayPtr> arguments;
  };

  static ValueCounts*& set(std::byte* accumulator) {
    return *reinterpret_cast<ValueCounts**>(accumulator);
  }
  static const ValueCounts* set(const std::byte* accumulator) {
    return *reinterpret_cast<const ValueCounts* const*>(accumulator);
  }

  static int count_up(std::byte* accumulator, std::string_view key, std::int64_t by) {
    ValueCounts*& values = set(accumulator);
    if (values == nullptr) values = new ValueCounts();
    return values->add(key, by);
  }

  /// Sets lie anywhere in memory: first they are asked for, then the place of the value in them.
  static void prefetch(Accumulators accumulators, const EncodedKeys& keys, std::size_t row) {
    constexpr std::size_t kSetsAhead = 16;
    constexpr std::size_t kValuesAhead = 8;
    if (row + kSetsAhead < accumulators.size()) {
      __builtin_prefetch(set(accumulators[row + kSetsAhead]));
    }
    if (row + kValuesAhead >= accumulators.size()) return;
    const ValueCounts* values = set(accumulators[row + kValuesAhead]);
    const std::string_view key = keys.key(static_cast<std::int64_t>(row + kValuesAhead));
    if (values != nullptr && key.size() == sizeof(std::uint64_t)) {
      values->words.prefetch(key_hash::load(key.data()));
    }
  }

  Status change(Accumulators accumulators, ArgumentArrays arguments, std::int64_t by,
                Changed& changed) const {
    EncodedKeys keys;
    TG_RETURN_IF_ERROR(
        codec_.encode(arguments, static_cast<std::int64_t>(accumulators.size()), keys));
    std::vector<std::int32_t> rows;
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      prefetch(accumulators, keys, i);
      if (count_up(accumulators[i], keys.key(static_cast<std::int64_t>(i)), by) == 0) continue;
      rows.push_back(static_cast<std::int32_t>(i));
      changed.accumulators.push_back(accumulators[i] + kInnerOffset);
    }
    for (const ArrayPtr& argument : arguments) {
      TG_ASSIGN_OR_RETURN(changed.arguments.emplace_back(), take_column(argument, rows));
    }
    return Status::ok();
  }

  Status pass_on(std::byte* accumulator, std::span<const std::string_view> keys, bool add) const {
    if (keys.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(const std::vector<ArrayPtr> arguments, codec_.decode(keys));
    const std::vector<std::byte*> accumulators(keys.size(), accumulator + kInnerOffset);
    return add ? inner_->add(accumulators, arguments) : inner_->retract(accumulators, arguments);
  }

  std::unique_ptr<Aggregator> inner_;
  KeyCodec codec_;
};

}  // namespace

const DistinctParts* DistinctParts::of(const Aggregator& aggregator) {
  return dynamic_cast<const DistinctParts*>(&aggregator);
}

std::unique_ptr<Aggregator> make_distinct(std::unique_ptr<Aggregator> aggregator,
                                          std::span<const LogicalType> arguments) {
  return std::make_unique<DistinctAggregator>(std::move(aggregator), arguments);
}

}  // namespace tidegate
