// SPDX-License-Identifier: Apache-2.0
#include "operators/top_rows.h"

#include <cstring>

#include "base/check.h"
#include "state/binary_codec.h"

namespace tidegate {
namespace {

constexpr std::size_t kHeader = 8;

Status corrupt() {
  return error(ErrorCode::kStateCorrupt, "the stored top rows of a key are cut short");
}

void append_entry(const TopRows::Entry& entry, std::string& out) {
  write_varint(out, entry.key.size());
  write_varint(out, entry.row.size());
  out += entry.key;
  out += entry.row;
}

void write_header(std::size_t rows, std::size_t last, std::string& out) {
  const auto size = static_cast<std::uint32_t>(rows);
  const auto last_offset = static_cast<std::uint32_t>(last);
  std::memcpy(out.data(), &size, sizeof(size));
  std::memcpy(out.data() + sizeof(size), &last_offset, sizeof(last_offset));
}

}  // namespace

Result<TopRows> TopRows::read(std::string_view bytes) {
  TopRows rows;
  if (bytes.empty()) return rows;
  std::uint32_t size = 0;
  std::uint32_t last = 0;
  if (!read_fixed(bytes, size) || !read_fixed(bytes, last) || size == 0) return corrupt();
  rows.rows_ = bytes;
  rows.size_ = size;
  rows.last_ = last;
  return rows;
}

Result<TopRows::Entry> TopRows::entry_at(std::size_t offset) const {
  if (offset > rows_.size()) return corrupt();
  std::string_view rest = rows_.substr(offset);
  std::uint64_t key_size = 0;
  std::uint64_t row_size = 0;
  if (!read_varint(rest, key_size) || !read_varint(rest, row_size) || key_size > rest.size() ||
      row_size > rest.size() - key_size) {
    return corrupt();
  }
  return Entry{rest.substr(0, key_size), rest.substr(key_size, row_size), offset};
}

Status TopRows::entries(std::vector<Entry>& entries) const {
  entries.clear();
  std::size_t offset = 0;
  for (std::int64_t i = 0; i < size_; ++i) {
    TG_ASSIGN_OR_RETURN(const Entry entry, entry_at(offset));
    entries.push_back(entry);
    offset = static_cast<std::size_t>(entry.row.data() + entry.row.size() - rows_.data());
  }
  return Status::ok();
}

void TopRows::write_with(const Entry& added, std::span<const Entry> entries, std::size_t at,
                         std::int64_t most, std::string& out) const {
  const std::size_t begin = at < entries.size() ? entries[at].offset : rows_.size();
  const bool drops_last = std::ssize(entries) == most;
  const std::size_t end = drops_last ? last_ : rows_.size();
  if (drops_last) entries = entries.first(entries.size() - 1);
  out.assign(kHeader, '\0');
  out += rows_.substr(0, begin);
  append_entry(added, out);
  const std::size_t added_bytes = out.size() - kHeader - begin;
  out += rows_.substr(begin, end - begin);
  const std::size_t last = at < entries.size() ? entries.back().offset + added_bytes : begin;
  write_header(entries.size() + 1, last, out);
}

void write_top_rows(std::span<const TopRows::Entry> entries, std::string& out) {
  out.assign(kHeader, '\0');
  std::size_t last = 0;
  for (const TopRows::Entry& entry : entries) {
    last = out.size() - kHeader;
    append_entry(entry, out);
  }
  write_header(entries.size(), last, out);
}

}  // namespace tidegate
