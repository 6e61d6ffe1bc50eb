// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/memory_file_system.h"
#include "base/metrics.h"
#include "connectors/filesystem/file_source.h"
#include "dataflow/source.h"
#include "formats/format.h"
#include "types/test_columns.h"

namespace tidegate {

/// Reads tables of files in memory under a seeded executor, for tests. A reader that waits without
/// anyone left to wake it fails the test.
class FileReading final : public SourceContext {
 public:
  using OptionMap = std::map<std::string, std::string, std::less<>>;

  /// One worker: blocks are decoded in poll(). More: by pieces of work in an order of the seed.
  explicit FileReading(int parallelism = 1, std::uint64_t seed = 1)
      : executor_(make_simulated_executor(seed, clock_, parallelism)),
        metrics_(make_metric_registry()) {
    register_all_formats(formats_);
  }

  MemoryFileSystem& files() { return files_; }
  VirtualClock& virtual_clock() { return clock_; }
  void write(const std::string& path, std::string_view content) {
    clock_.advance_to_ms(clock_.wall_ms() + 1000);  // files in the order of writing
    if (!write_file_atomically(files_, path, content).is_ok()) std::abort();
  }
  std::string read(const std::string& path) {
    Result<std::string> content = read_file(files_, path);
    return content.is_ok() ? *content : content.status().message();
  }
  std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    Result<std::vector<FileInfo>> files = files_.list(folder);
    if (!files.is_ok()) return {files.status().message()};
    for (const FileInfo& file : *files) names.push_back(file.path.substr(file.path.rfind('/') + 1));
    return names;
  }

  ConnectorRequest request(const std::vector<std::string>& columns, const OptionMap& options,
                           std::optional<std::vector<int>> projection = {}) {
    ConnectorRequest request;
    request.table = "t";
    request.schema = schema_of(columns);
    request.options = Options(options);
    request.files = &files_;
    request.formats = &formats_;
    if (projection) {
      request.projection = *projection;
    } else {
      for (int i = 0; i < request.schema->num_fields(); ++i) request.projection.push_back(i);
    }
    return request;
  }

  /// What the reader returns until it ends, has returned `count` rows, or fails.
  struct Rows {
    std::vector<std::string> texts;
    std::vector<std::string> positions;  ///< behind each poll
    Status status;
    bool ended = false;
  };
  Rows read(Source& source, SplitReader& reader, std::int64_t max_rows = 1000,
            std::size_t count = SIZE_MAX) {
    Rows rows;
    while (rows.texts.size() < count) {
      woken_ = false;
      Result<Polled> polled = reader.poll(std::min<std::int64_t>(
          max_rows,
          static_cast<std::int64_t>(std::min<std::size_t>(count, 1 << 30) - rows.texts.size())));
      if (!polled.is_ok()) {
        rows.status = polled.status();
        return rows;
      }
      if (polled->state == Polled::State::kEnd) {
        rows.ended = true;
        return rows;
      }
      for (std::string& text : to_rows(polled->batch, *source.schema()))
        rows.texts.push_back(std::move(text));
      rows.positions.push_back(reader.position());
      while (polled->state == Polled::State::kPending && !woken_) {
        if (executor_->run_one()) continue;
        rows.status = Status(ErrorCode::kInternal, "pending, and nobody will wake the reader");
        return rows;
      }
    }
    return rows;
  }

  /// All rows of all files of a table, or the first error.
  Rows read_all(const ConnectorRequest& request, std::int64_t max_rows = 1000) {
    Rows all;
    Result<std::shared_ptr<Source>> source = make_file_source(request);
    if (!source.is_ok()) return {{}, {}, source.status()};
    if (Status opened = (*source)->open(*this); !opened.is_ok()) return {{}, {}, opened};
    Result<Discovery> found = (*source)->discover({});
    if (!found.is_ok()) return {{}, {}, found.status()};
    for (const Split& split : found->splits) {
      Result<std::unique_ptr<SplitReader>> reader = (*source)->open_split(split, {}, *this);
      if (!reader.is_ok()) return {all.texts, {}, reader.status()};
      Rows rows = read(**source, **reader, max_rows);
      all.texts.insert(all.texts.end(), rows.texts.begin(), rows.texts.end());
      if (!rows.status.is_ok()) {
        all.status = std::move(rows.status);
        return all;
      }
    }
    all.ended = true;
    return all;
  }

  std::int64_t metric(std::string_view name) const { return metrics_->sum("source", name); }
  SimulatedExecutor& simulated() { return *executor_; }

  const std::string& source_name() const override { return name_; }
  const Clock& clock() const override { return clock_; }
  Executor& executor() override { return *executor_; }
  MetricGroup& metrics() override { return metrics_->group(name_, 0); }
  Waker waker() override {
    return Waker(std::make_shared<const std::function<void()>>([this] { woken_ = true; }));
  }

 private:
  const std::string name_ = "source";
  VirtualClock clock_;
  MemoryFileSystem files_{clock_};
  FormatRegistry formats_;
  std::unique_ptr<SimulatedExecutor> executor_;
  std::unique_ptr<MetricRegistry> metrics_;
  bool woken_ = false;
};

}  // namespace tidegate
