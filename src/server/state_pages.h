// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "server/state_service.h"

namespace tidegate {

/// What a request for a page is answered with.
struct Page {
  int status = 200;
  std::string body;      ///< JSON
  std::string location;  ///< of a redirection: who has the key
};

/// State as pages of JSON:
///
///   /state                          what can be asked about
///   /state/NAME                     all rows of one of them
///   /state/NAME?key=K               those of one key
///   /state/NAME?from=K&to=K         those of keys from one on up to another, without that
///   ...&read=committed              as of an epoch that is durable; else current
///   ...&limit=N                     no more rows than this (10000)
///
/// K is the value of the key's column, or {"column": value, ...}. Blocks for as long as the answer
/// takes.
Page state_page(std::string_view target, StateService& service);

/// The same for a request that goes wrong before.
Page error_page(int status, const Status& error);

}  // namespace tidegate
