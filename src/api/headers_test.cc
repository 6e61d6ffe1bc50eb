// SPDX-License-Identifier: Apache-2.0
#include "tidegate/headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tidegate/test_driver.h"
#include "tidegate/tidegate.h"

namespace tidegate {

struct HeadedClick {
  std::string url;
  Headers headers;
};
BOOST_DESCRIBE_STRUCT(HeadedClick, (), (url, headers))

namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

HeadedClick mark(HeadedClick click) {
  click.headers.remove("secret");
  click.headers.add("last", click.headers.last("h"));
  return click;
}

TEST(Headers, AColumnThatIsNotThere) {
  App app("route");
  app.source<HeadedClick>(kafka("clicks").format(json()).metadata("header", "headers")).print();
  const Result<std::string> plan = app.explain();
  ASSERT_FALSE(plan.is_ok());
  EXPECT_EQ(plan.status().code(), ErrorCode::kUnknownName) << plan.status().to_string();
}

TEST(Headers, GoThroughTheTestDriver) {
  App app("route");
  app.source<HeadedClick>(kafka("clicks").format(json()).metadata("headers"))
      .map(mark)
      .sink(kafka("routed").format(json()).metadata("headers"));
  TestDriver driver(app);
  HeadedClick click{"/a", {}};
  click.headers.add("h", std::nullopt);
  driver.push("clicks", click);
  const auto rows = driver.read<HeadedClick>("routed");
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_THAT(rows[0].headers.entries,
              ElementsAre(Pair("h", std::nullopt), Pair("last", std::nullopt)));
}

}  // namespace
}  // namespace tidegate
