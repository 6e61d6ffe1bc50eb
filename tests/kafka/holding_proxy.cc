// SPDX-License-Identifier: Apache-2.0
#include "tests/kafka/holding_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace tidegate::kafka {

namespace {

bool read_all(int socket, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = recv(socket, to, size, 0);
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

/// A message of the protocol: its size in 4 bytes, big-endian, and then that many.
bool read_message(int socket, std::string& message) {
  message.resize(4);
  if (!read_all(socket, message.data(), 4)) return false;
  std::uint32_t size = 0;
  std::memcpy(&size, message.data(), 4);
  message.resize(4 + ntohl(size));
  return read_all(socket, message.data() + 4, message.size() - 4);
}

int api_key_of(const std::string& request) {
  std::uint16_t key = 0;
  std::memcpy(&key, request.data() + 4, 2);
  return ntohs(key);
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

HoldingProxy::HoldingProxy() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  TG_CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0, "bind");
  TG_CHECK(listen(listener_, 64) == 0, "listen");
  TG_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0, "name");
  port_ = ntohs(address.sin_port);
}

HoldingProxy::~HoldingProxy() {
  shutdown(listener_, SHUT_RDWR);
  if (accepting_.joinable()) accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int each : sockets_) shutdown(each, SHUT_RDWR);
  }
  for (std::thread& each : threads_) each.join();
  for (const int each : sockets_) close(each);
  close(listener_);
}

std::string HoldingProxy::address() const { return fmt::format("127.0.0.1:{}", port_); }

void HoldingProxy::forward_to(const std::string& broker) {
  broker_port_ = std::atoi(broker.substr(broker.rfind(':') + 1).c_str());
  accepting_ = std::thread([this] { accept_all(); });
}

bool HoldingProxy::holds() {
  const std::lock_guard lock(mutex_);
  return !held_.empty();
}

void HoldingProxy::release() {
  std::string request;
  {
    const std::lock_guard lock(mutex_);
    request.swap(held_);
  }
  const int broker = connect_to_broker();
  std::string answer;
  TG_CHECK(write_all(broker, request) && read_message(broker, answer), "no answer");
  close(broker);
}

int HoldingProxy::connect_to_broker() const {
  const int broker = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(broker_port_);
  const int connected =
      connect(broker, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected == 0) return broker;
  close(broker);
  return -1;
}

void HoldingProxy::accept_all() {
  while (true) {
    const int client = accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    const int broker = connect_to_broker();
    if (broker < 0) {
      close(client);
      continue;
    }
    const std::lock_guard lock(mutex_);
    sockets_.push_back(client);
    sockets_.push_back(broker);
    threads_.emplace_back([this, client, broker] { pass_requests(client, broker); });
    threads_.emplace_back([this, client, broker] { pass_answers(broker, client); });
  }
}

void HoldingProxy::pass_requests(int client, int broker) {
  std::string request;
  while (read_message(client, request)) {
    int wanted = api_key_of(request);
    if (wanted_.compare_exchange_strong(wanted, -1)) {
      const std::lock_guard lock(mutex_);
      held_ = request;
      break;
    }
    if (!write_all(broker, request)) break;
  }
  shutdown(client, SHUT_RDWR);
  shutdown(broker, SHUT_RDWR);
}

void HoldingProxy::pass_answers(int broker, int client) {
  std::string answer;
  while (read_message(broker, answer) && write_all(client, answer)) {
  }
  shutdown(client, SHUT_RDWR);
  shutdown(broker, SHUT_RDWR);
}

}  // namespace tidegate::kafka
