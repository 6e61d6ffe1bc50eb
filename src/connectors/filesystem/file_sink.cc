// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/file_sink.h"

#include <chrono>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/failpoints.h"
#include "base/random.h"
#include "connectors/filesystem/file_sink_writer.h"
#include "connectors/filesystem/part_names.h"
#include "connectors/filesystem/partition_folders.h"
#include "formats/format.h"

namespace tidegate {

namespace {

constexpr std::int64_t kDefaultFileBytes = std::int64_t{128} << 20;
constexpr std::chrono::minutes kDefaultRollover{30};

class FileSink final : public Sink {
 public:
  FileSink(FileSinkSettings settings, PartitionFolders partitions)
      : settings_(std::move(settings)),
        partitions_(std::move(partitions)),
        names_(settings_.format.name) {}

  SinkGuarantee guarantee() const override { return SinkGuarantee::kTransactional; }
  int parallelism() const override { return parallelism_; }

  Status configure() {
    const Options& options = settings_.options;
    TG_ASSIGN_OR_RETURN(settings_.max_file_bytes,
                        options.get_size_or("sink.rolling-policy.file-size", kDefaultFileBytes));
    TG_ASSIGN_OR_RETURN(
        const std::chrono::milliseconds rollover,
        options.get_duration_or("sink.rolling-policy.rollover-interval", kDefaultRollover));
    settings_.rollover_ms = rollover.count();
    TG_ASSIGN_OR_RETURN(const std::int64_t parallelism, options.get_int_or("sink.parallelism", 0));
    parallelism_ = static_cast<int>(parallelism);
    TG_ASSIGN_OR_RETURN(const bool compacts, options.get_bool_or("auto-compaction", false));
    if (compacts)
      return error(ErrorCode::kNotSupported, "'auto-compaction' of files is not supported");
    TG_RETURN_IF_ERROR(configure_partition_commit());
    // Made once here, so that wrong options are found before anything runs.
    if (!settings_.format.make_encoder) return Status::ok();
    return settings_.format.make_encoder(settings_.schema, options).status();
  }

  Status open() override {
    TG_RETURN_IF_ERROR(in_table(settings_.files->create_directories(settings_.folder)));
    std::vector<std::string> paths;
    TG_RETURN_IF_ERROR(in_table(add_paths("", partitions_.depth(), paths)));
    names_.begin_run(paths, entropy_seed());
    return Status::ok();
  }

  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override {
    // Each has its own, since it remembers what it has seen.
    auto writer = std::make_unique<FileSinkWriter>(settings_, names_, partitions_.copy(), context);
    TG_RETURN_IF_ERROR(writer->open());
    return writer;
  }

  Status commit(EpochId epoch, const std::string& committable) override {
    return commit_all(epoch, std::span(&committable, 1));
  }

  Status commit_all(EpochId, std::span<const std::string> committables) override {
    std::set<std::string> folders;  // of partitions
    for (const std::string& committable : committables) {
      TG_ASSIGN_OR_RETURN(const PartCommittable parts, PartCommittable::parse(committable));
      for (const PartCommittable::File& file : parts.files) {
        TG_RETURN_IF_ERROR(in_table(publish(path_of(file.in_progress), path_of(file.published))));
        const std::size_t slash = file.published.rfind('/');
        if (slash != std::string::npos) folders.insert(file.published.substr(0, slash));
      }
    }
    if (success_file_.empty()) return Status::ok();
    for (const std::string& folder : folders)
      TG_RETURN_IF_ERROR(in_table(mark(path_of(folder) + '/' + success_file_)));
    return Status::ok();
  }

  Status abort(EpochId, const std::string& committable) override {
    TG_ASSIGN_OR_RETURN(const PartCommittable parts, PartCommittable::parse(committable));
    for (const PartCommittable::File& file : parts.files)
      TG_RETURN_IF_ERROR(in_table(settings_.files->remove(path_of(file.in_progress))));
    return Status::ok();
  }

