// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <rocksdb/compaction_filter.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "state/base_keys.h"
#include "state/binary_codec.h"

namespace tidegate {

/// Removes expired rows when files are rewritten.
class ExpiredRows final : public rocksdb::CompactionFilterFactory {
 public:
  void set(BaseTableId table, KeyGroupRange own, std::int64_t last_stamp) {
    const std::lock_guard lock(mutex_);
    auto fresh = std::make_shared<Bounds>(*bounds_);
    (*fresh)[{table, own.begin}] = {own, last_stamp};
    bounds_ = std::move(fresh);
  }
  void clear() {
    const std::lock_guard lock(mutex_);
    bounds_ = std::make_shared<Bounds>();
  }

  const char* Name() const override { return "tidegate-expired"; }
  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context&) override {
    const std::lock_guard lock(mutex_);
    return std::make_unique<Rows>(bounds_);
  }

 private:
  struct Bound {
    KeyGroupRange own;
    std::int64_t last_stamp = 0;
  };
  using Bounds = std::map<std::pair<BaseTableId, int>, Bound>;

  class Rows final : public rocksdb::CompactionFilter {
   public:
    explicit Rows(std::shared_ptr<const Bounds> bounds) : bounds_(std::move(bounds)) {}
    const char* Name() const override { return "tidegate-expired"; }
    bool Filter(int, const rocksdb::Slice& key, const rocksdb::Slice& value, std::string*,
                bool*) const override {
      const std::string_view bytes = view(key);
      if (bounds_->empty() || bytes.size() < kHashBytes) return false;
      const auto table = read_big_endian<BaseTableId>(bytes);
      const auto hash = read_big_endian<std::uint64_t>(bytes.substr(kNamespaceBytes));
      for (auto bound = bounds_->lower_bound({table, 0});
           bound != bounds_->end() && bound->first.first == table; ++bound) {
        const auto& [own, last_stamp] = bound->second;
        if (!own.contains(key_group_of(hash, own.total))) continue;
        std::int64_t stamp = 0;
        std::string_view in = view(value);
        return read_fixed(in, stamp) && stamp <= last_stamp;
      }
      return false;
    }

   private:
    std::shared_ptr<const Bounds> bounds_;
  };

  std::mutex mutex_;
  std::shared_ptr<const Bounds> bounds_ = std::make_shared<Bounds>();
};

}  // namespace tidegate
