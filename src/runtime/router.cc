// SPDX-License-Identifier: Apache-2.0
#include "runtime/router.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "types/key_group.h"

namespace tidegate {

RoutedEdge::RoutedEdge(Exchange exchange, std::vector<std::shared_ptr<Channel>> channels, int first)
    : exchange_(exchange), channels_(std::move(channels)) {
  TG_CHECK(!channels_.empty(), "an edge without channels");
  TG_CHECK(exchange != Exchange::kForward || channels_.size() == 1, "channels={}",
           channels_.size());
  next_ = static_cast<std::size_t>(first) % channels_.size();
}

void RoutedEdge::set_keys(KeyHasher hasher, KeyGroupRange key_groups) {
  hasher_ = std::move(hasher);
  key_groups_ = key_groups.total;
  channel_of_group_.assign(static_cast<std::size_t>(key_groups.total), 0);
  const int parallelism = static_cast<int>(channels_.size());
  for (int subtask = 0; subtask < parallelism; ++subtask) {
    const KeyGroupRange part = part_of(key_groups, subtask, parallelism);
    std::fill(channel_of_group_.begin() + part.begin, channel_of_group_.begin() + part.end,
              static_cast<std::uint16_t>(subtask));
  }
}

Status RoutedEdge::route(Batch batch) {
  switch (exchange_) {
    case Exchange::kForward:
      channels_[0]->push(std::move(batch));
      return Status::ok();
    case Exchange::kHash:
      return route_by_hash(std::move(batch));
    case Exchange::kRebalance:
      channels_[next_]->push(std::move(batch));
      next_ = (next_ + 1) % channels_.size();
      return Status::ok();
    case Exchange::kBroadcast:
      break;
  }
  for (const std::shared_ptr<Channel>& channel : channels_) channel->push(batch);
  return Status::ok();
}

Status RoutedEdge::route_by_hash(Batch batch) {
  TG_RETURN_IF_ERROR(hasher_->hash(batch));
  if (channels_.size() == 1) {
    channels_[0]->push(std::move(batch));
    return Status::ok();
  }
  const std::span<const std::uint64_t> hashes = batch.key_hashes();
  channel_of_row_.resize(hashes.size());
  ends_.assign(channels_.size(), 0);
  for (std::size_t row = 0; row < hashes.size(); ++row) {
    const int group = key_group_of(hashes[row], key_groups_);
    const std::uint16_t channel = channel_of_group_[static_cast<std::size_t>(group)];
    channel_of_row_[row] = channel;
    ++ends_[channel];
  }
  // A counting sort. Counts become starts, and starts become ends while rows are put down.
  std::size_t start = 0;
  for (std::size_t channel = 0; channel < channels_.size(); ++channel) {
    const std::size_t count = std::exchange(ends_[channel], start);
    if (count == hashes.size()) {
      channels_[channel]->push(std::move(batch));
      return Status::ok();
    }
    start += count;
  }
  rows_.resize(hashes.size());
  for (std::size_t row = 0; row < hashes.size(); ++row)
    rows_[ends_[channel_of_row_[row]]++] = static_cast<std::int32_t>(row);
  start = 0;
  for (std::size_t channel = 0; channel < channels_.size(); ++channel) {
    const std::span<const std::int32_t> rows(rows_.data() + start, ends_[channel] - start);
    start = ends_[channel];
    if (rows.empty()) continue;
    TG_ASSIGN_OR_RETURN(Batch part, batch.take(rows));
    channels_[channel]->push(std::move(part));
  }
  return Status::ok();
}

void RoutedEdge::broadcast(const Event& event) {
  for (const std::shared_ptr<Channel>& channel : channels_) channel->push(event);
}

bool RoutedEdge::has_credit() const {
  for (const std::shared_ptr<Channel>& channel : channels_)
    if (!channel->has_credit()) return false;
  return true;
}

bool RoutedEdge::await_credit() {
  bool waits = false;
  for (const std::shared_ptr<Channel>& channel : channels_) waits |= channel->await_credit();
  return waits;
}

void Router::accept(Event event) {
  if (edges_.empty()) return;
  Batch* batch = std::get_if<Batch>(&event);
  if (batch == nullptr) {
    for (RoutedEdge& edge : edges_) edge.broadcast(event);
    return;
  }
  for (std::size_t i = 0; i < edges_.size(); ++i) {
    const bool last = i + 1 == edges_.size();
    Status routed = edges_[i].route(last ? std::move(*batch) : *batch);
    if (!routed.is_ok()) return failed_(std::move(routed));
  }
}

bool Router::has_room() const {
  for (const RoutedEdge& edge : edges_)
    if (!edge.has_credit()) return false;
  return true;
}

bool Router::await_credit() {
  bool waits = false;
  for (RoutedEdge& edge : edges_) waits |= edge.await_credit();
  return waits;
}

}  // namespace tidegate
