// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/decompressor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "connectors/filesystem/test_compression.h"

namespace tidegate {
namespace {

// Feeds the input in pieces and takes the output in pieces.
Result<std::string> decompress(Compression compression, std::string_view input,
                               std::size_t input_step, std::size_t output_step) {
  StreamDecompressor decompressor(compression);
  std::string out;
  std::string piece(output_step, '\0');
  std::size_t fed = 0;
  for (std::size_t at = 0;;) {
    Result<StreamDecompressor::Step> step =
        decompressor.decompress(std::as_bytes(std::span(input.data() + at, fed - at)),
                                std::as_writable_bytes(std::span(piece)));
    if (!step.is_ok()) return step.status();
    at += step->taken;
    out.append(piece, 0, step->written);
    if (step->taken > 0 || step->written > 0) continue;
    if (fed == input.size()) break;
    fed = std::min(input.size(), fed + input_step);
  }
  if (!decompressor.at_member_end()) return Status(ErrorCode::kFileTruncated, "truncated");
  return out;
}

class StreamDecompressorTest : public testing::TestWithParam<Compression> {};

TEST_P(StreamDecompressorTest, ReadsMembersInAnyPieces) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += "line " + std::to_string(i * 7919 % 1000) + "\n";
  const std::string input = compress(GetParam(), text) + compress(GetParam(), "second\n");
  for (const std::size_t input_step : {1u, 100u, 1000000u}) {
    for (const std::size_t output_step : {1u, 1000u, 1000000u}) {
      Result<std::string> got = decompress(GetParam(), input, input_step, output_step);
      ASSERT_TRUE(got.is_ok()) << got.status().to_string();
      EXPECT_EQ(*got, text + "second\n");
    }
  }
}

TEST_P(StreamDecompressorTest, NoticesTruncationAndDamage) {
  const std::string input = compress(GetParam(), "hello, hello, hello\n");
  for (std::size_t size = 1; size < input.size(); ++size)
    EXPECT_FALSE(decompress(GetParam(), input.substr(0, size), 1000, 1000).is_ok()) << size;
  std::string damaged = input;
  damaged[input.size() - 2] = static_cast<char>(damaged[input.size() - 2] ^ 0x55);
  if (GetParam() == Compression::kGzip) {  // has a checksum always
    EXPECT_EQ(decompress(GetParam(), damaged, 1000, 1000).status().code(),
              ErrorCode::kMalformedFile);
  }
  EXPECT_EQ(decompress(GetParam(), input + "garbage", 1000, 1000).status().code(),
            ErrorCode::kMalformedFile);
}

INSTANTIATE_TEST_SUITE_P(All, StreamDecompressorTest,
                         testing::Values(Compression::kGzip, Compression::kZstd));

TEST(StreamDecompressor, TakesZerosBehindAMember) {
  const std::string input = compress(Compression::kGzip, "x\n") + std::string(100, '\0');
  Result<std::string> got = decompress(Compression::kGzip, input, 1000, 1000);
  ASSERT_TRUE(got.is_ok());
  EXPECT_EQ(*got, "x\n");
}

TEST(DetectCompression, NeedsNameAndBytesToAgree) {
  EXPECT_EQ(*detect_compression("a.json", "{\"a\""), Compression::kNone);
  EXPECT_EQ(*detect_compression("a.json", ""), Compression::kNone);
  EXPECT_EQ(*detect_compression("a.json", "\x1f\x8b\x08"), Compression::kGzip);
  EXPECT_EQ(*detect_compression("a.json.gz", "\x1f\x8b\x08"), Compression::kGzip);
  EXPECT_EQ(*detect_compression("a.zst", "\x28\xb5\x2f\xfd"), Compression::kZstd);
  EXPECT_EQ(detect_compression("a.gz", "{\"a\"").status().code(), ErrorCode::kMalformedFile);
  EXPECT_EQ(detect_compression("a.gz", "").status().code(), ErrorCode::kFileTruncated);
  EXPECT_EQ(detect_compression("a.bz2", "BZh9").status().code(), ErrorCode::kNotSupported);
  EXPECT_EQ(detect_compression("a", "\xfd\x37zXZ").status().code(), ErrorCode::kNotSupported);
}

}  // namespace
}  // namespace tidegate
