# SPDX-License-Identifier: Apache-2.0
#
# The third-party libraries, by the names that layers.txt uses: TIDEGATE_PACKAGE_<name> is the
# target to link. Also part of the installed package, whose static libraries need the same ones.

list(APPEND CMAKE_MODULE_PATH "${CMAKE_CURRENT_LIST_DIR}")
find_package(TidegateArrow 25 REQUIRED)
find_package(OpenSSL 3 REQUIRED COMPONENTS Crypto)
find_package(CURL 7.84 REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(Boost 1.77 REQUIRED)
find_package(simdjson 3 REQUIRED)
find_package(RocksDB 7.8 REQUIRED)
find_package(CLI11 2 REQUIRED)

if(NOT TARGET TidegatePackages::rdkafka)
  find_path(TIDEGATE_RDKAFKA_INCLUDE librdkafka/rdkafka.h REQUIRED)
  find_library(TIDEGATE_RDKAFKA_LIBRARY rdkafka REQUIRED)
  add_library(TidegatePackages::rdkafka UNKNOWN IMPORTED)
  set_target_properties(
    TidegatePackages::rdkafka PROPERTIES IMPORTED_LOCATION "${TIDEGATE_RDKAFKA_LIBRARY}"
                                         INTERFACE_INCLUDE_DIRECTORIES "${TIDEGATE_RDKAFKA_INCLUDE}")
endif()

if(NOT TARGET TidegatePackages::pcre2)
  find_path(TIDEGATE_PCRE2_INCLUDE pcre2.h REQUIRED)
  find_library(TIDEGATE_PCRE2_LIBRARY pcre2-8 REQUIRED)
  add_library(TidegatePackages::pcre2 UNKNOWN IMPORTED)
  set_target_properties(
    TidegatePackages::pcre2 PROPERTIES IMPORTED_LOCATION "${TIDEGATE_PCRE2_LIBRARY}"
                                       INTERFACE_INCLUDE_DIRECTORIES "${TIDEGATE_PCRE2_INCLUDE}")
endif()

if(NOT TARGET TidegatePackages::edit)
  find_path(TIDEGATE_EDIT_INCLUDE histedit.h REQUIRED)
  find_library(TIDEGATE_EDIT_LIBRARY edit REQUIRED)
  add_library(TidegatePackages::edit UNKNOWN IMPORTED)
  set_target_properties(
    TidegatePackages::edit PROPERTIES IMPORTED_LOCATION "${TIDEGATE_EDIT_LIBRARY}"
                                      INTERFACE_INCLUDE_DIRECTORIES "${TIDEGATE_EDIT_INCLUDE}")
endif()

# The Arrow kernels live in a library of their own, so `arrow` means both.
set(TIDEGATE_PACKAGE_arrow TidegateArrow::compute TidegateArrow::arrow)
set(TIDEGATE_PACKAGE_parquet TidegateArrow::parquet)
set(TIDEGATE_PACKAGE_flight TidegateArrow::flight)
set(TIDEGATE_PACKAGE_fmt fmt::fmt)
set(TIDEGATE_PACKAGE_boost Boost::headers)
set(TIDEGATE_PACKAGE_simdjson simdjson::simdjson)
set(TIDEGATE_PACKAGE_openssl OpenSSL::Crypto)
set(TIDEGATE_PACKAGE_curl CURL::libcurl)
set(TIDEGATE_PACKAGE_pcre2 TidegatePackages::pcre2)
set(TIDEGATE_PACKAGE_rdkafka TidegatePackages::rdkafka)
set(TIDEGATE_PACKAGE_rocksdb RocksDB::rocksdb-shared)
set(TIDEGATE_PACKAGE_cli11 CLI11::CLI11)
set(TIDEGATE_PACKAGE_edit TidegatePackages::edit)
# Loaded when the first model is, never linked: cmake/TidegateModels.cmake.
set(TIDEGATE_PACKAGE_onnxruntime ${CMAKE_DL_LIBS})
