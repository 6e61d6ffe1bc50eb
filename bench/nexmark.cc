// SPDX-License-Identifier: Apache-2.0
//
// The queries of the Nexmark benchmark (bench/nexmark/queries) into the sink 'blackhole', each by a
// process of its own: the program `tidegate`, from its start to its end. Events are made in that
// process, and only their columns that the query reads, or come from files.
//
//   nexmark [--json] [--events N] [--rate N] [--queries q0,q5] [--parallelism N]
//           [--source generator] [--source files DIR] [--answers DIR]
//
// DIR of --source holds person.ndjson, auction.ndjson and bid.ndjson of N events together. With
// --answers nothing is measured: the answers are written to files DIR/q0.csv. bench/compare-nexmark
// runs Flink beside this program.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "measured_child.h"

namespace tidegate::bench {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  bool json = false;
  std::int64_t events = 1'000'000;
  std::int64_t rate = 10'000;
  int parallelism = 2;
  std::vector<std::string> queries;
  fs::path files;    // empty: the generator
  fs::path answers;  // empty: they are forgotten
};

struct Table {
  std::string name;
  std::string columns;
};

const std::vector<Table> kTables = {
    {"person",
     "id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, "
     "`dateTime` TIMESTAMP(3), extra STRING"},
    {"auction",
     "id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, "
     "`dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra STRING"},
    {"bid",
     "auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, "
     "`dateTime` TIMESTAMP(3), extra STRING"},
};

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string script_of(const Arguments& arguments, const std::string& query) {
  // As in bench/peers/flink/Nexmark.java.
  std::string script = "SET 'table.exec.mini-batch.enabled' = 'true';\n";
  for (const Table& table : kTables) {
    script += "CREATE TABLE " + table.name + " (" + table.columns +
              ", WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND) WITH (";
    if (arguments.files.empty()) {
      script += "'connector' = 'nexmark', 'table' = '" + table.name + "', 'events' = '" +
                std::to_string(arguments.events) + "', 'rate' = '" +
                std::to_string(arguments.rate) + "');\n";
    } else {
      script += "'connector' = 'filesystem', 'format' = 'json', " +
                ("'path' = '" + (arguments.files / (table.name + ".ndjson")).string()) +
                "', 'json.timestamp-format.standard' = 'SQL');\n";
    }
  }
  if (arguments.answers.empty()) {
    script += "CREATE TABLE sink WITH ('connector' = 'blackhole') AS\n";
  }
  return script + text_of(fs::path(NEXMARK_QUERIES) / (query + ".sql")) + ";\n";
}

std::vector<std::string> all_queries() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(NEXMARK_QUERIES))
    names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
    return std::atoi(a.c_str() + 1) < std::atoi(b.c_str() + 1);
  });
  return names;
}

std::vector<std::string> split_at_commas(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> names;
  for (std::string name; std::getline(words, name, ',');) names.push_back(name);
  return names;
}

bool read_arguments(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--json") {
      arguments.json = true;
    } else if (i + 1 == argc) {
      return false;
    } else if (name == "--events") {
      arguments.events = std::atoll(argv[++i]);
    } else if (name == "--rate") {
      arguments.rate = std::atoll(argv[++i]);
    } else if (name == "--answers") {
      arguments.answers = fs::absolute(argv[++i]);
    } else if (name == "--parallelism") {
      arguments.parallelism = std::atoi(argv[++i]);
    } else if (name == "--queries") {
      arguments.queries = split_at_commas(argv[++i]);
    } else if (name == "--source" && std::string_view(argv[i + 1]) == "generator") {
      ++i;
    } else if (name == "--source" && std::string_view(argv[i + 1]) == "files" && i + 2 < argc) {
      arguments.files = fs::absolute(argv[i + 2]);
      i += 2;
    } else {
      return false;
    }
  }
  if (arguments.queries.empty()) arguments.queries = all_queries();
  return arguments.events > 0 && arguments.rate > 0 && arguments.parallelism > 0;
}

int run(int argc, char** argv) {
  Arguments arguments;
  if (!read_arguments(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: nexmark [--json] [--events N] [--rate N] [--queries q0,q5] "
                 "[--parallelism N] [--source generator | --source files DIR] [--answers DIR]\n");
    return 2;
  }
  // Both are where the build leaves them.
  const fs::path program =
      fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "tidegate";
  const fs::path folder = fs::temp_directory_path() / ("nexmark-" + std::to_string(getpid()));
  fs::create_directories(folder);
  bool failed = false;
  for (const std::string& query : arguments.queries) {
    const fs::path script = folder / (query + ".sql");
    const fs::path errors = folder / (query + ".err");
    const fs::path output = arguments.answers.empty() ? folder / (query + ".out")
                                                      : arguments.answers / (query + ".csv");
    std::ofstream(script) << script_of(arguments, query);
    const Cost cost =
        measure_program({program, "run", script, "--progress", "none", "--output", "csv",
                         "--parallelism", std::to_string(arguments.parallelism)},
                        output, errors);
    if (cost.failed) {
      std::fprintf(stderr, "%s failed: %s\n", query.c_str(), text_of(errors).c_str());
      failed = true;
      continue;
    }
    if (!arguments.answers.empty()) continue;
    report(arguments.json, "nexmark", query, arguments.events, cost);
  }
  fs::remove_all(folder);
  return failed ? 1 : 0;
}

}  // namespace
}  // namespace tidegate::bench

int main(int argc, char** argv) { return tidegate::bench::run(argc, argv); }
