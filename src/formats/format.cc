// SPDX-License-Identifier: Apache-2.0
#include "formats/format.h"

#include <utility>

#include "base/check.h"

namespace tidegate {

Status Decoder::decode_messages(std::span<const std::string_view> messages,
                                const BadRecordHandler& on_bad) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    TG_RETURN_IF_ERROR(decode_message(messages[i], [&](BadRecord bad) {
      bad.line = static_cast<std::int64_t>(i);
      return on_bad(bad);
    }));
  }
  return Status::ok();
}

void FormatRegistry::add(Format format) {
  const std::string name = format.name;
  TG_CHECK(formats_.emplace(name, std::move(format)).second, "format '{}' registered twice", name);
}

Result<const Format*> FormatRegistry::find(std::string_view name) const {
  const auto found = formats_.find(name);
  if (found != formats_.end()) return &found->second;
  std::vector<std::string> names;
  for (const auto& [known, format] : formats_) names.push_back(known);
  const std::string nearest = nearest_name(name, names);
  if (nearest.empty())
    return error(ErrorCode::kUnknownName, "there is no format '{}'; there are {}", name,
                 fmt::join(names, ", "));
  return error(ErrorCode::kUnknownName, "there is no format '{}'; did you mean '{}'?", name,
               nearest);
}

std::vector<const Format*> FormatRegistry::all() const {
  std::vector<const Format*> all;
  for (const auto& [name, format] : formats_) all.push_back(&format);
  return all;
}

}  // namespace tidegate
