// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <string_view>
#include <utility>

namespace tidegate {

/// A password, key or token. Prints as *** wherever it is printed; whoever needs the text says so.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  /// The text itself: for the call that authenticates, never for a message.
  const std::string& reveal() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Secret&) { return out << kShown; }

  static constexpr std::string_view kShown = "***";

 private:
  std::string text_;
};

}  // namespace tidegate

template <>
struct fmt::formatter<tidegate::Secret> : fmt::formatter<std::string_view> {
  template <typename Context>
  auto format(const tidegate::Secret&, Context& context) const {
    return fmt::formatter<std::string_view>::format(tidegate::Secret::kShown, context);
  }
};
