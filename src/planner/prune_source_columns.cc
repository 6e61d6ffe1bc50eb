// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>
#include <vector>

#include "plan/node.h"
#include "plan/source.h"
#include "planner/rules.h"

namespace tidegate {
namespace {

struct Reader {
  plan::Node* node;
  int input;
};

void prune(plan::SourceNode& source, const std::vector<Reader>& readers) {
  std::vector<bool> used(static_cast<std::size_t>(source.schema->num_fields()), false);
  for (const Reader& reader : readers) reader.node->mark_columns_read(reader.input, used);
  // The program's own function of the row may look at any column.
  if (source.watermark.extract) return;
  if (source.watermark.column >= 0) used[static_cast<std::size_t>(source.watermark.column)] = true;
  if (source.schema->rowtime) used[static_cast<std::size_t>(*source.schema->rowtime)] = true;

  std::vector<int> kept;
  std::vector<int> new_index(used.size(), -1);
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    new_index[i] = static_cast<int>(kept.size());
    kept.push_back(static_cast<int>(i));
  }
  // A row without columns could not be counted.
  if (kept.size() == used.size() || kept.empty()) return;
  source.keep_columns(kept);
  for (const Reader& reader : readers) reader.node->remap_columns(reader.input, new_index);
}

}  // namespace

Status prune_source_columns(const std::vector<plan::NodePtr>& roots,
                            const LoweringOptions& options) {
  std::unordered_map<plan::Node*, std::vector<Reader>> readers;
  const std::vector<plan::Node*> order = plan::topological_order(roots);
  for (plan::Node* node : order) {
    for (std::size_t i = 0; i < node->inputs.size(); ++i) {
      readers[node->inputs[i].node.get()].push_back({node, static_cast<int>(i)});
    }
  }
  for (plan::Node* node : order) {
    auto* source = dynamic_cast<plan::SourceNode*>(node);
    // A source that is not a connector's returns all its columns.
    if (source == nullptr || source->instance != nullptr ||
        options.sources.contains(source->name)) {
      continue;
    }
    prune(*source, readers[node]);
  }
  return Status::ok();
}

}  // namespace tidegate
