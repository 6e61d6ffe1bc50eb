// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/file_sink.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/metrics.h"
#include "connectors/filesystem/part_file.h"
#include "connectors/filesystem/part_names.h"
#include "connectors/filesystem/serial_io.h"
#include "formats/format.h"

namespace tidegate {

namespace {

constexpr std::int64_t kDefaultFileBytes = std::int64_t{128} << 20;
constexpr std::chrono::minutes kDefaultRollover{30};
/// Encoded bytes are handed to the disk in pieces of this size, and the task waits when so many
/// are on their way.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::int64_t kMaxPendingBytes = std::int64_t{8} << 20;

struct FileSinkSettings {
  std::string table;
  std::string folder;
  FileSystem* files = nullptr;
  Format format;
  SchemaPtr schema;
  Options options;
  std::int64_t max_file_bytes = kDefaultFileBytes;
  std::int64_t rollover_ms = 0;
};

class FileSinkWriter final : public SinkWriter {
 public:
  FileSinkWriter(const FileSinkSettings& settings, PartNames& names, OperatorContext& context)
      : settings_(settings),
        names_(names),
        clock_(context.clock()),
        subtask_(context.subtask()),
        io_(context.executor(), context.waker()),
        bytes_(context.metrics().counter("bytes_out")) {}

  // What was not prepared belongs to no epoch.
  ~FileSinkWriter() override {
    discard(part_);
    for (const Finished& file : finished_) discard(file.part);
  }

  Status open() {
    if (settings_.format.make_file_encoder) return Status::ok();
    TG_ASSIGN_OR_RETURN(encoder_,
                        settings_.format.make_encoder(settings_.schema, settings_.options));
    return Status::ok();
  }

  Result<Progress> write(Batch batch) override {
    if (batch.empty()) return Progress::kDone;
    if (part_ != nullptr && is_due()) finish_part();
    if (part_ == nullptr) start_part();
    if (encoder_ == nullptr) {
      const std::int64_t size = batch.byte_size();
      io_.submit([part = part_, batch = std::move(batch)] { return part->write(batch); }, size);
    } else {
      TG_RETURN_IF_ERROR(in_table(encoder_->encode(batch, buffer_)));
      if (buffer_.size() >= kPieceBytes) send_buffer();
    }
    return resume();
  }

  Result<Progress> resume() override {
    Result<bool> ready = flushing_ ? io_.is_idle() : io_.is_below(kMaxPendingBytes);
    if (!ready.is_ok()) return in_table(std::move(ready).status());
    if (!*ready) return Progress::kBlocked;
    flushing_ = false;
    return Progress::kDone;
  }

  Result<Progress> flush() override {
    if (part_ != nullptr) finish_part();
    flushing_ = true;
    return resume();
  }

  Result<std::string> prepare(EpochId epoch) override {
    PartCommittable committable;
    for (const Finished& file : finished_) {
      committable.files.push_back({file.name, names_.published(epoch, subtask_, file.sequence)});
      bytes_.add(file.part->num_bytes());
    }
    finished_.clear();
    return committable.to_string();
  }

 private:
  using PartPtr = std::shared_ptr<PartFile>;
  struct Finished {
    PartPtr part;
    std::string name;
    std::int64_t sequence;
  };

  void start_part() {
    ++sequence_;
    name_ = names_.in_progress(subtask_, sequence_);
    part_ = std::make_shared<PartFile>(*settings_.files, settings_.folder + '/' + name_);
    started_ms_ = clock_.wall_ms();
    sent_bytes_ = 0;
    PartFile::MakeEncoder make_encoder;
    if (encoder_ == nullptr) {
      make_encoder = [make = settings_.format.make_file_encoder, schema = settings_.schema,
                      options = settings_.options](std::unique_ptr<WritableFile> file) {
        return make(schema, options, std::move(file));
      };
    } else {
      buffer_ += encoder_->header();
    }
    io_.submit([part = part_, make_encoder] { return part->create(make_encoder); });
  }

