// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "connectors/nexmark/event_stream.h"
#include "formats/column_builder.h"
#include "types/logical_type.h"

namespace tidegate::nexmark {

/// A column of people, auctions or bids, and how it is made.
struct EventColumn {
  std::string_view name;
  TypeKind kind;        ///< kTimestamp: of three digits
  unsigned tables = 0;  ///< StreamTable: what it is made from
  /// Appends a value per event; all are of the column's kind of event.
  void (*append)(const EventStream& stream, std::span<const std::uint64_t> events,
                 ColumnBuilder& column) = nullptr;
};

/// All columns of a kind of event, in their usual order.
std::span<const EventColumn> columns_of(EventKind kind);

/// "person", "auction", "bid".
std::string_view name_of(EventKind kind);

}  // namespace tidegate::nexmark
