// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/executor.h"

namespace tidegate {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

constexpr int kSpareThreads = 4;  // beside those that wait for answers
constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::seconds kFarewell{2};
constexpr std::chrono::milliseconds kBreath{100};
constexpr std::size_t kMostRequestBytes = 64 << 10;
constexpr std::size_t kMostIgnoredBytes = 1 << 20;

using Request = http::request<http::string_body>;
using Response = http::response<http::string_body>;

Response respond(const Page& page, unsigned version, bool keep_alive) {
  Response response(static_cast<http::status>(page.status), version);
  response.set(http::field::content_type, "application/json");
  if (!page.location.empty()) response.set(http::field::location, page.location);
  if (page.status == 503) response.set(http::field::retry_after, "1");
  if (page.status == 405) response.set(http::field::allow, "GET");
  if (page.status == 401) response.set(http::field::www_authenticate, "Bearer");
  response.keep_alive(keep_alive);
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

/// What a request that cannot be read is answered with; none where nobody listens any more.
std::optional<Page> page_of_failure(const boost::system::error_code& failed) {
  if (failed == http::error::header_limit)
    return error_page(431, error(ErrorCode::kInvalidArgument, "headers of more than {} bytes",
                                 kMostRequestBytes));
  if (failed == http::error::body_limit)
    return error_page(
        413, error(ErrorCode::kInvalidArgument, "a body of more than {} bytes", kMostRequestBytes));
  const bool is_gone =
      failed == http::error::end_of_stream || failed == http::error::partial_message;
  if (is_gone || failed.category() != make_error_code(http::error::bad_method).category())
    return std::nullopt;
  return error_page(400,
                    error(ErrorCode::kInvalidArgument, "this is no HTTP: {}", failed.message()));
}

/// One of so many; hands itself back.
class Seat {
 public:
  Seat(std::atomic<int>& taken, int most) : taken_(taken), is_free_(++taken <= most) {}
  ~Seat() { --taken_; }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  bool is_free() const { return is_free_; }

 private:
  std::atomic<int>& taken_;
  const bool is_free_;
};

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

Result<Address> parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Address address;
  bool is_right = colon != std::string::npos && colon > 0;
  if (is_right) {
    const char* const end = text.data() + text.size();
    const auto [stopped, failed] = std::from_chars(text.data() + colon + 1, end, address.port);
    is_right = failed == std::errc() && stopped == end;
  }
  if (!is_right)
    return error(ErrorCode::kInvalidOption, "'{}' is no address to serve at: HOST:PORT", text);
  address.host = text.substr(0, colon);
  return address;
}

class Listener final : public HttpServer {
 public:
  explicit Listener(const HttpServerOptions& options) : options_(options) {}
  ~Listener() override {
    context_.stop();
    executor_.reset();  // waits for answers that are being made
  }

  Status listen();
  const std::string& address() const override { return address_; }
  void answer_with(Answer answer) override {
    const std::lock_guard lock(mutex_);
    answer_ = answer ? std::make_shared<const Answer>(std::move(answer)) : nullptr;
  }

 private:
  asio::awaitable<void> accept();
  asio::awaitable<void> serve(beast::tcp_stream stream);
  asio::awaitable<void> turn_away(beast::tcp_stream& stream, const Page& page);
  Page answer(const Request& request);

