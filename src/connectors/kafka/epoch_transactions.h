// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "connectors/kafka/table_options.h"
#include "kafka/client_properties.h"
#include "kafka/transactional_producer.h"
#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate::kafka {

/// Which output of a sink this is. Later output of a sink compares greater, also that of a run
/// which went back to an earlier epoch.
struct EpochMark {
  std::int64_t run = 0;  ///< ms since 1970 when the run began; 0: none
  EpochId epoch = 0;
  auto operator<=>(const EpochMark&) const = default;
};

/// Publishes the epochs of one sink, each in a transaction of its own that also holds the mark of
/// the epoch: as the offset (and the run as its metadata) that the group named like the
/// transactional id has in partition 0 of the topic. So what is asked for twice is written once,
/// whatever happened in between: a new producer fences all earlier ones, which settles their
/// transactions, and then the mark says how far they came.
///
/// Not thread-safe. Everything blocks.
class EpochTransactions {
 public:
  EpochTransactions(const SinkSettings& settings, std::string topic, std::string id);

  /// Fences older runs. Epochs of this one are marked with run() from now on.
  Status begin_run();
  std::int64_t run() const { return run_; }
  const std::string& id() const { return id_; }

  /// Writes the messages of the journals (message_journal.h) unless that was done before. After an
  /// error of kind kUnavailable it may be asked again; after kServiceRefused another run has taken
  /// over and this one must end.
  Status publish(const EpochMark& mark, std::span<const std::string_view> journals);
  /// The last epoch that was published, as far as this object knows.
  const EpochMark& mark() const { return mark_; }

 private:
  Status connect();
  Status read_mark();
  Status write(const EpochMark& mark, std::span<const std::string_view> journals);
  Status send_mark(const EpochMark& mark);

  const std::string topic_name_;
  const std::string id_;
  const std::chrono::milliseconds timeout_;
  const ClientProperties properties_;
  std::int64_t run_ = 0;
  EpochMark mark_;
  Status lost_;  // why this run may write no more
  TransactionalProducer producer_;
};

}  // namespace tidegate::kafka
