// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <charconv>
#include <chrono>
#include <mutex>
#include <utility>

#include "base/check.h"
#include "base/executor.h"

namespace tidegate {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr int kThreads = 16;  // each waits with one who asks
constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kMostRequestBytes = 64 << 10;

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response respond(const Request& request, const Page& page) {
  Response response(static_cast<http::status>(page.status), request.version());
  response.set(http::field::content_type, "application/json");
  if (!page.location.empty()) response.set(http::field::location, page.location);
  if (page.status == 503) response.set(http::field::retry_after, "1");
  if (page.status == 405) response.set(http::field::allow, "GET");
  if (page.status == 401) response.set(http::field::www_authenticate, "Bearer");
  response.keep_alive(request.keep_alive());
  response.body() = page.body;
  response.prepare_payload();
  return response;
}

/// Takes as long however much of it is right.
bool is_token(std::string_view said, const Secret& token) {
  const std::string wanted = "Bearer " + token.reveal();
  if (said.size() != wanted.size()) return false;
  unsigned different = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    different |= static_cast<unsigned char>(said[i]) ^ static_cast<unsigned char>(wanted[i]);
  return different == 0;
}

class Listener final : public HttpServer {
 public:
  explicit Listener(Secret token) : token_(std::move(token)) {}
  ~Listener() override {
    context_.stop();
    executor_.reset();  // waits for answers that are being made
  }

  Status listen(const std::string& address);
  const std::string& address() const override { return address_; }
  void answer_with(Answer answer) override {
    const std::lock_guard lock(mutex_);
    answer_ = answer ? std::make_shared<const Answer>(std::move(answer)) : nullptr;
  }

 private:
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(beast::tcp_stream stream);
  Page answer(const Request& request);

  const Secret token_;
  std::string address_;
  std::mutex mutex_;
  std::shared_ptr<const Answer> answer_;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_};
  std::unique_ptr<Executor> executor_;
};

Status Listener::listen(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  unsigned port = 0;
  const char* const end = address.data() + address.size();
  const bool has_port = colon != std::string::npos && colon > 0 && colon + 1 < address.size() &&
                        std::from_chars(address.data() + colon + 1, end, port).ptr == end &&
                        port <= 65'535;
  if (!has_port)
    return error(ErrorCode::kInvalidOption, "'{}' is no address to serve at: HOST:PORT", address);
  const std::string host = address.substr(0, colon);
  boost::system::error_code failed;
  tcp::resolver resolver(context_);
  const auto found = resolver.resolve(host, std::to_string(port), failed);
  if (failed || found.empty())
    return error(ErrorCode::kInvalidOption, "cannot serve at '{}': {}", address, failed.message());
  const tcp::endpoint endpoint = found.begin()->endpoint();
  if (token_.empty() && !endpoint.address().is_loopback())
    return Status(
        ErrorCode::kInvalidOption,
        fmt::format("serving at '{}', where other machines reach it, needs a token", address),
        "Set 'serve.token', or serve at localhost.");
  acceptor_.open(endpoint.protocol(), failed);
  if (!failed) acceptor_.set_option(tcp::acceptor::reuse_address(true), failed);
  if (!failed) acceptor_.bind(endpoint, failed);
  if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed)
    return error(ErrorCode::kServiceRefused, "cannot serve at '{}': {}", address, failed.message());
  address_ = fmt::format("{}:{}", host, acceptor_.local_endpoint().port());
  asio::co_spawn(context_, accept(), asio::detached);
  executor_ = make_thread_executor(1, kThreads);
  for (int i = 0; i < kThreads; ++i) executor_->submit_blocking([this] { context_.run(); });
  return Status::ok();
}

asio::awaitable<void> Listener::accept() {
  while (true) {
    boost::system::error_code failed;
    tcp::socket socket =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted) co_return;
    if (!failed)
      asio::co_spawn(context_, serve(beast::tcp_stream(std::move(socket))), asio::detached);
  }
}

asio::awaitable<void> Listener::serve(beast::tcp_stream stream) {
  beast::flat_buffer buffer;
  boost::system::error_code failed;
  const auto wait = [&failed] { return asio::redirect_error(asio::use_awaitable, failed); };
  while (true) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMostRequestBytes);
    parser.body_limit(kMostRequestBytes);
    stream.expires_after(kPatience);
    co_await http::async_read(stream, buffer, parser, wait());
    if (failed) co_return;
    const Request& request = parser.get();
    const Response response = respond(request, answer(request));
    stream.expires_after(kPatience);
    co_await http::async_write(stream, response, wait());
    if (failed || response.need_eof()) break;
  }
  stream.socket().shutdown(tcp::socket::shutdown_send, failed);
}

Page Listener::answer(const Request& request) {
  std::shared_ptr<const Answer> answer;
  {
    const std::lock_guard lock(mutex_);
    answer = answer_;
  }
  if (!token_.empty() && !is_token(request[http::field::authorization], token_))
    return error_page(401, error(ErrorCode::kServiceRefused, "the request has not the token"));
  if (request.method() != http::verb::get)
    return error_page(405, error(ErrorCode::kNotSupported, "{} requests",
                                 std::string_view(request.method_string())));
  if (answer == nullptr)
    return error_page(503, error(ErrorCode::kServiceUnreachable, "the job does not run (yet)"));
  return (*answer)(request.target());
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options) {
  auto listener = std::make_unique<Listener>(options.token);
  TG_RETURN_IF_ERROR(listener->listen(options.address));
  return std::unique_ptr<HttpServer>(std::move(listener));
}

}  // namespace tidegate