  const HttpServerOptions options_;
  std::string address_;
  std::atomic<int> connections_ = 0;
  std::atomic<int> questions_ = 0;
  std::mutex mutex_;
  std::shared_ptr<const Answer> answer_;
  asio::io_context context_;
  tcp::acceptor acceptor_{context_};
  std::unique_ptr<Executor> executor_;
};

Status Listener::listen() {
  const std::string& address = options_.address;
  TG_ASSIGN_OR_RETURN(const Address parsed, parse_address(address));
  std::string host = parsed.host;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  boost::system::error_code failed;
  tcp::resolver resolver(context_);
  const auto found = resolver.resolve(host, std::to_string(parsed.port), failed);
  if (failed || found.empty())
    return error(ErrorCode::kInvalidOption, "cannot serve at '{}': {}", address, failed.message());
  const tcp::endpoint endpoint = found.begin()->endpoint();
  if (options_.token.empty() && !endpoint.address().is_loopback())
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
  address_ = fmt::format("{}:{}", parsed.host, acceptor_.local_endpoint().port());
  asio::co_spawn(context_, accept(), asio::detached);
  const int threads = options_.most_questions + kSpareThreads;
  executor_ = make_thread_executor(1, threads);
  for (int i = 0; i < threads; ++i) executor_->submit_blocking([this] { context_.run(); });
  return Status::ok();
}

asio::awaitable<void> Listener::accept() {
  while (true) {
    boost::system::error_code failed;
    tcp::socket socket =
        co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failed));
    if (failed == asio::error::operation_aborted) co_return;
    if (failed) {  // such as too many open files: trying again at once would not help
      asio::steady_timer breath(context_, kBreath);
      co_await breath.async_wait(asio::redirect_error(asio::use_awaitable, failed));
      continue;
    }
    asio::co_spawn(context_, serve(beast::tcp_stream(std::move(socket))), asio::detached);
  }
}

asio::awaitable<void> Listener::serve(beast::tcp_stream stream) {
  const Seat seat(connections_, options_.most_connections);
  if (!seat.is_free()) co_return;
  beast::flat_buffer buffer;
  boost::system::error_code failed;
  const auto wait = [&failed] { return asio::redirect_error(asio::use_awaitable, failed); };
  while (true) {
    http::request_parser<http::string_body> parser;
    parser.header_limit(kMostRequestBytes);
    parser.body_limit(kMostRequestBytes);
    stream.expires_after(kPatience);
    co_await http::async_read(stream, buffer, parser, wait());
    if (failed) {
      if (const std::optional<Page> page = page_of_failure(failed))
        co_await turn_away(stream, *page);
      co_return;
    }
    const Request& request = parser.get();
    const bool is_get = request.method() == http::verb::get;  // others have bodies of their own
    const Response response =
        respond(answer(request), request.version(), is_get && request.keep_alive());
    stream.expires_after(kPatience);
    co_await http::async_write(stream, response, wait());
    if (failed || response.need_eof()) break;
  }
  stream.socket().shutdown(tcp::socket::shutdown_send, failed);
}

/// Hears the other side out, or it would lose the page with the connection.
asio::awaitable<void> Listener::turn_away(beast::tcp_stream& stream, const Page& page) {
  boost::system::error_code failed;
  const auto wait = [&failed] { return asio::redirect_error(asio::use_awaitable, failed); };
  const Response response = respond(page, 11, false);
  stream.expires_after(kFarewell);
  co_await http::async_write(stream, response, wait());
  if (!failed) stream.socket().shutdown(tcp::socket::shutdown_send, failed);
  std::array<char, 4096> ignored;
  std::size_t bytes = 0;
  while (!failed && bytes < kMostIgnoredBytes)
    bytes += co_await stream.async_read_some(asio::buffer(ignored), wait());
}

Page Listener::answer(const Request& request) {
  std::shared_ptr<const Answer> answer;
  {
    const std::lock_guard lock(mutex_);
    answer = answer_;
  }
  if (!options_.token.empty() && !is_token(request[http::field::authorization], options_.token))
    return error_page(401, error(ErrorCode::kServiceRefused, "the request has not the token"));
  if (request.method() != http::verb::get)
    return error_page(405, error(ErrorCode::kNotSupported, "{} requests",
                                 std::string_view(request.method_string())));
  if (answer == nullptr)
    return error_page(503, error(ErrorCode::kServiceUnreachable, "the job does not run (yet)"));
  const Seat seat(questions_, options_.most_questions);
  if (!seat.is_free())
    return error_page(503, error(ErrorCode::kServiceUnreachable, "{} others wait for answers",
                                 options_.most_questions));
  try {
    return (*answer)(request.target());
  } catch (const std::exception& thrown) {
    return error_page(500, error(ErrorCode::kInternal, "{}", thrown.what()));
  }
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options) {
  auto listener = std::make_unique<Listener>(options);
  TG_RETURN_IF_ERROR(listener->listen());
  return std::unique_ptr<HttpServer>(std::move(listener));
}

}  // namespace tidegate
