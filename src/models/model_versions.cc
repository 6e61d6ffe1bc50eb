// SPDX-License-Identifier: Apache-2.0
#include "models/model_versions.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/content_hash.h"
#include "base/log.h"

namespace tidegate {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{2} << 30;
/// Epochs that tasks may still be in behind the one that begins; far more than there can be.
constexpr EpochId kOpenEpochs = 16;

std::string path_of(const ModelDefinition& definition) {
  return definition.options.get_string_or("model-path", "");
}

}  // namespace

Result<std::shared_ptr<ModelVersions>> ModelVersions::open(ModelDefinition definition,
                                                           FileSystem& files) {
  TG_RETURN_IF_ERROR(check_model(definition));
  std::shared_ptr<ModelVersions> versions(new ModelVersions(std::move(definition), files));
  const std::string path = path_of(versions->definition_);
  Result<FileInfo> info = files.stat(path);
  if (!info.is_ok() || info->is_directory) {
    return Status(
        ErrorCode::kInvalidOption,
        fmt::format("model '{}': there is no file '{}'", versions->definition_.name, path),
        "Check 'model-path'; paths are relative to the working directory.");
  }
  versions->seen_ = *info;
  TG_ASSIGN_OR_RETURN(versions->newest_, versions->load());
  versions->changes_.push_back({0, versions->newest_});
  return versions;
}

std::string ModelVersions::name() const {
  return fmt::format("model '{}' ({})", definition_.name, path_of(definition_));
}

Result<std::shared_ptr<const Model>> ModelVersions::load() {
  TG_ASSIGN_OR_RETURN(const std::string content,
                      read_file(files_, path_of(definition_), kMostBytes));
  return load_model(definition_, content);
}

void ModelVersions::look() {
  const std::lock_guard looking(looking_);
  const Result<FileInfo> info = files_.stat(path_of(definition_));
  if (!info.is_ok()) return;
  if (info->modified_ms == seen_.modified_ms && info->size_bytes == seen_.size_bytes) return;
  Result<std::shared_ptr<const Model>> model = load();
  seen_ = *info;
  if (!model.is_ok()) {
    log_warning("model.unusable", {{"model", name()}, {"why", model.status().message()}});
    return;
  }
  const std::lock_guard lock(mutex_);
  if ((*model)->version() == newest_->version()) return;
  newest_ = *std::move(model);
  log_info("model.changed", {{"model", name()}, {"version", newest_->version()}});
}

bool ModelVersions::wants_look(EpochId epoch) {
  const std::lock_guard lock(mutex_);
  if (planned_ || epoch <= looked_) return false;
  looked_ = epoch;
  return true;
}

std::string ModelVersions::newest() {
  look();
  const std::lock_guard lock(mutex_);
  return newest_->version();
}

Status ModelVersions::use(EpochId epoch, const std::string& version) {
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<const Model> model;
    if (newest_->version() == version) model = newest_;
    for (const Change& change : changes_) {
      if (change.model->version() == version) model = change.model;
    }
    if (model != nullptr) {
      if (!std::exchange(planned_, true)) changes_.clear();
      add_change(changes_.empty() ? 0 : epoch, std::move(model));
      return Status::ok();
    }
  }
  return Status(ErrorCode::kStateMismatch,
                fmt::format("epoch {} is to be scored by version {} of {}, whose file now holds "
                            "version {}",
                            epoch, version, name(), newest()),
                "Put the file of that version back, and change it once this epoch is over.");
}

std::shared_ptr<const Model> ModelVersions::of_epoch(EpochId epoch) {
  const std::lock_guard lock(mutex_);
  if (!planned_ && epoch > decided_) {
    decided_ = epoch;
    add_change(epoch, newest_);
  }
  const auto behind =
      std::ranges::find_if(changes_, [&](const Change& change) { return change.from > epoch; });
  return behind == changes_.begin() ? behind->model : std::prev(behind)->model;
}

void ModelVersions::add_change(EpochId from, std::shared_ptr<const Model> model) {
  if (changes_.empty() || changes_.back().model->version() != model->version()) {
    changes_.push_back({from, std::move(model)});
  }
  while (changes_.size() > 1 && changes_[1].from + kOpenEpochs < from) {
    changes_.erase(changes_.begin());
  }
}

}  // namespace tidegate
