// SPDX-License-Identifier: Apache-2.0
#include "library/changelog_reader.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "state/delta.h"

namespace tidegate::library {

namespace {

std::int64_t bytes_of(const BaseSlice& base) {
  std::int64_t bytes = 0;
  for (const BaseSlice::Table& table : base.tables)
    bytes += static_cast<std::int64_t>(table.delta.bytes.size());
  return bytes;
}

Status damaged(std::string_view what) {
  return error(ErrorCode::kStateCorrupt, "the changelog is damaged: {}", what);
}

/// The rows of a base that lie in the chosen key groups.
Result<std::string> rows_in(std::string_view base, const std::vector<bool>& chosen) {
  TG_ASSIGN_OR_RETURN(DeltaReader reader, DeltaReader::open(base));
  DeltaWriter writer(reader.fingerprint(), reader.key_groups());
  DeltaRecord row;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(row));
    if (!more) return writer.finish();
    const int group = key_group_of(row.hash, static_cast<int>(chosen.size()));
    if (row.kind == DeltaRecord::Kind::kPut && chosen[static_cast<std::size_t>(group)])
      writer.put(row.name_space, row.hash, row.key, row.value);
  }
}

void append(EpochRecord& record, BaseSlice::Table table) {
  const auto found = std::ranges::find(record.operators, table.uid, &OperatorState::uid);
  OperatorState& state = found == record.operators.end() ? record.operators.emplace_back() : *found;
  state.uid = std::move(table.uid);
  state.deltas.push_back(std::move(table.delta));
}

}  // namespace

void ChangelogIndex::add(EpochId epoch, EpochId previous, std::int64_t offset, std::int64_t bytes) {
  entries_.push_back({epoch, previous, offset, bytes});
  bytes_ += bytes;
}

void ChangelogIndex::begin_at(const BasePosition& position, int key_groups) {
  entries_ = {{position.epoch, position.begins_after, position.offset, position.log_bytes}};
  bytes_ = position.log_bytes;
  bases_.assign(static_cast<std::size_t>(key_groups),
                {position.begins_after, position.base_bytes / key_groups});
}

void ChangelogIndex::add(const BaseSlice& base) {
  const KeyGroupRange& groups = base.key_groups;
  bases_.resize(static_cast<std::size_t>(groups.total));
  const std::int64_t share = bytes_of(base) / (groups.end - groups.begin);
  for (int group = groups.begin; group < groups.end; ++group)
    bases_[static_cast<std::size_t>(group)] = {base.as_of, share};
}

std::int64_t ChangelogIndex::base_bytes() const {
  std::int64_t bytes = 0;
  for (const Base& base : bases_) bytes += base.bytes;
  return bytes;
}

EpochId ChangelogIndex::oldest_base() const {
  return bases_.empty() ? 0 : std::ranges::min(bases_, {}, &Base::as_of).as_of;
}

bool ChangelogIndex::is_complete() const { return begins_after() <= oldest_base(); }

std::optional<std::int64_t> ChangelogIndex::purge() {
  const EpochId covered = oldest_base();
  const std::size_t before = entries_.size();
  while (entries_.size() > 1 && entries_.front().epoch <= covered) {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }
  if (entries_.size() == before) return std::nullopt;
  return entries_.front().offset;
}

Status ChangelogReader::add(std::int64_t offset, std::string_view message) {
  Result<ChangelogMessage> decoded = decode_changelog_message(message);
  if (!decoded.is_ok()) return std::move(decoded).status();
  if (base_ && !std::exchange(has_begun_, true) &&
      (!decoded->begins_epoch || decoded->epoch != base_->epoch || decoded->run != base_->run))
    return error(ErrorCode::kStateMismatch, "the changelog does not have epoch {} where it was",
                 base_->epoch);
  if (!decoded->begins_epoch) return add_part(*decoded, message.size());
  const auto [open, is_new] = open_.try_emplace(decoded->run);
  if (!is_new) return damaged(fmt::format("an epoch before {} is not whole", decoded->epoch));
  open->second.head = message;
  open->second.offset = offset;
  open->second.num_parts = decoded->number;
  open->second.bytes = static_cast<std::int64_t>(message.size());
  return decoded->number == 0 ? close(decoded->run) : Status::ok();
}

