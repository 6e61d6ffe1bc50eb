// SPDX-License-Identifier: Apache-2.0
#include "tidegate/codec.h"

#include <gtest/gtest.h>

#include <limits>

namespace tidegate {

struct Profile {
  std::string name;
  std::vector<double> amounts;
  std::map<std::string, std::int64_t> countries;
  std::optional<Timestamp> last;
};
BOOST_DESCRIBE_STRUCT(Profile, (), (name, amounts, countries, last))

namespace {

template <typename T>
std::string bytes_of(const T& value) {
  std::string bytes;
  Codec<T>::write(bytes, value);
  return bytes;
}

template <typename T>
void expect_round_trip(const T& value) {
  const std::string bytes = bytes_of(value);
  std::string_view in = bytes;
  T back{};
  ASSERT_TRUE(Codec<T>::read(in, back));
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(back, value);
}

TEST(Codec, RoundTrips) {
  expect_round_trip(std::numeric_limits<std::int64_t>::min());
  expect_round_trip(1.5);
  expect_round_trip(std::string("a\0b", 3));
  expect_round_trip(std::string());
  expect_round_trip(std::optional<std::string>());
  expect_round_trip(std::optional<std::string>("x"));
  expect_round_trip(std::vector<std::string>{"a", "", "c"});
  expect_round_trip(std::map<std::int64_t, std::string>{{1, "a"}, {2, "b"}});
  expect_round_trip(std::unordered_map<std::string, double>{{"a", 1}, {"b", 2}});
  expect_round_trip(std::set<std::int32_t>{3, 1, 2});
  expect_round_trip(std::tuple<std::int32_t, std::string, bool>{1, "x", true});
  expect_round_trip(Timestamp(-5));
}

TEST(Codec, DescribedStructs) {
  const Profile profile{"ann", {1.5, 2.5}, {{"DE", 3}}, Timestamp(9)};
  const std::string bytes = bytes_of(profile);
  std::string_view in = bytes;
  Profile back;
  ASSERT_TRUE(Codec<Profile>::read(in, back));
  EXPECT_EQ(back.name, "ann");
  EXPECT_EQ(back.amounts, profile.amounts);
  EXPECT_EQ(back.countries, profile.countries);
  EXPECT_EQ(back.last, profile.last);
}

TEST(Codec, TruncatedBytesAreRefused) {
  const std::string bytes = bytes_of(Profile{"ann", {1.5}, {{"DE", 3}}, Timestamp(9)});
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view in(bytes.data(), size);
    Profile back;
    EXPECT_FALSE(Codec<Profile>::read(in, back)) << size;
  }
}

TEST(Codec, ACountThatCannotBeTrueAllocatesNothing) {
  const std::string bytes = bytes_of(std::uint32_t{0xFFFFFFFF});
  std::string_view in = bytes;
  std::vector<std::string> back;
  EXPECT_FALSE(Codec<std::vector<std::string>>::read(in, back));
  EXPECT_EQ(back.capacity(), 0u);
}

}  // namespace
}  // namespace tidegate
