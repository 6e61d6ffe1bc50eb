// SPDX-License-Identifier: Apache-2.0
//
// Keys, a batch at a time: encoding and hashing of 4096-row batches, against std::hash of the same
// strings one by one; and the reading of timestamps.
//
//   keys [--json]

#include <arrow/array.h>
#include <arrow/builder.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "measured_child.h"
#include "types/key_encoding.h"
#include "types/key_hash.h"
#include "types/time_text.h"

namespace tidegate::bench {
namespace {

constexpr std::int64_t kRows = 4096;
constexpr std::int64_t kRounds = 50'000;
constexpr std::int64_t kEvents = kRows * kRounds;

/// URLs of 5 to 22 bytes in no order of length, as a log has them.
ArrayPtr short_strings() {
  arrow::StringBuilder builder;
  std::uint64_t seed = 1;
  for (std::int64_t i = 0; i < kRows; ++i) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    std::string url = "/page/" + std::to_string(seed >> 54);
    url.append((seed >> 40) % 12, 'x');
    if (!builder.Append(url).ok()) return nullptr;
  }
  return *builder.Finish();
}

ArrayPtr numbers() {
  arrow::Int64Builder builder;
  for (std::int64_t i = 0; i < kRows; ++i)
    if (!builder.Append(i * 1000003).ok()) return nullptr;
  return *builder.Finish();
}

/// Encodes and hashes the same batch again and again.
std::uint64_t encode_and_hash(const std::vector<LogicalType>& types,
                              const std::vector<ArrayPtr>& columns) {
  const KeyCodec codec(types);
  EncodedKeys keys;
  std::vector<std::uint64_t> hashes(kRows);
  std::uint64_t sum = 0;
  for (std::int64_t round = 0; round < kRounds; ++round) {
    if (!codec.encode(columns, kRows, keys).is_ok()) return 0;
    hash_keys(keys, hashes);
    sum += hashes[static_cast<std::size_t>(round % kRows)];
  }
  return sum;
}

std::uint64_t standard_hash(const ArrayPtr& column) {
  const auto& strings = static_cast<const arrow::StringArray&>(*column);
  std::vector<std::uint64_t> hashes(kRows);
  std::uint64_t sum = 0;
  for (std::int64_t round = 0; round < kRounds; ++round) {
    for (std::int64_t i = 0; i < kRows; ++i)
      hashes[static_cast<std::size_t>(i)] = std::hash<std::string_view>()(strings.GetView(i));
    sum += hashes[static_cast<std::size_t>(round % kRows)];
  }
  return sum;
}

std::uint64_t read_timestamps() {
  char text[] = "2020-10-10 00:00:01";
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < kEvents; ++i) {
    text[18] = static_cast<char>('0' + i % 10);
    std::int64_t value = 0;
    if (!parse_timestamp({text, sizeof(text) - 1}, 3, &value)) return 0;
    sum += static_cast<std::uint64_t>(value);
  }
  return sum;
}

int run(bool json) {
  const ArrayPtr strings = short_strings();
  const ArrayPtr int64s = numbers();
  const LogicalType text = LogicalType::string();
  const LogicalType number(TypeKind::kBigInt);
  const Cost base = measure([&] { return standard_hash(strings); });
  report(json, "keys", "std::hash of a string", kEvents, base);
  const auto against_base = [&](const char* name, const Cost& cost) {
    report(json, "keys", name, kEvents, cost, "std::hash of a string", base.cpu_s / cost.cpu_s);
  };
  against_base("STRING", measure([&] { return encode_and_hash({text}, {strings}); }));
  against_base("BIGINT", measure([&] { return encode_and_hash({number}, {int64s}); }));
  against_base("STRING, BIGINT", measure([&] {
                 return encode_and_hash({text, number}, {strings, int64s});
               }));
  report(json, "keys", "read a timestamp", kEvents, measure(read_timestamps));
  return 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) {
  return tidegate::bench::run(argc > 1 && std::strcmp(argv[1], "--json") == 0);
}
