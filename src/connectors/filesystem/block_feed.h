// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/executor.h"
#include "base/file_system.h"
#include "connectors/filesystem/block.h"
#include "connectors/filesystem/byte_stream.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// Cuts a file into blocks of whole records, in order. The cuts depend on nothing but the content
/// and the place where the feed began, if that is where a block of an earlier feed began.
class BlockFeed {
 public:
  enum class State : std::uint8_t { kBlock, kPending, kEnd };

  virtual ~BlockFeed() = default;
  /// The next block, or kPending: `wake` is called when there is more. Never blocks. One thread.
  virtual State next(BlockPtr& block) = 0;
  /// Makes sure that the block's records are in memory. Thread-safe; once per block.
  virtual Status load(Block& block) = 0;
};

struct FeedOptions {
  std::int64_t block_bytes = 0;       ///< about how large blocks are
  std::int64_t max_record_bytes = 0;  ///< longer records are reported and left out
  std::int64_t offset = 0;            ///< where to begin
  int max_ahead = 2;                  ///< blocks that may wait to be taken
  bool skip_header = false;           ///< the content's first record is not data
};

/// For plain files of lines: a block is a byte range, and has the lines that begin in it. Ranges
/// are known without reading, so they are loaded in parallel, by whoever decodes them. That is file
/// input in a job that should only compute; but the kernel reads ahead of sequential readers, so in
/// the long run it is a copy from its cache, cheaper than handing blocks from thread to thread.
std::unique_ptr<BlockFeed> make_range_feed(std::shared_ptr<RandomAccessFile> file,
                                           std::int64_t size, const FeedOptions& options,
                                           std::shared_ptr<BufferPool> pool);

/// For compressed files and records that may span lines: read and cut from front to end on a
/// blocking thread, some blocks ahead. `splitter` null: records are lines. `open` is called on that
/// thread.
std::unique_ptr<BlockFeed> make_stream_feed(
    std::function<Result<std::unique_ptr<ByteStream>>()> open,
    std::unique_ptr<RecordSplitter> splitter, const FeedOptions& options,
    std::shared_ptr<BufferPool> pool, Executor& executor, std::function<void()> wake);

}  // namespace tidegate
