// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "kafka/produce.h"
#include "tidegate/status.h"

namespace tidegate::kafka {

/// The messages of one task in one epoch, in order, as bytes that an epoch can hold:
///
///   journal : block ...
///   block   : raw size | stored size | stored bytes, which are LZ4 of
///   message : partition + 2 | time | key size + 1 or 0 | key | value size + 1 or 0 | value |
///             number of headers | (name size | name | value size + 1 or 0 | value) ...
///
/// All numbers are varints (LEB128).
class MessageJournal {
 public:
  /// Takes a copy; the headers stay the caller's.
  Status add(const Outgoing& message);
  bool empty() const { return blocks_.empty() && open_.empty(); }
  /// All that was added since the last call.
  Result<std::string> take();

 private:
  Status close_block();

  std::string blocks_;
  std::string open_;
};

/// Calls `each` for the messages of a journal, in order, until it returns an error. Their bytes are
/// valid during the call. kStateCorrupt for what MessageJournal did not write.
Status read_journal(std::string_view journal, const std::function<Status(Outgoing&)>& each);

/// The numbers of the journal, for what stands around it.
void append_varint(std::string& out, std::uint64_t value);
/// False at the end of `text`, or when there is no number.
bool take_varint(std::string_view& text, std::uint64_t& value);
bool take_bytes(std::string_view& text, std::uint64_t size, std::string_view& bytes);

}  // namespace tidegate::kafka
