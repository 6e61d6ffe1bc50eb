// SPDX-License-Identifier: Apache-2.0
#include "connectors/nexmark/columns.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace tidegate::nexmark {

namespace {

using Events = std::span<const std::uint64_t>;

constexpr std::int64_t kFirstId = 1000;
constexpr std::array<std::string_view, 11> kFirstNames = {
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array<std::string_view, 9> kLastNames = {
    "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};
constexpr std::array<std::string_view, 10> kCities = {
    "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
    "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array<std::string_view, 6> kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
constexpr std::array<std::string_view, EventStream::kHotChannels> kHotChannelNames = {
    "Google", "Facebook", "Baidu", "Apple"};
constexpr std::int64_t kCardLength = 19;  // "0123 4567 8901 2345"
constexpr std::int64_t kStateLength = 2;

/// Writes into the place that a column gave; the bounds are those of what is written here.
class Writer {
 public:
  explicit Writer(std::uint8_t* to) : begin_(to), to_(to) {}
  void put(std::string_view text) {
    std::memcpy(to_, text.data(), text.size());
    to_ += text.size();
  }
  void put_number(std::int64_t value) {
    constexpr std::ptrdiff_t kMaxDigits = 20;
    char* const at = reinterpret_cast<char*>(to_);
    to_ = reinterpret_cast<std::uint8_t*>(std::to_chars(at, at + kMaxDigits, value).ptr);
  }
  void put_four_digits(std::int64_t value) {
    for (int i = 3; i >= 0; --i, value /= 10) to_[i] = static_cast<std::uint8_t>('0' + value % 10);
    to_ += 4;
  }
  std::size_t written() const { return static_cast<std::size_t>(to_ - begin_); }

 private:
  std::uint8_t* const begin_;
  std::uint8_t* to_;
};

// One loop per column, made by the compiler: `value` is inlined.
template <typename Value>
void append_numbers(Events events, ColumnBuilder& column, const Value& value) {
  for (const std::uint64_t event : events) column.append(std::int64_t{value(event)});
}

template <typename Value>
void append_texts(Events events, ColumnBuilder& column, const Value& value) {
  for (const std::uint64_t event : events) column.append_bytes(value(event));
}

/// The text that fills a record up to about `target` bytes, of which `used` are in other columns.
std::string_view filler(const EventStream& stream, std::uint64_t event, std::int64_t used,
                        std::int64_t target, unsigned k) {
  const std::int64_t missing = target - used;
  if (missing < 0) return {};
  const std::int64_t spread = (missing + 2) / 5;
  const std::int64_t more = spread > 0 ? stream.below(event, k + 1, 2 * spread) : 0;
  return stream.letters(event, k, missing - spread + more);
}

void append_time(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_numbers(events, column, [&](std::uint64_t e) { return stream.time_ms(e); });
}

// ---- people ----

std::string_view first_name(const EventStream& stream, std::uint64_t event) {
  return kFirstNames[static_cast<std::size_t>(stream.below(event, 0, kFirstNames.size()))];
}
std::string_view last_name(const EventStream& stream, std::uint64_t event) {
  return kLastNames[static_cast<std::size_t>(stream.below(event, 1, kLastNames.size()))];
}
std::string_view city(const EventStream& stream, std::uint64_t event) {
  return kCities[static_cast<std::size_t>(stream.below(event, 10, kCities.size()))];
}
// An address is "<user>@<host>.com".
std::int64_t user_length(const EventStream& stream, std::uint64_t event) {
  return 3 + stream.below(event, 3, 4);
}
std::int64_t host_length(const EventStream& stream, std::uint64_t event) {
  return 3 + stream.below(event, 5, 2);
}

void append_person_id(const EventStream&, Events events, ColumnBuilder& column) {
  append_numbers(events, column,
                 [](std::uint64_t e) { return kFirstId + EventStream::last_person(e); });
}

void append_name(const EventStream& stream, Events events, ColumnBuilder& column) {
  for (const std::uint64_t event : events) {
    Writer writer(column.begin_bytes(64));
    writer.put(first_name(stream, event));
    writer.put(" ");
    writer.put(last_name(stream, event));
    column.end_bytes(writer.written());
  }
}

void append_email(const EventStream& stream, Events events, ColumnBuilder& column) {
  for (const std::uint64_t event : events) {
    Writer writer(column.begin_bytes(64));
    writer.put(stream.letters(event, 2, user_length(stream, event)));
    writer.put("@");
    writer.put(stream.letters(event, 4, host_length(stream, event)));
    writer.put(".com");
    column.end_bytes(writer.written());
  }
}

void append_credit_card(const EventStream& stream, Events events, ColumnBuilder& column) {
  for (const std::uint64_t event : events) {
    Writer writer(column.begin_bytes(kCardLength));
    for (const unsigned k : {6u, 7u, 8u, 9u}) {
      if (k > 6) writer.put(" ");
      writer.put_four_digits(stream.below(event, k, 10'000));
    }
    column.end_bytes(writer.written());
  }
}

void append_city(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_texts(events, column, [&](std::uint64_t e) { return city(stream, e); });
}

void append_state(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_texts(events, column, [&](std::uint64_t e) {
    return kStates[static_cast<std::size_t>(stream.below(e, 11, kStates.size()))];
  });
}

void append_person_extra(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_texts(events, column, [&](std::uint64_t e) {
    const std::size_t names = first_name(stream, e).size() + last_name(stream, e).size() + 1;
    const std::int64_t email =
        user_length(stream, e) + host_length(stream, e) + 5;  // '@' and ".com"
    const auto used = static_cast<std::int64_t>(names + city(stream, e).size());
    return filler(stream, e, 8 + used + email + kCardLength + kStateLength, 200, 12);
  });
}

// ---- auctions ----

std::int64_t item_name_length(const EventStream& stream, std::uint64_t event) {
  return 3 + stream.below(event, 7, 17);
}
std::int64_t description_length(const EventStream& stream, std::uint64_t event) {
  return 3 + stream.below(event, 9, 97);
}

void append_auction_id(const EventStream&, Events events, ColumnBuilder& column) {
  append_numbers(events, column, [](std::uint64_t e) {
    const auto place = static_cast<std::int64_t>(e % kEventsPerEpoch);
    return kFirstId + EventStream::last_person(e) * kAuctionsPerEpoch + place - 1;
  });
}

void append_item_name(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_texts(events, column,
               [&](std::uint64_t e) { return stream.words(e, 6, item_name_length(stream, e)); });
}

void append_description(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_texts(events, column,
               [&](std::uint64_t e) { return stream.words(e, 8, description_length(stream, e)); });
}

void append_initial_bid(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_numbers(events, column, [&](std::uint64_t e) { return stream.price(e, 3); });
}

void append_reserve(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_numbers(events, column,
                 [&](std::uint64_t e) { return stream.price(e, 3) + stream.price(e, 4); });
}

void append_expires(const EventStream& stream, Events events, ColumnBuilder& column) {
  const std::int64_t bound = std::max<std::int64_t>(2 * (1666 * 1000 / stream.settings().rate), 1);
  append_numbers(events, column, [&](std::uint64_t e) {
    return stream.time_ms(e) + 1 + stream.below(e, 5, bound);
  });
}

void append_seller(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_numbers(events, column, [&](std::uint64_t e) {
    const std::int64_t any = stream.any_person(e, 1);
    const std::int64_t hot = EventStream::last_person(e) / 100 * 100;
    return kFirstId + (stream.below(e, 0, 4) > 0 ? hot : any);
  });
}

void append_category(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_numbers(events, column, [&](std::uint64_t e) { return 10 + stream.below(e, 2, 5); });
}

void append_auction_extra(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_texts(events, column, [&](std::uint64_t e) {
    const std::int64_t used = 48 + item_name_length(stream, e) + description_length(stream, e);
    return filler(stream, e, used, 500, 10);
  });
}

// ---- bids ----

void append_bid_auction(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_numbers(events, column, [&](std::uint64_t e) {
    const std::int64_t last = EventStream::last_person(e) * kAuctionsPerEpoch + 2;
    const std::int64_t any = stream.any_auction(e, last, 1);
    return kFirstId + (stream.below(e, 0, 2) > 0 ? last / 100 * 100 : any);
  });
}

void append_bidder(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_numbers(events, column, [&](std::uint64_t e) {
    const std::int64_t any = stream.any_person(e, 3);
    const std::int64_t hot = EventStream::last_person(e) / 100 * 100 + 1;
    return kFirstId + (stream.below(e, 2, 4) > 0 ? hot : any);
  });
}

void append_price(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_numbers(events, column, [&](std::uint64_t e) { return stream.price(e, 4); });
}

std::size_t channel_of(const EventStream& stream, std::uint64_t event) {
  const auto hot = static_cast<std::size_t>(stream.below(event, 6, EventStream::kHotChannels));
  const auto any = static_cast<std::size_t>(stream.below(event, 7, EventStream::kChannels));
  return stream.below(event, 5, 2) > 0 ? EventStream::kChannels + hot : any;
}

void append_channel(const EventStream& stream, Events events, ColumnBuilder& column) {
  for (const std::uint64_t event : events) {
    const std::size_t channel = channel_of(stream, event);
    Writer writer(column.begin_bytes(64));
    if (channel >= EventStream::kChannels) {
      writer.put(kHotChannelNames[channel - EventStream::kChannels]);
    } else {
      writer.put("channel-");
      writer.put_number(static_cast<std::int64_t>(channel));
    }
    column.end_bytes(writer.written());
  }
}

void append_url(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_texts(events, column, [&](std::uint64_t e) { return stream.url(channel_of(stream, e)); });
}

void append_bid_extra(const EventStream& stream, Events events, ColumnBuilder& column) {
  append_texts(events, column, [&](std::uint64_t e) { return filler(stream, e, 32, 100, 8); });
}

constexpr EventColumn kPersonColumns[] = {
    {"id", TypeKind::kBigInt, 0, append_person_id},
    {"name", TypeKind::kVarchar, 0, append_name},
    {"emailAddress", TypeKind::kVarchar, kLetters, append_email},
    {"creditCard", TypeKind::kVarchar, 0, append_credit_card},
    {"city", TypeKind::kVarchar, 0, append_city},
    {"state", TypeKind::kVarchar, 0, append_state},
    {"dateTime", TypeKind::kTimestamp, 0, append_time},
    {"extra", TypeKind::kVarchar, kLetters, append_person_extra},
};

constexpr EventColumn kAuctionColumns[] = {
    {"id", TypeKind::kBigInt, 0, append_auction_id},
    {"itemName", TypeKind::kVarchar, kWords, append_item_name},
    {"description", TypeKind::kVarchar, kWords, append_description},
    {"initialBid", TypeKind::kBigInt, kPrices, append_initial_bid},
    {"reserve", TypeKind::kBigInt, kPrices, append_reserve},
    {"dateTime", TypeKind::kTimestamp, 0, append_time},
    {"expires", TypeKind::kTimestamp, 0, append_expires},
    {"seller", TypeKind::kBigInt, 0, append_seller},
    {"category", TypeKind::kBigInt, 0, append_category},
    {"extra", TypeKind::kVarchar, kLetters, append_auction_extra},
};

constexpr EventColumn kBidColumns[] = {
    {"auction", TypeKind::kBigInt, 0, append_bid_auction},
    {"bidder", TypeKind::kBigInt, 0, append_bidder},
    {"price", TypeKind::kBigInt, kPrices, append_price},
    {"channel", TypeKind::kVarchar, 0, append_channel},
    {"url", TypeKind::kVarchar, kUrls, append_url},
    {"dateTime", TypeKind::kTimestamp, 0, append_time},
    {"extra", TypeKind::kVarchar, kLetters, append_bid_extra},
};

}  // namespace

std::span<const EventColumn> columns_of(EventKind kind) {
  switch (kind) {
    case EventKind::kPerson:
      return kPersonColumns;
    case EventKind::kAuction:
      return kAuctionColumns;
    case EventKind::kBid:
      break;
  }
  return kBidColumns;
}

std::string_view name_of(EventKind kind) {
  switch (kind) {
    case EventKind::kPerson:
      return "person";
    case EventKind::kAuction:
      return "auction";
    case EventKind::kBid:
      break;
  }
  return "bid";
}

}  // namespace tidegate::nexmark
