// SPDX-License-Identifier: Apache-2.0
//
// Runs one query in micro-batches as it is told on standard input, so that spark_cases.py can put
// data in front of it, let it run until nothing is left, stop it and start it again:
//
//   set NAME VALUE    an option of the next start: checkpoint, trigger, output-mode, max-files,
//                     connector (that the sink stands for), failing-sink (rows, or a batch, end the
//                     query), state-function (state_function.h; over what the script selects),
//                     parallelism; any other name is a setting
//   start BYTES       begins the SQL script of that many bytes that follows: CREATE statements and
//                     a query
//   process           waits until nothing is left to be read
//   await             waits until the query has ended by itself
//   stop              ends it where it is
//
// Each of the last four answers one line of JSON: {"batches": [...]}, what has been done since the
// line before, or {"error": "...", "batches": [...]}.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/session.h"
#include "base/check.h"
#include "expr/function_registry.h"
#include "formats/format.h"
#include "formats/json_encoder.h"
#include "formats/json_options.h"
#include "plan/sink.h"
#include "planner/lowering.h"
#include "sql/binder.h"
#include "sql/catalog.h"
#include "sql/parser.h"
#include "state_function.h"
#include "tidegate/app.h"

namespace tidegate {
namespace {

/// What was committed, batch by batch: rows as JSON objects, one a line.
class Collected {
 public:
  void add(EpochId epoch, std::string rows) {
    const std::lock_guard lock(mutex_);
    rows_[epoch] = std::move(rows);
  }
  std::map<EpochId, std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(rows_, {});
  }

 private:
  std::mutex mutex_;
  std::map<EpochId, std::string> rows_;
};

/// When the sink fails: as soon as there is a row, or at the end of this batch.
struct Failing {
  bool at_rows = false;
  std::optional<std::uint64_t> batch;
};

class CollectingWriter final : public SinkWriter {
 public:
  CollectingWriter(const SchemaPtr& schema, Failing fails)
      : encoder_(schema, JsonWriteOptions()), fails_(fails) {}
  Result<Progress> write(Batch batch) override {
    if (fails_.at_rows) return failure();
    TG_RETURN_IF_ERROR(encoder_.encode(batch, rows_));
    return Progress::kDone;
  }
  /// Also of an epoch without rows, so that it is told.
  Result<std::string> prepare(EpochId epoch) override {
    if (fails_.batch && *fails_.batch + 1 == epoch) return failure();
    return std::exchange(rows_, {}) + "\n";
  }

 private:
  static Status failure() {
    return error(ErrorCode::kInternal, "the sink fails, as it was told to");
  }

  JsonEncoder encoder_;
  const Failing fails_;
  std::string rows_;
};

/// Collects the rows of an epoch when it has committed; the same one again after a lost commit.
class CollectingSink final : public Sink {
 public:
  CollectingSink(SchemaPtr schema, Failing fails) : schema_(std::move(schema)), fails_(fails) {}
  SinkGuarantee guarantee() const override { return SinkGuarantee::kTransactional; }
  int parallelism() const override { return 1; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return std::make_unique<CollectingWriter>(schema_, fails_);
  }
  Status commit(EpochId epoch, const std::string& rows) override {
    collected_.add(epoch, rows);
    return Status::ok();
  }
  Status abort(EpochId, const std::string&) override { return Status::ok(); }
  Collected& collected() { return collected_; }

 private:
  SchemaPtr schema_;
  const Failing fails_;
  Collected collected_;
};

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += ' ';
    } else {
      out += c;
    }
  }
  return out + "\"";
}

class Query {
 public:
  void set(const std::string& name, const std::string& value) { options_[name] = value; }

  Status start(std::string script) {
    TG_ASSIGN_OR_RETURN(RunOptions run, run_options());
    TG_ASSIGN_OR_RETURN(plan::Input rows, plan_of(std::move(script)));
    if (!state_function_.empty()) {
      TG_ASSIGN_OR_RETURN(rows, add_state_function(rows, state_function_));
    }
    const SchemaPtr schema = rows.schema();
    sink_ = std::make_shared<CollectingSink>(schema, fails_);
    auto sink = std::make_shared<plan::SinkNode>(std::move(rows), connector_, Options());
    sink->name = "result";
    sink->instance = sink_;
    auto formats = std::make_unique<FormatRegistry>();
    register_all_formats(*formats);
    TG_ASSIGN_OR_RETURN(const LoweringOptions lowering, lowering_options("query", run, *formats));
    TG_ASSIGN_OR_RETURN(Graph graph, lower({std::move(sink)}, lowering));
    run.on_batch = [this](const BatchProgress& progress) {
      const std::lock_guard lock(mutex_);
      batches_.push_back(progress);
    };
    TG_ASSIGN_OR_RETURN(std::unique_ptr<RunningJob::Session> session,
                        RunningJob::Session::start(std::move(graph), run, std::move(formats)));
    job_.emplace(std::move(session));
    return Status::ok();
  }

