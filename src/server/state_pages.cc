// SPDX-License-Identifier: Apache-2.0
#include "server/state_pages.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/options.h"
#include "formats/json_decoder.h"
#include "formats/json_writer.h"
#include "formats/row_type.h"

namespace tidegate {
namespace {

constexpr std::string_view kRoot = "/state";
constexpr std::int64_t kMostRows = 10'000;
constexpr std::int64_t kMostKeyBytes = 1 << 20;

int status_of(const Status& status) {
  switch (status.code()) {
    case ErrorCode::kUnknownName:
      return 404;
    case ErrorCode::kCancelled:
    case ErrorCode::kServiceUnreachable:
    case ErrorCode::kServiceTimeout:
      return 503;
    default:
      return status.kind() == ErrorKind::kInvalidInput || status.kind() == ErrorKind::kBadData
                 ? 400
                 : 500;
  }
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

// ---- what was asked

Result<std::string> percent_decoded(std::string_view text, bool in_query = true) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += in_query && text[i] == '+' ? ' ' : text[i];
      continue;
    }
    unsigned byte = 0;
    const char* const begin = text.data() + i + 1;
    const bool is_long_enough = i + 2 < text.size();
    if (!is_long_enough || std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2)
      return error(ErrorCode::kInvalidArgument, "'%' in '{}' is not followed by two digits", text);
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

using Parameters = std::map<std::string, std::string>;

Result<Parameters> parse_parameters(std::string_view query) {
  Parameters parameters;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    TG_ASSIGN_OR_RETURN(std::string name, percent_decoded(part.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      TG_ASSIGN_OR_RETURN(value, percent_decoded(part.substr(equals + 1)));
    }
    const std::vector<std::string> known = {"key", "from", "to", "read", "limit"};
    if (std::ranges::find(known, name) == known.end())
      return Status(ErrorCode::kUnknownOption, fmt::format("there is no parameter '{}'", name),
                    "Use key, from, to, read or limit.");
    if (!parameters.emplace(name, std::move(value)).second)
      return error(ErrorCode::kInvalidArgument, "the parameter '{}' comes twice", name);
  }
  return parameters;
}

/// One row of key columns.
Result<Batch> parse_key(const std::string& text, const ReadableState& state) {
  if (state.keys.empty())
    return error(ErrorCode::kInvalidArgument, "'{}' has no keys to choose from", state.name);
  const Schema keys(state.keys);
  std::string object = text;
  if (!text.starts_with('{')) {
    if (state.keys.size() > 1)
      return Status(ErrorCode::kInvalidArgument,
                    fmt::format("the keys of '{}' are {}", state.name, keys.to_string()),
                    "Give a key of several columns as JSON: {\"column\": value, ...}");
    object = "{" + quoted(state.keys[0].name) + ":" + quoted(text) + "}";
  }
  JsonDecoder decoder(row_type(keys), {.fail_on_missing_field = true}, kMostKeyBytes);
  const Status decoded =
      decoder.decode_message(object, [](const BadRecord& bad) -> Status { return bad.reason; });
  if (!decoded.is_ok())
    return error(ErrorCode::kInvalidArgument, "'{}' is no key of {}: {}", text, keys.to_string(),
                 decoded.message());
  TG_ASSIGN_OR_RETURN(Batch row, decoder.take());
  if (row.num_rows() != 1)
    return error(ErrorCode::kInvalidArgument, "'{}' is {} keys, not one", text, row.num_rows());
  return row;
}

struct Question {
  StateQuery query;
  std::int64_t limit = kMostRows;
};

Result<Question> parse_question(const Parameters& parameters, const ReadableState& state) {
  Question question;
  for (const auto& [name, value] : parameters) {
    if (name == "key") {
      TG_ASSIGN_OR_RETURN(question.query.key, parse_key(value, state));
    } else if (name == "from") {
      TG_ASSIGN_OR_RETURN(question.query.from, parse_key(value, state));
    } else if (name == "to") {
      TG_ASSIGN_OR_RETURN(question.query.to, parse_key(value, state));
    } else if (name == "read") {
      if (value != "current" && value != "committed")
        return error(ErrorCode::kInvalidArgument, "read is 'current' or 'committed', not '{}'",
                     value);
      question.query.committed = value == "committed";
    } else {
      const char* const end = value.data() + value.size();
      const auto [stopped, failed] = std::from_chars(value.data(), end, question.limit);
      if (stopped != end || failed != std::errc() || question.limit < 0)
        return error(ErrorCode::kInvalidArgument, "limit is a number of rows, not '{}'", value);
    }
  }
  if (question.query.key && (question.query.from || question.query.to))
    return error(ErrorCode::kInvalidArgument, "either key, or from and to");
  return question;
}

Result<const ReadableState*> find_state(std::string_view name, const StateService& service) {
  std::vector<std::string> names;
  for (const ReadableState& state : service.states()) {
    if (state.name == name && state.answers_rows) return &state;
    if (state.name == name)
      return Status(ErrorCode::kNotSupported,
                    fmt::format("'{}' is a function of the program, whose state only the program "
                                "can read",
                                name),
                    "Use value_state(), list_state() or map_state() in the program.");
    if (state.answers_rows) names.push_back(state.name);
  }
  const std::string nearest = nearest_name(name, names);
  return Status(
      ErrorCode::kUnknownName, fmt::format("there is no state '{}'", name),
      nearest.empty() ? "/state lists what there is." : fmt::format("Did you mean '{}'?", nearest));
}

// ---- what is answered

void append_columns(const std::vector<Field>& fields, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < fields.size(); ++i) {
    out += fmt::format("{}{{\"name\":{},\"type\":{}}}", i > 0 ? "," : "", quoted(fields[i].name),
                       quoted(fields[i].type.to_string()));
  }
  out += ']';
}

std::string list_of(const StateService& service) {
  std::string out = "{\"states\":[";
  bool is_first = true;
  for (const ReadableState& state : service.states()) {
    if (!state.answers_rows) continue;
    out += fmt::format("{}{{\"name\":{},\"keys\":", is_first ? "" : ",", quoted(state.name));
    append_columns(state.keys, out);
    out += ",\"columns\":";
    append_columns(state.columns->fields(), out);
    out += '}';
    is_first = false;
  }
  return out + "]}\n";
}

/// Appends up to `limit` rows; true when there are more.
Result<bool> append_rows(const std::vector<Batch>& batches, const Schema& columns,
                         std::int64_t limit, std::string& out) {
  JsonWriter writer(row_type(columns), JsonWriteOptions());
  std::int64_t written = 0;
  for (const Batch& batch : batches) {
    if (batch.empty()) continue;
    if (batch.num_columns() != columns.num_fields())
      return error(ErrorCode::kInternal, "rows of {} columns where {} were expected",
                   batch.num_columns(), columns.to_string());
    writer.bind_columns(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (written == limit) return true;
      if (written++ > 0) out += ',';
      TG_RETURN_IF_ERROR(writer.write(row, out));
    }
  }
  return false;
}

void append_elsewhere(const std::vector<StateOwner>& owners, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < owners.size(); ++i) {
    out += fmt::format("{}{{\"address\":{},\"partitions\":[{}]}}", i > 0 ? "," : "",
                       owners[i].address.empty() ? "null" : quoted(owners[i].address),
                       fmt::join(owners[i].partitions, ","));
  }
  out += ']';
}

