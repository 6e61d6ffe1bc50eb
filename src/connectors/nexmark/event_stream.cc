// SPDX-License-Identifier: Apache-2.0
#include "connectors/nexmark/event_stream.h"

#include <cmath>
#include <cstdlib>

namespace tidegate::nexmark {

namespace {

std::int32_t reversed_bits(std::uint32_t bits) {
  std::uint32_t reversed = 0;
  for (int i = 0; i < 32; ++i) reversed |= (bits >> i & 1) << (31 - i);
  return static_cast<std::int32_t>(reversed);
}

}  // namespace

EventStream::EventStream(const StreamSettings& settings, unsigned tables)
    : settings_(settings), state_(mix(settings.seed + kGolden)) {
  if ((tables & (kLetters | kUrls)) != 0) make_letters();
  if ((tables & kWords) != 0) make_words();
  if ((tables & kPrices) != 0) make_prices();
  if ((tables & kUrls) != 0) make_urls();
}

void EventStream::make_letters() {
  letters_.resize(kPoolBytes);
  for (std::size_t i = 0; i < kPoolBytes; ++i) {
    const std::uint64_t bits = mix((state_ ^ 0x5DEECE66D) + (i + 1) * kGolden) >> 32;
    letters_[i] = static_cast<char>('a' + (bits * 26 >> 32));
  }
}

void EventStream::make_words() {
  words_.resize(kPoolBytes);
  for (std::size_t i = 0; i < kPoolBytes; ++i) {
    const std::uint64_t bits = mix((state_ ^ 0xB5026F5AA) + (i + 1) * kGolden) >> 32;
    const std::uint64_t letter = bits * 338 >> 32;  // one in 13 is a space
    words_[i] = letter < 26 ? ' ' : static_cast<char>('a' + letter % 26);
  }
}

void EventStream::make_prices() {
  constexpr int kSteps = 1 << 16;
  prices_.reserve(kSteps + 1);
  for (int i = 0; i <= kSteps; ++i)
    prices_.push_back(std::llround(100.0 * std::pow(10.0, 6.0 * i / kSteps)));
}

void EventStream::make_urls() {
  // Events that no stream gets to lend their draws to the channels.
  constexpr std::uint64_t kFirst = std::uint64_t{1} << 40;
  for (std::size_t i = 0; i < kChannels + kHotChannels; ++i) {
    const std::uint64_t event = kFirst + i;
    url_begins_.push_back(urls_.size());
    urls_ += "https://www.nexmark.com";
    for (const unsigned k : {0u, 2u, 4u}) {
      urls_ += '/';
      urls_ += letters(event, k, 3 + below(event, k + 1, 3));
    }
    urls_ += "/item.htm?query=1";
    if (i >= kChannels || below(event, 6, 10) == 0) continue;
    const std::int64_t id = reversed_bits(static_cast<std::uint32_t>(i));
    urls_ += "&channel_id=" + std::to_string(std::abs(id));
  }
  url_begins_.push_back(urls_.size());
}

}  // namespace tidegate::nexmark
