// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace tidegate::kafka {

/// A Kafka broker of tools/kafka on a free port of this machine, with data of its own that goes
/// with it.
class RealBroker {
 public:
  /// Why there can be no broker here ("Java is missing"), or "".
  static std::string missing();

  /// Starts it, with these lines at the end of its server.properties; stops the test when that
  /// fails.
  explicit RealBroker(const std::string& properties = "");
  ~RealBroker();
  RealBroker(const RealBroker&) = delete;
  RealBroker& operator=(const RealBroker&) = delete;

  const std::string& address() const { return address_; }
  /// Ends the process as a crash would.
  void kill();
  /// Starts it again after kill(), with what it had written; waits until it serves.
  void start();

  void create_topic(const std::string& name, int partitions = 1,
                    const std::vector<std::pair<std::string, std::string>>& configs = {});
  void add_partitions(const std::string& topic, int total);
  /// Deletes the records of a partition in front of `offset`, as retention would.
  void delete_records(const std::string& topic, std::int32_t partition, std::int64_t offset);

 private:
  int port_ = 0;
  std::string folder_;
  std::string address_;
};

}  // namespace tidegate::kafka
