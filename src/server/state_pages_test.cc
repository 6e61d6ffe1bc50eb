// SPDX-License-Identifier: Apache-2.0
#include "server/state_pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/check.h"
#include "tests/support/batch_literal.h"

namespace tidegate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<Field> keys_of(std::string_view columns) { return schema_of(columns)->fields(); }

class Counts final : public StateService {
 public:
  const std::vector<ReadableState>& states() const override { return states_; }
  Result<StateReading> read(std::string_view name, StateQuery query) override {
    asked = std::move(query);
    asked_name = name;
    return answer;
  }

  StateQuery asked;
  std::string asked_name;
  Result<StateReading> answer = StateReading();

 private:
  const std::vector<ReadableState> states_ = {
      {"counts", 0, keys_of("url STRING"), schema_of("url STRING, n BIGINT"), true},
      {"by user/url", 1, keys_of("url STRING, user BIGINT"),
       schema_of("url STRING, user BIGINT, n BIGINT"), true},
      {"total", 2, {}, schema_of("n BIGINT"), true},
      {"journal", 3, keys_of("url STRING"), schema_of("n BIGINT"), false}};
};

class StatePages : public testing::Test {
 protected:
  Page get(std::string_view target) { return state_page(target, counts_); }
  void answer(std::string_view rows, EpochId epoch, std::vector<StateOwner> elsewhere = {},
              bool has_owner = false) {
    StateReading reading;
    reading.rows = {batch_of(schema_of("url STRING, n BIGINT"), rows), Batch()};
    reading.epoch = epoch;
    reading.elsewhere = std::move(elsewhere);
    reading.has_owner = has_owner;
    counts_.answer = std::move(reading);
  }
  Counts counts_;
};

TEST_F(StatePages, ListsWhatCanBeAsked) {
  EXPECT_EQ(get("/state").body,
            "{\"states\":["
            "{\"name\":\"counts\",\"keys\":[{\"name\":\"url\",\"type\":\"STRING\"}],"
            "\"columns\":[{\"name\":\"url\",\"type\":\"STRING\"},"
            "{\"name\":\"n\",\"type\":\"BIGINT\"}]},"
            "{\"name\":\"by user/url\",\"keys\":[{\"name\":\"url\",\"type\":\"STRING\"},"
            "{\"name\":\"user\",\"type\":\"BIGINT\"}],"
            "\"columns\":[{\"name\":\"url\",\"type\":\"STRING\"},"
            "{\"name\":\"user\",\"type\":\"BIGINT\"},{\"name\":\"n\",\"type\":\"BIGINT\"}]},"
            "{\"name\":\"total\",\"keys\":[],\"columns\":[{\"name\":\"n\",\"type\":\"BIGINT\"}]}"
            "]}\n");
}

TEST_F(StatePages, ReadsAKeyAndSaysWhatItShows) {
  answer(R"([["/home", 3]])", 17);
  const Page page = get("/state/counts?key=%2Fhome&read=committed");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body,
            "{\"state\":\"counts\",\"shows\":\"committed\",\"epoch\":17,"
            "\"rows\":[{\"url\":\"/home\",\"n\":3}],\"truncated\":false,\"elsewhere\":[]}\n");
  EXPECT_TRUE(counts_.asked.committed);
  ASSERT_TRUE(counts_.asked.key);
  EXPECT_THAT(text_rows(*counts_.asked.key), ElementsAre("+I[/home]"));
  EXPECT_THAT(get("/state/counts?key=%7B%22url%22:null%7D").body, HasSubstr("\"current\""));
  EXPECT_THAT(text_rows(*counts_.asked.key), ElementsAre("+I[null]"));
}

TEST_F(StatePages, KeysOfSeveralColumnsAreObjects) {
  const Page page = get("/state/by%20user%2Furl?from=%7B%22user%22:3,%22url%22:%22a%22%7D&limit=5");
  EXPECT_EQ(page.status, 200) << page.body;
  EXPECT_EQ(counts_.asked_name, "by user/url");
  EXPECT_FALSE(counts_.asked.key);
  EXPECT_FALSE(counts_.asked.to);
  EXPECT_THAT(text_rows(*counts_.asked.from), ElementsAre("+I[a, 3]"));
  const Page plain = get("/state/by%20user%2Furl?key=a");
  EXPECT_EQ(plain.status, 400);
  EXPECT_THAT(plain.body, HasSubstr("(url STRING, user BIGINT)"));
  EXPECT_EQ(get("/state/by%20user%2Furl?key=%7B%22url%22:%22a%22%7D").status, 400);
}

TEST_F(StatePages, RangesAreCutAtTheLimit) {
  answer(R"([["a", 1], ["b", 2], ["c", 3]])", 4, {{"other:80", {1, 3}}, {"", {2}}});
  const Page page = get("/state/counts?from=a&to=d&limit=2");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.body,
            "{\"state\":\"counts\",\"shows\":\"current\",\"epoch\":4,"
            "\"rows\":[{\"url\":\"a\",\"n\":1},{\"url\":\"b\",\"n\":2}],\"truncated\":true,"
            "\"elsewhere\":[{\"address\":\"other:80\",\"partitions\":[1,3]},"
            "{\"address\":null,\"partitions\":[2]}]}\n");
}

TEST_F(StatePages, SendsWhoAsksForAKeyToItsOwner) {
  answer("[]", 4, {{"other:80", {1}}}, true);
  Page page = get("/state/counts?key=a%20b");
  EXPECT_EQ(page.status, 307);
  EXPECT_EQ(page.location, "http://other:80/state/counts?key=a%20b");
  answer("[]", 4, {{"", {1}}}, true);
  page = get("/state/counts?key=a");
  EXPECT_EQ(page.status, 421);
  EXPECT_EQ(page.location, "");
  answer("[]", 4, {{"other:80", {1}}});  // which may have it
  EXPECT_EQ(get("/state/counts?key=a").status, 200);
}

TEST_F(StatePages, SaysWhatIsWrong) {
  const std::vector<std::tuple<const char*, int, const char*>> cases = {
      {"/", 404, "there is no page"},
      {"/metrics", 404, "there is no page"},
      {"/state/count", 404, "Did you mean 'counts'?"},
      {"/state/journal?key=a", 400, "only the program can read"},
      {"/state/counts?keys=a", 400, "there is no parameter 'keys'"},
      {"/state/counts?key=a&key=b", 400, "comes twice"},
      {"/state/counts?key=a&from=b", 400, "either key"},
      {"/state/counts?key=%7B", 400, "is no key of"},
      {"/state/counts?key=%7B%7D", 400, "is no key of"},
      {"/state/counts?key=%", 400, "two digits"},
      {"/state/counts?key=%4", 400, "two digits"},
      {"/state/counts?read=dirty", 400, "not 'dirty'"},
      {"/state/counts?limit=-1", 400, "not '-1'"},
      {"/state/counts?limit=", 400, "not ''"},
      {"/state/total?key=1", 400, "no keys"}};
  for (const auto& [target, status, message] : cases) {
    const Page page = get(target);
    EXPECT_EQ(page.status, status) << target;
    EXPECT_THAT(page.body, HasSubstr(message)) << target;
    EXPECT_THAT(page.body, HasSubstr("{\"error\":{\"code\":\"")) << target;
  }
  counts_.answer = error(ErrorCode::kServiceUnreachable, "being restored");
  EXPECT_EQ(get("/state/counts").status, 503);
  counts_.answer = error(ErrorCode::kStateCorrupt, "damaged");
  EXPECT_EQ(get("/state/counts").status, 500);
}

}  // namespace
}  // namespace tidegate
