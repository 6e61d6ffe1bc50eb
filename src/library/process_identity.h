// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/folder_lock.h"
#include "tidegate/status.h"

namespace tidegate::library {

/// Who a process is to the brokers: a name that stays over restarts, so that a process that comes
/// back ends at once what it left open. It lives in a folder that no other process may use at the
/// same time.
class ProcessIdentity {
 public:
  /// `folder` empty: a name for this time only. kServiceRefused when another process has the
  /// folder.
  static Result<ProcessIdentity> of(const std::string& folder, const std::string& application_id);

  const std::string& name() const { return name_; }
  /// Where tasks keep their state; empty: nowhere.
  const std::string& folder() const { return folder_; }

 private:
  std::string name_;
  std::string folder_;
  std::unique_ptr<FolderLock> lock_;
};

}  // namespace tidegate::library
