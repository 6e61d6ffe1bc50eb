// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

/// In library mode, messages that cannot be decoded go out in the transaction of the epoch that
/// passes over them: so they stand in the position of their partition in that epoch.
namespace tidegate::kafka {

/// Of a source whose mode writes what stands in positions.
class KeepsLetters {
 public:
  virtual ~KeepsLetters() = default;
  /// From now on positions hold the dead letters since the position before. Before open().
  virtual void keep_letters() = 0;
};

/// "42 letters:" and a TopicJournal; without letters the position as it is.
std::string with_letters(std::string position, std::string_view journal);
/// The journal in a position; empty: there is none.
std::string_view letters_of_position(std::string_view position);

}  // namespace tidegate::kafka