 private:
  Status configure_partition_commit() {
    const Options& options = settings_.options;
    const std::string kind = options.get_string_or("sink.partition-commit.policy.kind", "");
    if (kind.empty()) return Status::ok();
    if (kind != "success-file") {
      return error(ErrorCode::kNotSupported,
                   "'sink.partition-commit.policy.kind' = '{}' is not supported; success-file is",
                   kind);
    }
    const std::string trigger =
        options.get_string_or("sink.partition-commit.trigger", "process-time");
    TG_ASSIGN_OR_RETURN(const std::chrono::milliseconds delay,
                        options.get_duration_or("sink.partition-commit.delay", {}));
    if (trigger != "process-time" || delay.count() != 0) {
      return error(ErrorCode::kNotSupported,
                   "'sink.partition-commit.trigger' = '{}' with a delay of {} ms is not supported; "
                   "process-time without delay is",
                   trigger, delay.count());
    }
    success_file_ = options.get_string_or("sink.partition-commit.success-file.name", "_SUCCESS");
    if (success_file_.empty() || success_file_.find('/') != std::string::npos ||
        success_file_.find_first_of("._") != 0) {
      return error(ErrorCode::kInvalidOption,
                   "'sink.partition-commit.success-file.name' = '{}' must start with '_' or '.', "
                   "so that readers of the table leave it out",
                   success_file_);
    }
    return Status::ok();
  }

  // Paths of files relative to the sink's folder, in it and in its partitions.
  Status add_paths(const std::string& folder, int depth, std::vector<std::string>& paths) {
    TG_ASSIGN_OR_RETURN(const std::vector<FileInfo> found, settings_.files->list(path_of(folder)));
    for (const FileInfo& entry : found) {
      const std::string path =
          (folder.empty() ? "" : folder + '/') + entry.path.substr(entry.path.rfind('/') + 1);
      if (!entry.is_directory) {
        paths.push_back(path);
      } else if (depth > 0) {
        TG_RETURN_IF_ERROR(add_paths(path, depth - 1, paths));
      }
    }
    return Status::ok();
  }

  Status publish(const std::string& from, const std::string& to) {
    FileSystem& files = *settings_.files;
    const bool written = files.stat(from).is_ok();
    const bool there = files.stat(to).is_ok();
    if (!written && there) return Status::ok();  // an earlier try got this far
    if (written && there) {
      return Status(ErrorCode::kFileAccess,
                    fmt::format("'{}' is there already; it would be lost to '{}'", to, from),
                    "Let only one job write to a folder.");
    }
    if (!written) {
      return error(ErrorCode::kStateCorrupt, "'{}', which was to be published as '{}', is gone",
                   from, to);
    }
    TG_FAILPOINT("file-sink.before-rename");
    TG_RETURN_IF_ERROR(files.rename(from, to));
    TG_FAILPOINT("file-sink.after-rename");
    return Status::ok();
  }

  Status mark(const std::string& path) {
    if (settings_.files->stat(path).is_ok()) return Status::ok();
    return write_file_atomically(*settings_.files, path, "");
  }

  std::string path_of(const std::string& name) const {
    return name.empty() ? settings_.folder : settings_.folder + '/' + name;
  }
  Status in_table(Status status) const {
    return std::move(status).with_context(fmt::format("table '{}'", settings_.table));
  }

  FileSinkSettings settings_;
  const PartitionFolders partitions_;
  PartNames names_;
  int parallelism_ = 0;
  std::string success_file_;  // empty: none is written
};

}  // namespace

Result<std::shared_ptr<Sink>> make_file_sink(const ConnectorRequest& request) {
  TG_CHECK(request.files != nullptr && request.formats != nullptr, "table={}", request.table);
  TG_ASSIGN_OR_RETURN(PartitionFolders partitions, PartitionFolders::from(request));
  FileSinkSettings settings;
  settings.table = request.table;
  settings.job = request.job;
  settings.files = request.files;
  settings.schema = partitions.file_schema();
  settings.options = request.options;
  TG_ASSIGN_OR_RETURN(settings.folder, request.options.get_string("path"));
  if (settings.folder.starts_with("file://")) settings.folder.erase(0, 7);
  while (settings.folder.size() > 1 && settings.folder.ends_with('/')) settings.folder.pop_back();
  if (settings.folder.empty()) return error(ErrorCode::kInvalidOption, "option 'path' is empty");
  if (!request.metadata.empty())
    return error(ErrorCode::kNotSupported,
                 "table '{}': metadata columns cannot be written to files", request.table);
  TG_ASSIGN_OR_RETURN(const std::string name, request.options.get_string("format"));
  TG_ASSIGN_OR_RETURN(const Format* format, request.formats->find(name));
  if (!format->make_encoder && !format->make_file_encoder)
    return error(ErrorCode::kNotSupported, "format '{}' cannot be written", name);
  settings.format = *format;
  auto sink = std::make_shared<FileSink>(std::move(settings), std::move(partitions));
  TG_RETURN_IF_ERROR(sink->configure());
  return sink;
}

}  // namespace tidegate
