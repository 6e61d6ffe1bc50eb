// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/executor.h"
#include "base/file_system.h"
#include "connectors/filesystem/block.h"
#include "connectors/filesystem/record_position.h"
#include "dataflow/operator.h"
#include "tidegate/status.h"

namespace tidegate {

/// The records of a file that could not be read, on their way into files of JSON lines:
///
///   {"file":..,"line":..,"offset":..,"code":"TG2005","label":"malformed-record","reason":..,
///    "encoding":"utf-8"|"base64","bytes":..}
///
/// Lines count from 1, offsets from 0. Many blocks' letters go into one file, since making a file
/// durable costs as much as decoding many blocks. Nothing is lost and nothing doubled by a failure:
/// as long as letters wait, the reader's position stays at the block of the first of them; and the
/// name of a file follows from that block's place, so that whoever reads it again writes the same
/// file again. Used by one thread.
class DeadLetters {
 public:
  DeadLetters(std::string folder, std::string file, FileSystem& files, Executor& executor,
              Waker waker);
  ~DeadLetters();

  /// Some letters are not on the disk.
  bool pending() const { return !lines_.empty(); }
  /// The block of the first of them.
  const RecordPosition& begin() const { return begin_; }

  void add(const RecordPosition& block, std::span<const KeptRecord> records);
  /// True when it is time to write them, before more are added. Depends on the content alone, so
  /// that files are cut at the same places each time. `offset`: where the next block begins.
  bool is_due(std::int64_t offset) const;
  /// Writes them on a blocking thread. True when that is done or there are none; otherwise the
  /// waker will be called.
  Result<bool> write();

 private:
  struct Writing;  // of the blocking thread, which may outlive the reader

  const std::string folder_;
  const std::string file_;
  FileSystem& files_;
  Executor& executor_;
  const Waker waker_;
  std::string lines_;
  RecordPosition begin_;
  std::shared_ptr<Writing> writing_;  // null: not begun
};

/// "file 'a.json', line 3 (byte 120): ..."
Status at_record(Status reason, std::string_view file, std::int64_t line, std::int64_t offset);

}  // namespace tidegate
