// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/check.h"
#include "expr/function_registry.h"
#include "planner/explain_plan.h"
#include "planner/rules.h"
#include "sql/binder.h"
#include "sql/catalog.h"
#include "sql/parser.h"

namespace tidegate {

// Plans of SQL scripts, for tests of the planner.

/// The sinks of a script of CREATE TABLE and INSERT INTO.
inline Result<std::vector<plan::NodePtr>> plan_of(const std::string& script) {
  const auto text = std::make_shared<const std::string>(script);
  const sql::SourceText source{"", *text, text};
  TG_ASSIGN_OR_RETURN(const std::vector<sql::Statement> statements, sql::parse_script(source));
  sql::Catalog catalog;
  std::vector<plan::NodePtr> sinks;
  for (const sql::Statement& statement : statements) {
    if (const auto* table = std::get_if<sql::CreateTable>(&statement.node)) {
      TG_RETURN_IF_ERROR(catalog.apply(*table, text));
    } else if (const auto* view = std::get_if<sql::CreateView>(&statement.node)) {
      TG_RETURN_IF_ERROR(catalog.apply(*view, text));
    } else if (const auto* insert = std::get_if<sql::Insert>(&statement.node)) {
      sql::Binder binder(catalog, builtin_functions(), source);
      TG_ASSIGN_OR_RETURN(plan::NodePtr sink, binder.bind_insert(*insert));
      sinks.push_back(std::move(sink));
    }
  }
  return sinks;
}

/// What most tests read.
inline const std::string kTestTables = R"(
  CREATE TABLE bids (auction BIGINT, bidder BIGINT, price BIGINT, url STRING, ts TIMESTAMP(3),
                     pt AS PROCTIME(), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
    WITH ('connector' = 'test');
  CREATE TABLE auctions (id BIGINT, seller INT, category STRING, ts TIMESTAMP(3),
                         WATERMARK FOR ts AS ts, PRIMARY KEY (id) NOT ENFORCED)
    WITH ('connector' = 'test');
  CREATE TABLE plain (i INT, s STRING, d DATE) WITH ('connector' = 'test');
  CREATE VIEW joined AS SELECT b.price, a.seller, b.ts FROM bids b JOIN auctions a ON auction = id;
)";

/// Runs the rules over `INSERT INTO out query`; the plan without sink, or the error.
inline std::string planned(const std::string& query, const std::string& out_columns,
                           std::vector<std::string> disabled = {}, Options settings = {}) {
  auto roots = plan_of(kTestTables + "CREATE TABLE outcome (" + out_columns +
                       ") WITH ('connector' = 'test'); INSERT INTO outcome " + query + ";");
  if (!roots.is_ok()) return "binder: " + roots.status().message();
  LoweringOptions options;
  options.functions = &builtin_functions();
  options.disabled_rules = std::move(disabled);
  options.settings = std::move(settings);
  const Status status = rewrite_plan(*roots, options);
  if (!status.is_ok()) return status.message();
  return "\n" + explain_plan({(*roots)[0]->inputs[0].node});
}

}  // namespace tidegate
