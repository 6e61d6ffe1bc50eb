// SPDX-License-Identifier: Apache-2.0
#include "connectors/filesystem/part_names.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

// The number behind `prefix`, or 0.
std::uint64_t number_behind(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return 0;
  name.remove_prefix(prefix.size());
  std::uint64_t number = 0;
  std::from_chars(name.data(), name.data() + name.size(), number);
  return number;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos;
}

}  // namespace

PartNames::PartNames(const std::vector<FileInfo>& folder, std::string extension)
    : extension_(std::move(extension)) {
  for (const FileInfo& file : folder) {
    const std::string_view path = file.path;
    const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
    last_label_ = std::max(last_label_, number_behind(name, "part-"));
    run_ = std::max(run_, number_behind(name, ".part-") + 1);
  }
}

std::string PartNames::in_progress(int subtask, std::int64_t sequence) const {
  return fmt::format(".part-{:06}-{:04}-{:06}.inprogress", run_, subtask, sequence);
}

std::string PartNames::published(EpochId epoch, int subtask, std::int64_t sequence) {
  const std::lock_guard lock(mutex_);
  if (!base_) base_ = epoch > last_label_ ? 0 : last_label_;
  return fmt::format("part-{:010}-{:04}-{:06}.{}", *base_ + epoch, subtask, sequence, extension_);
}

std::string PartCommittable::to_string() const {
  std::string out;
  for (const File& file : files) out += file.in_progress + ' ' + file.published + '\n';
  return out;
}

Result<PartCommittable> PartCommittable::parse(std::string_view text) {
  PartCommittable committable;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t blank = line.find(' ');
    if (line.size() == text.size() || blank == std::string_view::npos ||
        !is_name(line.substr(0, blank)) || !is_name(line.substr(blank + 1)))
      return error(ErrorCode::kStateCorrupt, "'{}' does not name files to publish", line);
    committable.files.push_back(
        {std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))});
    text.remove_prefix(line.size() + 1);
  }
  return committable;
}

}  // namespace tidegate
