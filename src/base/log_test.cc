// SPDX-License-Identifier: Apache-2.0
#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdlib.h>

#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/secret.h"

namespace tidegate {
namespace {

std::string line_of(std::initializer_list<LogField> fields) {
  return format_log_line(1'714'557'600'123, LogLevel::kInfo, "job.started",
                         {fields.begin(), fields.size()});
}

TEST(FormatLogLineTest, IsTimeLevelEventAndFields) {
  EXPECT_EQ(line_of({}), "2024-05-01T10:00:00.123Z info job.started");
  EXPECT_EQ(line_of({{"job", "clicks"}, {"epoch", 7}, {"ok", true}, {"rate", 0.5}}),
            "2024-05-01T10:00:00.123Z info job.started job=clicks epoch=7 ok=true rate=0.5");
  EXPECT_EQ(format_log_line(-1, LogLevel::kWarning, "x", {}), "1969-12-31T23:59:59.999Z warn x");
}

TEST(FormatLogLineTest, ValuesCannotForgeLines) {
  EXPECT_EQ(line_of({{"a", "two words"}, {"b", ""}, {"c", "x=y"}, {"d", "say \"hi\"\\"}}),
            "2024-05-01T10:00:00.123Z info job.started a=\"two words\" b=\"\" c=\"x=y\" "
            "d=\"say \\\"hi\\\"\\\\\"");
  EXPECT_EQ(line_of({{"a", "1\n2024 error job.failed\x1b[0m\t"}}),
            "2024-05-01T10:00:00.123Z info job.started a=\"1\\n2024 error "
            "job.failed\\x1b[0m\\t\"");
  EXPECT_EQ(line_of({{"url", "/gr\u00fcn"}}),
            "2024-05-01T10:00:00.123Z info job.started url=/gr\u00fcn");
}

TEST(FormatLogLineTest, ErrorsAreOneLineAndSecretsAreStars) {
  EXPECT_EQ(line_of({{"error", error(ErrorCode::kDiskFull, "no space")}}),
            "2024-05-01T10:00:00.123Z info job.started error=\"TG5001 disk-full: no space\"");
  EXPECT_EQ(line_of({{"password", Secret("hush")}}),
            "2024-05-01T10:00:00.123Z info job.started password=***");
}

TEST(LogLevelTest, IsReadFromItsName) {
  EXPECT_EQ(*parse_log_level("debug"), LogLevel::kDebug);
  EXPECT_EQ(*parse_log_level("warn"), LogLevel::kWarning);
  EXPECT_EQ(*parse_log_level("off"), LogLevel::kOff);
  EXPECT_EQ(parse_log_level("loud").status().message(),
            "TIDEGATE_LOG='loud' is not one of debug, info, warn, error, off");
}

// The level is read once per process, so each of these runs in one of its own.
class LogDeathTest : public testing::Test {
 protected:
  LogDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void log_all_and_exit(const char* level) {
  level == nullptr ? ::unsetenv("TIDEGATE_LOG") : ::setenv("TIDEGATE_LOG", level, 1);
  log_debug("d");
  log_info("i");
  log_warning("w");
  log_error("e");
  ::fputs("end", stderr);
  ::_Exit(0);
}

TEST_F(LogDeathTest, WarningsAreOnByDefault) {
  EXPECT_EXIT(log_all_and_exit(nullptr), testing::ExitedWithCode(0),
              "^[^ ]* warn w\n[^ ]* error e\nend$");
}

TEST_F(LogDeathTest, TheEnvironmentSetsTheLevel) {
  EXPECT_EXIT(log_all_and_exit("debug"), testing::ExitedWithCode(0),
              "^[^ ]* debug d\n[^ ]* info i\n[^ ]* warn w\n[^ ]* error e\nend$");
  EXPECT_EXIT(log_all_and_exit("off"), testing::ExitedWithCode(0), "^end$");
}

TEST_F(LogDeathTest, AnUnknownLevelIsToldAndIgnored) {
  EXPECT_EXIT(log_all_and_exit("loud"), testing::ExitedWithCode(0),
              "^[^\n]* warn log.level-unknown [^\n]*loud[^\n]*\n[^\n]* warn w\n[^\n]*e\nend$");
}

TEST_F(LogDeathTest, LinesOfThreadsDoNotMix) {
  static const std::string kLetters(500, 'x');
  const auto log_from_threads = [] {
    ::setenv("TIDEGATE_LOG", "error", 1);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([] {
        for (int line = 0; line < 100; ++line) log_error("e", {{"v", kLetters}});
      });
    }
    for (std::thread& thread : threads) thread.join();
    ::_Exit(0);
  };
  const auto has_whole_lines = [](const std::string& output) {
    int lines = 0;
    std::istringstream input(output);
    for (std::string line; std::getline(input, line); ++lines) {
      if (!line.ends_with("Z error e v=" + kLetters)) return false;
    }
    return lines == 400;
  };
  EXPECT_EXIT(log_from_threads(), testing::ExitedWithCode(0), testing::Truly(has_whole_lines));
}

}  // namespace
}  // namespace tidegate
