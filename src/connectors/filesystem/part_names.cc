// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/part_names.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

constexpr std::string_view kPublished = "part-";
constexpr std::string_view kUnfinished = ".part-";
constexpr std::size_t kOwnerSize = 8;

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

// The number behind `skipped` bytes, or 0.
std::uint64_t number_behind(std::string_view name, std::size_t skipped) {
  if (name.size() <= skipped) return 0;
  name.remove_prefix(skipped);
  std::uint64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

// Relative, and nowhere but below the folder.
bool is_inside(std::string_view path) {
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    if (name.empty() || name == "." || name == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

std::string part_owner(std::string_view job, std::string_view sink) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  add(job);
  add(std::string_view("\0", 1));
  add(sink);
  return fmt::format("{:08x}", static_cast<std::uint32_t>(hash ^ hash >> 32));
}

void PartNames::begin_run(const std::vector<std::string>& paths, std::uint64_t run) {
  const std::lock_guard lock(mutex_);
  unfinished_.clear();
  base_.reset();
  run_ = run;
  for (const std::string& path : paths) {
    const std::string_view name = name_of(path);
    if (name.starts_with(kPublished))
      last_label_ = std::max(last_label_, number_behind(name, kPublished.size()));
    if (name.starts_with(kUnfinished)) unfinished_.push_back(path);
  }
}

std::vector<std::string> PartNames::take_leftovers(std::string_view owner) {
  const std::lock_guard lock(mutex_);
  const auto theirs =
      std::stable_partition(unfinished_.begin(), unfinished_.end(), [&](const std::string& path) {
        return name_of(path).substr(kUnfinished.size(), kOwnerSize) != owner;
      });
  std::vector<std::string> taken(std::make_move_iterator(theirs),
                                 std::make_move_iterator(unfinished_.end()));
  unfinished_.erase(theirs, unfinished_.end());
  return taken;
}

std::string PartNames::in_progress(std::string_view owner, int subtask,
                                   std::int64_t sequence) const {
  const std::lock_guard lock(mutex_);
  return fmt::format("{}{}-{:016x}-{:04}-{:06}.inprogress", kUnfinished, owner, run_, subtask,
                     sequence);
}

std::string PartNames::published(EpochId epoch, std::string_view owner, int subtask,
                                 std::int64_t sequence) {
  const std::lock_guard lock(mutex_);
  if (!base_) base_ = epoch > last_label_ ? 0 : last_label_;
  return fmt::format("{}{:010}-{:04}-{:06}-{}.{}", kPublished, *base_ + epoch, subtask, sequence,
                     owner, extension_);
}

std::string PartCommittable::to_string() const {
  std::string out;
  for (const File& file : files) out += file.in_progress + '\t' + file.published + '\n';
  return out;
}

Result<PartCommittable> PartCommittable::parse(std::string_view text) {
  PartCommittable committable;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t tab = line.find('\t');
    if (line.size() == text.size() || tab == std::string_view::npos ||
        !is_inside(line.substr(0, tab)) || !is_inside(line.substr(tab + 1)))
      return error(ErrorCode::kStateCorrupt, "'{}' does not name files to publish", line);
    committable.files.push_back(
        {std::string(line.substr(0, tab)), std::string(line.substr(tab + 1))});
    text.remove_prefix(line.size() + 1);
  }
  return committable;
}

}  // namespace tidegate
