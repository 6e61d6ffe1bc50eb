// SPDX-License-Identifier: Apache-2.0
#include "cli/state_command.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "api/run_settings.h"
#include "base/blob_store.h"
#include "base/check.h"
#include "base/file_system.h"
#include "base/options.h"
#include "base/temporary_folder.h"
#include "cli/state_tables.h"
#include "epoch/checkpoint_files.h"
#include "epoch/savepoint.h"
#include "sql/words.h"

namespace tidegate {
namespace {

struct Opened {
  std::unique_ptr<BlobStore> blobs;
  Manifest manifest;
};

/// The folders of jobs in the one that a script was given.
std::set<std::string> job_folders(const std::vector<BlobInfo>& blobs) {
  std::set<std::string> folders;
  for (const BlobInfo& blob : blobs) {
    const std::size_t slash = blob.name.rfind('/');
    if (slash == std::string::npos) continue;
    const std::string name = blob.name.substr(slash + 1);
    const bool is_manifest = name == kSavepoint || epoch_of_manifest(name).has_value();
    const std::string folder = blob.name.substr(0, slash);
    if (is_manifest && !folder.ends_with("damaged")) folders.insert(folder);
  }
  return folders;
}

Result<Opened> open(std::string uri, const Options& settings) {
  for (int depth = 0;; ++depth) {
    Opened opened;
    TG_ASSIGN_OR_RETURN(opened.blobs, open_blob_store(uri, settings));
    auto manifest = find_savepoint(*opened.blobs);
    if (manifest.is_ok()) {
      opened.manifest = *std::move(manifest);
      return opened;
    }
    if (manifest.status().code() != ErrorCode::kFileNotFound || depth > 0) {
      return std::move(manifest).status();
    }
    TG_ASSIGN_OR_RETURN(const std::vector<BlobInfo> all, opened.blobs->list(""));
    const std::set<std::string> folders = job_folders(all);
    if (folders.size() > 1) {
      std::string names;
      for (const std::string& folder : folders) names += "\n  " + folder;
      return Status(ErrorCode::kInvalidArgument,
                    fmt::format("'{}' has the folders of several jobs:{}", shown_uri(uri), names),
                    "Name one of them.");
    }
    if (folders.empty()) return std::move(manifest).status();
    uri = folder_in(uri, *folders.begin());
  }
}

/// Writes the rows of a view, and tells SQL where they are.
Result<std::string> make_table(const StateTableView& view, const std::string& folder) {
  constexpr std::size_t kPieceBytes = 1 << 20;
  const std::string path = fmt::format("{}/{}.json", folder, view.name);
  TG_ASSIGN_OR_RETURN(const auto file, local_file_system().create(path));
  std::string piece;
  TG_RETURN_IF_ERROR(view.read([&](std::string_view line) -> Status {
    piece += line;
    piece += '\n';
    if (piece.size() < kPieceBytes) return Status::ok();
    TG_RETURN_IF_ERROR(file->append(piece));
    piece.clear();
    return Status::ok();
  }));
  TG_RETURN_IF_ERROR(file->append(piece));
  TG_RETURN_IF_ERROR(file->close());
  return fmt::format(
      "CREATE TEMPORARY TABLE `{}` ({}) WITH ('connector' = 'filesystem', 'path' = '{}', "
      "'format' = 'json');\n",
      view.name, view.columns(), path);
}

bool mentions(const std::string& query, const std::string& name) {
  return sql::upper(query).find(sql::upper(name)) != std::string::npos;
}

/// Views whose operator or name is `wanted`; all state when nothing is.
Result<std::vector<std::string>> tables_to_show(const std::vector<StateTableView>& views,
                                                const std::string& wanted) {
  std::vector<std::string> names;
  std::vector<std::string> known;
  for (const StateTableView& view : views) {
    const bool fits =
        wanted.empty() ? !view.uid.empty() : view.uid == wanted || view.name == wanted;
    if (fits) names.push_back(view.name);
    known.push_back(view.name);
    if (!view.uid.empty()) known.push_back(view.uid);
  }
  if (names.empty() && !wanted.empty()) {
    const std::string near = nearest_name(wanted, known);
    return Status(ErrorCode::kUnknownName,
                  fmt::format("there is no operator or table '{}' in it", wanted),
                  near.empty() ? "`tidegate state list` names them."
                               : fmt::format("Did you mean '{}'?", near));
  }
  return names;
}

}  // namespace

Status run_state_command(const StateCommand& command, const SqlOptions& options) {
  TG_ASSIGN_OR_RETURN(const Opened opened, open(command.uri, settings_of(options.run)));
  FormatRegistry formats;
  register_all_formats(formats);
  const std::vector<StateTableView> views =
      state_table_views(*opened.blobs, opened.manifest, formats);
  TG_ASSIGN_OR_RETURN(const std::unique_ptr<TemporaryFolder> folder, TemporaryFolder::make());

  std::vector<std::string> names{"checkpoint", "splits", "operators", "state_tables"};
  if (command.action == "show") {
    TG_ASSIGN_OR_RETURN(names, tables_to_show(views, command.argument));
  }
  const bool is_query = command.action == "query";
  std::string tables;
  for (const StateTableView& view : views) {
    const bool is_needed = is_query ? mentions(command.argument, view.name)
                                    : std::ranges::find(names, view.name) != names.end();
    if (!is_needed) continue;
    TG_ASSIGN_OR_RETURN(const std::string table, make_table(view, folder->path()));
    tables += table;
  }
  SqlOptions quiet = options;
  quiet.progress = ProgressStyle::kNone;
  quiet.run.parallelism = 1;
  quiet.run.settings.clear();
  SqlSession session(quiet);
  TG_RETURN_IF_ERROR(session.run("", tables));
  if (is_query) return session.run("", command.argument);
  for (const std::string& name : names) {
    if (options.form == ResultForm::kTable) std::printf("%s\n", name.c_str());
    std::fflush(stdout);
    TG_RETURN_IF_ERROR(session.run("", fmt::format("SELECT * FROM `{}`;", name)));
  }
  return Status::ok();
}

}  // namespace tidegate
