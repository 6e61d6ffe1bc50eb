// SPDX-License-Identifier: Apache-2.0
#include "formats/schema_registry.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "formats/json_writer.h"

namespace tidegate {
namespace {

constexpr const char* kContentType = "application/vnd.schemaregistry.v1+json";
constexpr std::size_t kMostShownBytes = 400;

/// As a part of a path: a subject may hold anything.
std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

/// What somebody else says, for people to read: a line that is not too long.
std::string shown(std::string_view text) {
  std::string out(text.substr(0, kMostShownBytes));
  std::ranges::replace_if(
      out, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 127; }, ' ');
  return text.size() > kMostShownBytes ? out + "..." : out;
}

/// What the registry says is wrong.
std::string message_of(const HttpResponse& response) {
  simdjson::dom::parser parser;
  simdjson::dom::element answer;
  std::string_view message;
  const simdjson::padded_string body(response.body);
  if (parser.parse(body).get(answer) == simdjson::SUCCESS &&
      answer["message"].get(message) == simdjson::SUCCESS)
    return shown(message);
  return "no reason given";
}

Status failure(const std::string& place, const HttpResponse& response) {
  const std::string text = fmt::format("schema registry: {}: status {}: {}", place, response.status,
                                       message_of(response));
  if (response.status == 404)
    return Status(ErrorCode::kUnknownName, text, "Is it the registry that the writer uses?");
  if (response.status == 401 || response.status == 403)
    return Status(ErrorCode::kServiceRefused, text,
                  "Set basic-auth.credentials-source and basic-auth.user-info, or "
                  "bearer-auth.credentials-source and bearer-auth.token.");
  if (response.status == 409)
    return Status(ErrorCode::kServiceRefused, text,
                  "The table's columns do not go with what the subject holds: change the table, or "
                  "the compatibility of the subject.");
  const bool passes = response.status >= 500 || response.status == 429;
  return error(passes ? ErrorCode::kServiceUnreachable : ErrorCode::kServiceRefused, "{}", text);
}

Status malformed(const std::string& place) {
  return error(ErrorCode::kServiceRefused,
               "schema registry: {}: the answer is not one of a schema registry", place);
}

}  // namespace

std::vector<OptionSpec> SchemaRegistry::option_specs(std::string_view format) {
  const auto named = [&](std::string_view name) { return fmt::format("{}.{}", format, name); };
  return {
      {named("url"), "string", "",
       "Where the schema registry is: http://host:8081; several, separated by commas.", true},
      {named("subject"), "string", "",
       "The subject under which the schema of written rows is registered; of a topic: TOPIC-value "
       "or TOPIC-key."},
      {named("basic-auth.credentials-source"), "URL|USER_INFO", "URL",
       "Where name and password are: in the URL, or in basic-auth.user-info."},
      {named("basic-auth.user-info"), "string", "", "name:password", false, true},
      {named("bearer-auth.credentials-source"), "STATIC_TOKEN", "", "Where the token is."},
      {named("bearer-auth.token"), "string", "", "For STATIC_TOKEN.", false, true},
      {named("ssl.ca-file"), "string", "", "Certificates of who may sign the registry's, in PEM."},
      {named("ssl.certificate-file"), "string", "", "The client's certificate, in PEM."},
      {named("ssl.key-file"), "string", "", "Its key, in PEM."},
      {named("ssl.key-password"), "string", "", "Of the key.", false, true},
      {named("timeout"), "duration", "10 s", "How long an answer may take."},
  };
}

Result<SchemaRegistry> SchemaRegistry::from(std::string_view format, const Options& options) {
  const auto named = [&](std::string_view name) { return fmt::format("{}.{}", format, name); };
  SchemaRegistry registry;
  TG_ASSIGN_OR_RETURN(std::string urls, options.get_string(named("url")));
  while (!urls.empty()) {
    std::string url = urls.substr(0, urls.find(','));
    urls.erase(0, url.size() + 1);
    while (url.starts_with(' ')) url.erase(0, 1);
    while (url.ends_with('/') || url.ends_with(' ')) url.pop_back();
    if (!url.starts_with("http://") && !url.starts_with("https://"))
      return error(ErrorCode::kInvalidOption,
                   "option '{}': '{}' does not begin with http:// or https://", named("url"),
                   without_user(url));
    registry.urls_.push_back(std::move(url));
  }
  if (registry.urls_.empty())
    return error(ErrorCode::kInvalidOption, "option '{}' is empty", named("url"));
  HttpRequest& request = registry.request_;
  request.ca_file = options.get_string_or(named("ssl.ca-file"), "");
  request.certificate_file = options.get_string_or(named("ssl.certificate-file"), "");
  request.key_file = options.get_string_or(named("ssl.key-file"), "");
  request.key_password = Secret(options.get_string_or(named("ssl.key-password"), ""));
  request.headers = {std::string("Accept: ") + kContentType,
                     std::string("Content-Type: ") + kContentType};
  TG_ASSIGN_OR_RETURN(request.timeout,
                      options.get_duration_or(named("timeout"), std::chrono::seconds(10)));
  if (request.timeout.count() <= 0)
    return error(ErrorCode::kInvalidOption, "option '{}' gives no time to answer",
                 named("timeout"));
  TG_RETURN_IF_ERROR(registry.read_credentials(format, options));
  return registry;
}

