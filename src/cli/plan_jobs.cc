// SPDX-License-Identifier: Apache-2.0
// From statements to jobs, and what is said of jobs without running them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/session.h"
#include "base/check.h"
#include "base/options.h"
#include "cli/probe_state.h"
#include "cli/sql_session.h"
#include "expr/function_registry.h"
#include "library/subtopologies.h"
#include "plan/relational.h"
#include "plan/sink.h"
#include "planner/explain.h"
#include "planner/lint.h"
#include "planner/plan_settings.h"
#include "planner/stream_facts.h"
#include "sql/binder.h"
#include "sql/parser.h"

namespace tidegate {
namespace {

/// Keeps a place in the plan until it is known how the result is shown.
class PlaceOfResult final : public Sink {
 public:
  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  int parallelism() const override { return 1; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return error(ErrorCode::kInternal, "the result of a query has no display");
  }
};

std::vector<ResultOrder> order_of(const plan::Node& node) {
  std::vector<ResultOrder> order;
  if (const auto* sort = dynamic_cast<const plan::SortNode*>(&node)) {
    for (const plan::SortKey& key : sort->keys) {
      order.push_back({key.column, key.descending, !key.nulls_first});
    }
  }
  return order;
}

bool asks_for_restarts(const RunOptions& options) {
  for (const char* key : {"restart-strategy.type", "restart-strategy"}) {
    const auto found = options.settings.find(key);
    if (found != options.settings.end()) return found->second != "none" && found->second != "off";
  }
  return false;
}

}  // namespace

std::string SqlSession::folder_of_job(int number, const Graph& graph) {
  return fmt::format("{}-{}", number, graph.job_name);
}

Status SqlSession::plan_insert_jobs(const std::vector<const sql::Insert*>& inserts,
                                    const Script& script,
                                    const std::function<Status(PlannedJob)>& visit) {
  // One after another, since one may read what another has written; but the first that never ends
  // takes those behind it along.
  for (std::size_t i = 0; i < inserts.size(); ++i) {
    TG_ASSIGN_OR_RETURN(PlannedJob job, plan_inserts({inserts[i]}, script));
    if (!job.bounded && i + 1 < inserts.size()) {
      const std::vector<const sql::Insert*> rest(inserts.begin() + static_cast<long>(i),
                                                 inserts.end());
      TG_ASSIGN_OR_RETURN(job, plan_inserts(rest, script));
      return visit(std::move(job));
    }
    TG_RETURN_IF_ERROR(visit(std::move(job)));
  }
  return Status::ok();
}

Result<SqlSession::PlannedJob> SqlSession::lower_job(std::vector<plan::NodePtr> sinks,
                                                     std::string name) {
  PlannedJob job;
  job.formats = std::make_unique<FormatRegistry>();
  register_all_formats(*job.formats);
  const RunOptions options = run_options();
  if (const auto named = options.settings.find("pipeline.name"); named != options.settings.end()) {
    name = named->second;
  }
  TG_ASSIGN_OR_RETURN(const LoweringOptions lowering,
                      lowering_options(std::move(name), options, *job.formats));
  TG_ASSIGN_OR_RETURN(LoweredPlan lowered, lower_with_notes(sinks, lowering));
  job.lower_again = [sinks, name = lowering.job_name](
                        const RunOptions& again, const FormatRegistry& formats) -> Result<Graph> {
    TG_ASSIGN_OR_RETURN(const LoweringOptions options, lowering_options(name, again, formats));
    return lower(sinks, options);
  };
  job.graph = std::move(lowered.graph);
  job.notes = std::move(lowered.notes);
  job.warnings = std::move(lowered.warnings);
  job.bounded = std::all_of(job.graph.nodes.begin(), job.graph.nodes.end(), [](const Node& node) {
    return node.source == nullptr || node.source->is_bounded();
  });
  return job;
}

Result<SqlSession::PlannedJob> SqlSession::plan_inserts(
    const std::vector<const sql::Insert*>& inserts, const Script& script) {
  std::vector<plan::NodePtr> sinks;
  for (const sql::Insert* insert : inserts) {
    sql::Binder binder(catalog_, builtin_functions(), script.source());
    TG_ASSIGN_OR_RETURN(plan::NodePtr sink, binder.bind_insert(*insert));
    sinks.push_back(std::move(sink));
  }
  return lower_job(std::move(sinks), "insert-into_" + to_string(inserts[0]->table));
}

Result<SqlSession::PlannedJob> SqlSession::plan_query(const sql::Query& query,
                                                      const Script& script) {
  sql::Binder binder(catalog_, builtin_functions(), script.source());
  TG_ASSIGN_OR_RETURN(sql::BoundQuery bound, binder.bind_query(query));
  ResultSettings settings;
  settings.form = options_.form;
  settings.order = order_of(*bound.input.node);
  settings.schema = bound.input.schema();
  auto sink = std::make_shared<plan::SinkNode>(bound.input, "result", Options());
  sink->name = "result";
  sink->instance = std::make_shared<PlaceOfResult>();
  TG_ASSIGN_OR_RETURN(PlannedJob job, lower_job({sink}, "query"));
  settings.bounded = job.bounded;
  // What is shown is shown; no job starts again to show it twice.
  std::erase_if(job.warnings,
                [](const LintWarning& warning) { return warning.code == "at-least-once-sink"; });
  const RunOptions options = run_options();
  TG_ASSIGN_OR_RETURN(const LoweringOptions lowering,
                      lowering_options("query", options, *job.formats));
  PlanFacts facts(lowering);
  settings.insert_only = !facts.of(sink->inputs[0]).retracts;
  settings.with_batch_id = options_.with_batch_id;
  if (settings.with_batch_id && settings.form == ResultForm::kJson && !settings.insert_only) {
    return Status(ErrorCode::kNotSupported,
                  "--with-batch-id with --output json, of rows that are taken back",
                  "Use --output changelog, or an --output-mode.");
  }
  TG_ASSIGN_OR_RETURN(const PlanSettings plan_settings, PlanSettings::from(lowering.settings));
  TG_ASSIGN_OR_RETURN(settings.zone, TimeZone::find(plan_settings.time_zone));
  limit_to_terminal(settings);
  // What is shown is shown: such a query begins again only for who asked for it.
  settings.by_epoch = asks_for_restarts(options);
  if (!settings.by_epoch) job.lower_again = nullptr;
  TG_ASSIGN_OR_RETURN(job.result, ResultSink::make(std::move(settings), standard_output()));
  // The plan may be lowered again, so the place is filled in there.
  const auto fill = [place = sink->instance, result = job.result](Graph& graph) {
    for (Node& node : graph.nodes) {
      if (node.sink == place) node.sink = result;
    }
  };
  fill(job.graph);
  if (job.lower_again) {
    job.lower_again = [fill, lower = std::move(job.lower_again)](
                          const RunOptions& again, const FormatRegistry& formats) -> Result<Graph> {
      TG_ASSIGN_OR_RETURN(Graph graph, lower(again, formats));
      fill(graph);
      return graph;
    };
  }
  return job;
}

Status SqlSession::plan_all(const Script& script,
                            const std::function<void(const PlannedJob&)>& visit) {
  TG_ASSIGN_OR_RETURN(const std::vector<sql::Statement> statements,
                      sql::parse_script(script.source()));
  for (const sql::Statement& statement : statements) {
    TG_ASSIGN_OR_RETURN(const bool applied, apply(statement, script));
    if (applied) continue;
    if (const auto* insert = std::get_if<sql::Insert>(&statement.node)) {
      TG_ASSIGN_OR_RETURN(const PlannedJob job, plan_inserts({insert}, script));
      visit(job);
    } else if (const auto* set = std::get_if<sql::StatementSet>(&statement.node)) {
      std::vector<const sql::Insert*> inserts;
      for (const sql::Insert& insert : set->inserts) inserts.push_back(&insert);
      if (inserts.empty()) continue;
      TG_ASSIGN_OR_RETURN(const PlannedJob job, plan_inserts(inserts, script));
      visit(job);
    } else if (const auto* select = std::get_if<sql::SelectStatement>(&statement.node)) {
      TG_ASSIGN_OR_RETURN(const PlannedJob job, plan_query(*select->query, script));
      visit(job);
    }
  }
  return Status::ok();
}

Result<std::vector<JobOutline>> SqlSession::outline(const std::string& name, std::string text) {
  const Script script{std::make_shared<const std::string>(std::move(text)), name};
  TG_ASSIGN_OR_RETURN(const std::vector<sql::Statement> statements,
                      sql::parse_script(script.source()));
  std::vector<JobOutline> jobs;
  const auto take = [&jobs](const PlannedJob& job) -> Status {
    JobOutline outline{
        job.graph.job_name, folder_of_job(static_cast<int>(jobs.size()) + 1, job.graph), {}};
    for (std::size_t i = 0; i < job.graph.nodes.size(); ++i) {
      const Node& node = job.graph.nodes[i];
      outline.steps.push_back({node.name, node.uid, i < job.notes.size() ? job.notes[i].state : "",
                               node.schema == nullptr ? "" : node.schema->to_string(),
                               node.source != nullptr, node.sink != nullptr});
      TG_ASSIGN_OR_RETURN(outline.steps.back().tables, probe_state(job.graph, node));
    }
    jobs.push_back(std::move(outline));
    return Status::ok();
  };
  std::vector<const sql::Insert*> inserts;
  for (const sql::Statement& statement : statements) {
    if (const auto* insert = std::get_if<sql::Insert>(&statement.node)) {
      inserts.push_back(insert);
      continue;
    }
    TG_RETURN_IF_ERROR(plan_insert_jobs(std::exchange(inserts, {}), script, take));
    TG_ASSIGN_OR_RETURN(const bool applied, apply(statement, script));
    if (applied) continue;
    if (const auto* set = std::get_if<sql::StatementSet>(&statement.node)) {
      std::vector<const sql::Insert*> of_set;
      for (const sql::Insert& insert : set->inserts) of_set.push_back(&insert);
      if (of_set.empty()) continue;
      TG_ASSIGN_OR_RETURN(const PlannedJob job, plan_inserts(of_set, script));
      TG_RETURN_IF_ERROR(take(job));
    } else if (const auto* select = std::get_if<sql::SelectStatement>(&statement.node)) {
      TG_ASSIGN_OR_RETURN(const PlannedJob job, plan_query(*select->query, script));
      TG_RETURN_IF_ERROR(take(job));
    }
  }
  TG_RETURN_IF_ERROR(plan_insert_jobs(inserts, script, take));
  return jobs;
}

Result<std::string> SqlSession::explain(const std::string& name, std::string text) {
  const Script script{std::make_shared<const std::string>(std::move(text)), name};
  std::string explained;
  Status cut;
  TG_RETURN_IF_ERROR(plan_all(script, [&](const PlannedJob& job) {
    if (!explained.empty()) explained += "\n";
    std::string parts;
    if (!options_.run.application_id.empty() && cut.is_ok()) {
      const auto topology = library::Topology::cut(job.graph, options_.run.application_id);
      cut = topology.status();
      if (cut.is_ok()) parts = "\n" + topology->to_string();
    }
    explained += explain_graph(job.graph, job.notes) + parts;
  }));
  TG_RETURN_IF_ERROR(std::move(cut));
  return explained;
}

Result<std::vector<LintWarning>> SqlSession::check(const std::string& name, std::string text) {
  const Script script{std::make_shared<const std::string>(std::move(text)), name};
  std::vector<LintWarning> warnings;
  TG_RETURN_IF_ERROR(plan_all(script, [&](const PlannedJob& job) {
    warnings.insert(warnings.end(), job.warnings.begin(), job.warnings.end());
  }));
  return warnings;
}

Status SqlSession::explain_statement(const sql::Explain& explain, const Script& script) {
  const auto& node = explain.statement->node;
  PlannedJob job;
  if (const auto* insert = std::get_if<sql::Insert>(&node)) {
    TG_ASSIGN_OR_RETURN(job, plan_inserts({insert}, script));
  } else if (const auto* set = std::get_if<sql::StatementSet>(&node)) {
    std::vector<const sql::Insert*> inserts;
    for (const sql::Insert& each : set->inserts) inserts.push_back(&each);
    TG_ASSIGN_OR_RETURN(job, plan_inserts(inserts, script));
  } else if (const auto* select = std::get_if<sql::SelectStatement>(&node)) {
    TG_ASSIGN_OR_RETURN(job, plan_query(*select->query, script));
  } else {
    return error(ErrorCode::kInvalidSyntax, "EXPLAIN takes a query or an INSERT");
  }
  const bool as_json = std::find(explain.details.begin(), explain.details.end(),
                                 "JSON_EXECUTION_PLAN") != explain.details.end();
  return standard_output()(as_json ? explain_json(job.graph, job.notes) + "\n"
                                   : explain_graph(job.graph, job.notes));
}

}  // namespace tidegate
