// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "base/options.h"
#include "cli/line_reader.h"
#include "cli/reference.h"
#include "cli/shell.h"
#include "cli/sql_session.h"
#include "cli/state_command.h"
#include "cli/upgrade.h"
#include "planner/lint.h"

namespace tidegate {
namespace {

constexpr std::int64_t kMaxScriptBytes = 64 << 20;

/// What was typed, before it is understood.
struct Arguments {
  std::string file;
  std::string output = "table";
  std::string epoch_interval;
  std::string trigger;
  std::string memory;
  std::string max_bytes;
  std::vector<std::string> settings;
  SqlOptions options;
};

void add_run_options(CLI::App& command, Arguments& arguments) {
  RunOptions& run = arguments.options.run;
  command.add_option("--mode", run.mode, "embedded | cluster | micro-batch")
      ->check(CLI::IsMember({"embedded", "cluster", "micro-batch"}));
  command.add_option("--parallelism", run.parallelism, "tasks per operator; default: cores")
      ->check(CLI::Range(1, 1024));
  command.add_option("--set", arguments.settings, "NAME=VALUE, as SET does")
      ->allow_extra_args(false);
  command.add_option("--output", arguments.output, "table | json | csv | changelog: of SELECT")
      ->check(CLI::IsMember({"table", "json", "csv", "changelog"}));
  command.add_option("--epoch-interval", arguments.epoch_interval,
                     "time between commits, e.g. 10s");
  command.add_option("--memory", arguments.memory,
                     "for state, e.g. 512MiB; in memory the job fails past it (default: no limit), "
                     "with rocksdb rows go to disk (default: 512MiB)");
  command.add_option("--state", run.state, "where state is kept: memory (default) | rocksdb")
      ->check(CLI::IsMember({"memory", "rocksdb"}));
  command.add_option(
      "--state-dir", run.state_dir,
      "folder for rows that memory does not hold, which stay there when there is a "
      "checkpoint; default: temporary files. In library mode of this instance alone");
  command.add_option("--checkpoint-dir", run.checkpoint_dir,
                     "where epochs become durable; those that are there are gone on from");
  command.add_option("--application-id", run.application_id,
                     "library mode over Kafka: the same command started again is one more "
                     "instance");
  command.add_option("--serve", run.serve,
                     "HOST:PORT where live state is read over HTTP: GET /state");
  command.add_flag("--fresh", run.fresh, "delete the epochs that are there, and begin anew");
  command.add_option("--restore", run.restore, "a savepoint to begin from");
  command.add_flag("--allow-non-restored-state", run.allow_non_restored_state,
                   "let state of operators go that the script does not have any more");
  command.add_option("--stop-with-savepoint", run.savepoint,
                     "leave a savepoint; a bounded job then stops with open windows");
  command.add_option("--trigger", arguments.trigger,
                     "micro-batch: available-now | once | continuous | a time such as 5s; default: "
                     "when there is data");
  command
      .add_option("--output-mode", run.output_mode,
                  "micro-batch: append | update | complete; default: every change")
      ->check(CLI::IsMember({"append", "update", "complete"}));
  command
      .add_option("--max-files-per-trigger", run.max_files_per_trigger,
                  "micro-batch: of each source; also --max-rows-..., --max-bytes-...")
      ->check(CLI::PositiveNumber);
  command.add_option("--max-rows-per-trigger", run.max_rows_per_trigger)
      ->group("")
      ->check(CLI::PositiveNumber);
  command.add_option("--max-bytes-per-trigger", arguments.max_bytes)->group("");
  command.add_flag("--with-batch-id", arguments.options.with_batch_id,
                   "micro-batch: the batch's number in each row of --output json | changelog");
  command.add_option("--progress", arguments.options.progress, "auto | json | none")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, ProgressStyle>{{"auto", ProgressStyle::kAuto},
                                               {"json", ProgressStyle::kJson},
                                               {"none", ProgressStyle::kNone}}));
}

void add_state_commands(CLI::App& state, StateCommand& look, Arguments& arguments) {
  CLI::App* list = state.add_subcommand("list", "Epoch, splits, operators and state tables.");
  CLI::App* show = state.add_subcommand("show", "The rows of state tables.");
  CLI::App* query = state.add_subcommand("query", "A SELECT over the tables that `list` names.");
  for (CLI::App* command : {list, show, query}) {
    command->add_option("URI", look.uri, "a checkpoint folder or savepoint")->required();
    command->add_option("--output", arguments.output, "table | json | csv")
        ->check(CLI::IsMember({"table", "json", "csv"}));
    command->add_option("--set", arguments.settings, "NAME=VALUE, such as s3.endpoint")
        ->allow_extra_args(false);
    command->callback([&look, command] { look.action = command->get_name(); });
  }
  show->add_option("OPERATOR", look.argument, "an operator or a table; default: all");
  query->add_option("SELECT", look.argument, "the query")->required();
}

