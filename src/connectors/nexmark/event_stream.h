// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate::nexmark {

/// What an event is. Of each 50 events in a row, an epoch, the first is a person, the next three
/// are auctions, the others bids.
enum class EventKind : std::uint8_t { kPerson, kAuction, kBid };

constexpr std::int64_t kEventsPerEpoch = 50;
constexpr std::int64_t kAuctionsPerEpoch = 3;
/// Events that a stream has at most: what event times and places in groups can be counted with.
constexpr std::int64_t kMaxEvents = std::int64_t{1} << 53;

inline EventKind kind_of(std::uint64_t event) {
  const std::uint64_t place = event % kEventsPerEpoch;
  if (place > kAuctionsPerEpoch) return EventKind::kBid;
  return place == 0 ? EventKind::kPerson : EventKind::kAuction;
}

struct StreamSettings {
  std::uint64_t seed = 42;
  std::int64_t rate = 1000;  ///< events a second of event time
  std::int64_t base_time_ms = 1'700'000'000'000;
  std::int64_t group = 1;  ///< events are shuffled within groups of so many; 1: they are in order
};

/// Tables that values are made from; made at the start, and only those that the columns need.
enum StreamTable : unsigned { kLetters = 1, kWords = 2, kPrices = 4, kUrls = 8 };

/// The draws that events are made of. Every value is a pure function of the seed, the event and the
/// number of the draw, so any event can be made again, by anybody, in any order. Immutable.
class EventStream {
 public:
  /// `tables`: StreamTable, or-ed.
  EventStream(const StreamSettings& settings, unsigned tables);

  const StreamSettings& settings() const { return settings_; }

  /// The event in place `i` of the stream: i, but for the shuffling within groups.
  std::uint64_t event_at(std::int64_t i) const {
    const std::int64_t group = settings_.group;
    if (group == 1) return static_cast<std::uint64_t>(i);
    return static_cast<std::uint64_t>(i / group * group + i * 953 % group);
  }
  std::int64_t time_ms(std::uint64_t event) const {
    const auto number = static_cast<std::int64_t>(event);
    if (settings_.rate == 1000) return settings_.base_time_ms + number;
    return settings_.base_time_ms + number * 1000 / settings_.rate;
  }

  /// 32 random bits: draw `k` (0..31) of an event.
  std::uint64_t draw(std::uint64_t event, unsigned k) const {
    return mix(state_ + (32 * event + k + 1) * kGolden) >> 32;
  }
  /// A draw made a number in [0, bound); bound < 2^32.
  std::int64_t below(std::uint64_t event, unsigned k, std::int64_t bound) const {
    return static_cast<std::int64_t>(draw(event, k) * static_cast<std::uint64_t>(bound) >> 32);
  }
  /// 100 to 100 million, as many of each magnitude.
  std::int64_t price(std::uint64_t event, unsigned k) const {
    const std::uint64_t bits = draw(event, k);
    const std::int64_t* const at = prices_.data() + (bits >> 16);
    return at[0] + ((at[1] - at[0]) * static_cast<std::int64_t>(bits & 0xffff) >> 16);
  }
  /// One of the last 1,000 people, or of the next few: the number, without the first id.
  std::int64_t any_person(std::uint64_t event, unsigned k) const {
    const std::int64_t people = last_person(event) + 1;
    const std::int64_t active = people < 1000 ? people : 1000;
    return people - active + below(event, k, active + 10);
  }
  /// One of the last 100 auctions before `last`, or of the next few.
  std::int64_t any_auction(std::uint64_t event, std::int64_t last, unsigned k) const {
    const std::int64_t first = last < 100 ? 0 : last - 100;
    return first + below(event, k, last - first + 11);
  }
  static std::int64_t last_person(std::uint64_t event) {
    return static_cast<std::int64_t>(event / kEventsPerEpoch);
  }

  /// A piece of random text from where draw `k` says.
  std::string_view letters(std::uint64_t event, unsigned k, std::int64_t length) const {
    return piece(letters_, event, k, length);
  }
  /// The same of text with spaces.
  std::string_view words(std::uint64_t event, unsigned k, std::int64_t length) const {
    return piece(words_, event, k, length);
  }

  /// Channels by name and, beyond them, the four that most bids come from.
  static constexpr std::size_t kChannels = 10'000;
  static constexpr std::size_t kHotChannels = 4;
  std::string_view url(std::size_t channel) const {
    return std::string_view(urls_).substr(url_begins_[channel],
                                          url_begins_[channel + 1] - url_begins_[channel]);
  }

 private:
  static constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
  static constexpr std::size_t kPoolBytes = std::size_t{1} << 20;
  static constexpr std::size_t kLongestPiece = 1024;

  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }
  std::string_view piece(const std::string& pool, std::uint64_t event, unsigned k,
                         std::int64_t length) const {
    const std::int64_t begin = below(event, k, kPoolBytes - kLongestPiece);
    return {pool.data() + begin, static_cast<std::size_t>(length)};
  }
  void make_letters();
  void make_words();
  void make_prices();
  void make_urls();

  const StreamSettings settings_;
  const std::uint64_t state_;
  std::string letters_;
  std::string words_;
  std::vector<std::int64_t> prices_;  // 65,537: what 16 bits of a draw give, and the next
  std::string urls_;                  // one after another
  std::vector<std::size_t> url_begins_;
};

}  // namespace tidegate::nexmark
