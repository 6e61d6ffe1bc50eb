// SPDX-License-Identifier: Apache-2.0
#include "library/changelog_format.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "epoch/frame.h"
#include "epoch/record_codec.h"
#include "state/binary_codec.h"

namespace tidegate::library {

namespace {

constexpr FrameKind kFrame{"TGCL", 1, "changelog"};
constexpr std::uint8_t kEpoch = 1, kPart = 2;
/// More would be a damaged number.
constexpr int kMostKeyGroups = 1 << 15;
/// Well below what brokers take by default (1 MiB), and large enough to compress well.
constexpr std::size_t kPartBytes = std::size_t{512} << 10;

std::string begin_message(std::uint8_t kind, std::uint64_t run, EpochId epoch) {
  std::string out;
  write_fixed(out, kind);
  write_fixed(out, run);
  write_fixed(out, epoch);
  return out;
}

void begin_list(std::string& out, EpochId as_of, bool is_base, KeyGroupRange groups,
                std::size_t num_tables) {
  write_fixed(out, as_of);
  write_fixed(out, static_cast<std::uint8_t>(is_base ? 1 : 0));
  write_fixed(out, static_cast<std::uint32_t>(groups.begin));
  write_fixed(out, static_cast<std::uint32_t>(groups.end));
  write_varint(out, num_tables);
}

void write_table(std::string& out, const std::string& uid, const StateDelta& delta) {
  write_bytes(out, uid);
  write_bytes(out, delta.table);
  write_bytes(out, delta.bytes);
}

/// What the parts are cut from; empty when there is nothing to tell.
std::string state_of(const EpochRecord& record, std::span<const BaseSlice> bases) {
  std::size_t num_changes = 0;
  for (const OperatorState& state : record.operators) num_changes += state.deltas.size();
  std::string out;
  if (num_changes == 0 && bases.empty()) return out;
  write_varint(out, bases.size() + 1);
  begin_list(out, record.epoch, false, {0, record.key_groups, record.key_groups}, num_changes);
  for (const OperatorState& state : record.operators) {
    for (const StateDelta& delta : state.deltas) write_table(out, state.uid, delta);
  }
  for (const BaseSlice& base : bases) {
    begin_list(out, base.as_of, true, base.key_groups, base.tables.size());
    for (const BaseSlice::Table& table : base.tables) write_table(out, table.uid, table.delta);
  }
  return out;
}

void add_change(EpochRecord& record, std::string uid, StateDelta delta) {
  const auto found = std::ranges::find(record.operators, uid, &OperatorState::uid);
  OperatorState& state = found == record.operators.end() ? record.operators.emplace_back() : *found;
  state.uid = std::move(uid);
  state.deltas.push_back(std::move(delta));
}

bool read_table(std::string_view& in, EpochId as_of, BaseSlice::Table& table) {
  std::string_view uid, name, bytes;
  if (!read_bytes(in, uid) || !read_bytes(in, name) || !read_bytes(in, bytes)) return false;
  table = {std::string(uid), {as_of, std::string(name), std::string(bytes)}};
  return true;
}

bool read_list(std::string_view& in, ChangelogEpoch& epoch) {
  const int total = epoch.record.key_groups;
  std::uint64_t as_of = 0, num_tables = 0;
  std::uint8_t is_base = 0;
  std::uint32_t begin = 0, end = 0;
  if (!read_fixed(in, as_of) || !read_fixed(in, is_base) || is_base > 1 || !read_fixed(in, begin) ||
      !read_fixed(in, end) || begin >= end || end > static_cast<std::uint32_t>(total) ||
      !read_varint(in, num_tables) || num_tables > in.size())
    return false;
  if (is_base != 0 ? as_of >= epoch.record.epoch : as_of != epoch.record.epoch) return false;
  BaseSlice base{as_of, {static_cast<int>(begin), static_cast<int>(end), total}, {}};
  for (std::uint64_t i = 0; i < num_tables; ++i) {
    BaseSlice::Table table;
    if (!read_table(in, as_of, table)) return false;
    if (is_base != 0) {
      base.tables.push_back(std::move(table));
    } else {
      add_change(epoch.record, std::move(table.uid), std::move(table.delta));
    }
  }
  if (is_base != 0) epoch.bases.push_back(std::move(base));
  return true;
}

}  // namespace

EpochRecord without_state(const EpochRecord& record) {
  EpochRecord out;
  out.epoch = record.epoch;
  out.finished = record.finished;
  out.key_groups = record.key_groups;
  out.sources = record.sources;
  for (const OperatorState& state : record.operators)
    out.operators.push_back({state.uid, state.subtasks, {}});
  out.mode_state = record.mode_state;
  return out;
}

std::vector<std::string> encode_changelog(std::uint64_t run, EpochId previous,
                                          const EpochRecord& record,
                                          std::span<const BaseSlice> bases) {
  const std::string state = state_of(record, bases);
  const std::size_t num_parts = (state.size() + kPartBytes - 1) / kPartBytes;
  std::vector<std::string> messages;
  std::string head = begin_message(kEpoch, run, record.epoch);
  write_fixed(head, previous);
  write_varint(head, num_parts);
  head += encode_record(without_state(record));
  messages.push_back(frame(kFrame, head));
  for (std::size_t i = 0; i < num_parts; ++i) {
    std::string part = begin_message(kPart, run, record.epoch);
    write_varint(part, i);
    part.append(state, i * kPartBytes, kPartBytes);
    messages.push_back(frame(kFrame, part));
  }
  return messages;
}

Result<ChangelogMessage> decode_changelog_message(std::string_view message) {
  TG_ASSIGN_OR_RETURN(std::string_view in, unframe(kFrame, message));
  ChangelogMessage decoded;
  std::uint8_t kind = 0;
  std::uint64_t epoch = 0, previous = 0;
  if (!read_fixed(in, kind) || (kind != kEpoch && kind != kPart) || !read_fixed(in, decoded.run) ||
      !read_fixed(in, epoch) || (kind == kEpoch && !read_fixed(in, previous)) ||
      !read_varint(in, decoded.number))
    return does_not_fit(kFrame);
  decoded.begins_epoch = kind == kEpoch;
  decoded.epoch = epoch;
  decoded.previous = previous;
  decoded.body = in;
  return decoded;
}

Result<ChangelogEpoch> decode_changelog_epoch(const ChangelogMessage& epoch,
                                              std::string_view parts) {
  ChangelogEpoch decoded{epoch.run, epoch.previous, {}, {}};
  TG_ASSIGN_OR_RETURN(decoded.record, decode_record(epoch.body));
  if (decoded.record.epoch != epoch.epoch || decoded.record.key_groups <= 0 ||
      decoded.record.key_groups > kMostKeyGroups || !decoded.record.committables.empty())
    return does_not_fit(kFrame);
  if (parts.empty()) return decoded;
  std::uint64_t num_lists = 0;
  if (!read_varint(parts, num_lists) || num_lists > parts.size()) return does_not_fit(kFrame);
  for (std::uint64_t i = 0; i < num_lists; ++i)
    if (!read_list(parts, decoded)) return does_not_fit(kFrame);
  if (!parts.empty()) return does_not_fit(kFrame);
  return decoded;
}

}  // namespace tidegate::library
