// SPDX-License-Identifier: Apache-2.0
//
// Input that is not as it should be, through a whole program: each gets the policy's outcome or one
// clear error.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tidegate/tidegate.h"

namespace tidegate {

struct Click {
  std::optional<std::string> page;
  std::int64_t user;
  Timestamp ts;
};
BOOST_DESCRIBE_STRUCT(Click, (), (page, user, ts))

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string kGood = R"({"page":"/a","user":1,"ts":"2026-01-01 00:00:01"})";

class BadInput : public testing::Test {
 protected:
  BadInput() {
    folder_ = std::filesystem::temp_directory_path() /
              ("tidegate-bad-" + std::to_string(::getpid()) + "-" +
               testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  ~BadInput() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write_file(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  static Status run(App& app) {
    RunOptions options;
    options.parallelism = 2;
    Result<RunningJob> job = app.start(options);
    return job.is_ok() ? job->await() : job.status();
  }
  /// The users of the clicks in a file, and what came of the job.
  Status read(const std::filesystem::path& path, const std::string& policy,
              std::vector<std::int64_t>& users) {
    App app("bad-input");
    users.clear();
    app.source<Click>(files(path.string()).option("error-policy", policy).format(json()))
        .for_each([&](const Click& click) { users.push_back(click.user); });
    return run(app);
  }

  std::filesystem::path folder_;
};

TEST_F(BadInput, ABadRecordFailsWithItsPlaceOrIsSkipped) {
  const std::vector<std::pair<std::string, std::string>> records = {
      {"{\"page\":", "malformed"},
      {R"({"page":"/a","user":"one","ts":"2026-01-01 00:00:01"})", "user"},
      {R"({"page":"/a","ts":"2026-01-01 00:00:01"})", "user"},
      {R"({"page":"/a","user":1,"ts":"yesterday"})", "ts"},
      {"{\"page\":\"\xff\xfe\",\"user\":1,\"ts\":\"2026-01-01 00:00:01\"}", "UTF-8"},
      {"{\"page\":" + std::string(100'000, '[') + std::string(100'000, ']') +
           ",\"user\":1,\"ts\":\"2026-01-01 00:00:01\"}",
       "nesting"},
  };
  std::vector<std::int64_t> users;
  for (const auto& [record, reason] : records) {
    const auto path = write_file("in.json", kGood + "\n" + record + "\n" + kGood + "\n");
    const Status failed = read(path, "fail", users);
    ASSERT_FALSE(failed.is_ok()) << record.substr(0, 100);
    EXPECT_THAT(failed.to_string(), HasSubstr("in.json"));
    EXPECT_THAT(failed.to_string(), HasSubstr("line 2"));
    EXPECT_THAT(failed.to_string(), HasSubstr(reason));
    const Status skipped = read(path, "skip", users);
    EXPECT_TRUE(skipped.is_ok()) << skipped.to_string();
    EXPECT_THAT(users, ElementsAre(1, 1)) << record.substr(0, 100);
  }
}

TEST_F(BadInput, ANullKeyIsAKey) {
  const std::string null_page = R"({"page":null,"user":1,"ts":"2026-01-01 00:00:01"})";
  const std::string no_page = R"({"user":1,"ts":"2026-01-01 00:00:01"})";
  const auto path = write_file("in.json", kGood + "\n" + null_page + "\n" + no_page + "\n");
  App app("null-key");
  std::vector<std::pair<std::optional<std::string>, std::int64_t>> counts;
  app.source<Click>(files(path.string()).format(json()))
      .event_time(&Click::ts, bounded_disorder(0s))
      .key_by(&Click::page)
      .window(tumbling(1min))
      .count()
      .for_each([&](const auto& row) { counts.emplace_back(row.key, row.value); });
  const Status status = run(app);
  ASSERT_TRUE(status.is_ok()) << status.to_string();
  EXPECT_THAT(counts, UnorderedElementsAre(Pair(std::optional<std::string>("/a"), 1),
                                           Pair(std::optional<std::string>(), 2)));
}

TEST_F(BadInput, FilesThatAreNotWhole) {
  std::vector<std::int64_t> users;
  EXPECT_TRUE(read(write_file("empty.json", ""), "fail", users).is_ok());
  EXPECT_THAT(users, IsEmpty());
  // The header of a gzip member and nothing behind it.
  const std::string gzip("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 10);
  Status status = read(write_file("cut.json.gz", gzip), "skip", users);
  EXPECT_FALSE(status.is_ok());
  EXPECT_THAT(status.to_string(), HasSubstr("cut.json.gz"));
  App app("parquet");
  app.source<Click>(files(write_file("cut.parquet", "PAR1....").string()).format(parquet()))
      .for_each([](const Click&) {});
  status = run(app);
  EXPECT_FALSE(status.is_ok());
  EXPECT_THAT(status.to_string(), HasSubstr("cut.parquet"));
  status = read(folder_ / "nowhere", "skip", users);
  EXPECT_EQ(status.code(), ErrorCode::kFileNotFound);
  EXPECT_THAT(status.to_string(), HasSubstr("nowhere"));
}

/// Throws in the verb that the test is about.
struct Thrower {
  using Accumulator = std::int64_t;
  Accumulator create() const { return 0; }
  void add(Accumulator&, const Click&) const { throw std::runtime_error("it broke"); }
  std::int64_t result(Accumulator) const { return 0; }
  void open(StateOpener&) {}
  void process(const Click&, Context<std::int64_t, bool>&) { throw std::runtime_error("it broke"); }
};

TEST_F(BadInput, AFunctionThatThrowsStopsTheJobInEveryVerb) {
  const std::string path = write_file("in.json", kGood + "\n").string();
  using Clicks = Stream<Click>;
  const auto fail = [](const Click&) -> bool { throw std::runtime_error("it broke"); };
  const std::vector<std::function<void(const Clicks&)>> verbs = {
      [&](const Clicks& in) { in.map(fail).for_each([](bool) {}); },
      [&](const Clicks& in) { in.filter(fail).for_each([](const Click&) {}); },
      [&](const Clicks& in) {
        in.flat_map<bool>([&](const Click& click, Collector<bool>&) {
            fail(click);
          }).for_each([](bool) {});
      },
      [&](const Clicks& in) { in.key_by(fail).count().for_each([](const auto&) {}); },
      [&](const Clicks& in) {
        in.key_by(&Click::user).aggregate(Thrower()).for_each([](const auto&) {});
      },
      [&](const Clicks& in) {
        in.key_by(&Click::user).process<bool>(Thrower()).for_each([](bool) {});
      },
      [&](const Clicks& in) {
        in.call_blocking([&](const Click& click) -> Result<bool> {
            return fail(click);
          }).for_each([](bool) {});
      },
      [&](const Clicks& in) { in.for_each(fail); },
  };
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    App app("throws");
    verbs[i](app.source<Click>(files(path).format(json())));
    const Status status = run(app);
    EXPECT_EQ(status.code(), ErrorCode::kUserFunctionFailed) << i << " " << status.to_string();
    EXPECT_THAT(status.to_string(), HasSubstr("it broke")) << i;
  }
}

}  // namespace
}  // namespace tidegate
