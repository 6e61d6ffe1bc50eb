// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <arrow/result.h>
#include <arrow/util/compression.h>

#include <string>
#include <string_view>

#include "base/check.h"
#include "connectors/filesystem/decompressor.h"

namespace tidegate {

/// One member, for tests.
inline std::string compress(Compression compression, std::string_view text) {
  auto codec = arrow::util::Codec::Create(
      compression == Compression::kGzip ? arrow::Compression::GZIP : arrow::Compression::ZSTD);
  TG_CHECK(codec.ok(), "{}", codec.status().message());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<std::int64_t>(text.size());
  std::string out(static_cast<std::size_t>((*codec)->MaxCompressedLen(size, bytes)), '\0');
  auto written = (*codec)->Compress(size, bytes, static_cast<std::int64_t>(out.size()),
                                    reinterpret_cast<std::uint8_t*>(out.data()));
  TG_CHECK(written.ok(), "{}", written.status().message());
  out.resize(static_cast<std::size_t>(*written));
  return out;
}

}  // namespace tidegate