Status ChangelogReader::add_part(const ChangelogMessage& part, std::size_t bytes) {
  const auto open = open_.find(part.run);
  if (open == open_.end() || open->second.next_part != part.number)
    return damaged(fmt::format("part {} of epoch {} does not follow on what is in front of it",
                               part.number, part.epoch));
  open->second.parts += part.body;
  open->second.bytes += static_cast<std::int64_t>(bytes);
  return ++open->second.next_part == open->second.num_parts ? close(part.run) : Status::ok();
}

Status ChangelogReader::close(std::uint64_t run) {
  const auto node = open_.extract(run);
  const Open& open = node.mapped();
  TG_ASSIGN_OR_RETURN(const ChangelogMessage head, decode_changelog_message(open.head));
  TG_ASSIGN_OR_RETURN(ChangelogEpoch epoch, decode_changelog_epoch(head, open.parts));
  const EpochId number = epoch.record.epoch;
  if (number <= epoch.previous || (!index_.is_empty() && epoch.previous != index_.last()))
    return damaged(fmt::format("epoch {} follows on epoch {}, but says that it follows on {}",
                               number, index_.last(), epoch.previous));
  if (record_ && record_->key_groups != epoch.record.key_groups)
    return damaged(fmt::format("epoch {} has {} key groups, those before have {}", number,
                               epoch.record.key_groups, record_->key_groups));
  take(std::move(epoch), open.offset, open.bytes);
  return Status::ok();
}

void ChangelogReader::take(ChangelogEpoch epoch, std::int64_t offset, std::int64_t bytes) {
  const bool is_base = base_ && index_.is_empty();
  if (is_base) {
    index_.begin_at(*base_, epoch.record.key_groups);
    tables_ = base_->tables;
  } else {
    index_.add(epoch.record.epoch, epoch.previous, offset, bytes);
    for (const BaseSlice& base : epoch.bases) index_.add(base);
  }
  for (OperatorState& state : epoch.record.operators) {
    for (StateDelta& delta : std::exchange(state.deltas, {})) {
      tables_.emplace(state.uid, delta.table);
      if (!is_base) changes_.push_back({state.uid, std::move(delta)});
    }
  }
  for (const BaseSlice& base : epoch.bases)
    for (const BaseSlice::Table& table : base.tables) tables_.emplace(table.uid, table.delta.table);
  if (!base_) std::ranges::move(epoch.bases, std::back_inserter(bases_));
  last_run_ = epoch.run;
  record_ = std::move(epoch.record);
}

// An older base must not count: what was erased between the two may be told nowhere any more.
Result<std::vector<BaseSlice>> ChangelogReader::newest_bases() const {
  std::vector<BaseSlice> newest;
  std::vector<bool> taken(static_cast<std::size_t>(record_->key_groups), false);
  for (auto base = bases_.rbegin(); base != bases_.rend(); ++base) {
    std::vector<bool> chosen(taken.size(), false);
    int num_chosen = 0;
    for (int group = base->key_groups.begin; group < base->key_groups.end; ++group) {
      const auto at = static_cast<std::size_t>(group);
      if (taken[at]) continue;
      taken[at] = chosen[at] = true;
      ++num_chosen;
    }
    if (num_chosen == 0) continue;
    BaseSlice& kept = newest.emplace_back(*base);
    if (num_chosen == base->key_groups.end - base->key_groups.begin) continue;
    for (BaseSlice::Table& table : kept.tables) {
      TG_ASSIGN_OR_RETURN(table.delta.bytes, rows_in(table.delta.bytes, chosen));
    }
  }
  return newest;
}

Result<ChangelogReader::Restored> ChangelogReader::finish() {
  if (!open_.empty()) return damaged("its last epoch is not whole");
  Restored restored;
  if (record_) {
    if (!index_.is_complete())
      return damaged(
          fmt::format("it begins behind epoch {}, and there is no base for all that was before",
                      index_.begins_after()));
    TG_ASSIGN_OR_RETURN(std::vector<BaseSlice> bases, newest_bases());
    // Bases first, although they may be as of a later epoch than the first changes: what a change
    // of an earlier epoch says of a row, a later one takes back or the base says as well.
    for (BaseSlice& base : bases) {
      for (BaseSlice::Table& table : base.tables) {
        table.delta.epoch = index_.begins_after();
        append(*record_, std::move(table));
      }
    }
    for (BaseSlice::Table& table : changes_) append(*record_, std::move(table));
    restored.record = std::move(record_);
  }
  restored.run = last_run_;
  restored.tables = std::move(tables_);
  restored.index = std::move(index_);
  return restored;
}

}  // namespace tidegate::library
