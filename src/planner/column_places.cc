// SPDX-License-Identifier: Apache-2.0
#include "planner/column_places.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace tidegate::column_places {

Places identity(int width) {
  Places places;
  for (int i = 0; i < width; ++i) places.push_back(i);
  return places;
}

std::vector<int> kept_of(const Used& used) {
  std::vector<int> kept;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) kept.push_back(static_cast<int>(i));
  }
  return kept;
}

Places places_of(const std::vector<int>& kept, std::size_t width) {
  Places places(width, -1);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    places[static_cast<std::size_t>(kept[i])] = static_cast<int>(i);
  }
  return places;
}

SchemaPtr narrowed(const Schema& schema, const Places& places) {
  std::vector<Field> fields(static_cast<std::size_t>(
      std::count_if(places.begin(), places.end(), [](int place) { return place >= 0; })));
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] >= 0) {
      fields[static_cast<std::size_t>(places[i])] = schema.field(static_cast<int>(i));
    }
  }
  auto out = std::make_shared<Schema>(std::move(fields));
  if (schema.rowtime && places[static_cast<std::size_t>(*schema.rowtime)] >= 0) {
    out->rowtime = places[static_cast<std::size_t>(*schema.rowtime)];
  }
  for (int key : schema.primary_key) {
    const int place = places[static_cast<std::size_t>(key)];
    out->primary_key.push_back(place);
  }
  if (std::count(out->primary_key.begin(), out->primary_key.end(), -1) > 0) {
    out->primary_key.clear();
  }
  return out;
}

void mark(int column, Used& used) {
  if (column >= 0) used[static_cast<std::size_t>(column)] = true;
}
void mark(const std::vector<int>& columns, Used& used) {
  for (int column : columns) mark(column, used);
}
void mark_order(const std::vector<plan::SortKey>& order, Used& used) {
  for (const plan::SortKey& key : order) mark(key.column, used);
}
void move(int& column, const Places& places) {
  if (column >= 0) column = places[static_cast<std::size_t>(column)];
}
void move(std::vector<int>& columns, const Places& places) {
  for (int& column : columns) move(column, places);
}
void move_order(std::vector<plan::SortKey>& order, const Places& places) {
  for (plan::SortKey& key : order) move(key.column, places);
}

}  // namespace tidegate::column_places
