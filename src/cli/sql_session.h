// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/console.h"
#include "cli/result_sink.h"
#include "dataflow/graph.h"
#include "formats/format.h"
#include "plan/node.h"
#include "planner/explain.h"
#include "planner/lowering.h"
#include "sql/catalog.h"
#include "sql/syntax.h"
#include "state/state_table.h"
#include "tidegate/app.h"
#include "tidegate/status.h"

namespace tidegate {

/// How the statements of a session run.
struct SqlOptions {
  RunOptions run;  ///< its settings are those of --set; SET adds to them
  ResultForm form = ResultForm::kTable;
  ProgressStyle progress = ProgressStyle::kAuto;
  bool with_batch_id = false;  ///< rows are printed with the number of their micro-batch
};

/// What is known of a job before it runs.
struct JobOutline {
  struct Step {
    std::string name;
    std::string uid;
    std::string state;   ///< what bounds its state; empty: it has none
    std::string schema;  ///< of its rows
    bool is_source = false;
    bool is_sink = false;
    std::vector<StateTableSpec> tables = {};  ///< of its state, with their schemas
  };
  std::string name;
  std::string folder;  ///< in those of the run's checkpoints and savepoints: "/1-insert-into_t"
  std::vector<Step> steps;
};

/// Executes SQL statements one after another: what they create is there for those that follow.
class SqlSession {
 public:
  explicit SqlSession(SqlOptions options);

  /// Executes all statements of a script. Queries print on stdout, warnings and progress go to
  /// stderr. `name` is for messages.
  Status run(const std::string& name, std::string text);
  /// Plans all statements without running a job; answers what EXPLAIN of each query says.
  Result<std::string> explain(const std::string& name, std::string text);
  /// Likewise, but answers the jobs that would run, one after another.
  Result<std::vector<JobOutline>> outline(const std::string& name, std::string text);
  /// Likewise, but answers what works and may not be meant.
  Result<std::vector<LintWarning>> check(const std::string& name, std::string text);

  /// Tables, functions and keywords that begin with `prefix`, in whatever case.
  std::vector<std::string> complete(std::string_view prefix) const;

 private:
  struct Script {
    sql::SharedText text;
    std::string name;
    sql::SourceText source() const { return {name, *text, text}; }
  };
  /// A planned job, and where its result is shown (null: it writes into tables).
  struct PlannedJob {
    std::unique_ptr<FormatRegistry> formats;
    Graph graph;
    std::shared_ptr<ResultSink> result;
    /// Plans it anew, for another attempt; empty: a failed job has failed.
    std::function<Result<Graph>(const RunOptions&, const FormatRegistry&)> lower_again;
    bool bounded = false;
    std::vector<NodeNotes> notes;
    std::vector<LintWarning> warnings;
  };

  Status execute(const sql::Statement& statement, const Script& script);
  /// Statements that change the session; false when it is another one.
  Result<bool> apply(const sql::Statement& statement, const Script& script);
  Status set(const sql::SetOption& option, const Script& script);
  Status create_table_as(const sql::CreateTable& create, const Script& script);
  Status run_inserts(const std::vector<const sql::Insert*>& inserts, const Script& script);
  Status run_job(PlannedJob job);
  Result<PlannedJob> plan_inserts(const std::vector<const sql::Insert*>& inserts,
                                  const Script& script);
  Result<PlannedJob> plan_query(const sql::Query& query, const Script& script);
  Result<PlannedJob> lower_job(std::vector<plan::NodePtr> sinks, std::string name);
  static std::string folder_of_job(int number, const Graph& graph);
  Status show(const sql::Show& show);
  Status describe(const sql::Describe& describe, const Script& script);
  Status describe_model(const sql::Describe& describe);
  Status explain_statement(const sql::Explain& explain, const Script& script);
  /// The jobs that these statements run as.
  Status plan_insert_jobs(const std::vector<const sql::Insert*>& inserts, const Script& script,
                          const std::function<Status(PlannedJob)>& visit);
  /// Plans every statement and hands the jobs on.
  Status plan_all(const Script& script, const std::function<void(const PlannedJob&)>& visit);
  void print(const std::vector<std::string>& names,
             const std::vector<std::vector<std::string>>& rows) const;
  RunOptions run_options() const;

  SqlOptions options_;
  std::map<std::string, std::string> settings_;  ///< by SET
  sql::Catalog catalog_;
  int jobs_started_ = 0;
};

}  // namespace tidegate
