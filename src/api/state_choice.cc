// SPDX-License-Identifier: Apache-2.0
#include "api/state_choice.h"

#include <cstdlib>
#include <string>

#include "base/check.h"
#include "base/content_hash.h"
#include "state/state_store.h"

namespace tidegate {
namespace {

Result<bool> wants_rocksdb(const RunOptions& options) {
  std::string kind = options.state;
  for (const char* key : {"state.backend.type", "state.backend"}) {
    const auto set = options.settings.find(key);
    if (kind.empty() && set != options.settings.end()) kind = set->second;
  }
  if (kind.empty() || kind == "memory" || kind == "hashmap") return false;
  if (kind == "rocksdb") return true;
  return error(ErrorCode::kInvalidOption, "state can be kept in memory or rocksdb, not in '{}'",
               kind);
}

}  // namespace

Status choose_state_store(const RunOptions& options, JobOptions& job) {
  TG_ASSIGN_OR_RETURN(const bool rocksdb, wants_rocksdb(options));
  if (!rocksdb) {
    job.memory_budget_bytes = options.memory_bytes;
    return Status::ok();
  }
  RocksdbStateOptions store;
  store.parent_folder = options.state_dir;
  if (store.parent_folder.empty()) {
    const char* const temporary = std::getenv("TMPDIR");
    store.parent_folder = temporary != nullptr && *temporary != '\0' ? temporary : "/tmp";
  }
  // A folder that nobody has named is for nobody else to find. In library mode each task has one.
  if (!options.state_dir.empty() && !options.application_id.empty()) {
    store.kept_name = "tidegate-base";
    store.key_groups = job.key_groups;
  } else if (!options.state_dir.empty() && !options.checkpoint_dir.empty()) {
    store.kept_name = "tidegate-base-" + content_hash(options.checkpoint_dir);
  }
  if (options.memory_bytes > 0) store.memory_bytes = options.memory_bytes;
  TG_ASSIGN_OR_RETURN(job.state_store, make_rocksdb_state_store(store));
  return Status::ok();
}

}  // namespace tidegate
