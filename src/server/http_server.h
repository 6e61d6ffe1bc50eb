// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "server/state_pages.h"
#include "tidegate/status.h"

namespace tidegate {

struct HttpServerOptions {
  std::string address = {};  ///< HOST:PORT to listen at; port 0: any that is free
  /// Not empty: requests must have "Authorization: Bearer TOKEN". Without it only addresses of this
  /// machine are listened at.
  Secret token = {};
  /// Who comes when there are as many is hung up on.
  int most_connections = 256;
  /// Who asks when as many wait for their answers is asked to come again.
  int most_questions = 12;
};

/// Answers GET requests with pages. A few threads of its own wait with those who ask.
class HttpServer {
 public:
  using Answer = std::function<Page(std::string_view target)>;
  /// Listens from now on. kInvalidOption for an address that is none, kServiceRefused for one that
  /// cannot be listened at. Until answer_with() requests are asked to come again.
  static Result<std::unique_ptr<HttpServer>> start(const HttpServerOptions& options);
  /// Lets go of connections; an answer that is being made is waited for.
  virtual ~HttpServer() = default;

  /// HOST:PORT.
  virtual const std::string& address() const = 0;
  /// Calls `answer` from several threads, which it may block. What it throws is answered with 500.
  /// Null: no longer.
  virtual void answer_with(Answer answer) = 0;
};

}  // namespace tidegate
