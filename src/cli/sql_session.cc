// SPDX-License-Identifier: Apache-2.0
#include "cli/sql_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "api/session.h"
#include "base/blob_store.h"
#include "base/check.h"
#include "expr/function_registry.h"
#include "planner/lint.h"
#include "sql/binder.h"
#include "sql/parser.h"
#include "sql/words.h"

namespace tidegate {
namespace {

/// Settings that existing scripts bring along; those that mean nothing here are said, not refused.
constexpr std::string_view kForeignSettings[] = {"table.",      "pipeline.",
                                                 "state.",      "execution.",
                                                 "sql-client.", "restart-strategy",
                                                 "jobmanager.", "taskmanager.",
                                                 "parallelism", "checkpoint.",
                                                 "rest.",       "env.",
                                                 "akka.",       "metrics.",
                                                 "web.",        "security.",
                                                 "io.",         "client.",
                                                 "cluster.",    "high-availability",
                                                 "kubernetes.", "yarn.",
                                                 "fs.",         "watermark.",
                                                 "__"};

/// Of object stores that checkpoints go to; base/blob_store.h takes them.
constexpr std::string_view kStoreSettings[] = {"s3.", "gs.", "serve."};

bool is_about_epochs(std::string_view key) {
  return key.starts_with("restart-strategy") || key == "execution.checkpointing.interval" ||
         key == "execution.checkpointing.timeout" ||
         key == "execution.checkpointing.tolerable-failed-checkpoints";
}

void print_warning(const LintWarning& warning) {
  std::fprintf(stderr, "%s", to_string(warning).c_str());
}

}  // namespace

SqlSession::SqlSession(SqlOptions options) : options_(std::move(options)) {}

RunOptions SqlSession::run_options() const {
  RunOptions options = options_.run;
  for (const auto& [key, value] : settings_) options.settings.emplace(key, value);
  if (options.parallelism == 0) {
    for (const char* key : {"parallelism.default", "table.exec.resource.default-parallelism"}) {
      const auto found = options.settings.find(key);
      if (found == options.settings.end()) continue;
      const int parallelism = std::atoi(found->second.c_str());
      if (parallelism > 0 && parallelism <= 1024) options.parallelism = parallelism;
    }
  }
  return options;
}

std::vector<std::string> SqlSession::complete(std::string_view prefix) const {
  static constexpr std::string_view kWords[] = {
#define TIDEGATE_RESERVED(name, text) text,
#define TIDEGATE_WORD(name, text) text,
#include "sql/keywords.inc"
#undef TIDEGATE_RESERVED
#undef TIDEGATE_WORD
  };
  std::vector<std::string> found;
  const auto add = [&](std::string_view name) {
    if (sql::upper(name).starts_with(sql::upper(prefix))) found.emplace_back(name);
  };
  for (const std::string& table : catalog_.tables()) add(table);
  for (const ScalarFunction* function : builtin_functions().all()) add(function->name);
  for (const AggregateFunction* function : builtin_functions().all_aggregates()) {
    add(function->name);
  }
  for (const std::string_view word : kWords) add(word);
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

Status SqlSession::run(const std::string& name, std::string text) {
  const Script script{std::make_shared<const std::string>(std::move(text)), name};
  TG_ASSIGN_OR_RETURN(const std::vector<sql::Statement> statements,
                      sql::parse_script(script.source()));
  std::vector<const sql::Insert*> inserts;
  for (const sql::Statement& statement : statements) {
    if (const auto* insert = std::get_if<sql::Insert>(&statement.node)) {
      inserts.push_back(insert);
      continue;
    }
    TG_RETURN_IF_ERROR(run_inserts(std::exchange(inserts, {}), script));
    TG_RETURN_IF_ERROR(execute(statement, script));
  }
  return run_inserts(inserts, script);
}

Status SqlSession::run_inserts(const std::vector<const sql::Insert*>& inserts,
                               const Script& script) {
  return plan_insert_jobs(inserts, script,
                          [this](PlannedJob job) { return run_job(std::move(job)); });
}

Status SqlSession::execute(const sql::Statement& statement, const Script& script) {
  TG_ASSIGN_OR_RETURN(const bool applied, apply(statement, script));
  if (applied) return Status::ok();
  const auto& node = statement.node;
  if (const auto* create = std::get_if<sql::CreateTable>(&node)) {
    return create_table_as(*create, script);
  }
  if (const auto* insert = std::get_if<sql::Insert>(&node)) return run_inserts({insert}, script);
  if (const auto* set = std::get_if<sql::StatementSet>(&node)) {
    std::vector<const sql::Insert*> inserts;
    for (const sql::Insert& insert : set->inserts) inserts.push_back(&insert);
    if (inserts.empty()) return Status::ok();
    TG_ASSIGN_OR_RETURN(PlannedJob job, plan_inserts(inserts, script));
    return run_job(std::move(job));
  }
  if (const auto* select = std::get_if<sql::SelectStatement>(&node)) {
    TG_ASSIGN_OR_RETURN(PlannedJob job, plan_query(*select->query, script));
    return run_job(std::move(job));
  }
  if (const auto* show_statement = std::get_if<sql::Show>(&node)) return show(*show_statement);
  if (const auto* each = std::get_if<sql::Describe>(&node)) return describe(*each, script);
  if (const auto* each = std::get_if<sql::Explain>(&node)) return explain_statement(*each, script);
  return error(ErrorCode::kNotSupported, "this statement is not supported");
}

Result<bool> SqlSession::apply(const sql::Statement& statement, const Script& script) {
  const auto done = [&](Status status) -> Result<bool> {
    if (status.is_ok()) return true;
    if (status.message().find('\n') != std::string::npos) return status;
    return sql::error_at(script.source(), statement.place, status.code(), status.message(),
                         std::string(status.remedy()));
  };
  const auto& node = statement.node;
  if (const auto* each = std::get_if<sql::CreateTable>(&node)) {
    if (each->as != nullptr) return false;
    return done(catalog_.apply(*each, script.text));
  }
  if (const auto* each = std::get_if<sql::CreateView>(&node)) {
    // A view that cannot be bound is an error now, not when it is first used.
    sql::Binder binder(catalog_, builtin_functions(), script.source());
    if (const auto bound = binder.bind_query(*each->query); !bound.is_ok()) {
      return done(bound.status());
    }
    return done(catalog_.apply(*each, script.text));
  }
  if (const auto* each = std::get_if<sql::CreateOther>(&node)) return done(catalog_.apply(*each));
  if (const auto* each = std::get_if<sql::AlterTable>(&node)) {
    return done(catalog_.apply(*each, script.text));
  }
  if (const auto* each = std::get_if<sql::Drop>(&node)) return done(catalog_.apply(*each));
  if (const auto* each = std::get_if<sql::Use>(&node)) return done(catalog_.apply(*each));
  if (const auto* each = std::get_if<sql::SetOption>(&node)) return done(set(*each, script));
  if (const auto* each = std::get_if<sql::ResetOption>(&node)) {
    if (each->key.empty()) {
      settings_.clear();
    } else {
      settings_.erase(each->key);
    }
    return true;
  }
  return false;
}

Status SqlSession::set(const sql::SetOption& option, const Script& script) {
  if (!option.has_value) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [key, value] : settings_) {
      if (option.key.empty() || option.key == key) {
        rows.push_back({key, is_secret_name(key) ? "***" : value});
      }
    }
    print({"key", "value"}, rows);
    return Status::ok();
  }
  static constexpr std::string_view kKnown[] = {"parallelism.default",
                                                "table.exec.resource.default-parallelism",
                                                "table.local-time-zone",
                                                "table.exec.state.ttl",
                                                "table.exec.mini-batch.enabled",
                                                "table.optimizer.agg-phase-strategy",
                                                "table.optimizer.distinct-agg.split.enabled",
                                                "table.exec.source.idle-timeout",
                                                "table.exec.source.cdc-events-duplicate",
                                                "table.exec.sink.not-null-enforcer",
                                                "table.exec.sink.type-length-enforcer",
                                                "table.exec.sink.upsert-materialize",
                                                "output.mode",
                                                "watermark.rule",
                                                "pipeline.name",
                                                "state.backend",
                                                "state.backend.type",
                                                "state.checkpoints.num-retained",
                                                "state.checkpoints.allow-older",
                                                "execution.runtime-mode",
                                                "sql-client.execution.result-mode"};
  const std::string& key = option.key;
  const auto begins_with = [&](std::string_view prefix) { return key.starts_with(prefix); };
  const bool known = is_about_epochs(key) ||
                     std::find(std::begin(kKnown), std::end(kKnown), key) != std::end(kKnown) ||
                     std::ranges::any_of(kStoreSettings, begins_with);
  const bool foreign = std::ranges::any_of(kForeignSettings, begins_with);
  // CONNECTOR.OPTION: a default for the tables of a connector.
  const bool of_connector = [&] {
    ConnectorRegistry connectors;
    register_all_connectors(connectors);
    const std::size_t dot = key.find('.');
    return dot != std::string::npos && connectors.find(key.substr(0, dot)).is_ok();
  }();
  if (!known && !foreign && !of_connector) {
    std::vector<std::string> names(std::begin(kKnown), std::end(kKnown));
    const std::string near = nearest_name(key, names);
    return sql::error_at(script.source(), option.key_place, ErrorCode::kUnknownOption,
                         fmt::format("there is no setting '{}'", key),
                         near.empty() ? "" : fmt::format("Did you mean '{}'?", near));
  }
  if (!known && !of_connector) {
    std::fprintf(stderr, "warning: the setting '%s' has no effect here\n", key.c_str());
  }
  settings_[key] = option.value;
  return Status::ok();
}

