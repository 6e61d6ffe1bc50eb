// SPDX-License-Identifier: Apache-2.0
#include "planner/sink_changes.h"

#include <algorithm>

#include "base/check.h"
#include "planner/changelog.h"
#include "planner/unique_keys.h"

namespace tidegate {

Result<Taking> taking_of(const plan::SinkNode& sink, const LoweringOptions& options) {
  if (!sink_takes_changes(sink, options)) return Taking{false, false};
  if (sink.instance != nullptr || options.sinks.contains(sink.name)) return Taking{};
  // Formats write -U down; whoever reads them may rely on it.
  TG_ASSIGN_OR_RETURN(const Connector* connector, options.connectors->find(sink.connector));
  return Taking{true, connector->takes_changes, connector->ignores_update_before};
}

KeyFit key_fit_of(const plan::SinkNode& sink, const Taking& taking, const StreamFacts& rows,
                  const PlanSettings& settings) {
  using Materialize = PlanSettings::Materialize;
  ColumnSet key = sink.inputs[0].schema()->primary_key;
  if (key.empty()) return KeyFit::kFits;
  std::sort(key.begin(), key.end());
  if (settings.materialize == Materialize::kForce) return KeyFit::kMaterialize;
  if (!rows.retracts) return KeyFit::kFits;
  if (settings.materialize == Materialize::kAuto && !has_key_within(rows.keys, key)) {
    return KeyFit::kMaterialize;
  }
  const auto is_one_of = [&](const std::vector<ColumnSet>& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
  };
  if (!taking.by_key || !is_one_of(rows.keys)) return KeyFit::kFits;
  // An update that moves a row to another key must delete it under the old one.
  return is_one_of(rows.kept_keys) ? KeyFit::kDropBefore : KeyFit::kMaterialize;
}

}  // namespace tidegate
