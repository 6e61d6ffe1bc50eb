// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace tidegate {

/// What the engine does about an error. Every error code has exactly one kind.
enum class ErrorKind : std::uint8_t {
  kInvalidInput,    ///< the user wrote something wrong: stop and explain
  kBadData,         ///< a record is wrong: fail, skip or dead-letter, by policy
  kUnavailable,     ///< an outside system does not answer: retry
  kCorruption,      ///< stored bytes are not what was written: stop, keep the files
  kOutOfResources,  ///< memory, disk, descriptors: back-pressure, else stop
  kBug,             ///< an invariant of ours does not hold
};

/// Stable codes; the catalogue with names and remedies is `error_codes.inc`, the only place where
/// codes are defined. Numbers are never reused.
enum class ErrorCode : std::uint16_t {
#define TIDEGATE_ERROR(name, number, kind, label, remedy) name = number,
#include "tidegate/error_codes.inc"
#undef TIDEGATE_ERROR
};

/// One row of the catalogue.
struct ErrorInfo {
  ErrorCode code;
  ErrorKind kind;
  std::string_view label;   ///< kebab-case name, e.g. "file-not-found"
  std::string_view remedy;  ///< what to do about it, one sentence
};

/// The row of `code`; the row of `kInternal` for a number that is not in the catalogue.
const ErrorInfo& error_info(ErrorCode code);

}  // namespace tidegate