Status SqlSession::create_table_as(const sql::CreateTable& create, const Script& script) {
  sql::Binder binder(catalog_, builtin_functions(), script.source());
  TG_ASSIGN_OR_RETURN(const sql::BoundQuery query, binder.bind_query(*create.as));
  sql::CreateTable table = create;
  table.as = nullptr;
  sql::Insert insert;  // by name: columns that only the table has are NULL
  insert.table = create.name;
  insert.query = create.as;
  for (std::size_t i = 0; i < query.names.size(); ++i) {
    insert.columns.emplace_back().text = query.names[i];
    auto column = std::find_if(
        table.columns.begin(), table.columns.end(),
        [&](const sql::ColumnDefinition& each) { return each.name.text == query.names[i]; });
    if (column == table.columns.end()) {
      column = table.columns.insert(column, sql::ColumnDefinition());
      column->name = insert.columns.back();
    }
    if (!column->type) column->type = query.input.schema()->field(static_cast<int>(i)).type;
  }
  for (const sql::ColumnDefinition& column : table.columns) {
    if (column.type || column.computed != nullptr) continue;
    return error(ErrorCode::kUnknownName, "table '{}': the query has no column '{}'",
                 create.name.back().text, column.name.text);
  }
  TG_RETURN_IF_ERROR(catalog_.apply(table, script.text));
  return run_inserts({&insert}, script);
}

