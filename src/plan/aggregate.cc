// SPDX-License-Identifier: Apache-2.0
#include "plan/aggregate.h"

#include <fmt/format.h>

#include <cstdint>

namespace tidegate::plan {
namespace {

std::string duration_text(milliseconds duration) {
  const std::int64_t ms = duration.count();
  if (ms % 60'000 == 0) return fmt::format("{} min", ms / 60'000);
  if (ms % 1'000 == 0) return fmt::format("{} s", ms / 1'000);
  return fmt::format("{} ms", ms);
}

std::vector<Field> output_fields(const Schema& input, const std::vector<int>& keys) {
  std::vector<Field> fields;
  for (int key : keys) fields.push_back(input.field(key));
  return fields;
}

void append_results(const std::vector<AggregateCall>& calls, std::vector<Field>& fields) {
  for (const AggregateCall& call : calls) {
    if (!call.flatten) {
      fields.push_back({call.result_name, call.result_type});
      continue;
    }
    for (const LogicalType::Child& child : call.result_type.children()) {
      fields.push_back({child.name, child.type});
    }
  }
}

}  // namespace

std::string window_text(const Window& window) {
  const std::string size = duration_text(window.size);
  switch (window.kind) {
    case Window::Kind::kTumbling:
      return fmt::format("TUMBLE({})", size);
    case Window::Kind::kHopping:
      return fmt::format("HOP({}, slide {})", size, duration_text(window.slide));
    case Window::Kind::kCumulating:
      return fmt::format("CUMULATE({}, step {})", size, duration_text(window.slide));
    case Window::Kind::kSession:
      return fmt::format("SESSION(gap {})", size);
    case Window::Kind::kCount:
      return fmt::format("COUNT({})", window.count);
    case Window::Kind::kGlobal:
      return "GLOBAL";
  }
  return {};
}

void KeyedNode::mark_columns_read(int, std::vector<bool>& used) const {
  for (int key : keys) used[static_cast<std::size_t>(key)] = true;
  for (const AggregateCall& call : calls) {
    for (int argument : call.arguments) used[static_cast<std::size_t>(argument)] = true;
    if (call.filter >= 0) used[static_cast<std::size_t>(call.filter)] = true;
  }
}

void KeyedNode::remap_columns(int, const std::vector<int>& new_index) {
  for (int& key : keys) key = new_index[static_cast<std::size_t>(key)];
  for (AggregateCall& call : calls) {
    for (int& argument : call.arguments) argument = new_index[static_cast<std::size_t>(argument)];
    if (call.filter >= 0) call.filter = new_index[static_cast<std::size_t>(call.filter)];
  }
}

std::string KeyedNode::keyed_details() const {
  std::string text;
  for (const AggregateCall& call : calls) {
    if (!text.empty()) text += ", ";
    text += call.text;
  }
  return fmt::format("{}, calls=[{}]", keyed_identity(), text);
}

std::string KeyedNode::keyed_identity() const {
  return fmt::format("keys=[{}]", column_names(*inputs[0].schema(), keys));
}

WindowAggregateNode::WindowAggregateNode(Input input, std::vector<int> keys,
                                         std::vector<AggregateCall> calls, Window window,
                                         Grace grace, Emit emit, bool late_output)
    : KeyedNode(std::move(input), std::move(keys), std::move(calls)),
      window(window),
      grace(grace),
      emit(emit),
      late_output(late_output) {
  const SchemaPtr& in = inputs[0].schema();
  std::vector<Field> fields = output_fields(*in, this->keys);
  if (window.kind != Window::Kind::kCount && window.kind != Window::Kind::kGlobal) {
    fields.push_back({"window_start", LogicalType::timestamp(3, false)});
    fields.push_back({"window_end", LogicalType::timestamp(3, false)});
  }
  append_results(this->calls, fields);
  schema = std::make_shared<Schema>(std::move(fields));
  if (late_output) side_schemas.push_back(in);
}

std::string WindowAggregateNode::details() const {
  return fmt::format("{}, window={}, grace={}", keyed_details(), window_text(window),
                     duration_text(grace.duration));
}

std::string WindowAggregateNode::identity() const {
  return fmt::format("{}, window={}", keyed_identity(), window_text(window));
}

void WindowAggregateNode::mark_columns_read(int input, std::vector<bool>& used) const {
  // Late rows go out whole.
  if (late_output) {
    Node::mark_columns_read(input, used);
  } else {
    KeyedNode::mark_columns_read(input, used);
  }
}

AggregateNode::AggregateNode(Input input, std::vector<int> keys, std::vector<AggregateCall> calls)
    : KeyedNode(std::move(input), std::move(keys), std::move(calls)) {
  std::vector<Field> fields = output_fields(*inputs[0].schema(), this->keys);
  append_results(this->calls, fields);
  schema = std::make_shared<Schema>(std::move(fields));
}

}  // namespace tidegate::plan