int report(const Status& status) {
  if (!status.is_ok()) std::fprintf(stderr, "%s\n", status.to_string().c_str());
  return exit_code_of(status);
}

int understand_mode(const Arguments& arguments);

/// Exit code of wrong usage, or 0.
int understand(Arguments& arguments) {
  for (const std::string& setting : arguments.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::fprintf(stderr, "--set needs NAME=VALUE, not '%s'\n", setting.c_str());
      return 2;
    }
    arguments.options.run.settings[setting.substr(0, equals)] = setting.substr(equals + 1);
  }
  if (!arguments.epoch_interval.empty()) {
    const auto interval = parse_duration(arguments.epoch_interval);
    if (!interval.is_ok()) {
      std::fprintf(stderr, "--epoch-interval: %s\n", interval.status().to_string().c_str());
      return 2;
    }
    arguments.options.run.epoch_interval = *interval;
    // Also when it is what it would be anyway.
    arguments.options.run.settings.emplace("execution.checkpointing.interval",
                                           arguments.epoch_interval);
    arguments.options.run.trigger = {Trigger::Kind::kInterval, *interval};
  }
  if (!arguments.trigger.empty()) {
    const auto trigger = Trigger::parse(arguments.trigger);
    if (!trigger.is_ok()) {
      std::fprintf(stderr, "--trigger: %s\n", trigger.status().to_string().c_str());
      return 2;
    }
    arguments.options.run.trigger = *trigger;
  }
  if (!arguments.max_bytes.empty()) {
    const auto bytes = parse_size(arguments.max_bytes);
    if (!bytes.is_ok()) {
      std::fprintf(stderr, "--max-bytes-per-trigger: %s\n", bytes.status().to_string().c_str());
      return 2;
    }
    arguments.options.run.max_bytes_per_trigger = *bytes;
  }
  if (!arguments.memory.empty()) {
    const auto bytes = parse_size(arguments.memory);
    if (!bytes.is_ok()) {
      std::fprintf(stderr, "--memory: %s\n", bytes.status().to_string().c_str());
      return 2;
    }
    arguments.options.run.memory_bytes = *bytes;
  }
  const auto form = parse_result_form(arguments.output);
  if (!form.is_ok()) {
    report(form.status());
    return 2;
  }
  arguments.options.form = *form;
  return understand_mode(arguments);
}

int understand_mode(const Arguments& arguments) {
  const RunOptions& run = arguments.options.run;
  if (!run.application_id.empty() && run.mode != "embedded") {
    std::fprintf(stderr, "--application-id is a mode of its own, without --mode %s\n",
                 run.mode.c_str());
    return 2;
  }
  if (run.mode == "cluster") {
    std::fprintf(stderr, "--mode cluster is not there yet; embedded and micro-batch are\n");
    return 2;
  }
  const bool batch_options = !arguments.trigger.empty() || !run.output_mode.empty() ||
                             run.max_files_per_trigger > 0 || run.max_rows_per_trigger > 0 ||
                             run.max_bytes_per_trigger > 0 || arguments.options.with_batch_id;
  if (run.mode != "micro-batch" && batch_options) {
    std::fprintf(stderr,
                 "--trigger, --output-mode, --max-...-per-trigger and --with-batch-id need "
                 "--mode micro-batch\n");
    return 2;
  }
  return 0;
}

int with_script(const Arguments& arguments,
                const std::function<Status(SqlSession&, std::string)>& act) {
  Result<std::string> text = read_file(local_file_system(), arguments.file, kMaxScriptBytes);
  if (!text.is_ok()) {
    report(text.status());
    return 2;
  }
  SqlSession session(arguments.options);
  return report(act(session, *std::move(text)));
}

struct UpgradeArguments {
  std::string old_file;
  std::string new_file;
  std::string savepoint;
};

