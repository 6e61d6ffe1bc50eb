// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate {

struct HttpAnswer {
  int status = 0;
  std::string body;
  std::string location;
};

/// A connection on which tests say what no client would.
class TestConnection {
 public:
  explicit TestConnection(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    boost::asio::connect(socket_, boost::asio::ip::tcp::resolver(context_).resolve(
                                      address.substr(0, colon), address.substr(colon + 1)));
  }
  /// The answer; status 0 when the server hangs up instead.
  HttpAnswer say(std::string_view text) {
    namespace http = boost::beast::http;
    boost::system::error_code failed;
    boost::asio::write(socket_, boost::asio::buffer(text), failed);
    http::response<http::string_body> response;
    if (!failed) http::read(socket_, buffer_, response, failed);
    if (failed) return {};
    return {static_cast<int>(response.result_int()), response.body(),
            std::string(response[http::field::location])};
  }
  /// Whether the server has hung up; waits for what it does.
  bool has_ended() {
    char byte = 0;
    boost::system::error_code failed;
    socket_.read_some(boost::asio::buffer(&byte, 1), failed);
    return static_cast<bool>(failed);
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_{context_};
  boost::beast::flat_buffer buffer_;
};

/// One request, for tests.
inline HttpAnswer http_request(const std::string& address, const std::string& target,
                               const std::vector<std::pair<std::string, std::string>>& headers = {},
                               boost::beast::http::verb method = boost::beast::http::verb::get) {
  namespace http = boost::beast::http;
  using boost::asio::ip::tcp;
  boost::asio::io_context context;
  const std::size_t colon = address.rfind(':');
  tcp::socket socket(context);
  boost::asio::connect(
      socket, tcp::resolver(context).resolve(address.substr(0, colon), address.substr(colon + 1)));
  http::request<http::empty_body> request(method, target, 11);
  request.set(http::field::host, address);
  for (const auto& [name, value] : headers) request.set(name, value);
  http::write(socket, request);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  http::read(socket, buffer, response);
  return {static_cast<int>(response.result_int()), response.body(),
          std::string(response[http::field::location])};
}

}  // namespace tidegate
