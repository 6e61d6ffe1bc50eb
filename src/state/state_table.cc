// SPDX-License-Identifier: Apache-2.0
#include "state/state_table.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "state/batch_keys.h"
#include "state/binary_codec.h"
#include "state/delta_sorter.h"

namespace tidegate {
namespace {

// What a namespace costs beside its pages and slots.
constexpr std::int64_t kSegmentBytes = sizeof(HashSegment) + 64;

template <bool kCreate>
bool visit(HashSegment& segment, const KeyBatch& keys, std::byte** values) {
  const BatchKeys batch(keys.keys, keys.hashes.data());
  if (keys.all_rows) {
    return segment.visit<kCreate>(static_cast<std::size_t>(keys.keys.num_rows()), AllRows{batch},
                                  values);
  }
  return segment.visit<kCreate>(keys.rows.size(), SomeRows{batch, keys.rows.data()}, values);
}

}  // namespace

StateTable::StateTable(StateTableSpec spec, KeyGroupRange key_groups, StateMemory* memory,
                       BaseTable base)
    : spec_(std::move(spec)),
      key_groups_(spec_.replicated ? KeyGroupRange{0, key_groups.total, key_groups.total}
                                   : key_groups),
      memory_(memory),
      base_(base),
      format_(spec_.layout.get(), spec_.stamped, !spec_.transient, base.store != nullptr, memory) {
  if (base_.has_rows) below_from_ = INT64_MIN;
}

StateTable::~StateTable() {
  for (const BaseStore::TableId layer : layers_) base_.store->remove_layer(layer);
}

HashSegment* StateTable::segment(std::int64_t name_space) const {
  if (last_segment_ != nullptr && last_namespace_ == name_space) return last_segment_;
  const auto found = segments_.find(name_space);
  if (found == segments_.end()) return nullptr;
  last_namespace_ = name_space;
  last_segment_ = found->second.get();
  return last_segment_;
}

HashSegment& StateTable::segment_for_rows(std::int64_t name_space) const {
  if (HashSegment* there = segment(name_space); there != nullptr) return *there;
  std::unique_ptr<HashSegment>& made = segments_[name_space];
  made = std::make_unique<HashSegment>(&format_);
  if (spec_.presize) made->reserve(usual_rows_);
  memory_->count(kSegmentBytes);
  last_namespace_ = name_space;
  last_segment_ = made.get();
  if (may_be_below(name_space) &&
      base_.store->has_rows(stack(name_space), key_groups_, name_space)) {
    made->set_whole(false);
  }
  return *made;
}

Status StateTable::created(bool fits) const {
  if (!fits) {
    return Status(
        ErrorCode::kLimitExceeded,
        fmt::format("one window of state '{}' holds more than 32 GiB in one task", spec_.name),
        "Raise the parallelism.");
  }
  return memory_->check_budget();
}

Status StateTable::find_or_create(std::int64_t name_space, const KeyBatch& keys,
                                  std::span<std::byte*> values) {
  HashSegment& there = segment_for_rows(name_space);
  if (!there.is_whole()) [[unlikely]]
    load_missing(name_space, keys);
  return created(visit<true>(there, keys, values.data()));
}

void StateTable::find(std::int64_t name_space, const KeyBatch& keys,
                      std::span<std::byte*> values) const {
  if (!is_whole(name_space)) [[unlikely]]
    load_missing(name_space, keys);
  if (HashSegment* there = segment(name_space); there != nullptr) {
    visit<false>(*there, keys, values.data());
  } else if (keys.all_rows) {
    std::fill(values.begin(), values.end(), nullptr);
  } else {
    for (std::int32_t row : keys.rows) values[static_cast<std::size_t>(row)] = nullptr;
  }
}

Status StateTable::find_or_create_like(std::int64_t name_space, const StateTable& other,
                                       std::span<std::byte* const> from,
                                       std::span<std::byte*> values) {
  const KeysOfValues keys{other, from.data()};
  HashSegment& there = segment_for_rows(name_space);
  if (!there.is_whole()) load_missing(name_space, from.size(), keys);
  return created(there.visit<true>(from.size(), keys, values.data()));
}

void StateTable::find_like(std::int64_t name_space, const StateTable& other,
                           std::span<std::byte* const> from, std::span<std::byte*> values) const {
  const KeysOfValues keys{other, from.data()};
  if (!is_whole(name_space)) load_missing(name_space, from.size(), keys);
  if (HashSegment* there = segment(name_space); there != nullptr) {
    there->visit<false>(from.size(), keys, values.data());
  } else {
    std::fill(values.begin(), values.end(), nullptr);
  }
}

Result<std::byte*> StateTable::find_or_create(std::int64_t name_space, const StateKey& key) {
  HashSegment& there = segment_for_rows(name_space);
  if (!there.is_whole()) load_missing(name_space, 1, OneKey{key});
  std::byte* value = there.find_or_create(key.hash, key.bytes);
  TG_RETURN_IF_ERROR(created(value != nullptr));
  return value;
}

std::byte* StateTable::find(std::int64_t name_space, const StateKey& key) const {
  if (!is_whole(name_space)) load_missing(name_space, 1, OneKey{key});
  HashSegment* there = segment(name_space);
  return there == nullptr ? nullptr : there->find(key.hash, key.bytes);
}

bool StateTable::erase(std::int64_t name_space, const StateKey& key) {
  std::byte* value = find(name_space, key);
  if (value == nullptr) return false;
  erase(name_space, value);
  return true;
}

void StateTable::erase(std::int64_t name_space, std::byte* value) {
  const StateRowHeader& header = StateRowFormat::header(format_.row_of(value));
  if ((header.flags & StateRowHeader::kLoose) != 0) return erase_loose(name_space, value);
  segment(name_space)->erase(value);
}

void StateTable::touch(std::int64_t name_space, std::byte* value) {
  segment(name_space)->touch(value);
}

std::size_t StateTable::next(std::int64_t name_space, RowCursor& cursor,
                             std::span<std::byte*> values) const {
  if (!cursor.is_below) {
    HashSegment* there = segment(name_space);
    const std::size_t count = there == nullptr ? 0 : there->next(cursor.rows, values);
    if (count > 0 || base_.store == nullptr || is_whole(name_space)) return count;
  }
  return next_below(name_space, cursor, values);
}

std::size_t StateTable::next_dirty(std::int64_t name_space, DirtyCursor& cursor,
                                   std::span<std::byte*> values) const {
  HashSegment* there = segment(name_space);
  return there == nullptr ? 0 : there->next_dirty(cursor, values);
}

void StateTable::drop(std::int64_t name_space) {
  const auto found = segments_.find(name_space);
  if (base_.store != nullptr) {
    const bool is_told =
        found != segments_.end()
            ? found->second->has_sealed()
            : may_be_below(name_space) &&
                  base_.store->has_rows(stack(name_space), key_groups_, name_space);
    if (is_told) drop_below(name_space);
    if (found == segments_.end()) return;
  } else {
    if (found == segments_.end()) return;
    if (found->second->has_sealed()) dropped_.push_back(name_space);
  }
  usual_rows_ = found->second->num_rows();
  if (last_segment_ == found->second.get()) last_segment_ = nullptr;
  segments_.erase(found);
  memory_->count(-kSegmentBytes);
}

std::optional<std::int64_t> StateTable::first_namespace() const {
  const auto first = segments_.empty() ? std::nullopt : std::optional(segments_.begin()->first);
  return below_from_ || !layers_.empty() ? namespace_with_below(INT64_MIN, first) : first;
}

std::optional<std::int64_t> StateTable::namespace_above(std::int64_t bound) const {
  return bound == INT64_MAX ? std::nullopt : namespace_at_or_above(bound + 1);
}

std::optional<std::int64_t> StateTable::namespace_at_or_above(std::int64_t bound) const {
  const auto found = segments_.lower_bound(bound);
  const auto in_memory = found == segments_.end() ? std::nullopt : std::optional(found->first);
  return below_from_ || !layers_.empty() ? namespace_with_below(bound, in_memory) : in_memory;
}

std::optional<std::int64_t> StateTable::first_namespace_at_or_below(std::int64_t bound) const {
  const std::optional<std::int64_t> first = first_namespace();
  return first && *first <= bound ? first : std::nullopt;
}

std::uint32_t StateTable::generation(std::int64_t name_space) const {
  HashSegment* there = segment(name_space);
  return there == nullptr ? 0 : there->generation();
}

std::string StateTable::fingerprint() const {
  if (!spec_.schema.empty()) return spec_.schema;
  return spec_.stamped ? "stamped " + spec_.layout->fingerprint() : spec_.layout->fingerprint();
}

bool StateTable::is_dirty() const {
  if (!dropped_.empty()) return true;
  return std::any_of(segments_.begin(), segments_.end(),
                     [](const auto& entry) { return entry.second->dirty_bytes() > 0; });
}

void StateTable::serialize_value(std::byte* row) const {
  value_bytes_.clear();
  if (format_.stamped()) write_fixed(value_bytes_, format_.stamp(row));
  format_.layout().serialize(format_.value(row), value_bytes_);
}

void StateTable::write_row(DeltaWriter& writer, std::int64_t name_space, std::byte* row) const {
  serialize_value(row);
  writer.put(name_space, StateRowFormat::header(row).hash, format_.key(row), value_bytes_);
}

void StateTable::seal(DeltaWriter& writer) {
  for (std::int64_t name_space : dropped_) {
    writer.drop(name_space);
    if (base_.store != nullptr) unapplied_drops_[name_space] = memory_->sealing();
  }
  dropped_.clear();
  for (const auto& [name_space, segment] : segments_) {
    if (segment->dirty_bytes() == 0) continue;
    segment->seal([&, ns = name_space](std::byte* row, bool erased) {
      if (erased) {
        writer.erase(ns, StateRowFormat::header(row).hash, format_.key(row));
      } else {
        write_row(writer, ns, row);
      }
    });
  }
  remove_empty();
}

void StateTable::remove_empty() {
  last_segment_ = nullptr;
  const auto removed = std::erase_if(segments_, [this](const auto& entry) {
    if (!entry.second->is_vacant()) return false;
    if (!entry.second->is_whole()) is_only_below(entry.first);
    return true;
  });
  memory_->count(-kSegmentBytes * static_cast<std::int64_t>(removed));
}

void StateTable::dump(DeltaWriter& writer) const {
  std::array<std::byte*, 256> values;
  for (auto name_space = first_namespace(); name_space; name_space = namespace_above(*name_space)) {
    RowCursor cursor;
    while (const std::size_t count = next(*name_space, cursor, values)) {
      for (std::size_t i = 0; i < count; ++i) {
        write_row(writer, *name_space, format_.row_of(values[i]));
      }
    }
  }
}

/// Makes the value of a row from what a delta or the base has of it.
Status StateTable::read_value(std::string_view bytes, std::byte* row) const {
  format_.create_value(row);
  if (format_.stamped() && !read_fixed(bytes, format_.stamp(row))) {
    return error(ErrorCode::kStateCorrupt, "a row of state '{}' has no time stamp", spec_.name);
  }
  TG_RETURN_IF_ERROR(format_.layout().deserialize(bytes, format_.value(row)));
  if (!bytes.empty()) {
    return error(ErrorCode::kStateCorrupt, "a row of state '{}' has {} bytes too many", spec_.name,
                 bytes.size());
  }
  return Status::ok();
}

Status StateTable::restore_row(const DeltaRecord& record) {
  TG_ASSIGN_OR_RETURN(std::byte * value,
                      find_or_create(record.name_space, StateKey{record.key, record.hash}));
  std::byte* row = format_.row_of(value);
  // A delta may change a row that an earlier one made.
  memory_->count(-format_.layout().owned_bytes(value));
  format_.destroy_value(row);
  TG_RETURN_IF_ERROR(read_value(record.value, row));
  memory_->count(format_.layout().owned_bytes(value));
  return Status::ok();
}

void StateTable::drop_rows_of(KeyGroupRange writer, std::int64_t name_space) {
  if (writer.begin <= key_groups_.begin && writer.end >= key_groups_.end) return drop(name_space);
  std::array<std::byte*, 256> values;
  RowCursor cursor;
  while (const std::size_t count = next(name_space, cursor, values)) {
    for (std::size_t i = 0; i < count; ++i) {
      if (writer.contains(key_group_of(hash(values[i]), key_groups_.total))) {
        erase(name_space, values[i]);
      }
    }
  }
}

Status StateTable::restore(DeltaReader& reader, std::string_view bytes) {
  if (base_.store != nullptr) {
    if (restored_ == nullptr) restored_ = base_.store->sorter(key_groups_);
    return restored_->add(bytes);
  }
  DeltaRecord record;
  while (true) {
    TG_ASSIGN_OR_RETURN(const bool more, reader.next(record));
    if (!more) break;
    if (record.kind == DeltaRecord::Kind::kDrop) {
      drop_rows_of(reader.key_groups(), record.name_space);
    } else if (!key_groups_.contains(key_group_of(record.hash, key_groups_.total))) {
      continue;
    } else if (record.kind == DeltaRecord::Kind::kPut) {
      TG_RETURN_IF_ERROR(restore_row(record));
    } else {
      erase(record.name_space, StateKey{record.key, record.hash});
    }
  }
  dropped_.clear();
  for (const auto& [name_space, segment] : segments_) segment->set_restored();
  remove_empty();
  return Status::ok();
}

void StateTable::forget_restored() {
  restored_.reset();
  if (base_.store != nullptr) return;
  while (const auto name_space = first_namespace()) drop(*name_space);
  dropped_.clear();
}

Status StateTable::end_restore() {
  if (restored_ == nullptr) return Status::ok();
  below_from_ = INT64_MIN;
  const std::unique_ptr<DeltaSorter> rows = std::move(restored_);
  return base_.store->load(base_.id, *rows);
}

}  // namespace tidegate
