// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidegate/codec.h"
#include "tidegate/record.h"

namespace tidegate {

/// The headers of a message, in order; names may come more than once. As a member of a record:
///
///   struct Click { std::string url; Headers headers; };
///   app.source<Click>(kafka("clicks").format(json()).metadata("headers"))
///   clicks.sink(kafka("seen").format(json()).metadata("headers"))
struct Headers {
  std::vector<std::pair<std::string, std::optional<std::string>>> entries;

  void add(std::string name, std::optional<std::string> value) {
    entries.emplace_back(std::move(name), std::move(value));
  }
  /// Without all headers of this name.
  void remove(std::string_view name) {
    std::erase_if(entries, [&](const auto& entry) { return entry.first == name; });
  }
  /// The value of the last header of this name; nullopt also for one without a value.
  std::optional<std::string> last(std::string_view name) const {
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
      if (entry->first == name) return entry->second;
    return std::nullopt;
  }
  friend bool operator==(const Headers&, const Headers&) = default;
};

template <>
struct Codec<Headers> {
  using Entries = Codec<std::vector<std::pair<std::string, std::optional<std::string>>>>;
  static void write(std::string& out, const Headers& headers) {
    Entries::write(out, headers.entries);
  }
  static bool read(std::string_view& in, Headers& headers) {
    return Entries::read(in, headers.entries);
  }
};

/// A column of bytes, as the codec makes them.
template <>
struct Scalar<Headers> {
  static constexpr ColumnType kType = ColumnType::kBytes;
  static constexpr bool kNullable = false;
  static Headers read(const ColumnView& column, std::int64_t row) {
    Headers headers;
    std::string_view bytes = column.string(row);
    if (!bytes.empty() && (!Codec<Headers>::read(bytes, headers) || !bytes.empty()))
      headers.entries.clear();
    return headers;
  }
  static void write(ColumnWriter& column, const Headers& headers) {
    std::string bytes;
    Codec<Headers>::write(bytes, headers);
    column.append_string(bytes);
  }
};

}  // namespace tidegate
