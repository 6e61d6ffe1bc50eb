// SPDX-License-Identifier: Apache-2.0
#include "planner/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tidegate {
namespace {

std::string_view exchange_text(Exchange exchange) {
  switch (exchange) {
    case Exchange::kForward:
      return "forward";
    case Exchange::kHash:
      return "hash";
    case Exchange::kRebalance:
      return "rebalance";
    case Exchange::kBroadcast:
      return "broadcast";
  }
  return "";
}

std::string_view guarantee_text(SinkGuarantee guarantee) {
  switch (guarantee) {
    case SinkGuarantee::kAtLeastOnce:
      return "at-least-once";
    case SinkGuarantee::kIdempotent:
      return "idempotent";
    case SinkGuarantee::kTransactional:
      return "transactional";
  }
  return "";
}

std::string input_text(const Edge& edge) {
  std::string text = fmt::format("{} of {}", exchange_text(edge.exchange), edge.from);
  if (edge.side >= 0) text += fmt::format(" side {}", edge.side);
  if (!edge.keys.empty()) text += fmt::format(" by [{}]", fmt::join(edge.keys, ", "));
  return text;
}

/// The weakest link.
std::string end_to_end(const Graph& graph) {
  std::string weakest = "exactly-once";
  for (const Node& node : graph.nodes) {
    if (node.sink == nullptr) continue;
    if (node.sink->guarantee() == SinkGuarantee::kAtLeastOnce) {
      return "at-least-once (" + node.name + ")";
    }
    if (node.sink->guarantee() == SinkGuarantee::kIdempotent) {
      weakest = "exactly-once by key (" + node.name + ")";
    }
  }
  return weakest;
}

/// What is said of a node, in order: label and text.
std::vector<std::pair<std::string, std::string>> properties_of(const Node& node,
                                                               const NodeNotes& notes) {
  std::vector<std::pair<std::string, std::string>> out;
  const auto add = [&](const char* label, std::string text) {
    if (!text.empty()) out.emplace_back(label, std::move(text));
  };
  add("parallelism", node.parallelism == 0 ? "default" : std::to_string(node.parallelism));
  if (node.schema != nullptr) add("output", node.schema->to_string());
  add("changelog", notes.changelog);
  add("key", notes.key);
  add("state", notes.state);
  add("event time", notes.time);
  if (node.source != nullptr) add("input ends", node.source->is_bounded() ? "yes" : "no");
  if (node.sink != nullptr) add("guarantee", std::string(guarantee_text(node.sink->guarantee())));
  return out;
}

void append_json(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

const NodeNotes& notes_of(const std::vector<NodeNotes>& notes, std::size_t node) {
  static const NodeNotes none = {};
  return node < notes.size() ? notes[node] : none;
}

}  // namespace

std::string explain_graph(const Graph& graph, const std::vector<NodeNotes>& notes) {
  std::string text;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    text += fmt::format("{:>3}  {}\n", i, node.name);
    std::string inputs;
    for (const Edge& edge : node.inputs) {
      inputs += (inputs.empty() ? "" : "; ") + input_text(edge);
    }
    if (!inputs.empty()) text += fmt::format("       input:       {}\n", inputs);
    for (const auto& [label, value] : properties_of(node, notes_of(notes, i))) {
      text += fmt::format("       {:<12} {}\n", label + ":", value);
    }
  }
  if (!notes.empty()) text += fmt::format("end to end: {}\n", end_to_end(graph));
  return text;
}

std::string explain_json(const Graph& graph, const std::vector<NodeNotes>& notes) {
  std::string text = "{\"nodes\": [";
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    text += fmt::format("{}{{\"id\": {}, \"name\": ", i == 0 ? "" : ", ", i);
    append_json(node.name, text);
    text += ", \"inputs\": [";
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const Edge& edge = node.inputs[k];
      text += fmt::format("{}{{\"from\": {}, \"exchange\": \"{}\", \"keys\": [{}]}}",
                          k == 0 ? "" : ", ", edge.from, exchange_text(edge.exchange),
                          fmt::join(edge.keys, ", "));
    }
    text += "]";
    for (const auto& [label, value] : properties_of(node, notes_of(notes, i))) {
      std::string name = label;
      std::replace(name.begin(), name.end(), ' ', '_');
      text += fmt::format(", \"{}\": ", name);
      append_json(value, text);
    }
    text += "}";
  }
  text += "], \"guarantee\": ";
  append_json(end_to_end(graph), text);
  return text + "}";
}

}  // namespace tidegate
