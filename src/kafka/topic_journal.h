// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tidegate/status.h"

namespace tidegate::kafka {

/// What a sink hands over when the mode writes its messages: the topic they are for, and a
/// MessageJournal (message_journal.h).
///
///   version = 1 | size of the topic's name | name | journal
struct TopicJournal {
  std::string_view topic;
  std::string_view journal;

  std::string to_string() const;
  /// Views into `committable`. kStateCorrupt.
  static Result<TopicJournal> parse(std::string_view committable);
};

}  // namespace tidegate::kafka
