// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// Bytes with room behind them for SIMD parsers, not set to anything first.
struct ByteBuffer {
  std::unique_ptr<char[]> data;
  std::size_t capacity = 0;  // the room behind not counted

  /// Makes room for `bytes`; the first `keep` bytes stay.
  void reserve(std::size_t bytes, std::size_t keep = 0);
};

/// Buffers for use again: fresh memory costs a page fault every 4 KiB. Thread-safe.
class BufferPool {
 public:
  ByteBuffer take();
  void give(ByteBuffer buffer);

 private:
  std::mutex mutex_;
  std::vector<ByteBuffer> free_;
};

/// A record that could not be read, kept for its report.
struct KeptRecord {
  Status reason;
  std::int64_t offset = 0;  ///< in the file's (decompressed) content
  std::int64_t line = 0;    ///< within the block, from 0
  std::string bytes;        ///< at most the first kMaxKeptBytes
};

/// As much of a bad record as is kept in messages' and dead letters' favour.
inline constexpr std::size_t kMaxKeptBytes = std::size_t{64} << 10;

/// A piece of a file: some whole records, and what became of them. One thread has it at a time: the
/// one that made it, then the one that claimed it, then the reader that finds it done.
struct Block {
  enum class State : std::uint8_t { kReady, kClaimed, kDone };

  std::int64_t offset = 0;  ///< where it begins
  std::int64_t end = 0;     ///< where the next one begins
  std::atomic<State> state{State::kReady};

  // Filled when it is loaded.
  ByteBuffer buffer;
  std::string_view records;
  std::int64_t records_offset = 0;  ///< of `records` in the content
  /// A record behind them that is longer than the limit.
  std::optional<KeptRecord> too_long;

  // Filled when it is decoded.
  Batch rows;
  std::int64_t num_lines = 0;
  std::int64_t num_bad = 0;
  std::vector<KeptRecord> bad;  ///< as far as the policy wants them
  Status status;                ///< why the file cannot be read on

  bool claim() {
    State ready = State::kReady;
    return state.compare_exchange_strong(ready, State::kClaimed);
  }
  bool is_done() const { return state == State::kDone; }
};

using BlockPtr = std::shared_ptr<Block>;

}  // namespace tidegate
