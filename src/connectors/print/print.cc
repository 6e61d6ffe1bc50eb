// SPDX-License-Identifier: Apache-2.0
// The connector 'print': rows on stdout in Flink's form, one a line: "+I[a, 1]".

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "dataflow/connector.h"
#include "types/value_format.h"

namespace tidegate {

namespace {

// Written at once and in the task: whoever looks at a terminal wants to see rows when they come,
// and a reader of the pipe that does not keep up should slow the job down.
class PrintWriter final : public SinkWriter {
 public:
  PrintWriter(SchemaPtr schema, std::string prefix, std::FILE* out)
      : schema_(std::move(schema)), prefix_(std::move(prefix)), out_(out) {}

  Result<Progress> write(Batch batch) override {
    text_.clear();
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      text_ += prefix_;
      append_row(*schema_, batch, row, text_);
      text_ += '\n';
    }
    // In one call, so that lines of other tasks do not come in between.
    if (std::fwrite(text_.data(), 1, text_.size(), out_) != text_.size() ||
        std::fflush(out_) != 0) {
      const int cause = errno;
      return error(cause == ENOSPC ? ErrorCode::kDiskFull : ErrorCode::kFileIo,
                   "cannot print rows: {}", std::generic_category().message(cause));
    }
    return Progress::kDone;
  }
  Result<std::string> prepare(EpochId) override { return std::string(); }

 private:
  SchemaPtr schema_;
  std::string prefix_;
  std::FILE* out_;
  std::string text_;
};

class PrintSink final : public Sink {
 public:
  PrintSink(SchemaPtr schema, std::string prefix, std::FILE* out, int parallelism)
      : schema_(std::move(schema)),
        prefix_(std::move(prefix)),
        out_(out),
        parallelism_(parallelism) {}
  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  int parallelism() const override { return parallelism_; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return std::make_unique<PrintWriter>(schema_, prefix_, out_);
  }

 private:
  SchemaPtr schema_;
  std::string prefix_;
  std::FILE* out_;
  int parallelism_;
};

Result<std::shared_ptr<Sink>> make_sink(const ConnectorRequest& request) {
  std::string prefix = request.options.get_string_or("print-identifier", "");
  if (!prefix.empty()) prefix += "> ";
  TG_ASSIGN_OR_RETURN(const bool to_stderr, request.options.get_bool_or("standard-error", false));
  TG_ASSIGN_OR_RETURN(const std::int64_t parallelism,
                      request.options.get_int_or("sink.parallelism", 0));
  return std::make_shared<PrintSink>(request.schema, std::move(prefix), to_stderr ? stderr : stdout,
                                     static_cast<int>(parallelism));
}

}  // namespace

void register_connector_print(ConnectorRegistry& registry) {
  Connector connector;
  connector.name = "print";
  connector.description = "Rows on stdout, one a line, as +I[a, 1].";
  connector.options = {
      {"print-identifier", "string", "", "Stands in front of each line, as 'identifier> '."},
      {"standard-error", "boolean", "false", "Print on stderr instead."},
      {"sink.parallelism", "integer", "", "How many tasks print; default: the job's parallelism."},
  };
  connector.takes_changes = true;
  connector.takes_partitions = true;  // and does not care
  connector.make_sink = make_sink;
  registry.add(std::move(connector));
}

}  // namespace tidegate
