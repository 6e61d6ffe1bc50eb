// SPDX-License-Identifier: Apache-2.0
#include "epoch/manifest.h"

#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "epoch/frame.h"
#include "epoch/record_codec.h"
#include "state/binary_codec.h"

namespace tidegate {
namespace {

constexpr FrameKind kFrame{"TGMF", 1, "manifest"};

void write_number(std::string& out, std::int64_t number) {
  write_varint(out, static_cast<std::uint64_t>(number));
}

/// Reads from the front; after the first thing that cannot be read nothing is ok any more.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  std::string text() {
    std::string_view bytes;
    ok_ = ok_ && read_bytes(in_, bytes);
    return ok_ ? std::string(bytes) : std::string();
  }
  std::int64_t number(std::uint64_t limit = std::uint64_t{1} << 62) {
    std::uint64_t value = 0;
    ok_ = ok_ && read_varint(in_, value) && value <= limit;
    return ok_ ? static_cast<std::int64_t>(value) : 0;
  }
  /// Every entry takes a byte at least, which bounds what a broken length can ask for.
  std::int64_t count() { return number(in_.size()); }
  void require(bool condition) { ok_ = ok_ && condition; }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && in_.empty(); }

 private:
  std::string_view in_;
  bool ok_ = true;
};

StateSection read_section(Reader& reader, const std::vector<DataFile>& files) {
  constexpr std::uint64_t kMostKeyGroups = 1 << 20;
  StateSection section;
  const auto file = static_cast<std::size_t>(reader.number());
  section.offset = reader.number();
  section.size_bytes = reader.number();
  section.epoch = reader.number();
  section.is_base = reader.number(1) == 1;
  section.key_groups.begin = static_cast<int>(reader.number(kMostKeyGroups));
  section.key_groups.end = static_cast<int>(reader.number(kMostKeyGroups));
  section.key_groups.total = static_cast<int>(reader.number(kMostKeyGroups));
  reader.require(file < files.size());
  if (!reader.ok()) return section;
  section.file = files[file];
  reader.require(section.offset <= section.file.size_bytes &&
                 section.size_bytes <= section.file.size_bytes - section.offset);
  return section;
}

void write_columns(std::string& out, const std::vector<NamedType>& columns) {
  write_varint(out, columns.size());
  for (const NamedType& column : columns) {
    write_bytes(out, column.name);
    write_bytes(out, column.type);
  }
}

std::vector<NamedType> read_columns(Reader& reader) {
  std::vector<NamedType> columns;
  for (std::int64_t left = reader.count(); reader.ok() && left > 0; --left) {
    NamedType& column = columns.emplace_back();
    column.name = reader.text();
    column.type = reader.text();
  }
  return columns;
}

bool is_hash(std::string_view text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::vector<DataFile> files_of(const std::vector<TableState>& tables) {
  std::vector<DataFile> files;
  std::unordered_map<std::string, bool> seen;
  for (const TableState& table : tables) {
    for (const StateSection& section : table.sections) {
      if (seen.emplace(section.file.hash, true).second) files.push_back(section.file);
    }
  }
  return files;
}

std::string encode_manifest(const Manifest& manifest) {
  std::string out;
  write_bytes(out, manifest.run);
  write_bytes(out, encode_record(manifest.record));
  const std::vector<DataFile> files = files_of(manifest.tables);
  std::unordered_map<std::string, std::uint64_t> indexes;
  write_varint(out, files.size());
  for (const DataFile& file : files) {
    indexes.emplace(file.hash, indexes.size());
    write_bytes(out, file.hash);
    write_number(out, file.size_bytes);
  }
  write_varint(out, manifest.tables.size());
  for (const TableState& table : manifest.tables) {
    for (const std::string* text : {&table.uid, &table.table, &table.layout}) {
      write_bytes(out, *text);
    }
    write_varint(out, table.sections.size());
    for (const StateSection& section : table.sections) {
      write_varint(out, indexes.at(section.file.hash));
      write_number(out, section.offset);
      write_number(out, section.size_bytes);
      write_number(out, section.epoch);
      write_number(out, section.is_base ? 1 : 0);
      write_number(out, section.key_groups.begin);
      write_number(out, section.key_groups.end);
      write_number(out, section.key_groups.total);
    }
  }
  write_varint(out, manifest.operators.size());
  for (const OperatorInfo& info : manifest.operators) {
    write_bytes(out, info.uid);
    write_bytes(out, info.name);
    write_columns(out, info.keys);
    write_columns(out, info.output);
  }
  return frame(kFrame, out);
}

Result<Manifest> decode_manifest(std::string_view bytes) {
  TG_ASSIGN_OR_RETURN(const std::string_view payload, unframe(kFrame, bytes));
  Reader reader(payload);
  Manifest manifest;
  manifest.run = reader.text();
  TG_ASSIGN_OR_RETURN(manifest.record, decode_record(reader.text()));
  std::vector<DataFile> files;
  for (std::int64_t left = reader.count(); reader.ok() && left > 0; --left) {
    DataFile& file = files.emplace_back();
    file.hash = reader.text();
    file.size_bytes = reader.number();
    reader.require(is_hash(file.hash));
  }
  for (std::int64_t left = reader.count(); reader.ok() && left > 0; --left) {
    TableState& table = manifest.tables.emplace_back();
    for (std::string* text : {&table.uid, &table.table, &table.layout}) {
      *text = reader.text();
    }
    for (std::int64_t more = reader.count(); reader.ok() && more > 0; --more) {
      table.sections.push_back(read_section(reader, files));
    }
  }
  for (std::int64_t left = reader.count(); reader.ok() && left > 0; --left) {
    OperatorInfo& info = manifest.operators.emplace_back();
    info.uid = reader.text();
    info.name = reader.text();
    info.keys = read_columns(reader);
    info.output = read_columns(reader);
  }
  if (!reader.at_end()) return does_not_fit(kFrame);
  return manifest;
}

}  // namespace tidegate
