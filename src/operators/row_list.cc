// SPDX-License-Identifier: Apache-2.0
#include "operators/row_list.h"

#include <cstring>
#include <memory>
#include <utility>

#include "base/check.h"
#include "state/binary_codec.h"
#include "state/state_bytes.h"

namespace tidegate {
namespace {

constexpr std::int64_t kNamespace = 0;
/// Values are limited to 4 GiB, and growing doubles them.
constexpr std::size_t kMostBytes = std::size_t{1} << 31;

template <typename T>
void put(std::byte* value, std::size_t offset, T part) {
  // The length stays, so the bytes are changed where they are.
  char* bytes = const_cast<char*>(BytesLayout::view(value).data());
  std::memcpy(bytes + offset, &part, sizeof(part));
}

}  // namespace

Status RowLists::open(StateBackend& state, std::string name) {
  const StateTableSpec spec{.name = std::move(name),
                            .layout = std::make_shared<BytesLayout>(),
                            .stamped = format_.stamped};
  TG_ASSIGN_OR_RETURN(table_, state.table(spec));
  sweep_.emplace(table_, kNamespace);
  return Status::ok();
}

void RowLists::begin_batch(std::int64_t now_ms, std::int64_t num_rows) {
  if (!ttl_.enabled()) return;
  now_ms_ = now_ms;
  sweep_->sweep(ttl_, now_ms_, static_cast<std::size_t>(2 * num_rows));
}

bool RowLists::read(std::string_view list, std::size_t& offset, ListedRow& row) const {
  std::string_view rest = list.substr(offset);
  row.offset = offset;
  if (format_.stamped && !read_fixed(rest, row.stamp)) return false;
  if (format_.counted && !read_fixed(rest, row.matches)) return false;
  if (format_.keyed && !read_bytes(rest, row.unique_key)) return false;
  if (!read_bytes(rest, row.row)) return false;
  row.end = offset = list.size() - rest.size();
  return true;
}

Status RowLists::corrupt() {
  return error(ErrorCode::kStateCorrupt, "the stored rows of a join are cut short");
}

Result<bool> RowLists::find_key(std::string_view list, std::string_view unique_key,
                                ListedRow& found) const {
  std::size_t offset = 0;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, next(list, offset, found));
    if (!more || !format_.keyed || found.unique_key == unique_key) return more;
  }
}

Result<bool> RowLists::find_row(std::string_view list, std::string_view bytes,
                                ListedRow& found) const {
  std::size_t offset = 0;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, next(list, offset, found));
    if (!more || found.row == bytes) return more;
  }
}

Status RowLists::append(std::byte* list, std::uint32_t matches, std::string_view unique_key,
                        std::string_view row) {
  entry_.clear();
  if (format_.stamped) write_fixed(entry_, now_ms_);
  if (format_.counted) write_fixed(entry_, matches);
  if (format_.keyed) write_bytes(entry_, unique_key);
  write_bytes(entry_, row);
  const std::size_t size = BytesLayout::view(list).size() + entry_.size();
  if (size > kMostBytes) {
    return error(ErrorCode::kLimitExceeded, "the rows of one key of state '{}' pass 2 GiB",
                 table_->spec().name);
  }
  // Only when it would grow, so that looking through the list costs little per row.
  if (format_.stamped && std::cmp_greater(size, BytesLayout().owned_bytes(list))) {
    TG_RETURN_IF_ERROR(remove_expired(list));
  }
  append_bytes(*table_, list, entry_);
  stamp(list);
  return Status::ok();
}

Status RowLists::remove_expired(std::byte* list) {
  const std::string_view before = BytesLayout::view(list);
  std::string kept;
  std::size_t offset = 0;
  ListedRow row;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, next(before, offset, row));
    if (!more) break;
    kept.append(before.substr(row.offset, row.end - row.offset));
  }
  if (kept.size() < before.size()) assign_bytes(*table_, list, kept);
  return Status::ok();
}

void RowLists::remove(std::byte* list, const ListedRow& row) {
  const std::string_view before = BytesLayout::view(list);
  char* bytes = const_cast<char*>(before.data());
  std::memmove(bytes + row.offset, bytes + row.end, before.size() - row.end);
  BytesLayout::assign(list, before.substr(0, before.size() - (row.end - row.offset)));
  table_->touch(kNamespace, list);
}

void RowLists::set_matches(std::byte* list, const ListedRow& row, std::uint32_t matches) {
  const std::size_t at = row.offset + (format_.stamped ? sizeof(std::int64_t) : 0);
  put(list, at, matches);
  if (format_.stamped) put(list, row.offset, now_ms_);
  stamp(list);
  table_->touch(kNamespace, list);
}

void RowLists::prefetch(const std::byte* list) {
  if (list != nullptr) __builtin_prefetch(BytesLayout::view(list).data());
}

}  // namespace tidegate
