// SPDX-License-Identifier: Apache-2.0
#include "plan/top_n.h"

#include <fmt/format.h>

#include <utility>

namespace tidegate::plan {
namespace {

SchemaPtr with_number_column(const SchemaPtr& input, bool with_number, const std::string& name) {
  if (!with_number) return input;
  std::vector<Field> fields = input->fields();
  fields.push_back({name, LogicalType(TypeKind::kBigInt, false)});
  return std::make_shared<Schema>(std::move(fields));
}

std::string range_text(const RankRange& range, bool with_number) {
  return fmt::format("rank={}..{}{}", range.start, range.end, with_number ? ", with number" : "");
}

}  // namespace

RankNode::RankNode(Input input, std::vector<int> keys, std::vector<SortKey> order, RankRange range,
                   bool with_number, const std::string& number_name)
    : Node({std::move(input)}),
      keys(std::move(keys)),
      order(std::move(order)),
      range(range),
      with_number(with_number) {
  schema = with_number_column(inputs[0].schema(), with_number, number_name);
}

std::string RankNode::details() const {
  const Schema& in = *inputs[0].schema();
  return fmt::format("partition=[{}], order=[{}], {}", column_names(in, keys), sort_text(in, order),
                     range_text(range, with_number));
}

WindowRankNode::WindowRankNode(Input input, std::vector<int> keys, int window_start, int window_end,
                               std::vector<SortKey> order, RankRange range, bool with_number,
                               const std::string& number_name)
    : Node({std::move(input)}),
      keys(std::move(keys)),
      window_start(window_start),
      window_end(window_end),
      order(std::move(order)),
      range(range),
      with_number(with_number) {
  schema = with_number_column(inputs[0].schema(), with_number, number_name);
}

std::string WindowRankNode::details() const {
  const Schema& in = *inputs[0].schema();
  return fmt::format("partition=[{}], window=[{}], order=[{}], {}", column_names(in, keys),
                     column_names(in, {window_start, window_end}), sort_text(in, order),
                     range_text(range, with_number));
}

DeduplicateNode::DeduplicateNode(Input input, std::vector<int> keys, bool keep_last,
                                 int time_column)
    : Node({std::move(input)}),
      keys(std::move(keys)),
      keep_last(keep_last),
      time_column(time_column) {
  schema = inputs[0].schema();
}

std::string DeduplicateNode::details() const {
  const Schema& in = *inputs[0].schema();
  return fmt::format("keys=[{}], keep={}, by={}", column_names(in, keys),
                     keep_last ? "last" : "first",
                     time_column < 0 ? "arrival" : in.field(time_column).name);
}

}  // namespace tidegate::plan
