// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "dataflow/versioned_input.h"
#include "models/model.h"

namespace tidegate {

/// A model as its file changes: which version scores which epoch. Shared by the tasks of a node.
///
/// A file that has changed is loaded beside the rows, on whichever thread looks, and scores from
/// the epoch that begins next. One that cannot be used (half written, other columns) is said in the
/// log and left alone until it changes again; the same when the file has gone.
class ModelVersions final : public VersionedInput {
 public:
  /// Loads and checks the model.
  static Result<std::shared_ptr<ModelVersions>> open(ModelDefinition definition, FileSystem& files);

  std::string name() const override;
  std::string newest() override;
  Status use(EpochId epoch, const std::string& version) override;

  /// The model that scores the rows of an epoch: the same for every caller. 0: the first epoch of
  /// the job, whichever it is.
  std::shared_ptr<const Model> of_epoch(EpochId epoch);
  /// Looks for a newer version, for epochs that have not begun. Blocks.
  void look();
  /// True for one caller each time that somebody should look().
  bool wants_look(EpochId epoch);

 private:
  struct Change {
    EpochId from;
    std::shared_ptr<const Model> model;
  };

  ModelVersions(ModelDefinition definition, FileSystem& files)
      : definition_(std::move(definition)), files_(files) {}
  Result<std::shared_ptr<const Model>> load();
  void add_change(EpochId from, std::shared_ptr<const Model> model);

  const ModelDefinition definition_;
  FileSystem& files_;

  std::mutex looking_;  // held while the file is read; before mutex_
  FileInfo seen_;       // what was last looked at

  std::mutex mutex_;
  std::shared_ptr<const Model> newest_;
  std::vector<Change> changes_;  // ascending; the first counts for all epochs before the second
  EpochId decided_ = 0;          // epochs up to here
  EpochId looked_ = 0;
  bool planned_ = false;  // use() decides
};

}  // namespace tidegate
