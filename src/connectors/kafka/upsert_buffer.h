// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "kafka/produce.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// Keeps back the last message of each key, so that a key which changes often is written seldom.
class UpsertBuffer {
 public:
  /// Due when it holds `max_keys`, or its first message has been there for `interval`.
  UpsertBuffer(std::int64_t max_keys, std::chrono::milliseconds interval, const Clock& clock);

  /// Takes the message, and forgets an earlier one of its key.
  void put(Outgoing message);
  bool is_due() const;
  /// Calls `send` for all messages until it says that there is no room (false). What was sent is
  /// gone. True when all was.
  Result<bool> drain(const std::function<Result<bool>(Outgoing&)>& send);

 private:
  struct Kept {
    std::string key;
    std::optional<std::string> value;
    std::int64_t timestamp_ms = 0;
    HeadersPtr headers;
  };

  const std::size_t max_keys_;
  const std::int64_t interval_ns_;
  const Clock& clock_;
  std::vector<Kept> kept_;  // in the order of their first change
  std::unordered_map<std::string, std::size_t> places_;
  std::size_t sent_ = 0;  // of kept_
  std::int64_t since_ns_ = 0;
};

}  // namespace tidegate::kafka
