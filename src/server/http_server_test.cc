// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "server/test_http.h"

namespace tidegate {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(HttpServer, AnswersFromSeveralConnectionsAndUntilToldOtherwise) {
  const auto server = HttpServer::start({"localhost:0", Secret()});
  ASSERT_TRUE(server.is_ok()) << server.status().to_string();
  const std::string& address = (*server)->address();
  EXPECT_THAT(address, StartsWith("localhost:"));
  EXPECT_EQ(http_request(address, "/state").status, 503);
  (*server)->answer_with([](std::string_view target) {
    return Page{200, "you asked for " + std::string(target), ""};
  });
  EXPECT_EQ(http_request(address, "/state/x?key=a%20b").body, "you asked for /state/x?key=a%20b");
  EXPECT_EQ(http_request(address, "/").status, 200);
  EXPECT_EQ(http_request(address, "/", {}, boost::beast::http::verb::post).status, 405);
  (*server)->answer_with(nullptr);
  EXPECT_THAT(http_request(address, "/").body, HasSubstr("service-unreachable"));
}

TEST(HttpServer, RedirectsToTheOwner) {
  const auto server = HttpServer::start({"127.0.0.1:0", Secret()});
  ASSERT_TRUE(server.is_ok()) << server.status().to_string();
  (*server)->answer_with([](std::string_view) {
    return Page{307, "{}", "http://elsewhere:7/state"};
  });
  const HttpAnswer answer = http_request((*server)->address(), "/state");
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(answer.location, "http://elsewhere:7/state");
}

TEST(HttpServer, WantsItsToken) {
  const auto server = HttpServer::start({"localhost:0", Secret("sesame")});
  ASSERT_TRUE(server.is_ok()) << server.status().to_string();
  (*server)->answer_with([](std::string_view) { return Page{200, "{}", ""}; });
  const std::string& address = (*server)->address();
  EXPECT_EQ(http_request(address, "/").status, 401);
  EXPECT_EQ(http_request(address, "/", {{"Authorization", "Bearer sesamE"}}).status, 401);
  EXPECT_EQ(http_request(address, "/", {{"Authorization", "Bearer sesame"}}).status, 200);
}

std::unique_ptr<HttpServer> started(HttpServerOptions options = {}) {
  options.address = "localhost:0";
  Result<std::unique_ptr<HttpServer>> server = HttpServer::start(options);
  EXPECT_TRUE(server.is_ok()) << server.status().to_string();
  (*server)->answer_with([](std::string_view) { return Page{200, "{}", ""}; });
  return *std::move(server);
}

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";

TEST(HttpServer, AnswersWhatIsNoRequestAndHangsUp) {
  const auto server = started();
  const std::string big(100'000, 'x');
  for (const auto& [text, status] : std::vector<std::pair<std::string, int>>{
           {"hello?\r\n\r\n", 400},
           {"GET / HTTP/9.9\r\n\r\n", 400},
           {std::string("\0\xff\x16\x03\x01\r\n\r\n", 9), 400},
           {"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400},
           {"GET /" + big + " HTTP/1.1\r\n\r\n", 431},
           {"GET / HTTP/1.1\r\nX: " + big + "\r\n\r\n", 431},
           {"GET / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", 413},
           {"HEAD / HTTP/1.1\r\n\r\n", 405}}) {
    TestConnection connection(server->address());
    const HttpAnswer answer = connection.say(text);
    EXPECT_EQ(answer.status, status) << text.substr(0, 60);
    EXPECT_THAT(answer.body, HasSubstr("error")) << text.substr(0, 60);
  }
  TestConnection connection(server->address());
  EXPECT_EQ(connection.say(kGet).status, 200);
  EXPECT_EQ(connection.say(kGet).status, 200) << "a second one on the same connection";
}

TEST(HttpServer, HangsUpOnTooMany) {
  const auto server = started({.most_connections = 2});
  {
    TestConnection first(server->address());
    TestConnection second(server->address());
    EXPECT_EQ(first.say(kGet).status, 200);
    EXPECT_EQ(second.say(kGet).status, 200);
    EXPECT_TRUE(TestConnection(server->address()).has_ended());
    EXPECT_EQ(first.say(kGet).status, 200);
  }
  while (TestConnection(server->address()).say(kGet).status != 200) continue;  // sees it some time
}

TEST(HttpServer, OthersAreAnsweredWhileSomeWait) {
  const auto server = started({.most_questions = 1});
  std::promise<void> asked;
  std::promise<void> answered;
  server->answer_with([&](std::string_view) {
    asked.set_value();
    answered.get_future().wait();
    return Page{200, "{}", ""};
  });
  auto slow = std::async(std::launch::async, [&] { return http_request(server->address(), "/"); });
  asked.get_future().wait();
  EXPECT_THAT(http_request(server->address(), "/").body, HasSubstr("1 others wait"));
  answered.set_value();
  EXPECT_EQ(slow.get().status, 200);
}

TEST(HttpServer, GoesOnWhenAnAnswerThrows) {
  const auto server = started();
  server->answer_with([](std::string_view) -> Page { throw std::runtime_error("no luck"); });
  const HttpAnswer answer = http_request(server->address(), "/");
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("no luck"));
}

TEST(HttpServer, ServesAtIpv6WhereThereIsSome) {
  const auto server = HttpServer::start({"[::1]:0", Secret()});
  if (!server.is_ok()) GTEST_SKIP() << server.status().to_string();
  EXPECT_THAT((*server)->address(), StartsWith("[::1]:"));
}

TEST(HttpServer, RefusesAddressesThatAreNone) {
  for (const char* address : {"localhost", ":80", "localhost:", "localhost:x", "localhost:70000",
                              "localhost:99999999999", "localhost:-1", "no.such.host.invalid:80"}) {
    EXPECT_EQ(HttpServer::start({address, Secret()}).status().code(), ErrorCode::kInvalidOption)
        << address;
  }
  const auto open = HttpServer::start({"0.0.0.0:0", Secret()});
  EXPECT_THAT(open.status().message(), HasSubstr("token"));
  EXPECT_TRUE(HttpServer::start({"0.0.0.0:0", Secret("sesame")}).is_ok());
  const auto first = HttpServer::start({"localhost:0", Secret()});
  ASSERT_TRUE(first.is_ok()) << first.status().to_string();
  EXPECT_EQ(HttpServer::start({(*first)->address(), Secret()}).status().code(),
            ErrorCode::kServiceRefused);
}

}  // namespace
}  // namespace tidegate
