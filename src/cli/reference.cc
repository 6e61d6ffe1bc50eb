// SPDX-License-Identifier: Apache-2.0
#include "cli/reference.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "base/check.h"
#include "base/options.h"
#include "dataflow/connector.h"
#include "expr/function_registry.h"
#include "formats/format.h"
#include "tidegate/error_code.h"

namespace tidegate {
namespace {

/// A bar would end the cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(std::string_view text) { return fmt::format("`{}`", cell(text)); }

std::string functions_page() {
  std::string page =
      "# Functions\n\nMade by `tidegate reference functions`. The examples run as tests.\n";
  std::map<std::string, std::vector<const ScalarFunction*>> categories;
  for (const ScalarFunction* function : builtin_functions().all()) {
    categories[function->category.empty() ? "other" : function->category].push_back(function);
  }
  for (const auto& [category, functions] : categories) {
    page += fmt::format("\n## {}\n\n| function | | example |\n|---|---|---|\n", category);
    for (const ScalarFunction* function : functions) {
      std::string examples;
      for (const ScalarFunction::Example& example : function->examples) {
        if (!examples.empty()) examples += "<br>";
        examples += fmt::format("{} = {}", code(example.expression), code(example.result));
      }
      page += fmt::format("| {} | {} | {} |\n", code(function->signature),
                          cell(function->description), examples);
    }
  }
  page += "\n## aggregates\n\n| function | |\n|---|---|\n";
  for (const AggregateFunction* function : builtin_functions().all_aggregates()) {
    page += fmt::format("| {} | {} |\n", code(function->signature), cell(function->description));
  }
  return page;
}

std::string errors_page() {
  std::string page =
      "# Errors\n\nMade by `tidegate reference errors`. A code never gets another meaning.\n\n"
      "| code | name | what to do |\n|---|---|---|\n";
  static constexpr ErrorCode kCodes[] = {
#define TIDEGATE_ERROR(name, number, kind, label, remedy) ErrorCode::name,
#include "tidegate/error_codes.inc"
#undef TIDEGATE_ERROR
  };
  for (const ErrorCode each : kCodes) {
    const ErrorInfo& info = error_info(each);
    page +=
        fmt::format("| TG{} | {} | {} |\n", static_cast<int>(each), info.label, cell(info.remedy));
  }
  return page;
}

std::string options_table(const std::vector<OptionSpec>& options) {
  if (options.empty()) return "No options.\n";
  std::string table = "| option | type | default | |\n|---|---|---|---|\n";
  for (const OptionSpec& option : options) {
    table += fmt::format("| {} | {} | {} | {}{} |\n", code(option.name), cell(option.type),
                         option.default_value.empty() ? "" : code(option.default_value),
                         option.required ? "Required. " : "", cell(option.description));
  }
  return table;
}

std::string connectors_page() {
  std::string page = "# Connectors and formats\n\nMade by `tidegate reference connectors`.\n";
  ConnectorRegistry connectors;
  register_all_connectors(connectors);
  for (const Connector* connector : connectors.all()) {
    page += fmt::format("\n## connector {}\n\n{} {}\n\n{}", code(connector->name),
                        connector->description,
                        !connector->make_source ? "Can be written to."
                        : !connector->make_sink ? "Can be read from."
                                                : "Can be read from and written to.",
                        options_table(connector->options));
  }
  FormatRegistry formats;
  register_all_formats(formats);
  for (const Format* format : formats.all()) {
    page += fmt::format("\n## format {}\n\n{}\n\n{}", code(format->name), format->description,
                        options_table(format->options));
  }
  return page;
}

}  // namespace

Result<std::string> reference_page(std::string_view topic) {
  if (topic == "functions") return functions_page();
  if (topic == "errors") return errors_page();
  if (topic == "connectors") return connectors_page();
  return error(ErrorCode::kUnknownName,
               "there is no reference page '{}'; functions, errors and connectors are", topic);
}

}  // namespace tidegate
