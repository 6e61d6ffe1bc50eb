// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tidegate::kafka {

/// Stands in front of a broker and passes everything on, but for one request that it is told to
/// hold: its client loses the connection, and the broker gets the request when the test says so. As
/// a network does that delivers late.
class HoldingProxy {
 public:
  HoldingProxy();
  ~HoldingProxy();
  HoldingProxy(const HoldingProxy&) = delete;
  HoldingProxy& operator=(const HoldingProxy&) = delete;

  int port() const { return port_; }
  std::string address() const;
  /// To this broker, "127.0.0.1:9092". Before anybody connects.
  void forward_to(const std::string& broker);
  /// Holds the next request with this key of the protocol.
  void hold_next(int api_key) { wanted_ = api_key; }
  bool holds();
  /// Sends the request that is held to the broker, and waits for the answer.
  void release();

 private:
  void accept_all();
  void pass_requests(int client, int broker);
  void pass_answers(int broker, int client);
  int connect_to_broker() const;

  int port_ = 0;
  int listener_ = -1;
  std::atomic<int> broker_port_{0};
  std::atomic<int> wanted_{-1};
  std::mutex mutex_;  // over the following
  std::string held_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace tidegate::kafka
