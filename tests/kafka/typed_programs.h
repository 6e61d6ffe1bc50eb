// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "tidegate/status.h"

/// Programs of the typed API over Kafka, apart from what reads and writes topics in tests: the
/// connector tidegate::kafka() and the engine's namespace of that name do not meet in one file.
namespace tidegate {

constexpr std::int64_t kTablesWindowMs = 60'000;

struct TablesRun {
  std::string brokers;
  std::string application;
  std::string folder;  ///< for state
  std::string state;   ///< "memory" or "rocksdb"
};

/// An instance of an application with tables of all kinds, over topics called APPLICATION.NAME:
///   orders, people, payments (upserts)  ->  counts, spent, joined, owed (upserts)
///   left, right (visits)                ->  visits (upserts), windows
/// Returns the exit code.
int run_tables(const TablesRun& run);

/// Reads what is in `clicks`, and writes it to `routed` (with sink.error-policy as said): to the
/// partition offset % 3, a millisecond later, without the headers "secret" and with one "last" that
/// has the last value of "h".
Status route_clicks(const std::string& brokers, const std::string& error_policy);

}  // namespace tidegate
