// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/secret.h"
#include "tidegate/status.h"

namespace tidegate {

/// One request over HTTP or HTTPS. The server's certificate is always checked.
struct HttpRequest {
  std::string method = "GET";
  std::string url;                   ///< may hold "user:password@", which is never shown
  std::vector<std::string> headers;  ///< "Accept: text/plain"
  std::string body;
  std::string user;  ///< basic authentication; empty: none
  Secret password;
  Secret bearer_token;
  std::string ca_file;                     ///< PEM; empty: the system's certificate authorities
  std::string certificate_file, key_file;  ///< PEM, of the client
  Secret key_password;
  std::chrono::milliseconds timeout{10'000};
};

struct HttpResponse {
  int status = 0;
  std::string body;
};

/// Whatever the server answers is a response. kServiceUnreachable and kServiceTimeout when it does
/// not, kServiceRefused when it is not who it should be. Blocks.
Result<HttpResponse> call_http(const HttpRequest& request);

/// A URL without the user and the password in it.
std::string without_user(const std::string& url);

}  // namespace tidegate
