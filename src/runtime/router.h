// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataflow/graph.h"
#include "runtime/channel.h"
#include "runtime/key_hasher.h"
#include "runtime/outlet.h"
#include "tidegate/status.h"
#include "types/key_group.h"

namespace tidegate {

/// One edge of the graph as seen from one task: the channels to the tasks of the consumer, and
/// which rows go into which.
class RoutedEdge {
 public:
  RoutedEdge(Exchange exchange, std::vector<std::shared_ptr<Channel>> channels, int first = 0);
  /// For kHash.
  void set_keys(KeyHasher hasher, KeyGroupRange key_groups);

  Status route(Batch batch);
  /// Watermarks, barriers, idleness and the end go to everyone.
  void broadcast(const Event& event);
  bool has_credit() const;
  /// Asks every full channel to wake the task; false when there is none.
  bool await_credit();

 private:
  Status route_by_hash(Batch batch);

  Exchange exchange_;
  std::vector<std::shared_ptr<Channel>> channels_;
  std::size_t next_;  // kRebalance

  // kHash
  std::optional<KeyHasher> hasher_;
  int key_groups_ = 0;
  std::vector<std::uint16_t> channel_of_group_;
  std::vector<std::uint16_t> channel_of_row_;  // reused from batch to batch
  std::vector<std::int32_t> rows_;             // likewise: rows in the order of their channels
  std::vector<std::size_t> ends_;              // likewise: where each channel's rows end
};

/// All edges that leave one output of a node.
class Router final : public Outlet {
 public:
  /// `failed` takes the first error; nothing is sent after it.
  explicit Router(std::function<void(Status)> failed) : failed_(std::move(failed)) {}
  void add(RoutedEdge edge) { edges_.push_back(std::move(edge)); }

  void accept(Event event) override;
  bool has_room() const override;
  bool await_credit();

 private:
  std::vector<RoutedEdge> edges_;
  std::function<void(Status)> failed_;
};

}  // namespace tidegate