int upgrade_script(Arguments arguments, const UpgradeArguments& change) {
  std::vector<JobOutline> old_jobs;
  std::vector<JobOutline> new_jobs;
  for (const auto& [file, jobs] :
       {std::pair{change.old_file, &old_jobs}, {change.new_file, &new_jobs}}) {
    arguments.file = file;
    // The old plan is that of a job that stops, the new one of a job that goes on.
    (file == change.old_file ? arguments.options.run.savepoint : arguments.options.run.restore) =
        change.savepoint;
    const int code = with_script(arguments, [&](SqlSession& session, std::string text) -> Status {
      TG_ASSIGN_OR_RETURN(*jobs, session.outline(file, std::move(text)));
      return Status::ok();
    });
    if (code != 0) return code;
  }
  arguments.options.run.restore = change.savepoint;
  const Result<std::string> page = upgrade_report(old_jobs, new_jobs, arguments.options.run);
  if (!page.is_ok()) return report(page.status());
  std::fputs(page->c_str(), stdout);
  return 0;
}

/// The shell's statements run in one session, so that they see what earlier ones made.
class SessionStatements final : public Statements {
 public:
  explicit SessionStatements(const SqlOptions& options) : session_(options) {}
  Status run(std::string_view statement) override {
    return session_.run("", std::string(statement));
  }
  std::vector<std::string> complete(std::string_view prefix) override {
    return session_.complete(prefix);
  }

 private:
  SqlSession session_;
};

int run_interactively(const Arguments& arguments) {
  SessionStatements statements(arguments.options);
  ShellOptions options;
  options.interactive = is_interactive();
  options.say = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  };
  options.complain = [](std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
  };
  const std::unique_ptr<LineReader> lines =
      options.interactive ? make_terminal_reader(default_history_path(),
                                                 [&](std::string_view line) {
                                                   return complete_word(line, statements);
                                                 })
                          : make_stream_reader();
  return report(run_shell(statements, *lines, options));
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App program("Tidegate: stream processing in SQL.");
  program.require_subcommand(1);
  Arguments arguments;
  CLI::App* run = program.add_subcommand("run", "Run a script.");
  CLI::App* check = program.add_subcommand("check", "Parse, plan and look for mistakes.");
  CLI::App* explain = program.add_subcommand("explain", "Show how the queries of a script run.");
  CLI::App* shell = program.add_subcommand("sql", "Type statements, or pipe them in.");
  for (CLI::App* command : {run, check, explain}) {
    command->add_option("FILE", arguments.file, "the script")->required();
  }
  for (CLI::App* command : {run, shell, check, explain}) add_run_options(*command, arguments);
  StateCommand look;
  CLI::App* state = program.add_subcommand("state", "Look into a checkpoint or savepoint.");
  state->require_subcommand(1);
  add_state_commands(*state, look, arguments);
  CLI::App* upgrade = program.add_subcommand(
      "upgrade", "Say what a changed script keeps of a savepoint of the old one.");
  UpgradeArguments change;
  upgrade->add_option("OLD", change.old_file, "the script that left the savepoint")->required();
  upgrade->add_option("NEW", change.new_file, "the script that is to go on from it")->required();
  upgrade->add_option("--savepoint", change.savepoint, "as given to --stop-with-savepoint")
      ->required();
  upgrade->add_option("--set", arguments.settings, "NAME=VALUE, as SET does")
      ->allow_extra_args(false);
  std::string topic;
  CLI::App* reference = program.add_subcommand("reference", "Print a reference page as Markdown.");
  reference->add_option("TOPIC", topic, "functions | errors | connectors")->required();
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return program.exit(failure) == 0 ? 0 : 2;
  }
  if (reference->parsed()) {
    const Result<std::string> page = reference_page(topic);
    if (page.is_ok()) std::fputs(page->c_str(), stdout);
    return page.is_ok() ? 0 : (report(page.status()), 2);
  }
  if (const int code = understand(arguments); code != 0) return code;
  if (state->parsed()) return report(run_state_command(look, arguments.options));
  if (upgrade->parsed()) return upgrade_script(arguments, change);
  if (run->parsed()) {
    return with_script(arguments, [&](SqlSession& session, std::string text) {
      return session.run(arguments.file, std::move(text));
    });
  }
  if (shell->parsed()) return run_interactively(arguments);
  if (explain->parsed()) {
    return with_script(arguments, [&](SqlSession& session, std::string text) -> Status {
      TG_ASSIGN_OR_RETURN(const std::string plan, session.explain(arguments.file, std::move(text)));
      std::fputs(plan.c_str(), stdout);
      return Status::ok();
    });
  }
  return with_script(arguments, [&](SqlSession& session, std::string text) -> Status {
    TG_ASSIGN_OR_RETURN(const std::vector<LintWarning> warnings,
                        session.check(arguments.file, std::move(text)));
    for (const LintWarning& warning : warnings) {
      std::fputs(to_string(warning).c_str(), stdout);
    }
    if (warnings.empty()) std::printf("no warnings\n");
    return Status::ok();
  });
}

}  // namespace tidegate