  Status process() { return job_ ? job_->process_available() : Status::ok(); }
  Status await() { return job_ ? job_->await() : Status::ok(); }
  Status stop() {
    if (!job_) return Status::ok();
    job_->stop();
    Status status = job_->await();
    job_.reset();
    return status;
  }

  std::string answer(const Status& status) {
    std::string text = "{";
    if (!status.is_ok()) text += "\"error\":" + quoted(status.to_string()) + ",";
    text += "\"batches\":[";
    const std::lock_guard lock(mutex_);
    std::map<EpochId, std::string> rows;
    if (sink_ != nullptr) rows = sink_->collected().take();
    for (const BatchProgress& batch : batches_) rows.try_emplace(batch.batch_id + 1);
    std::string comma;
    for (auto& [epoch, lines] : rows) {
      text += std::exchange(comma, ",") + "{\"batch\":" + std::to_string(epoch - 1);
      text += progress_of(epoch - 1);
      while (!lines.empty() && lines.back() == '\n') lines.pop_back();
      std::ranges::replace(lines, '\n', ',');
      text += ",\"rows\":[" + lines + "]}";
    }
    batches_.clear();
    return text + "]}";
  }

 private:
  /// Nothing for a batch that has only been told to the sink once more.
  std::string progress_of(std::uint64_t batch) const {
    for (const BatchProgress& each : batches_) {
      if (each.batch_id != batch) continue;
      return ",\"watermark\":" + (each.watermark ? std::to_string(*each.watermark) : "null") +
             ",\"progress\":" + each.to_json();
    }
    return "";
  }

  Result<RunOptions> run_options() {
    RunOptions run;
    run.mode = "micro-batch";
    run.parallelism = 2;
    for (const auto& [name, value] : options_) {
      if (name == "checkpoint") {
        run.checkpoint_dir = value;
      } else if (name == "trigger") {
        TG_ASSIGN_OR_RETURN(run.trigger, Trigger::parse(value));
      } else if (name == "output-mode") {
        run.output_mode = value;
      } else if (name == "max-files") {
        run.max_files_per_trigger = std::stoll(value);
      } else if (name == "parallelism") {
        run.parallelism = std::stoi(value);
      } else if (name == "failing-sink") {
        fails_.at_rows = value == "true";
        if (!fails_.at_rows) fails_.batch = std::stoull(value);
      } else if (name == "state-function") {
        state_function_ = value;
      } else if (name == "connector") {
        connector_ = value;
      } else {
        run.settings[name] = value;
      }
    }
    return run;
  }

  static Result<plan::Input> plan_of(std::string script) {
    const auto text = std::make_shared<const std::string>(std::move(script));
    const sql::SourceText source{"query", *text, text};
    TG_ASSIGN_OR_RETURN(const std::vector<sql::Statement> statements, sql::parse_script(source));
    sql::Catalog catalog;
    for (const sql::Statement& statement : statements) {
      if (const auto* table = std::get_if<sql::CreateTable>(&statement.node)) {
        TG_RETURN_IF_ERROR(catalog.apply(*table, text));
      } else if (const auto* view = std::get_if<sql::CreateView>(&statement.node)) {
        TG_RETURN_IF_ERROR(catalog.apply(*view, text));
      } else if (const auto* select = std::get_if<sql::SelectStatement>(&statement.node)) {
        sql::Binder binder(catalog, builtin_functions(), source);
        TG_ASSIGN_OR_RETURN(sql::BoundQuery bound, binder.bind_query(*select->query));
        return bound.input;
      }
    }
    return error(ErrorCode::kInvalidSyntax, "the script has no query");
  }

  std::map<std::string, std::string> options_;
  std::string connector_ = "result";
  std::string state_function_;
  Failing fails_;
  std::shared_ptr<CollectingSink> sink_;
  std::optional<RunningJob> job_;
  std::mutex mutex_;
  std::vector<BatchProgress> batches_;
};

int serve() {
  Query query;
  std::string command;
  while (std::cin >> command) {
    if (command == "set") {
      std::string name;
      std::string value;
      std::cin >> name;
      std::getline(std::cin >> std::ws, value);
      query.set(name, value);
      continue;
    }
    Status status = Status::ok();
    if (command == "start") {
      std::size_t bytes = 0;
      std::cin >> bytes;
      std::cin.ignore();
      std::string script(bytes, '\0');
      std::cin.read(script.data(), static_cast<std::streamsize>(bytes));
      status = query.start(std::move(script));
    } else if (command == "process") {
      status = query.process();
    } else if (command == "await") {
      status = query.await();
    } else if (command == "stop") {
      status = query.stop();
    }
    std::printf("%s\n", query.answer(status).c_str());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace tidegate

int main() { return tidegate::serve(); }