  // By size as far as it is known here: what an encoder still holds back does not count.
  bool is_due() const {
    const std::int64_t bytes = encoder_ == nullptr
                                   ? part_->num_bytes()
                                   : sent_bytes_ + static_cast<std::int64_t>(buffer_.size());
    return bytes >= settings_.max_file_bytes ||
           clock_.wall_ms() - started_ms_ >= settings_.rollover_ms;
  }

  void send_buffer() {
    const auto size = static_cast<std::int64_t>(buffer_.size());
    sent_bytes_ += size;
    io_.submit([part = part_, bytes = std::exchange(buffer_, {})] { return part->append(bytes); },
               size);
  }

  void finish_part() {
    if (!buffer_.empty()) send_buffer();
    io_.submit([part = part_] { return part->finish(); });
    finished_.push_back({std::exchange(part_, nullptr), name_, sequence_});
  }

  void discard(const PartPtr& part) {
    if (part != nullptr) io_.submit_always([part] { return part->discard(); });
  }

  Status in_table(Status status) const {
    return std::move(status).with_context(fmt::format("table '{}'", settings_.table));
  }

  const FileSinkSettings& settings_;
  PartNames& names_;
  const Clock& clock_;
  const int subtask_;
  SerialIo io_;
  Counter& bytes_;
  std::unique_ptr<Encoder> encoder_;  // null for formats of whole files

  PartPtr part_;  // the file being written
  std::string name_;
  std::int64_t sequence_ = 0;  // of it, over all epochs
  std::int64_t started_ms_ = 0;
  std::int64_t sent_bytes_ = 0;
  std::string buffer_;              // encoded rows that were not sent yet
  std::vector<Finished> finished_;  // of this epoch
  bool flushing_ = false;
};

class FileSink final : public Sink {
 public:
  explicit FileSink(FileSinkSettings settings) : settings_(std::move(settings)) {}

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
    // Made once here, so that wrong options are found before anything runs.
    if (!settings_.format.make_encoder) return Status::ok();
    return settings_.format.make_encoder(settings_.schema, options).status();
  }

  Status open() override {
    FileSystem& files = *settings_.files;
    TG_RETURN_IF_ERROR(in_table(files.create_directories(settings_.folder)));
    Result<std::vector<FileInfo>> folder = files.list(settings_.folder);
    if (!folder.is_ok()) return in_table(std::move(folder).status());
    names_.emplace(*folder, settings_.format.name);
    return Status::ok();
  }

  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override {
    auto writer = std::make_unique<FileSinkWriter>(settings_, *names_, context);
    TG_RETURN_IF_ERROR(writer->open());
    return writer;
  }

  Status commit(EpochId, const std::string& committable) override {
    TG_ASSIGN_OR_RETURN(const PartCommittable parts, PartCommittable::parse(committable));
    for (const PartCommittable::File& file : parts.files)
      TG_RETURN_IF_ERROR(in_table(publish(path_of(file.in_progress), path_of(file.published))));
    return Status::ok();
  }

  Status abort(EpochId, const std::string& committable) override {
    TG_ASSIGN_OR_RETURN(const PartCommittable parts, PartCommittable::parse(committable));
    for (const PartCommittable::File& file : parts.files)
      TG_RETURN_IF_ERROR(in_table(settings_.files->remove(path_of(file.in_progress))));
    return Status::ok();
  }

 private:
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
    return files.rename(from, to);
  }

  std::string path_of(const std::string& name) const { return settings_.folder + '/' + name; }
  Status in_table(Status status) const {
    return std::move(status).with_context(fmt::format("table '{}'", settings_.table));
  }

  FileSinkSettings settings_;
  int parallelism_ = 0;
  std::optional<PartNames> names_;  // from open() on
};

}  // namespace

Result<std::shared_ptr<Sink>> make_file_sink(const ConnectorRequest& request) {
  TG_CHECK(request.files != nullptr && request.formats != nullptr, "table={}", request.table);
  FileSinkSettings settings;
  settings.table = request.table;
  settings.files = request.files;
  settings.schema = request.schema;
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
  auto sink = std::make_shared<FileSink>(std::move(settings));
  TG_RETURN_IF_ERROR(sink->configure());
  return sink;
}

}  // namespace tidegate
