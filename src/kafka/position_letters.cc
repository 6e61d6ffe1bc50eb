// SPDX-License-Identifier: Apache-2.0
#include "kafka/position_letters.h"

namespace tidegate::kafka {

namespace {
constexpr std::string_view kMark = " letters:";
}

std::string with_letters(std::string position, std::string_view journal) {
  if (journal.empty()) return position;
  position += kMark;
  position += journal;
  return position;
}

std::string_view letters_of_position(std::string_view position) {
  const std::size_t blank = position.find(' ');
  if (blank == std::string_view::npos || !position.substr(blank).starts_with(kMark)) return {};
  return position.substr(blank + kMark.size());
}

}  // namespace tidegate::kafka
