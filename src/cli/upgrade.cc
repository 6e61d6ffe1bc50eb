// SPDX-License-Identifier: Apache-2.0
#include "cli/upgrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "api/durable_epochs.h"
#include "base/blob_store.h"
#include "base/check.h"

namespace tidegate {
namespace {

using Step = JobOutline::Step;

/// What the savepoint holds of one step.
struct Held {
  bool is_source = false;
  std::size_t bytes = 0;
  std::set<std::string> tables;

  std::string text() const {
    if (is_source) return "positions";
    return fmt::format("{} bytes of state ({})", bytes, fmt::join(tables, ", "));
  }
};

std::map<std::string, Held> held_by(const EpochRecord& record) {
  std::map<std::string, Held> held;
  for (const SourceState& source : record.sources) held[source.uid].is_source = true;
  for (const OperatorState& state : record.operators) {
    for (const StateDelta& delta : state.deltas) {
      held[state.uid].bytes += delta.bytes.size();
      held[state.uid].tables.insert(delta.table);
    }
  }
  return held;
}

const Step* step_of(const JobOutline& job, const std::string& uid) {
  const auto found = std::ranges::find(job.steps, uid, &Step::uid);
  return found == job.steps.end() ? nullptr : &*found;
}

/// "WindowAggregate" of "WindowAggregate[keys=[url], ...]".
std::string_view kind_of(std::string_view uid) { return uid.substr(0, uid.find_first_of("[.#")); }

class Report {
 public:
  Report(const JobOutline& old_job, const JobOutline& new_job, const EpochRecord& savepoint)
      : old_(old_job), new_(new_job), held_(held_by(savepoint)) {
    text_ = fmt::format("job {}, epoch {}\n", new_.name, savepoint.epoch);
    if (savepoint.finished) text_ += "  it has read all of its input: nothing is left to do\n";
  }

  std::string make() {
    for (const Step& step : new_.steps) say(step);
    std::size_t lost = 0;
    for (const auto& [uid, held] : held_) {
      if (step_of(new_, uid) != nullptr) continue;
      ++lost;
      line("drop", uid, held.text());
    }
    text_ += lost == 0 ? "  nothing is lost\n"
                       : fmt::format(
                             "  {} would be lost: restoring is refused without "
                             "--allow-non-restored-state\n",
                             lost == 1 ? "1 step's" : fmt::format("{} steps'", lost));
    return std::move(text_);
  }

 private:
  void say(const Step& step) {
    const auto held = held_.find(step.uid);
    if (held != held_.end()) {
      const Step* old = step_of(old_, step.uid);
      const bool other_rows = !step.is_source && old != nullptr && old->schema != step.schema;
      if (!other_rows) return line("keep", step.uid, held->second.text());
      return line("keep", step.uid,
                  held->second.text() + fmt::format("; rows change from {} to {}: restoring is "
                                                    "refused if the state's layout changes too",
                                                    old->schema, step.schema));
    }
    if (step.is_sink || (step.state.empty() && !step.is_source)) return;
    const Step* replaced = replaced_by(step);
    if (replaced == nullptr) return line("begin", step.uid, "empty");
    line("rebuild", step.uid, fmt::format("empty, in the place of '{}'", replaced->uid));
  }

  /// A step of the same kind whose state nobody claims any more.
  const Step* replaced_by(const Step& step) const {
    for (const Step& old : old_.steps) {
      const bool is_free = held_.contains(old.uid) && step_of(new_, old.uid) == nullptr;
      if (is_free && kind_of(old.uid) == kind_of(step.uid)) return &old;
    }
    return nullptr;
  }

  void line(std::string_view what, const std::string& uid, const std::string& why) {
    text_ += fmt::format("  {:<8} {}: {}\n", what, uid, why);
  }

  const JobOutline& old_;
  const JobOutline& new_;
  const std::map<std::string, Held> held_;
  std::string text_;
};

}  // namespace

std::string upgrade_report(const JobOutline& old_job, const JobOutline& new_job,
                           const EpochRecord& savepoint) {
  return Report(old_job, new_job, savepoint).make();
}

Result<std::string> upgrade_report(const std::vector<JobOutline>& old_jobs,
                                   const std::vector<JobOutline>& new_jobs,
                                   const RunOptions& options) {
  std::string text;
  for (const JobOutline& job : new_jobs) {
    const auto old = std::ranges::find(old_jobs, job.folder, &JobOutline::folder);
    if (old == old_jobs.end()) {
      text +=
          fmt::format("job {}: new; it begins from the beginning, without --restore\n", job.name);
      continue;
    }
    RunOptions own = options;
    own.restore = folder_in(own.restore, job.folder);
    TG_ASSIGN_OR_RETURN(const EpochRecord record, read_savepoint_of(own));
    text += upgrade_report(*old, job, record);
  }
  for (const JobOutline& job : old_jobs) {
    if (std::ranges::count(new_jobs, job.folder, &JobOutline::folder) == 0)
      text += fmt::format("job {}: gone, with all of its state\n", job.name);
  }
  return text;
}

}  // namespace tidegate
