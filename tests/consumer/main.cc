// SPDX-License-Identifier: Apache-2.0

// A user's program: includes one header, links Tidegate::tidegate, counts clicks from one file into
// another, and checks what comes out.

#include <boost/describe/class.hpp>
#include <tidegate/tidegate.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <string>

struct Click {
  std::string url;
  std::int64_t ts;
};
BOOST_DESCRIBE_STRUCT(Click, (), (url, ts))

namespace {

std::multiset<std::string> lines_of_published_files(const std::filesystem::path& folder) {
  std::multiset<std::string> lines;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with('.')) continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) lines.insert(line);
  }
  return lines;
}

}  // namespace

int main() {
  using namespace tidegate;
  using namespace std::chrono_literals;

  const auto folder = std::filesystem::temp_directory_path() / "tidegate-consumer";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "clicks.json") << R"({"url": "/home", "ts": 1000})"
                                           "\n"
                                           R"({"url": "/cart", "ts": 2000})"
                                           "\n"
                                           R"({"url": "/home", "ts": 299999})"
                                           "\n"
                                           R"({"url": "/home", "ts": 300000})"
                                           "\n";

  App app("consumer");
  app.source<Click>(files((folder / "clicks.json").string()).format(json()))
      .event_time(&Click::ts, bounded_disorder(0s))
      .key_by(&Click::url)
      .window(tumbling(5min))
      .count()
      .map([](const Windowed<std::string, std::int64_t>& window) {
        return window.key + " " + std::to_string(window.window_end.ms / 60'000) +
               " min: " + std::to_string(window.value);
      })
      .sink(files((folder / "counts").string()).format(json()));
  RunOptions options;
  options.parallelism = 2;
  if (const int code = app.run(options); code != 0) return code;

  const std::multiset<std::string> expected = {R"({"value":"/cart 5 min: 1"})",
                                               R"({"value":"/home 5 min: 2"})",
                                               R"({"value":"/home 10 min: 1"})"};
  const std::multiset<std::string> found = lines_of_published_files(folder / "counts");
  for (const std::string& line : found) std::cout << line << '\n';
  std::filesystem::remove_all(folder);
  if (found != expected) {
    std::cerr << "consumer: these are not the three windows that the clicks make\n";
    return 1;
  }
  std::cout << "consumer: ok\n";
  return 0;
}
