// SPDX-License-Identifier: Apache-2.0
#include "formats/json_index.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>

namespace tidegate {

namespace {

constexpr std::size_t kSmallestCapacity = std::size_t{1} << 16;
// An index takes four bytes per byte of input: one made for a huge record is not kept.
constexpr std::size_t kLargestKeptCapacity = std::size_t{1} << 22;
constexpr std::size_t kNumStops = 3;

}  // namespace

struct JsonIndex::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  std::size_t capacity = 0;

  bool reserve(std::size_t bytes) {
    const bool too_large = capacity > kLargestKeptCapacity && bytes < kLargestKeptCapacity;
    if (bytes <= capacity && !too_large) return true;
    capacity = std::max(bytes, kSmallestCapacity);
    // Depth is the reader's own affair.
    constexpr std::size_t kMaxDepth = 1;
    const simdjson::error_code failed =
        stage == nullptr ? simdjson::get_active_implementation()->create_dom_parser_implementation(
                               capacity, kMaxDepth, stage)
                         : stage->set_capacity(capacity);
    if (failed) capacity = 0;
    return !failed;
  }
};

JsonIndex::JsonIndex() : parser_(std::make_unique<Parser>()) {}
JsonIndex::~JsonIndex() = default;
JsonIndex::JsonIndex(JsonIndex&&) noexcept = default;

JsonIndex::Fault JsonIndex::run(std::string_view block) {
  if (!parser_->reserve(block.size())) return Fault::kOutOfMemory;
  simdjson::internal::dom_parser_implementation& stage = *parser_->stage;
  const auto outcome = stage.stage1(reinterpret_cast<const std::uint8_t*>(block.data()),
                                    block.size(), simdjson::stage1_mode::regular);
  switch (outcome) {
    case simdjson::SUCCESS:
      break;
    case simdjson::EMPTY:
      stage.n_structural_indexes = 0;
      break;
    case simdjson::UTF8_ERROR:
      return Fault::kInvalidUtf8;
    case simdjson::UNCLOSED_STRING:
      return Fault::kUnclosedString;
    case simdjson::UNESCAPED_CHARS:
      return Fault::kControlCharacter;
    default:
      return Fault::kOutOfMemory;
  }
  // simdjson allocates seven entries more than there are bytes.
  std::fill_n(stage.structural_indexes.get() + stage.n_structural_indexes, kNumStops,
              static_cast<std::uint32_t>(block.size() - 1));
  tokens_ = stage.structural_indexes.get();
  return Fault::kNone;
}

std::uint8_t* JsonIndex::unescape(const std::uint8_t* from, std::uint8_t* to) const {
  return parser_->stage->parse_string(from, to);
}

}  // namespace tidegate
