// SPDX-License-Identifier: Apache-2.0
#include "base/content_hash.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace tidegate {

std::string content_hash(std::string_view content) {
  constexpr int kBytes = 16;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const int done = EVP_Digest(content.data(), content.size(), digest, &size, EVP_sha256(), nullptr);
  TG_CHECK(done == 1 && size >= kBytes, "done={} size={}", done, size);
  std::string name;
  for (int i = 0; i < kBytes; ++i) fmt::format_to(std::back_inserter(name), "{:02x}", digest[i]);
  return name;
}

}  // namespace tidegate
