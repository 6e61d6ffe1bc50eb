// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/file_sink_writer.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/failpoints.h"

namespace tidegate {
namespace {

/// Encoded bytes are handed to the disk in pieces of this size, and the task waits when so many
/// are on their way.
constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::int64_t kMaxPendingBytes = std::int64_t{8} << 20;
/// Rows of ever new partitions must not use up the process's file descriptors.
constexpr std::size_t kMostOpenParts = 64;

std::string in_folder(const std::string& folder, std::string name) {
  return folder.empty() ? std::move(name) : folder + '/' + name;
}

}  // namespace

FileSinkWriter::FileSinkWriter(const FileSinkSettings& settings, PartNames& names,
                               PartitionFolders partitions, OperatorContext& context)
    : settings_(settings),
      names_(names),
      partitions_(std::move(partitions)),
      clock_(context.clock()),
      subtask_(context.subtask()),
      owner_(part_owner(settings.job, context.operator_name())),
      io_(context.executor(), context.waker()),
      bytes_(context.metrics().counter("bytes_out")) {}

FileSinkWriter::~FileSinkWriter() {
  for (const auto& [folder, open] : open_) discard(open.part);
  for (const Finished& file : finished_) discard(file.part);
}

Status FileSinkWriter::open() {
  // Best effort: what is left is hidden.
  for (const std::string& path : names_.take_leftovers(owner_)) {
    io_.submit_always([files = settings_.files, path = settings_.folder + '/' + path] {
      static_cast<void>(files->remove(path));
      return Status::ok();
    });
  }
  if (settings_.format.make_file_encoder) return Status::ok();
  TG_ASSIGN_OR_RETURN(encoder_, settings_.format.make_encoder(settings_.schema, settings_.options));
  return Status::ok();
}

Result<Progress> FileSinkWriter::write(Batch batch) {
  if (batch.empty()) return Progress::kDone;
  TG_RETURN_IF_ERROR(
      in_table(partitions_.split(batch, [this](const std::string& folder, Batch rows) {
        return write_rows(folder, std::move(rows));
      })));
  return resume();
}

Status FileSinkWriter::write_rows(const std::string& folder, Batch rows) {
  OpenPart& open = part_of(folder);
  if (encoder_ == nullptr) {
    const std::int64_t size = rows.byte_size();
    io_.submit([part = open.part, rows = std::move(rows)] { return part->write(rows); }, size);
    return Status::ok();
  }
  TG_RETURN_IF_ERROR(encoder_->encode(rows, open.buffer));
  if (open.buffer.size() >= kPieceBytes) send_buffer(open);
  return Status::ok();
}

Result<Progress> FileSinkWriter::resume() {
  Result<bool> ready = flushing_ ? io_.is_idle() : io_.is_below(kMaxPendingBytes);
  if (!ready.is_ok()) return in_table(std::move(ready).status());
  if (!*ready) return Progress::kBlocked;
  flushing_ = false;
  return Progress::kDone;
}

Result<Progress> FileSinkWriter::flush() {
  for (auto& [folder, open] : open_) finish(folder, open);
  open_.clear();
  flushing_ = true;
  return resume();
}

Result<std::string> FileSinkWriter::prepare(EpochId epoch) {
  TG_FAILPOINT("file-sink.prepare");
  std::ranges::sort(finished_, {}, &Finished::sequence);
  PartCommittable committable;
  for (const Finished& file : finished_) {
    committable.files.push_back(
        {file.name,
         in_folder(file.folder, names_.published(epoch, owner_, subtask_, file.sequence))});
    bytes_.add(file.part->num_bytes());
  }
  finished_.clear();
  return committable.to_string();
}

FileSinkWriter::OpenPart& FileSinkWriter::part_of(const std::string& folder) {
  const auto found = open_.find(folder);
  if (found != open_.end()) {
    if (!is_due(found->second)) return found->second;
    finish(folder, found->second);
    open_.erase(found);
  }
  if (open_.size() >= kMostOpenParts) finish_oldest();
  OpenPart& open = open_[folder];
  start(folder, open);
  return open;
}

void FileSinkWriter::start(const std::string& folder, OpenPart& open) {
  open.sequence = ++sequence_;
  open.name = in_folder(folder, names_.in_progress(owner_, subtask_, open.sequence));
  open.part = std::make_shared<PartFile>(*settings_.files, settings_.folder + '/' + open.name);
  open.started_ms = clock_.wall_ms();
  PartFile::MakeEncoder make_encoder;
  if (encoder_ == nullptr) {
    make_encoder = [make = settings_.format.make_file_encoder, schema = settings_.schema,
                    options = settings_.options](std::unique_ptr<WritableFile> file) {
      return make(schema, options, std::move(file));
    };
  } else {
    open.buffer += encoder_->header();
  }
  io_.submit([part = open.part, make_encoder] { return part->create(make_encoder); });
}

// By size as far as it is known here: what an encoder still holds back does not count.
bool FileSinkWriter::is_due(const OpenPart& open) const {
  const std::int64_t bytes = encoder_ == nullptr
                                 ? open.part->num_bytes()
                                 : open.sent_bytes + static_cast<std::int64_t>(open.buffer.size());
  return bytes >= settings_.max_file_bytes ||
         clock_.wall_ms() - open.started_ms >= settings_.rollover_ms;
}

void FileSinkWriter::send_buffer(OpenPart& open) {
  const auto size = static_cast<std::int64_t>(open.buffer.size());
  open.sent_bytes += size;
  io_.submit(
      [part = open.part, bytes = std::exchange(open.buffer, {})] { return part->append(bytes); },
      size);
}

void FileSinkWriter::finish(const std::string& folder, OpenPart& open) {
  if (!open.buffer.empty()) send_buffer(open);
  io_.submit([part = open.part] { return part->finish(); });
  finished_.push_back(
      {std::exchange(open.part, nullptr), folder, std::move(open.name), open.sequence});
}

void FileSinkWriter::finish_oldest() {
  const auto oldest = std::min_element(
      open_.begin(), open_.end(),
      [](const auto& a, const auto& b) { return a.second.sequence < b.second.sequence; });
  finish(oldest->first, oldest->second);
  open_.erase(oldest);
}

void FileSinkWriter::discard(const PartPtr& part) {
  if (part != nullptr) io_.submit_always([part] { return part->discard(); });
}

Status FileSinkWriter::in_table(Status status) const {
  return std::move(status).with_context(fmt::format("table '{}'", settings_.table));
}

}  // namespace tidegate
