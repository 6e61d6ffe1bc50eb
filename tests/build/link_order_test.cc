// SPDX-License-Identifier: Apache-2.0
#include <arrow/compute/initialize.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <parquet/properties.h>

#include <dlfcn.h>

#include <string>

namespace {

/// The file whose definition of `symbol` this process uses.
std::string provider_of(const char* symbol) {
  Dl_info info;
  void* address = dlsym(RTLD_DEFAULT, symbol);
  if (address == nullptr || dladdr(address, &info) == 0) return "nobody";
  return info.dli_fname;
}

// The linker drops a library that nobody refers to, and then there would be no clash to see.
TEST(LinkOrder, BothSidesOfTheClashAreLoaded) {
  EXPECT_NE(parquet::default_writer_properties(), nullptr);
  EXPECT_NE(provider_of("rd_kafka_version"), "nobody");
  EXPECT_GT(rd_kafka_version(), 0);
}

// libparquet and libarrow_compute export whole copies of OpenSSL and RE2. When libparquet's copy
// of the former, or another library's copy of the latter, comes first, TLS to Kafka and regular
// expressions crash at run time.
TEST(LinkOrder, OpenSslIsTheSystems) {
  EXPECT_NE(provider_of("EVP_EncryptInit_ex").find("libcrypto.so.3"), std::string::npos)
      << provider_of("EVP_EncryptInit_ex");
}

TEST(LinkOrder, Re2IsArrows) {
  EXPECT_NE(provider_of("_ZN3re23RE2C1EPKc").find("libarrow_compute"), std::string::npos)
      << provider_of("_ZN3re23RE2C1EPKc");
}

TEST(LinkOrder, KernelsInitialize) { EXPECT_TRUE(arrow::compute::Initialize().ok()); }

}  // namespace