Result<Page> answer(const ReadableState& state, Question question, std::string_view target,
                    StateService& service) {
  const bool committed = question.query.committed;
  TG_ASSIGN_OR_RETURN(const StateReading reading,
                      service.read(state.name, std::move(question.query)));
  Page page;
  if (reading.has_owner && !reading.elsewhere.empty()) {
    const std::string& owner = reading.elsewhere[0].address;
    // 421: a request for somebody else, who cannot be named.
    page.status = owner.empty() ? 421 : 307;
    if (!owner.empty()) page.location = fmt::format("http://{}{}", owner, target);
  }
  page.body = fmt::format("{{\"state\":{},\"shows\":\"{}\",\"epoch\":{},\"rows\":[",
                          quoted(state.name), committed ? "committed" : "current", reading.epoch);
  TG_ASSIGN_OR_RETURN(const bool is_cut,
                      append_rows(reading.rows, *state.columns, question.limit, page.body));
  page.body += fmt::format("],\"truncated\":{},\"elsewhere\":", is_cut);
  append_elsewhere(reading.elsewhere, page.body);
  page.body += "}\n";
  return page;
}

Result<Page> make_page(std::string_view target, StateService& service) {
  const std::string_view path = target.substr(0, target.find('?'));
  std::string_view query = target.substr(path.size());
  if (!query.empty()) query.remove_prefix(1);
  TG_ASSIGN_OR_RETURN(const Parameters parameters, parse_parameters(query));
  if (path == kRoot || path == "/state/") return Page{200, list_of(service), ""};
  if (!path.starts_with("/state/"))
    return Status(ErrorCode::kUnknownName, fmt::format("there is no page '{}'", path),
                  "/state lists what there is.");
  TG_ASSIGN_OR_RETURN(const std::string name,
                      percent_decoded(path.substr(kRoot.size() + 1), false));
  TG_ASSIGN_OR_RETURN(const ReadableState* state, find_state(name, service));
  TG_ASSIGN_OR_RETURN(Question question, parse_question(parameters, *state));
  return answer(*state, std::move(question), target, service);
}

}  // namespace

Page error_page(int status, const Status& error) {
  return {status,
          fmt::format("{{\"error\":{{\"code\":{},\"message\":{},\"remedy\":{}}}}}\n",
                      quoted(error_info(error.code()).label), quoted(error.message()),
                      quoted(error.remedy())),
          ""};
}

Page state_page(std::string_view target, StateService& service) {
  Result<Page> page = make_page(target, service);
  if (page.is_ok()) return *std::move(page);
  return error_page(status_of(page.status()), page.status());
}

}  // namespace tidegate
