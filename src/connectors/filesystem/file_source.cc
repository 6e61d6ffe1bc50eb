// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/file_source.h"

#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "connectors/filesystem/metadata_columns.h"
#include "connectors/filesystem/record_reader.h"
#include "connectors/filesystem/whole_file_reader.h"
#include "connectors/projected_schema.h"
#include "formats/record_errors.h"

namespace tidegate {

namespace {

/// Small enough for a block and its columns to stay in a core's cache until the rows have been
/// used.
constexpr std::int64_t kBlockBytes = std::int64_t{512} << 10;

class FileSource final : public Source {
 public:
  FileSource(const ConnectorRequest& request, const Format& format, MetadataColumns metadata)
      : table_(request.table),
        files_(*request.files),
        format_(format),
        metadata_(std::move(metadata)) {}

  Status configure(const ConnectorRequest& request) {
    const Options& options = request.options;
    schema_ = projected_schema(*request.schema, request.projection);
    TG_ASSIGN_OR_RETURN(path_, options.get_string("path"));
    // As Hadoop's paths, which Flink's tables carry.
    if (path_.starts_with("file://")) path_.erase(0, 7);
    if (path_.empty()) return error(ErrorCode::kInvalidOption, "option 'path' is empty");
    TG_ASSIGN_OR_RETURN(const std::chrono::milliseconds interval,
                        options.get_duration_or("source.monitor-interval", {}));
    monitor_interval_ms_ = interval.count();
    TG_ASSIGN_OR_RETURN(limits_.max_files, options.get_int_or("maxFilesPerTrigger", 0));
    TG_ASSIGN_OR_RETURN(limits_.max_bytes, options.get_size_or("maxBytesPerTrigger", 0));
    TG_RETURN_IF_ERROR(configure_pattern(options));
    request_ = {metadata_.file_schema(), metadata_.file_projection(), options, request.conditions};
    return format_.make_file_decoder ? Status::ok() : configure_records(options);
  }

  const SchemaPtr& schema() const override { return schema_; }
  bool is_bounded() const override { return monitor_interval_ms_ == 0; }
  bool splits_end() const override { return true; }
  bool splits_in_sequence() const override { return format_.changelog; }
  BatchLimits batch_limits() const override { return limits_; }
  std::int64_t discovery_interval_ms() const override {
    return is_bounded() ? Source::discovery_interval_ms() : monitor_interval_ms_;
  }

  Status open(SourceContext&) override {
    TG_ASSIGN_OR_RETURN(const std::vector<FileInfo> found, matching_files());
    if (found.empty() && is_bounded() && path_has_wildcard())
      return in_table(error(ErrorCode::kFileNotFound, "no file matches '{}'", path_));
    return Status::ok();
  }

  Result<Discovery> discover(const std::vector<std::string>& known) override {
    TG_ASSIGN_OR_RETURN(const std::vector<FileInfo> found, matching_files());
    Discovery discovery;
    discovery.complete = is_bounded();
    const std::lock_guard lock(mutex_);
    seen_.insert(known.begin(), known.end());
    for (const FileInfo& file : found) {
      if (seen_.insert(file.path).second)
        discovery.splits.push_back({file.path, "", file.size_bytes});
    }
    return discovery;
  }

  Result<std::unique_ptr<SplitReader>> open_split(const Split& split,
                                                  const std::optional<std::string>& position,
                                                  SourceContext& context) override {
    Result<std::unique_ptr<SplitReader>> reader = format_.make_file_decoder
                                                      ? open_whole_file(split.id, position, context)
                                                      : open_records(split.id, position, context);
    if (reader.is_ok()) return reader;
    Status status = std::move(reader).status();
    if (status.code() == ErrorCode::kFileNotFound)
      return in_table(error(ErrorCode::kFileVanished, "file '{}' was there and is gone", split.id));
    return in_table(std::move(status).with_context(fmt::format("file '{}'", split.id)));
  }

 private:
  Status configure_pattern(const Options& options) {
    const std::string pattern = options.get_string_or("source.path.regex-pattern", "");
    if (pattern.empty()) return Status::ok();
    try {
      pattern_.emplace(pattern);
    } catch (const std::regex_error& exception) {
      return error(ErrorCode::kInvalidOption,
                   "option 'source.path.regex-pattern' is not a regular expression: {}",
                   exception.what());
    }
    return Status::ok();
  }

