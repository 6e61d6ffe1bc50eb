// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "plan/relational.h"
#include "types/schema.h"

/// Columns of a node's output that are read, and where they stand when the others have gone.
namespace tidegate::column_places {

/// Per column: whether somebody reads it.
using Used = std::vector<bool>;
/// New places of columns; -1: gone.
using Places = std::vector<int>;

/// Every column stays where it is.
Places identity(int width);
/// The columns that are used, rising.
std::vector<int> kept_of(const Used& used);
/// Where `kept` columns of `width` go.
Places places_of(const std::vector<int>& kept, std::size_t width);
/// The schema of the columns that stay. A primary key that loses a column is none.
SchemaPtr narrowed(const Schema& schema, const Places& places);

void mark(int column, Used& used);
void mark(const std::vector<int>& columns, Used& used);
void mark_order(const std::vector<plan::SortKey>& order, Used& used);

/// References to columns, which follow them to their new places.
void move(int& column, const Places& places);
void move(std::vector<int>& columns, const Places& places);
void move_order(std::vector<plan::SortKey>& order, const Places& places);

}  // namespace tidegate::column_places
