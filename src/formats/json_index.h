// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace tidegate {

/// Where the tokens of a block of JSON begin: the first stage of simdjson, which finds them (and
/// checks UTF-8) at several gigabytes a second. A token is one of { } [ ] : , or the first byte of
/// a string (its quote), number or literal.
///
/// Used below simdjson's documents and not through them, for two reasons. A block holds many
/// records, and the outcome must be exact for each of them however bad its neighbours are: when
/// this stage finds no fault with a block, no string in it holds a raw newline, so the tokens of a
/// line are the same as if the line stood alone. And walking the tokens with knowledge of the
/// wanted columns is about twice as fast.
class JsonIndex {
 public:
  enum class Fault : std::uint8_t {
    kNone,
    kInvalidUtf8,
    kControlCharacter,  ///< a raw control character (a newline, say) in a string
    kUnclosedString,
    kOutOfMemory,
  };

  JsonIndex();
  ~JsonIndex();
  JsonIndex(JsonIndex&&) noexcept;

  /// Indexes `block`, which ends with a newline and is shorter than 4 GiB.
  Fault run(std::string_view block);
  /// Offsets of the tokens, then a few that point at the final newline, which stops any reader
  /// since it is no token. Valid until the next run.
  const std::uint32_t* tokens() const { return tokens_; }
  /// Resolves the escapes of the string whose bytes behind the quote are at `from`. Needs as much
  /// room at `to` as the string is long, and 64 bytes more. Returns the end of what was written, or
  /// null when an escape is wrong.
  std::uint8_t* unescape(const std::uint8_t* from, std::uint8_t* to) const;

 private:
  struct Parser;  // keeps simdjson.h out of headers
  std::unique_ptr<Parser> parser_;
  const std::uint32_t* tokens_ = nullptr;
};

}  // namespace tidegate