  Status configure_records(const Options& options) {
    auto reading = std::make_shared<RecordReading>();
    reading->make_decoder = [make = format_.make_decoder, request = request_] {
      return make(request);
    };
    // Made once here, so that wrong options are found before anything runs.
    TG_RETURN_IF_ERROR(reading->make_decoder().status());
    if (format_.make_splitter) {
      reading->make_splitter = [make = format_.make_splitter, options] { return make(options); };
    } else if (!format_.line_framed) {
      return error(ErrorCode::kNotSupported, "format '{}' cannot be read from files", format_.name);
    }
    if (format_.has_header) {
      TG_ASSIGN_OR_RETURN(reading->has_header, format_.has_header(options));
    }
    TG_ASSIGN_OR_RETURN(reading->policy, record_error_policy(options, format_.name));
    TG_ASSIGN_OR_RETURN(reading->max_record_bytes, max_record_bytes(options));
    TG_ASSIGN_OR_RETURN(reading->block_bytes,
                        options.get_size_or("source.block-size", kBlockBytes));
    if (reading->block_bytes < 1)
      return error(ErrorCode::kInvalidOption, "option 'source.block-size' must be at least 1");
    reading->dead_letter_path = options.get_string_or("dead-letter.path", "");
    const bool dead_letters = reading->policy == RecordErrorPolicy::kDeadLetter;
    if (dead_letters && reading->dead_letter_path.empty())
      return error(ErrorCode::kMissingOption,
                   "'error-policy' = 'dead-letter' needs 'dead-letter.path', a folder");
    reading_ = std::move(reading);
    return Status::ok();
  }

  bool path_has_wildcard() const { return path_.find_first_of("*?[") != std::string::npos; }

  Result<std::vector<FileInfo>> matching_files() {
    Result<std::vector<FileInfo>> found = find_files(files_, path_);
    if (!found.is_ok()) return in_table(std::move(found).status());
    if (pattern_) {
      std::erase_if(*found,
                    [&](const FileInfo& file) { return !std::regex_match(file.path, *pattern_); });
    }
    return found;
  }

  Result<std::unique_ptr<SplitReader>> open_records(const std::string& path,
                                                    const std::optional<std::string>& position,
                                                    SourceContext& context) {
    RecordPosition from;
    if (position) {
      TG_ASSIGN_OR_RETURN(from, RecordPosition::parse(*position));
    }
    return open_record_reader(path, files_, reading_, metadata_, from, context);
  }

  Result<std::unique_ptr<SplitReader>> open_whole_file(const std::string& path,
                                                       const std::optional<std::string>& position,
                                                       SourceContext& context) {
    std::int64_t rows = 0;
    if (position) {
      const char* const end = position->data() + position->size();
      if (std::from_chars(position->data(), end, rows).ptr != end || rows < 0)
        return error(ErrorCode::kStateCorrupt, "'{}' is not a position in a file", *position);
    }
    TG_ASSIGN_OR_RETURN(const FileInfo info, files_.stat(path));
    return std::make_unique<WholeFileReader>(
        info,
        [&files = files_, path, make = format_.make_file_decoder,
         request = request_]() -> Result<std::unique_ptr<FileDecoder>> {
          TG_ASSIGN_OR_RETURN(std::unique_ptr<RandomAccessFile> file, files.open(path));
          return make(request, std::move(file));
        },
        metadata_, rows, context);
  }

  Status in_table(Status status) const {
    return table_.empty() ? std::move(status)
                          : std::move(status).with_context(fmt::format("table '{}'", table_));
  }

  const std::string table_;
  FileSystem& files_;
  const Format format_;
  const MetadataColumns metadata_;
  SchemaPtr schema_;
  std::string path_;
  std::optional<std::regex> pattern_;
  std::int64_t monitor_interval_ms_ = 0;
  BatchLimits limits_;
  DecodeRequest request_;
  std::shared_ptr<const RecordReading> reading_;
  std::mutex mutex_;
  std::set<std::string> seen_;  // paths of splits
};

}  // namespace

Result<std::shared_ptr<Source>> make_file_source(const ConnectorRequest& request) {
  TG_CHECK(request.files != nullptr && request.formats != nullptr, "table={}", request.table);
  TG_ASSIGN_OR_RETURN(const std::string name, request.options.get_string("format"));
  TG_ASSIGN_OR_RETURN(const Format* format, request.formats->find(name));
  if (!format->make_decoder && !format->make_file_decoder)
    return error(ErrorCode::kNotSupported, "format '{}' cannot be read", name);
  TG_ASSIGN_OR_RETURN(MetadataColumns metadata, MetadataColumns::from(request));
  auto source = std::make_shared<FileSource>(request, *format, std::move(metadata));
  TG_RETURN_IF_ERROR(source->configure(request));
  return source;
}

}  // namespace tidegate
