// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/check.h"
#include "base/metrics.h"
#include "dataflow/connector.h"
#include "types/test_columns.h"

namespace tidegate {

void register_connector_print(ConnectorRegistry& registry);
void register_connector_blackhole(ConnectorRegistry& registry);

namespace {

class Context final : public OperatorContext {
 public:
  const std::string& operator_name() const override { return name_; }
  int subtask() const override { return 1; }
  int parallelism() const override { return 2; }
  KeyGroupRange key_groups() const override { return {}; }
  const Clock& clock() const override { return system_clock(); }
  Executor& executor() override { check_failed(__FILE__, __LINE__, "executor", "not needed"); }
  Waker waker() override { return {}; }
  StateBackend& state() override { check_failed(__FILE__, __LINE__, "state", "not needed"); }
  MetricGroup& metrics() override { return metrics_->group(name_, 1); }
  void request_wake_at(std::int64_t) override {}

 private:
  const std::string name_ = "sink";
  std::unique_ptr<MetricRegistry> metrics_ = make_metric_registry();
};

class Print : public testing::Test {
 protected:
  Print() {
    register_connector_print(registry_);
    register_connector_blackhole(registry_);
  }

  Status write(const std::string& connector, const Options& options) {
    ConnectorRequest request;
    request.schema = schema_of({"s STRING", "a INT"});
    request.options = options;
    Result<std::shared_ptr<Sink>> sink = (*registry_.find(connector))->make_sink(request);
    if (!sink.is_ok()) return sink.status();
    Result<std::unique_ptr<SinkWriter>> writer = (*sink)->open_writer(context_);
    const Batch batch = changelog_of(*request.schema, R"([["+I", "a", 1], ["-U", null, 2]])");
    const Result<Progress> progress = (*writer)->write(batch);
    return progress.is_ok() ? (*writer)->prepare(1).status() : progress.status();
  }

  ConnectorRegistry registry_;
  Context context_;
};

TEST_F(Print, PrintsFlinksForm) {
  Options options;
  testing::internal::CaptureStdout();
  EXPECT_TRUE(write("print", options).is_ok());
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "+I[a, 1]\n-U[null, 2]\n");
  options.set("print-identifier", "id");
  options.set("standard-error", "true");
  testing::internal::CaptureStderr();
  EXPECT_TRUE(write("print", options).is_ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "id> +I[a, 1]\nid> -U[null, 2]\n");
}

TEST_F(Print, AFullDiskIsAnError) {
  // What cannot be flushed stays in the stream's buffer, so in a process of its own.
  const auto print_to_full_disk = [this] {
    if (std::freopen("/dev/full", "w", stdout) == nullptr) std::_Exit(2);
    const Status status = write("print", Options());
    std::_Exit(!status.is_ok() && status.code() == ErrorCode::kDiskFull ? 0 : 1);
  };
  EXPECT_EXIT(print_to_full_disk(), testing::ExitedWithCode(0), "");
}

TEST_F(Print, BlackholeTakesEverything) { EXPECT_TRUE(write("blackhole", Options()).is_ok()); }

TEST_F(Print, RegistryNamesTheNearest) {
  const Status status = registry_.find("prnt").status();
  EXPECT_EQ(status.code(), ErrorCode::kUnknownName);
  EXPECT_EQ(status.message(), "there is no connector 'prnt'; did you mean 'print'?");
}

}  // namespace
}  // namespace tidegate
