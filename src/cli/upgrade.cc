// SPDX-License-Identifier: Apache-2.0
#include "cli/upgrade.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "api/durable_epochs.h"
#include "base/blob_store.h"
#include "base/check.h"
#include "state/delta.h"
#include "state/migrate_rows.h"

namespace tidegate {
namespace {

using Step = JobOutline::Step;

/// What the savepoint holds of one step.
struct Held {
  bool is_source = false;
  std::size_t bytes = 0;
  std::map<std::string, std::string> tables;  // schemas by name

  std::string text() const {
    if (is_source) return "positions";
    std::vector<std::string_view> names;
    for (const auto& [name, schema] : tables) names.push_back(name);
    return fmt::format("{} bytes of state ({})", bytes, fmt::join(names, ", "));
  }
};

Result<std::map<std::string, Held>> held_by(const EpochRecord& record) {
  std::map<std::string, Held> held;
  std::string buffer;
  for (const SourceState& source : record.sources) held[source.uid].is_source = true;
  for (const OperatorState& state : record.operators) {
    for (const StateDelta& delta : state.deltas) {
      TG_ASSIGN_OR_RETURN(const std::string_view bytes, delta.view(buffer));
      TG_ASSIGN_OR_RETURN(const DeltaReader reader, DeltaReader::open(bytes));
      held[state.uid].bytes += bytes.size();
      held[state.uid].tables[delta.table] = reader.fingerprint();
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

/// What becomes of the state of a step.
struct Change {
  bool is_refused = false;
  std::string text;  // empty: nothing changes
};

Result<Change> change_of(const Step& step, const Held& held, bool may_drop) {
  Change change;
  for (const StateTableSpec& spec : step.tables) {
    const auto there = held.tables.find(spec.name);
    if (there == held.tables.end() || there->second == spec.schema) continue;
    TG_ASSIGN_OR_RETURN(const StateSchema old, StateSchema::parse(there->second));
    TG_ASSIGN_OR_RETURN(const StateSchema now, StateSchema::parse(spec.schema));
    const auto planned = RowMigration::plan(spec, old, now, may_drop);
    change.is_refused = change.is_refused || !planned.is_ok();
    change.text +=
        fmt::format("{}{}: {}", change.text.empty() ? "" : "; ", spec.name,
                    planned.is_ok() ? describe_change(old, now) : planned.status().message());
  }
  return change;
}

class Report {
 public:
  Report(const JobOutline& old_job, const JobOutline& new_job, const EpochRecord& savepoint,
         bool may_drop)
      : old_(old_job), new_(new_job), savepoint_(savepoint), may_drop_(may_drop) {}

  Result<std::string> make() {
    TG_ASSIGN_OR_RETURN(held_, held_by(savepoint_));
    text_ = fmt::format("job {}, epoch {}\n", new_.name, savepoint_.epoch);
    if (savepoint_.finished) text_ += "  it has read all of its input: nothing is left to do\n";
    for (const Step& step : new_.steps) TG_RETURN_IF_ERROR(say(step));
    std::size_t lost = 0;
    for (const auto& [uid, held] : held_) {
      if (step_of(new_, uid) != nullptr) continue;
      ++lost;
      line("drop", uid, held.text());
    }
    if (refused_) text_ += "  restoring is refused: some state does not fit the new program\n";
    if (lost == 0) {
      text_ += "  nothing is lost\n";
    } else {
      text_ += fmt::format(
          "  {} would be lost: restoring is refused without --allow-non-restored-state\n",
          lost == 1 ? "1 step's" : fmt::format("{} steps'", lost));
    }
    return std::move(text_);
  }

 private:
  Status say(const Step& step) {
    const auto held = held_.find(step.uid);
    if (held != held_.end()) {
      TG_ASSIGN_OR_RETURN(const Change change, change_of(step, held->second, may_drop_));
      refused_ = refused_ || change.is_refused;
      const std::string_view what = change.is_refused     ? "refuse"
                                    : change.text.empty() ? "keep"
                                                          : "migrate";
      line(what, step.uid, held->second.text() + (change.text.empty() ? "" : "; " + change.text));
      return Status::ok();
    }
    if (step.is_sink || (step.tables.empty() && !step.is_source)) return Status::ok();
    const Step* replaced = replaced_by(step);
    if (replaced == nullptr) {
      line("begin", step.uid, "empty");
    } else {
      line("rebuild", step.uid, fmt::format("empty, in the place of '{}'", replaced->uid));
    }
    return Status::ok();
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
  const EpochRecord& savepoint_;
  const bool may_drop_;
  std::map<std::string, Held> held_;
  std::string text_;
  bool refused_ = false;
};

}  // namespace

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
    TG_ASSIGN_OR_RETURN(const std::string page,
                        Report(*old, job, record, options.allow_non_restored_state).make());
    text += page;
  }
  for (const JobOutline& job : old_jobs) {
    if (std::ranges::count(new_jobs, job.folder, &JobOutline::folder) == 0)
      text += fmt::format("job {}: gone, with all of its state\n", job.name);
  }
  return text;
}

}  // namespace tidegate
