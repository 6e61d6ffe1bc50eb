// SPDX-License-Identifier: Apache-2.0
#include "server/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(HttpServer, RefusesAddressesThatAreNone) {
  for (const char* address : {"localhost", ":80", "localhost:", "localhost:x", "localhost:70000",
                              "no.such.host.invalid:80"}) {
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
