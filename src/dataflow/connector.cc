// SPDX-License-Identifier: Apache-2.0
#include "dataflow/connector.h"

#include <utility>

#include "base/check.h"

namespace tidegate {

void ConnectorRegistry::add(Connector connector) {
  const std::string name = connector.name;
  TG_CHECK(connectors_.emplace(name, std::move(connector)).second,
           "connector '{}' registered twice", name);
}

Result<const Connector*> ConnectorRegistry::find(std::string_view name) const {
  const auto found = connectors_.find(name);
  if (found != connectors_.end()) return &found->second;
  std::vector<std::string> names;
  for (const auto& [known, connector] : connectors_) names.push_back(known);
  const std::string nearest = nearest_name(name, names);
  if (nearest.empty())
    return error(ErrorCode::kUnknownName, "there is no connector '{}'; there are {}", name,
                 fmt::join(names, ", "));
  return error(ErrorCode::kUnknownName, "there is no connector '{}'; did you mean '{}'?", name,
               nearest);
}

std::vector<const Connector*> ConnectorRegistry::all() const {
  std::vector<const Connector*> all;
  for (const auto& [name, connector] : connectors_) all.push_back(&connector);
  return all;
}

}  // namespace tidegate