Status SchemaRegistry::read_credentials(std::string_view format, const Options& options) {
  const auto named = [&](std::string_view name) { return fmt::format("{}.{}", format, name); };
  TG_ASSIGN_OR_RETURN(
      const std::string source,
      options.get_choice_or(named("basic-auth.credentials-source"), "URL|USER_INFO", "URL"));
  if (source == "USER_INFO") {
    TG_ASSIGN_OR_RETURN(const std::string info, options.get_string(named("basic-auth.user-info")));
    const std::size_t colon = info.find(':');
    if (colon == 0 || colon == std::string::npos)
      return error(ErrorCode::kInvalidOption, "option '{}' is not NAME:PASSWORD",
                   named("basic-auth.user-info"));
    request_.user = info.substr(0, colon);
    request_.password = Secret(info.substr(colon + 1));
  }
  if (options.has(named("bearer-auth.credentials-source"))) {
    TG_RETURN_IF_ERROR(
        options
            .get_choice_or(named("bearer-auth.credentials-source"), "STATIC_TOKEN", "STATIC_TOKEN")
            .status());
    TG_ASSIGN_OR_RETURN(std::string token, options.get_string(named("bearer-auth.token")));
    request_.bearer_token = Secret(std::move(token));
  }
  return Status::ok();
}

Result<std::string> SchemaRegistry::ask(const std::string& method, const std::string& path,
                                        const std::string& body) const {
  Status last;
  for (const std::string& url : urls_) {
    HttpRequest request = request_;
    request.method = method;
    request.url = url + path;
    request.body = body;
    Result<HttpResponse> response = call_http(request);
    if (response.is_ok() && response->status == 200) return std::move(response->body);
    last = response.is_ok()
               ? failure(fmt::format("{} {}", method, without_user(request.url)), *response)
               : std::move(response).status().with_context("schema registry");
    if (last.kind() != ErrorKind::kUnavailable) break;
  }
  return last;
}

Result<std::string> SchemaRegistry::schema_of(std::int32_t id) const {
  const std::string path = fmt::format("/schemas/ids/{}", id);
  TG_ASSIGN_OR_RETURN(const std::string answer, ask("GET", path, ""));
  simdjson::dom::parser parser;
  simdjson::dom::element object;
  std::string_view schema, type;
  const simdjson::padded_string body(answer);
  if (parser.parse(body).get(object) != simdjson::SUCCESS ||
      object["schema"].get(schema) != simdjson::SUCCESS)
    return malformed(path);
  if (object["schemaType"].get(type) == simdjson::SUCCESS && type != "AVRO")
    return error(ErrorCode::kNotSupported, "schema {} of the schema registry is {}, not AVRO", id,
                 shown(type));
  return std::string(schema);
}

Result<std::int32_t> SchemaRegistry::register_schema(const std::string& subject,
                                                     const std::string& schema) const {
  const std::string path = fmt::format("/subjects/{}/versions", percent_encoded(subject));
  std::string request = "{\"schema\":";
  append_json_string(schema, request);
  TG_ASSIGN_OR_RETURN(const std::string answer, ask("POST", path, request + '}'));
  simdjson::dom::parser parser;
  simdjson::dom::element object;
  std::int64_t id = -1;
  const simdjson::padded_string body(answer);
  if (parser.parse(body).get(object) != simdjson::SUCCESS ||
      object["id"].get(id) != simdjson::SUCCESS || id < 0 || id > INT32_MAX)
    return malformed(path);
  return static_cast<std::int32_t>(id);
}

Result<std::int32_t> take_schema_id(std::string_view& message) {
  if (message.size() < kRegistryHeadBytes || message[0] != 0)
    return error(ErrorCode::kMalformedRecord,
                 "it does not begin with a zero and the number of a schema");
  std::uint32_t id = 0;
  for (std::size_t i = 1; i < kRegistryHeadBytes; ++i)
    id = id << 8 | static_cast<std::uint8_t>(message[i]);
  message.remove_prefix(kRegistryHeadBytes);
  return static_cast<std::int32_t>(id);
}

void append_schema_id(std::int32_t id, std::string& out) {
  out += '\0';
  for (int shift = 24; shift >= 0; shift -= 8)
    out += static_cast<char>(static_cast<std::uint32_t>(id) >> shift);
}

}  // namespace tidegate
