// SPDX-License-Identifier: Apache-2.0
//
// URL_ENCODE, URL_DECODE and PARSE_URL.
#include <algorithm>
#include <charconv>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/unicode.h"

namespace tidegate {

namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// As HTML forms do: a blank becomes '+'.
void encode(std::string_view text, std::string& out) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  for (char c : text) {
    if (is_alphanumeric(c) || c == '.' || c == '-' || c == '*' || c == '_') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

/// False for a % without two hexadecimal digits; bytes that are not UTF-8 then are replaced.
bool decode(std::string_view text, std::string& out) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      bytes += ' ';
    } else if (text[i] == '%') {
      unsigned char byte = 0;
      const char* const digits = text.data() + i + 1;
      if (i + 2 >= text.size()) return false;
      const auto parsed = std::from_chars(digits, digits + 2, byte, 16);
      if (parsed.ec != std::errc() || parsed.ptr != digits + 2) return false;
      bytes += static_cast<char>(byte);
      i += 2;
    } else {
      bytes += text[i];
    }
  }
  append_repaired_utf8(bytes, out);
  return true;
}

using MaybeText = std::optional<std::string_view>;

/// The parts of a URL, as java.net.URL finds them.
struct Url {
  std::string protocol = {};  // in lower case
  MaybeText authority = {};
  MaybeText user_info = {};
  std::string_view host = {};
  std::string_view path = {};
  MaybeText query = {};
  std::string_view file = {};  // path and query
  MaybeText ref = {};
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Host, user and port; false for a port that is not a number, or a broken IPv6 address.
bool parse_authority(std::string_view authority, Url& url) {
  url.authority = authority;
  std::string_view host = authority;
  const std::size_t at = host.find('@');
  if (at != std::string_view::npos) {
    // With two of them nothing is said about user and host.
    if (at != host.rfind('@')) return true;
    url.user_info = host.substr(0, at);
    host.remove_prefix(at + 1);
  }
  std::string_view port;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const std::string_view behind = host.substr(end + 1);
    if (!behind.empty() && behind[0] != ':') return false;
    if (!behind.empty()) port = behind.substr(1);
    host = host.substr(0, end + 1);
  } else if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  const bool number =
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  url.host = host;
  return number && port.size() < 10;
}

/// None for what is not a URL of a protocol that is known.
std::optional<Url> parse(std::string_view text) {
  const auto is_blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  if (lower(text.substr(0, 4)) == "url:") text.remove_prefix(4);
  Url url;
  const std::size_t colon = text.find_first_of(":/");
  if (colon == std::string_view::npos || text[colon] == '/') return std::nullopt;
  url.protocol = lower(text.substr(0, colon));
  constexpr std::string_view kProtocols[] = {"http", "https", "ftp", "file", "mailto", "jar"};
  if (std::find(std::begin(kProtocols), std::end(kProtocols), url.protocol) == std::end(kProtocols))
    return std::nullopt;
  text.remove_prefix(colon + 1);
  // The name of a jar's entry is behind a '!', and nothing in front of it is a part of its own.
  if (const std::size_t hash = text.find('#');
      hash != std::string_view::npos && url.protocol != "jar") {
    url.ref = text.substr(hash + 1);
    text = text.substr(0, hash);
  }
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    url.query = text.substr(mark + 1);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    if (!parse_authority(text.substr(0, end), url)) return std::nullopt;
    text.remove_prefix(end);
  }
  url.file = text;
  url.path = url.query ? text.substr(0, text.find('?')) : text;
  return url;
}

MaybeText part_of(const Url& url, std::string_view part) {
  if (part == "HOST") return url.host;
  if (part == "PATH") return url.path;
  if (part == "QUERY") return url.query;
  if (part == "REF") return url.ref;
  if (part == "PROTOCOL") return url.protocol;
  if (part == "FILE") return url.file;
  if (part == "AUTHORITY") return url.authority;
  if (part == "USERINFO") return url.user_info;
  return std::nullopt;
}

/// The value of the first `key=value` of a query.
MaybeText parameter_of(std::string_view query, std::string_view key) {
  while (true) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    if (pair.size() > key.size() && pair.starts_with(key) && pair[key.size()] == '=')
      return pair.substr(key.size() + 1);
    if (end == std::string_view::npos) return std::nullopt;
    query.remove_prefix(end + 1);
  }
}

/// The part itself may be of the URL's own text, so it is written at once.
bool append(MaybeText part, std::string& out) {
  if (part) out += *part;
  return part.has_value();
}

Result<ArrayPtr> evaluate_parse(std::span<const Argument> args, std::int64_t num_rows,
                                EvalContext&) {
  if (args.size() == 2) {
    return map_to_text<std::string_view, std::string_view>(
        text_type(), args, num_rows,
        [](std::string_view text, std::string_view part, std::string& out) -> bool {
          const std::optional<Url> url = parse(text);
          return url && append(part_of(*url, part), out);
        });
  }
  return map_to_text<std::string_view, std::string_view, std::string_view>(
      text_type(), args, num_rows,
      [](std::string_view text, std::string_view part, std::string_view key,
         std::string& out) -> bool {
        const std::optional<Url> url = part == "QUERY" ? parse(text) : std::nullopt;
        return url && url->query && append(parameter_of(*url->query, key), out);
      });
}

}  // namespace

void register_function_url(FunctionRegistry& registry) {
  registry.add({.name = "URL_ENCODE",
                .category = "string",
                .signature = "URL_ENCODE(string)",
                .description = "The string as it is written in the query of a URL.",
                .examples = {{"URL_ENCODE('a b/c?d')", "a+b%2Fc%3Fd"}},
                .bind = bind_fixed(
                    {.name = "URL_ENCODE",
                     .takes = "one string",
                     .parameters = {text_type()},
                     .result = text_type()},
                    [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                      return map_to_text<std::string_view>(text_type(), args, num_rows, encode);
                    })});
  registry.add({.name = "URL_DECODE",
                .category = "string",
                .signature = "URL_DECODE(string)",
                .description = "The string that URL_ENCODE made; NULL when it is none of these.",
                .examples = {{"URL_DECODE('a+b%2Fc')", "a b/c"}, {"URL_DECODE('%zz')", "NULL"}},
                .bind = bind_fixed(
                    {.name = "URL_DECODE",
                     .takes = "one string",
                     .parameters = {text_type()},
                     .result = text_type(),
                     .may_be_null = true},
                    [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                      return map_to_text<std::string_view>(text_type(), args, num_rows, decode);
                    })});
  registry.add({.name = "PARSE_URL",
                .category = "string",
                .signature = "PARSE_URL(url, part[, parameter])",
                .description =
                    "A part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or "
                    "USERINFO, or a parameter of its QUERY; NULL when there is none, or when it "
                    "is not a URL of http, https, ftp, file, mailto or jar.",
                .examples = {{"PARSE_URL('http://me@flink.apache.org:80/a?b=1#c', 'HOST')",
                              "flink.apache.org"},
                             {"PARSE_URL('http://flink.apache.org/a?b=1&c=2', 'QUERY', 'c')", "2"}},
                .bind = bind_fixed({.name = "PARSE_URL",
                                    .takes = "two or three strings",
                                    .parameters = {text_type(), text_type(), text_type()},
                                    .required = 2,
                                    .result = text_type(),
                                    .may_be_null = true},
                                   evaluate_parse)});
}

}  // namespace tidegate
