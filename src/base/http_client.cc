// SPDX-License-Identifier: Apache-2.0
#include "base/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "base/check.h"

namespace tidegate {
namespace {

/// Nobody who is asked here has more to say.
constexpr std::size_t kMostBytes = std::size_t{16} << 20;

struct HandleDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t append(char* bytes, std::size_t size, std::size_t count, void* response) {
  std::string& body = static_cast<HttpResponse*>(response)->body;
  if (body.size() + size * count > kMostBytes) return 0;
  body.append(bytes, size * count);
  return size * count;
}

ErrorCode code_of(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::kServiceTimeout;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return ErrorCode::kInvalidOption;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
      return ErrorCode::kServiceRefused;
    default:
      return ErrorCode::kServiceUnreachable;
  }
}

/// Sets what is text, and not empty.
void set(CURL* handle, CURLoption option, const std::string& value) {
  if (!value.empty()) curl_easy_setopt(handle, option, value.c_str());
}

void set_up(CURL* handle, const HttpRequest& request) {
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  set(handle, CURLOPT_URL, request.url);
  set(handle, CURLOPT_CUSTOMREQUEST, request.method);
  if (!request.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  }
  if (!request.user.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    set(handle, CURLOPT_USERNAME, request.user);
    set(handle, CURLOPT_PASSWORD, request.password.reveal());
  }
  if (!request.bearer_token.empty()) {
    curl_easy_setopt(handle, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
    set(handle, CURLOPT_XOAUTH2_BEARER, request.bearer_token.reveal());
  }
  set(handle, CURLOPT_CAINFO, request.ca_file);
  set(handle, CURLOPT_SSLCERT, request.certificate_file);
  set(handle, CURLOPT_SSLKEY, request.key_file);
  set(handle, CURLOPT_KEYPASSWD, request.key_password.reveal());
}

}  // namespace

std::string without_user(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  std::size_t at = url.substr(0, end).rfind('@');
  if (at == std::string::npos || at < begin) {
    // A password with a slash in it makes no valid URL, but is none to show either.
    const std::size_t colon = std::min(url.find(':', begin), end);
    const bool has_port = url.find_first_not_of("0123456789", colon + 1) >= end;
    at = has_port ? std::string::npos : url.rfind('@');
  }
  if (at == std::string::npos || at < begin) return url;
  return url.substr(0, begin) + url.substr(at + 1);
}

Result<HttpResponse> call_http(const HttpRequest& request) {
  const std::unique_ptr<CURL, HandleDeleter> handle(curl_easy_init());
  if (handle == nullptr) return error(ErrorCode::kOutOfMemory, "no memory for an HTTP request");
  std::unique_ptr<curl_slist, ListDeleter> headers;
  for (const std::string& header : request.headers)
    headers.reset(curl_slist_append(headers.release(), header.c_str()));
  char reason[CURL_ERROR_SIZE] = "";
  HttpResponse response;
  set_up(handle.get(), request);
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, &append);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &response);
  const CURLcode code = curl_easy_perform(handle.get());
  if (code == CURLE_WRITE_ERROR)
    return error(ErrorCode::kServiceRefused, "{} {}: an answer of more than {} bytes",
                 request.method, without_user(request.url), kMostBytes);
  if (code != CURLE_OK)
    return error(code_of(code), "{} {}: {}", request.method, without_user(request.url),
                 reason[0] != '\0' ? reason : curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  return response;
}

}  // namespace tidegate
