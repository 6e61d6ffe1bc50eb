// SPDX-License-Identifier: Apache-2.0
// What a StateTable does with the rows that are below memory.
#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "state/batch_keys.h"
#include "state/state_table.h"

namespace tidegate {
namespace {

constexpr std::size_t kScanRows = 256;

}  // namespace

bool StateTable::may_be_below(std::int64_t name_space) const {
  // What was dropped may have been made anew, and spilled.
  return !layers_.empty() ||
         (below_from_ && name_space >= *below_from_ && !unapplied_drops_.contains(name_space));
}

BaseStore::Stack StateTable::stack(std::int64_t name_space) const {
  const bool is_hidden = unapplied_drops_.contains(name_space);
  return {layers_, is_hidden ? std::nullopt : std::optional(base_.id)};
}

bool StateTable::is_whole(std::int64_t name_space) const {
  const HashSegment* there = segment(name_space);
  return there != nullptr ? there->is_whole() : !may_be_below(name_space);
}

void StateTable::is_only_below(std::int64_t name_space) const {
  below_from_ = std::min(below_from_.value_or(name_space), name_space);
}

// ---- looking up

void StateTable::load_missing(std::int64_t name_space, const KeyBatch& keys) const {
  const BatchKeys batch(keys.keys, keys.hashes.data());
  if (keys.all_rows) {
    load_missing(name_space, static_cast<std::size_t>(keys.keys.num_rows()), AllRows{batch});
  } else {
    load_missing(name_space, keys.rows.size(), SomeRows{batch, keys.rows.data()});
  }
}

template <typename Keys>
void StateTable::load_missing(std::int64_t name_space, std::size_t count, const Keys& keys) const {
  const HashSegment* there = segment(name_space);
  std::vector<StateKey> missing;
  for (std::size_t i = 0; i < count; ++i) {
    const HashSegment::KeyAt key = keys(i);
    if (there == nullptr || !there->knows(key.hash, key.key))
      missing.push_back({key.key, key.hash});
  }
  if (missing.empty()) return;
  const auto order = [](const StateKey& key) { return std::pair(key.hash, key.bytes); };
  std::ranges::sort(missing, {}, order);
  const auto repeated = std::ranges::unique(missing, {}, order);
  missing.erase(repeated.begin(), repeated.end());
  base_.store->get(stack(name_space), name_space, missing,
                   [&](std::size_t i, std::string_view value) {
                     load_row(name_space, {missing[i].hash, missing[i].bytes, value});
                   });
}

template void StateTable::load_missing(std::int64_t, std::size_t, const OneKey&) const;
template void StateTable::load_missing(std::int64_t, std::size_t, const KeysOfValues&) const;

void StateTable::load_row(std::int64_t name_space, const BaseRow& row) const {
  HashSegment& there = segment_for_rows(name_space);
  std::byte* value = there.load(row.hash, row.key);
  if (value == nullptr) return base_.store->fail(created(false));
  Status read = read_value(row.value, format_.row_of(value));
  memory_->count(format_.layout().owned_bytes(value));
  if (!read.is_ok()) base_.store->fail(std::move(read));
}

void StateTable::load(std::int64_t name_space) const {
  if (is_whole(name_space)) return;
  std::string position;
  bool more = true;
  while (more) {
    more = scan_below(name_space, position, kScanRows,
                      [&](const BaseRow& row) { load_row(name_space, row); });
  }
  if (HashSegment* there = segment(name_space); there != nullptr) there->set_whole(true);
}

// ---- going through

/// Visits rows that memory does not know.
template <typename Visit>
bool StateTable::scan_below(std::int64_t name_space, std::string& position, std::size_t limit,
                            const Visit& visit) const {
  return base_.store->scan(stack(name_space), key_groups_, name_space, position, limit,
                           [&](const BaseRow& row) {
                             const HashSegment* there = segment(name_space);
                             if (there == nullptr || !there->knows(row.hash, row.key)) visit(row);
                           });
}

std::size_t StateTable::next_below(std::int64_t name_space, RowCursor& cursor,
                                   std::span<std::byte*> values) const {
  cursor.is_below = true;
  loose_.clear();
  std::size_t count = 0;
  bool more = !values.empty();
  while (more && count == 0) {
    more = scan_below(name_space, cursor.position, values.size(), [&](const BaseRow& row) {
      std::byte* loose = loose_.add(format_, row.hash, row.key);
      Status read = read_value(row.value, loose);
      if (!read.is_ok()) return base_.store->fail(std::move(read));
      values[count++] = format_.value(loose);
    });
  }
  return count;
}

bool StateTable::has_more_below(std::int64_t name_space, const HashSegment* there) const {
  if (there != nullptr ? there->is_whole() : !may_be_below(name_space)) return false;
  bool found = false;
  std::string position;
  while (!found &&
         scan_below(name_space, position, kScanRows, [&](const BaseRow&) { found = true; })) {
  }
  return found;
}

bool StateTable::has_rows(std::int64_t name_space) const {
  const HashSegment* there = segment(name_space);
  if (there != nullptr && there->num_rows() > 0) return true;
  return base_.store != nullptr && has_more_below(name_space, there);
}

std::int64_t StateTable::num_rows(std::int64_t name_space) const {
  const HashSegment* there = segment(name_space);
  std::int64_t rows = there == nullptr ? 0 : there->num_rows();
  std::string position;
  bool more = !is_whole(name_space);
  while (more) {
    more = scan_below(name_space, position, kScanRows, [&](const BaseRow&) { ++rows; });
  }
  return rows;
}

std::int64_t StateTable::num_rows() const {
  std::int64_t rows = 0;
  for (auto name_space = first_namespace(); name_space; name_space = namespace_above(*name_space)) {
    rows += num_rows(*name_space);
  }
  return rows;
}

/// The smaller one of `in_memory` and the first namespace >= bound that is only below.
std::optional<std::int64_t> StateTable::namespace_with_below(
    std::int64_t bound, std::optional<std::int64_t> in_memory) const {
  for (const BaseStore::TableId layer : layers_) {
    const auto spilled = base_.store->namespace_at_or_above(layer, key_groups_, bound);
    if (spilled && (!in_memory || *spilled < *in_memory)) in_memory = spilled;
  }
  if (!below_from_) return in_memory;
  std::int64_t from = std::max(bound, *below_from_);
  const bool tells_first = bound <= *below_from_;
  while (!in_memory || *in_memory > from) {
    const auto found = base_.store->namespace_at_or_above(base_.id, key_groups_, from);
    if (!found) {
      if (tells_first) below_from_.reset();
      return in_memory;
    }
    const bool is_hidden = unapplied_drops_.contains(*found);
    // What is dropped may be made anew, and then be below once more.
    if (tells_first && from == *below_from_ && !is_hidden) below_from_ = *found;
    if (in_memory && *in_memory <= *found) return in_memory;
    if (!is_hidden) return found;
    if (*found == INT64_MAX) return in_memory;
    from = *found + 1;
  }
  return in_memory;
}

// ---- changing

void StateTable::expire(std::int64_t last_stamp) {
  // What a run that goes back does read must still be there.
  if (base_.store == nullptr || expired_epoch_ > memory_->applied()) return;
  if (expired_epoch_ > 0) base_.store->expire(base_.id, key_groups_, expired_stamp_);
  expired_epoch_ = memory_->sealing() + 1;
  expired_stamp_ = last_stamp;
}

void StateTable::drop_below(std::int64_t name_space) {
  dropped_.push_back(name_space);
  unapplied_drops_[name_space] = INT64_MAX;
  for (const BaseStore::TableId layer : layers_)
    base_.store->drop_in_layer(layer, key_groups_, name_space);
}

void StateTable::erase_loose(std::int64_t name_space, std::byte* value) {
  HashSegment& there = segment_for_rows(name_space);
  const StateKey row = state_key(value);
  std::byte* known = there.knows(row.hash, row.bytes) ? there.find(row.hash, row.bytes)
                                                      : there.load(row.hash, row.bytes);
  if (known != nullptr) there.erase(known);
}

BaseStore::TableId StateTable::layer_of(EpochId epoch) {
  const auto at = std::ranges::find_if(layer_epochs_, [&](EpochId e) { return e <= epoch; });
  const auto index = at - layer_epochs_.begin();
  if (at == layer_epochs_.end() || *at != epoch) {
    layer_epochs_.insert(at, epoch);
    layers_.insert(layers_.begin() + index, base_.store->add_layer());
  }
  return layers_[static_cast<std::size_t>(index)];
}

Status StateTable::spill(DeltaWriter& writer) {
  // What has changed will be sealed by the next epoch, or a later one: until then it is not below.
  const EpochId sealed = memory_->sealing();
  memory_->set_sealing(sealed + 1);
  seal(writer);
  memory_->set_sealing(sealed);
  BaseStore::LayerWriter layer(*base_.store);
  for (const auto& [name_space, segment] : segments_) {
    segment->spill([&, ns = name_space](std::byte* row, bool erased) {
      const StateRowHeader& header = StateRowFormat::header(row);
      const std::uint32_t bits = header.flags >> StateRowHeader::kEpochShift;
      const EpochId behind = (static_cast<std::uint32_t>(sealed + 1) - bits) & 0xff'ffff;
      if (!erased) serialize_value(row);
      layer.put(layer_of(sealed + 1 - behind), ns, header.hash, format_.key(row),
                erased ? std::nullopt : std::optional<std::string_view>(value_bytes_));
    });
  }
  return layer.finish();
}

std::int64_t StateTable::evict(std::int64_t bytes, int most_uses) {
  std::int64_t freed = 0;
  for (const auto& [name_space, segment] : segments_) {
    if (freed >= bytes) break;
    freed += segment->evict(bytes - freed, most_uses);
  }
  remove_empty();
  return freed;
}

void StateTable::base_has_moved() {
  std::erase_if(unapplied_drops_,
                [this](const auto& drop) { return drop.second <= memory_->applied(); });
  while (!layers_.empty() && layer_epochs_.back() <= memory_->applied()) {
    base_.store->remove_layer(layers_.back());
    layers_.pop_back();
    layer_epochs_.pop_back();
    below_from_ = INT64_MIN;  // it is in the base now
  }
  remove_empty();
}

}  // namespace tidegate
