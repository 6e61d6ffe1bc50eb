// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/options.h"
#include "tidegate/status.h"

namespace tidegate {

/// The settings of a job that change its plan, under Flink's names.
struct PlanSettings {
  enum class Materialize : std::uint8_t { kNone, kAuto, kForce };
  enum class NotNull : std::uint8_t { kError, kDrop };
  enum class Length : std::uint8_t { kIgnore, kTrimPad, kError };
  enum class Nested : std::uint8_t { kIgnore, kRows, kRowsAndCollections };
  /// What each epoch tells of results that change; kChanges: every change, as it happens.
  enum class OutputMode : std::uint8_t { kChanges, kAppend, kUpdate, kComplete };

  std::string time_zone = "UTC";     ///< table.local-time-zone
  int parallelism = 0;               ///< table.exec.resource.default-parallelism; 0: the job's
  std::int64_t state_ttl_ms = 0;     ///< table.exec.state.ttl
  std::int64_t idle_timeout_ms = 0;  ///< table.exec.source.idle-timeout
  bool per_batch = false;            ///< table.exec.mini-batch.enabled
  Materialize materialize = Materialize::kAuto;  ///< table.exec.sink.upsert-materialize
  NotNull not_null = NotNull::kError;            ///< table.exec.sink.not-null-enforcer
  Length length = Length::kIgnore;               ///< table.exec.sink.type-length-enforcer
  Nested nested = Nested::kIgnore;               ///< table.exec.sink.nested-constraint-enforcer

  OutputMode output_mode = OutputMode::kChanges;  ///< output.mode
  /// watermark.rule is per-batch: operators judge times to the millisecond, as Spark does.
  bool watermark_per_batch = false;

  /// kInvalidOption for values that mean nothing.
  static Result<PlanSettings> from(const Options& settings);
};

/// watermark.rule is per-batch.
bool is_watermark_per_batch(const Options& settings);

}  // namespace tidegate
