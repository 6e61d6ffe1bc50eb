// SPDX-License-Identifier: Apache-2.0
#include "library/standbys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace tidegate::library {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::pair<std::string, int>> anchors() { return {{"in", 4}, {"mid", 2}}; }

MemberShare member(std::string id, std::vector<TopicPartition> partitions) {
  return {std::move(id), "", std::move(partitions)};
}

std::set<TaskId> of(std::string_view id, const std::vector<MemberShare>& members, int replicas) {
  return standby_tasks(id, members, anchors(), replicas);
}

TEST(StandbyTasks, AreTheOtherOnesOfTwo) {
  const std::vector<MemberShare> members = {
      member("a", {{"in", 0}, {"in", 1}, {"mid", 0}}),
      member("b", {{"in", 2}, {"in", 3}, {"mid", 1}, {"foreign", 0}})};
  EXPECT_THAT(of("a", members, 1), ElementsAre(TaskId{0, 2}, TaskId{0, 3}, TaskId{1, 1}));
  EXPECT_THAT(of("b", members, 1), ElementsAre(TaskId{0, 0}, TaskId{0, 1}, TaskId{1, 0}));
  EXPECT_THAT(of("a", members, 0), IsEmpty());
  EXPECT_EQ(of("a", members, 5), of("a", members, 1)) << "there is nobody else";
}

TEST(StandbyTasks, AreWhereTheGroupWouldPutThem) {
  const std::vector<MemberShare> members = {member("c", {{"in", 3}}),
                                            member("a", {{"in", 0}, {"in", 1}, {"mid", 0}}),
                                            member("b", {{"in", 2}, {"mid", 1}})};
  // Without a: b has 0 and 1 of `in`, and 0 of `mid`. Without b: a has 0 and 1, c 2. Without c:
  // b 3.
  EXPECT_THAT(of("b", members, 1),
              ElementsAre(TaskId{0, 0}, TaskId{0, 1}, TaskId{0, 3}, TaskId{1, 0}));
  EXPECT_THAT(of("c", members, 1), ElementsAre(TaskId{0, 2}, TaskId{1, 1}));
  EXPECT_THAT(of("a", members, 1), IsEmpty());
  // Each task of another one has all the others then.
  EXPECT_EQ(of("a", members, 2).size(), 3U);
  EXPECT_EQ(of("b", members, 2).size(), 4U);
  EXPECT_EQ(of("c", members, 2).size(), 5U);
}

TEST(StandbyTasks, WhoIsAloneHasNone) {
  EXPECT_THAT(of("a", {member("a", {{"in", 0}})}, 1), IsEmpty());
  EXPECT_THAT(of("a", {}, 1), IsEmpty());
}

}  // namespace
}  // namespace tidegate::library
