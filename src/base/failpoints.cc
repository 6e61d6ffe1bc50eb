// SPDX-License-Identifier: Apache-2.0
#include "base/failpoints.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/options.h"

namespace tidegate {
namespace {

struct Armed {
  FailpointAction action;
  std::int64_t only_hit = 0;
  std::int64_t hits = 0;
};

// One entry of TIDEGATE_FAILPOINTS.
struct Entry {
  std::string name;
  FailpointAction action;
  std::int64_t hit = 0;
};

Status unreadable(std::string_view entry, std::string_view what) {
  return error(ErrorCode::kInvalidArgument, "failpoint '{}': {}", entry, what);
}

std::optional<ErrorCode> code_with_label(std::string_view label) {
#define TIDEGATE_ERROR(name, number, kind, error_label, remedy) \
  if (label == error_label) return ErrorCode::name;
#include "tidegate/error_codes.inc"
#undef TIDEGATE_ERROR
  return {};
}

FailpointAction fail_with(ErrorCode code, std::string_view name) {
  return [status = error(code, "failpoint '{}'", name)] { return status; };
}

Result<FailpointAction> parse_action(std::string_view text, std::string_view name) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view verb = text.substr(0, colon);
  const std::string_view argument = text.substr(std::min(colon + 1, text.size()));
  if (text == "kill") {
    return [] {
      ::kill(::getpid(), SIGKILL);
      return Status::ok();
    };
  }
  if (text == "exit") return []() -> Status { ::_exit(1); };
  if (text == "error") return fail_with(ErrorCode::kInternal, name);
  if (verb == "error") {
    const std::optional<ErrorCode> code = code_with_label(argument);
    if (code) return fail_with(*code, name);
    return unreadable(name, fmt::format("there is no error '{}'", argument));
  }
  if (verb == "delay") {
    TG_ASSIGN_OR_RETURN(const std::chrono::milliseconds duration, parse_duration(argument));
    return [duration] {
      std::this_thread::sleep_for(duration);
      return Status::ok();
    };
  }
  return unreadable(name, fmt::format("'{}' is not error, delay:DURATION, kill or exit", text));
}

// "NAME=ACTION[@HIT]"
Result<Entry> parse_entry(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string_view::npos) {
    return unreadable(text, "the form is NAME=ACTION[@HIT]");
  }
  Entry entry;
  entry.name = text.substr(0, equals);
  std::string_view action = text.substr(equals + 1);
  const std::size_t at = action.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view hit = action.substr(at + 1);
    const char* const end = hit.data() + hit.size();
    const auto [stop, problem] = std::from_chars(hit.data(), end, entry.hit);
    if (problem != std::errc() || stop != end || entry.hit < 1) {
      return unreadable(text, fmt::format("'{}' is not the number of a hit, from 1", hit));
    }
    action = action.substr(0, at);
  }
  TG_ASSIGN_OR_RETURN(entry.action, parse_action(action, entry.name));
  return entry;
}

Result<std::vector<Entry>> parse_entries(std::string_view text) {
  std::vector<Entry> entries;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    if (end > 0) {
      TG_ASSIGN_OR_RETURN(Entry entry, parse_entry(text.substr(0, end)));
      entries.push_back(std::move(entry));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return entries;
}

class Failpoints {
 public:
  static Failpoints& instance() {
    static Failpoints failpoints;
    return failpoints;
  }

  void arm(std::string name, FailpointAction action, std::int64_t hit) {
    const std::lock_guard lock(mutex_);
    armed_[std::move(name)] = {std::move(action), hit, 0};
    any_armed_.store(true, std::memory_order_release);
  }

  void disarm() {
    const std::lock_guard lock(mutex_);
    armed_.clear();
    any_armed_.store(false, std::memory_order_release);
  }

  std::int64_t hits(std::string_view name) {
    const std::lock_guard lock(mutex_);
    const auto found = armed_.find(name);
    return found == armed_.end() ? 0 : found->second.hits;
  }

  Status hit(std::string_view name) {
    if (!any_armed_.load(std::memory_order_acquire)) return Status::ok();
    FailpointAction action;
    {
      const std::lock_guard lock(mutex_);
      const auto found = armed_.find(name);
      if (found == armed_.end()) return Status::ok();
      Armed& armed = found->second;
      ++armed.hits;
      if (armed.only_hit == 0 || armed.only_hit == armed.hits) action = armed.action;
    }
    return action ? action() : Status::ok();
  }

 private:
  Failpoints() {
    const char* const text = ::getenv("TIDEGATE_FAILPOINTS");
    if (text == nullptr) return;
    Result<std::vector<Entry>> entries = parse_entries(text);
    // A test that arms nothing by mistake would pass for the wrong reason.
    TG_CHECK(entries.is_ok(), "TIDEGATE_FAILPOINTS: {}", entries.status().message());
    for (Entry& entry : *entries) arm(std::move(entry.name), std::move(entry.action), entry.hit);
  }

  std::atomic<bool> any_armed_{false};
  std::mutex mutex_;
  std::map<std::string, Armed, std::less<>> armed_;
};

}  // namespace

void arm_failpoint(std::string name, FailpointAction action, std::int64_t hit) {
  Failpoints::instance().arm(std::move(name), std::move(action), hit);
}

Status arm_failpoints(std::string_view text) {
  TG_ASSIGN_OR_RETURN(std::vector<Entry> entries, parse_entries(text));
  for (Entry& entry : entries) {
    arm_failpoint(std::move(entry.name), std::move(entry.action), entry.hit);
  }
  return Status::ok();
}

void disarm_failpoints() { Failpoints::instance().disarm(); }

std::int64_t failpoint_hits(std::string_view name) { return Failpoints::instance().hits(name); }

Status hit_failpoint(std::string_view name) { return Failpoints::instance().hit(name); }

}  // namespace tidegate
