// SPDX-License-Identifier: Apache-2.0
#include "tidegate/app.h"

#include <CLI/CLI.hpp>

#include <cstdio>

#include "api/console.h"
#include "api/session.h"
#include "base/check.h"
#include "base/options.h"
#include "planner/explain.h"

namespace tidegate {
namespace {

struct CommandLine {
  RunOptions run;
  ProgressStyle progress = ProgressStyle::kAuto;
  bool explain = false;
};

/// 0 to go on, else the exit code plus 1.
int parse(int argc, char** argv, CommandLine& line) {
  CLI::App parser("A Tidegate program.");
  std::string epoch_interval;
  std::string trigger;
  std::vector<std::string> settings;
  parser.add_option("--mode", line.run.mode, "embedded | cluster | micro-batch");
  parser.add_option("--parallelism", line.run.parallelism, "tasks per operator; default: cores")
      ->check(CLI::Range(1, 1024));
  parser.add_option("--epoch-interval", epoch_interval, "time between commits, e.g. 10s");
  parser.add_option("--trigger", trigger, "micro-batch: available-now | once | continuous | 5s");
  parser.add_option("--output-mode", line.run.output_mode, "micro-batch: append|update|complete");
  parser.add_option("--max-files-per-trigger", line.run.max_files_per_trigger, "micro-batch");
  parser.add_option("--checkpoint-dir", line.run.checkpoint_dir,
                    "where epochs become durable; those that are there are gone on from");
  parser.add_option("--application-id", line.run.application_id,
                    "library mode over Kafka: the same program started again is one more instance");
  parser.add_option("--state-dir", line.run.state_dir,
                    "folder for state; in library mode of this instance alone");
  parser.add_option("--serve", line.run.serve,
                    "HOST:PORT where live state is read over HTTP: GET /state");
  parser.add_option("--set", settings, "NAME=VALUE, e.g. kafka.properties.bootstrap.servers=H:P")
      ->allow_extra_args(false);
  parser.add_option("--progress", line.progress, "auto | json | none")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, ProgressStyle>{{"auto", ProgressStyle::kAuto},
                                               {"json", ProgressStyle::kJson},
                                               {"none", ProgressStyle::kNone}}));
  parser.add_flag("--explain", line.explain, "print the plan instead of running it");
  try {
    parser.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return (parser.exit(failure) == 0 ? 0 : 2) + 1;
  }
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::fprintf(stderr, "--set needs NAME=VALUE, not '%s'\n", setting.c_str());
      return 2 + 1;
    }
    line.run.settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  if (!epoch_interval.empty()) {
    Options options;
    options.set("--epoch-interval", epoch_interval);
    const auto interval = options.get_duration_or("--epoch-interval", line.run.epoch_interval);
    if (!interval.is_ok()) {
      std::fprintf(stderr, "%s\n", interval.status().to_string().c_str());
      return 2 + 1;
    }
    line.run.epoch_interval = *interval;
    line.run.settings.emplace("execution.checkpointing.interval", epoch_interval);
    line.run.trigger = {Trigger::Kind::kInterval, *interval};
  }
  if (!trigger.empty()) {
    const auto parsed = Trigger::parse(trigger);
    if (!parsed.is_ok()) {
      std::fprintf(stderr, "%s\n", parsed.status().to_string().c_str());
      return 2 + 1;
    }
    line.run.trigger = *parsed;
  }
  return 0;
}

int report(const Status& status) {
  if (!status.is_ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return exit_code_of(status);
}

int run_app(App& app, CommandLine line) {
  if (line.explain) {
    const Result<std::string> plan = app.explain(line.run);
    if (plan.is_ok()) std::fputs(plan->c_str(), stdout);
    return report(plan.status());
  }
  const ProgressStyle progress = report_batches(line.run, line.progress);
  Result<RunningJob> job = app.start(line.run);
  if (!job.is_ok()) {
    report(job.status());
    // A mode that is not there yet is a wrong call, not a wrong pipeline.
    return line.run.mode == "cluster" ? 2 : exit_code_of(job.status());
  }
  return report(watch(*job, progress));
}

}  // namespace

int App::run(int argc, char** argv) {
  CommandLine line;
  if (const int stop = parse(argc, argv, line); stop != 0) return stop - 1;
  return run_app(*this, std::move(line));
}

int App::run(const RunOptions& options) {
  CommandLine line;
  line.run = options;
  return run_app(*this, std::move(line));
}

Result<std::string> App::explain(const RunOptions& options) const {
  TG_ASSIGN_OR_RETURN(const Graph graph, lower_app(*plan_, options, formats_of(*plan_)));
  return explain_graph(graph);
}

}  // namespace tidegate