Status SqlSession::run_job(PlannedJob job) {
  const std::shared_ptr<ResultSink> result = job.result;
  // In library mode sinks are written in the transactions of the mode.
  const bool commits = !options_.run.application_id.empty();
  if (commits && result != nullptr) {
    return Status(ErrorCode::kNotSupported, "showing the result of a query in library mode",
                  "INSERT it INTO a table of Kafka.");
  }
  if (options_.progress != ProgressStyle::kNone && !job.bounded) {
    for (const LintWarning& warning : job.warnings) {
      if (!commits || warning.code != "at-least-once-sink") print_warning(warning);
    }
  }
  // Each job of a script has folders of its own.
  RunOptions options = run_options();
  const std::string own = folder_of_job(++jobs_started_, job.graph);
  if (commits && jobs_started_ > 1) options.application_id += fmt::format("-{}", jobs_started_);
  for (std::string* folder : {&options.checkpoint_dir, &options.restore, &options.savepoint}) {
    if (!folder->empty()) *folder = folder_in(*folder, own);
  }
  WatchOptions watching;
  watching.progress = report_batches(options, options_.progress);
  TG_ASSIGN_OR_RETURN(
      std::unique_ptr<RunningJob::Session> session,
      RunningJob::Session::start(std::move(job.graph), options, std::move(job.formats),
                                 std::move(job.lower_again)));
  RunningJob running(std::move(session));
  if (result != nullptr) {
    watching.prints_rows = result->shows_at_once();
    // What cannot be shown now cannot be shown at the end either, and is an error then.
    watching.every_step = [&] { static_cast<void>(result->refresh()); };
  }
  TG_RETURN_IF_ERROR(watch(running, watching));
  return result == nullptr ? Status::ok() : result->finish();
}

}  // namespace tidegate
