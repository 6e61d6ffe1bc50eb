// SPDX-License-Identifier: Apache-2.0
#include "cli/state_tables.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "cli/state_rows.h"
#include "epoch/data_files.h"
#include "state/delta.h"

namespace tidegate {
namespace {

using Lines = std::function<Status(std::string_view)>;

/// Letters, digits and _, so that nobody has to quote it.
std::string sql_name(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_plain =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (is_plain) {
      name += c;
    } else if (!name.empty() && !name.ends_with('_')) {
      name += '_';
    }
  }
  while (name.ends_with('_')) name.pop_back();
  return name.empty() || (name[0] >= '0' && name[0] <= '9') ? "t_" + name : name;
}

StateTableView checkpoint_view(const Manifest& manifest) {
  return {
      "checkpoint", "",
      [] {
        return std::string(
            "epoch BIGINT, finished BOOLEAN, key_groups INT, state_tables INT, files INT, bytes "
            "BIGINT, run STRING");
      },
      [&manifest](const Lines& line) {
        std::int64_t bytes = 0;
        const std::vector<DataFile> files = files_of(manifest.tables);
        for (const DataFile& file : files) bytes += file.size_bytes;
        JsonRow row;
        row.number("epoch", manifest.record.epoch);
        row.flag("finished", manifest.record.finished);
        row.number("key_groups", manifest.record.key_groups);
        row.number("state_tables", std::ssize(manifest.tables));
        row.number("files", std::ssize(files));
        row.number("bytes", bytes);
        row.text("run", manifest.run);
        return line(row.take());
      }};
}

Status source_lines(const SourceState& source, const Lines& line) {
  std::set<std::string> unfinished;
  for (const SplitState& split : source.open) {
    unfinished.insert(split.split.id);
    JsonRow row;
    row.text("source", source.uid);
    row.text("split", split.split.id);
    row.text("state", split.position ? "open" : "not begun");
    if (split.position) row.bytes("position", *split.position);
    row.number("row_count", split.rows);
    row.time("watermark", split.watermark);
    row.time("max_time", split.max_time);
    row.flag("idle", split.idle);
    TG_RETURN_IF_ERROR(line(row.take()));
  }
  const auto other = [&](const std::string& id, std::string_view state) {
    JsonRow row;
    row.text("source", source.uid);
    row.text("split", id);
    row.text("state", state);
    return line(row.take());
  };
  for (const Split& split : source.unassigned) {
    unfinished.insert(split.id);
    TG_RETURN_IF_ERROR(other(split.id, "not begun"));
  }
  for (const std::string& id : source.known) {
    if (!unfinished.contains(id)) TG_RETURN_IF_ERROR(other(id, "ended"));
  }
  return Status::ok();
}

StateTableView splits_view(const Manifest& manifest) {
  return {"splits", "",
          [] {
            return std::string(
                "source STRING, split STRING, state STRING, `position` STRING, row_count BIGINT, "
                "watermark TIMESTAMP(3), max_time TIMESTAMP(3), idle BOOLEAN");
          },
          [&manifest](const Lines& line) {
            for (const SourceState& source : manifest.record.sources) {
              TG_RETURN_IF_ERROR(source_lines(source, line));
            }
            return Status::ok();
          }};
}

const OperatorInfo* info_of(const Manifest& manifest, const std::string& uid) {
  const auto found = std::ranges::find(manifest.operators, uid, &OperatorInfo::uid);
  return found == manifest.operators.end() ? nullptr : &*found;
}

StateTableView operators_view(const Manifest& manifest) {
  return {
      "operators", "",
      [] {
        return std::string(
            "operator STRING, name STRING, subtask INT, watermark TIMESTAMP(3), finished BOOLEAN");
      },
      [&manifest](const Lines& line) {
        for (const OperatorState& state : manifest.record.operators) {
          const OperatorInfo* info = info_of(manifest, state.uid);
          for (std::size_t i = 0; i < state.subtasks.size(); ++i) {
            JsonRow row;
            row.text("operator", state.uid);
            row.text("name", info == nullptr ? state.uid : info->name);
            row.number("subtask", static_cast<std::int64_t>(i));
            row.time("watermark", state.subtasks[i].watermark);
            row.flag("finished", state.subtasks[i].finished);
            TG_RETURN_IF_ERROR(line(row.take()));
          }
        }
        return Status::ok();
      }};
}

Result<std::int64_t> rows_in(BlobStore& blobs, const TableState& table, int key_groups) {
  std::int64_t rows = 0;
  TG_RETURN_IF_ERROR(fold_table(
      blobs, table, key_groups, [] { return true; },
      [&](const std::string& delta) -> Status {
        TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(delta));
        DeltaRecord record;
        while (true) {
          TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
          if (!more) return Status::ok();
          ++rows;
        }
      }));
  return rows;
}

StateTableView state_tables_view(BlobStore& blobs, const Manifest& manifest,
                                 std::vector<std::string> names) {
  return {"state_tables", "",
          [] {
            return std::string(
                "table_name STRING, operator STRING, state STRING, row_count BIGINT, bytes BIGINT, "
                "base_bytes BIGINT, pieces INT, layout STRING");
          },
          [&blobs, &manifest, names = std::move(names)](const Lines& line) {
            for (std::size_t i = 0; i < manifest.tables.size(); ++i) {
              const TableState& table = manifest.tables[i];
              std::int64_t bytes = 0;
              std::int64_t base = 0;
              for (const StateSection& section : table.sections) {
                bytes += section.size_bytes;
                if (section.is_base) base += section.size_bytes;
              }
              TG_ASSIGN_OR_RETURN(const std::int64_t rows,
                                  rows_in(blobs, table, manifest.record.key_groups));
              JsonRow row;
              row.text("table_name", names[i]);
              row.text("operator", table.uid);
              row.text("state", table.table);
              row.number("row_count", rows);
              row.number("bytes", bytes);
              row.number("base_bytes", base);
              row.number("pieces", std::ssize(table.sections));
              row.text("layout", table.layout);
              TG_RETURN_IF_ERROR(line(row.take()));
            }
            return Status::ok();
          }};
}

}  // namespace

std::vector<StateTableView> state_table_views(BlobStore& blobs, const Manifest& manifest,
                                              const FormatRegistry& formats) {
  std::vector<std::string> names;
  std::set<std::string> taken{"checkpoint", "splits", "operators", "state_tables"};
  for (const TableState& table : manifest.tables) {
    const std::string name = sql_name(table.uid + "_" + table.table);
    std::string free = name;
    for (int i = 2; !taken.insert(free).second; ++i) free = fmt::format("{}_{}", name, i);
    names.push_back(free);
  }
  std::vector<StateTableView> views;
  views.push_back(checkpoint_view(manifest));
  views.push_back(splits_view(manifest));
  views.push_back(operators_view(manifest));
  views.push_back(state_tables_view(blobs, manifest, names));
  for (std::size_t i = 0; i < manifest.tables.size(); ++i) {
    const TableState& table = manifest.tables[i];
    auto rows = std::make_shared<StateRows>(blobs, table, manifest.record.key_groups,
                                            info_of(manifest, table.uid), formats);
    views.push_back({names[i], table.uid, [rows] { return rows->columns(); },
                     [rows](const Lines& line) { return rows->read(line); }});
  }
  return views;
}

}  // namespace tidegate
