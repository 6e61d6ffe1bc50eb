// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "tidegate/status.h"

namespace tidegate {

/// Named places in the code where a test can make something go wrong:
///
///   TG_FAILPOINT("epoch.before-manifest");
///
/// returns an error from the enclosing function when the failpoint is armed so, and is nothing at
/// all where the build defines TIDEGATE_NO_FAILPOINTS (CMake: -DTIDEGATE_FAILPOINTS=OFF). Armed by
/// arm_failpoint(), or for whole programs by the environment:
/// TIDEGATE_FAILPOINTS="NAME=ACTION[@HIT][;...]", where ACTION is
///   error            kInternal
///   error:LABEL      the error of the catalogue with this label, as error:disk-full
///   delay:DURATION   sleeps, as delay:200ms
///   kill             SIGKILL to the own process: nothing is flushed, no destructor runs
///   exit             _exit(1)
/// and @HIT restricts it to that hit, counted from 1: "state.after-seal=kill@3". The only global
/// state in base; all of it is about tests.
///
///   if (TG_PROTECTED("fsync")) TG_RETURN_IF_ERROR(file->sync());
///
/// is a protection that a test takes away by arming "unprotected.fsync=error", to see that it is
/// missed. Where the protection is an order of steps, the wrong order is planted beside it:
///
///   TG_PLANTED("commit-first", publish(record));
#ifndef TIDEGATE_NO_FAILPOINTS
#define TG_FAILPOINT(name) TG_RETURN_IF_ERROR(::tidegate::hit_failpoint(name))
#define TG_PROTECTED(name) (::tidegate::hit_failpoint("unprotected." name).is_ok())
#define TG_PLANTED(name, step) \
  if (!TG_PROTECTED(name)) TG_RETURN_IF_ERROR(step)
#else
#define TG_FAILPOINT(name) \
  do {                     \
  } while (false)
#define TG_PROTECTED(name) true
#define TG_PLANTED(name, step) \
  do {                         \
  } while (false)
#endif

/// What an armed failpoint does; an error is returned from where it stands. Called without a lock,
/// by any thread. For a delay in virtual time: move the clock and return ok.
using FailpointAction = std::function<Status()>;

/// Arms a failpoint, replacing what it did and its count. With `hit` > 0 only that hit (from 1)
/// acts, else every one. Thread-safe, as the following are.
void arm_failpoint(std::string name, FailpointAction action, std::int64_t hit = 0);

/// Arms from text in the form above. kInvalidArgument for what cannot be read; nothing is armed
/// then.
Status arm_failpoints(std::string_view text);

/// Disarms everything, also what the environment has armed.
void disarm_failpoints();

/// How often an armed failpoint was passed; 0 for one that is not armed.
std::int64_t failpoint_hits(std::string_view name);

/// What TG_FAILPOINT calls. Costs one atomic load while nothing is armed.
Status hit_failpoint(std::string_view name);

}  // namespace tidegate
