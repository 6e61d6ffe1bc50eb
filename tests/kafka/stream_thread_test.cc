// SPDX-License-Identifier: Apache-2.0
//
// The commits of library mode against a real broker: what readers of committed messages see, and
// what a task goes on from, after whatever went wrong. Jobs are imitated: a test hands in epochs.

#include "library/stream_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/failpoints.h"
#include "epoch/fold_deltas.h"
#include "kafka/message_journal.h"
#include "kafka/test_broker.h"
#include "kafka/topic_journal.h"
#include "library/base_position.h"
#include "library/internal_topics.h"
#include "library/range_assigner.h"
#include "library/thread_producer.h"
#include "state/delta.h"
#include "tests/kafka/holding_proxy.h"
#include "tests/kafka/on_real_broker.h"

namespace tidegate::library {
namespace {

using kafka::HoldingProxy;
using kafka::RealBroker;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::uint64_t kLow = 1;  // a hash of the first key group

/// An epoch that has written `outputs` and put `value` at `key`.
EpochRecord epoch_of(EpochId epoch, const std::string& topic,
                     const std::vector<std::string>& outputs, const std::string& key = "k",
                     const std::string& value = "v") {
  EpochRecord record;
  record.epoch = epoch;
  record.sources.emplace_back().uid = "source";
  SplitState& split = record.sources[0].open.emplace_back();
  split.split.id = "clicks-0";
  split.position = std::to_string(epoch * 10);
  OperatorState& state = record.operators.emplace_back();
  state.uid = "count";
  state.subtasks.emplace_back();
  DeltaWriter changes("bytes", {0, 128, 128});
  changes.put(0, kLow, key, value);
  state.deltas.push_back({epoch, "rows", changes.finish()});
  kafka::MessageJournal journal;
  for (const std::string& output : outputs) {
    kafka::Outgoing message;
    message.value = output;
    message.partition = 0;
    TG_CHECK(journal.add(message).is_ok(), "journal");
  }
  if (!outputs.empty())
    record.committables.push_back(
        {"sink", 0, kafka::TopicJournal{topic, *journal.take()}.to_string()});
  return record;
}

/// The value of a key in what a task goes on from.
std::string value_of(const std::shared_ptr<const EpochRecord>& record, const std::string& key) {
  if (record == nullptr) return "(nothing)";
  EpochRecord folded = *record;
  TG_CHECK(fold_state(folded).is_ok(), "state");
  DeltaReader reader = *DeltaReader::open(folded.operators.at(0).deltas.at(0).bytes);
  DeltaRecord row;
  while (*reader.next(row))
    if (row.key == key) return std::string(row.value);
  return "(none)";
}

/// Notes what a member of the group is told.
class Member final : public AssignmentListener {
 public:
  Member(const std::string& address, const std::string& application, Executor& executor,
         const std::vector<std::string>& topics, const std::string& instance = "") {
    MembershipOptions options;
    options.client.brokers = address;
    options.application_id = application;
    options.instance_id = instance;
    options.topics = topics;
    options.executor = &executor;
    options.session_timeout = milliseconds(10'000);
    options.client.settings.emplace_back("heartbeat.interval.ms", "200");
    assigner_ = *make_range_assigner(options);
    TG_CHECK(assigner_->join(*this).is_ok(), "join");
  }
  ~Member() override { leave(); }
  void leave() { assigner_.reset(); }

  void on_assigned(const Assignment& assignment) override {
    const std::lock_guard lock(mutex_);
    current_ = assignment;
    changed_.notify_all();
  }
  void on_revoked() override { forget("revoked"); }
  void on_lost() override { forget("lost"); }
  void on_failed(const Status& status) override { TG_CHECK(false, "{}", status.to_string()); }

  /// Waits until it owns so many partitions.
  Assignment owning(std::size_t partitions) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return current_ && current_->partitions.size() == partitions; });
    return *current_;
  }
  int endings() {
    const std::lock_guard lock(mutex_);
    return endings_;
  }

 private:
  void forget(const std::string&) {
    const std::lock_guard lock(mutex_);
    ++endings_;
    current_.reset();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Assignment> current_;
  int endings_ = 0;
  std::unique_ptr<Assigner> assigner_;
};

class StreamThreadTest : public kafka::OnRealBroker {
 protected:
  void SetUp() override {
    OnRealBroker::SetUp();
    if (IsSkipped()) return;
    app_ = topic_;
    input_ = app_ + "-in";
    output_ = app_ + "-out";
    changelog_ = app_ + "-0-changelog";
    broker_->create_topic(input_, 2);
    broker_->create_topic(output_, 1);
    topics_ = *InternalTopics::connect({.client = client()});
    const Status made = topics_->create({changelog_topic(changelog_, 2)});
    ASSERT_TRUE(made.is_ok()) << made.to_string();
    executor_ = make_thread_executor(2, 16);
  }
  void TearDown() override { disarm_failpoints(); }

  kafka::ClientProperties client() const {
    kafka::ClientProperties client;
    client.brokers = broker_->address();
    return client;
  }
  std::unique_ptr<Member> join(const std::string& instance = "") {
    return std::make_unique<Member>(broker_->address(), app_, *executor_,
                                    std::vector<std::string>{input_}, instance);
  }
  std::unique_ptr<StreamThread> thread(const GroupMember& member, const std::string& id = "a") {
    StreamThreadOptions options;
    options.client = client();
    options.transactional_id = app_ + "-" + id;
    options.executor = executor_.get();
    options.epoch_interval = milliseconds(0);  // rounds when the test says so
    options.purge_interval = milliseconds(200);
    auto made = StreamThread::make(options);
    TG_CHECK(made.is_ok(), "{}", made.status().to_string());
    (*made)->resume(member);
    return *std::move(made);
  }
  TaskStart add(StreamThread& thread, int partition) {
    auto added = thread.add_task(spec(partition));
    TG_CHECK(added.is_ok(), "{}", added.status().to_string());
    return *std::move(added);
  }
  TaskSpec spec(int partition) {
    TaskSpec spec;
    spec.id = {0, partition};
    spec.changelog_topic = changelog_;
    spec.offsets = [topic = input_, partition](const EpochRecord& record) {
      return std::vector<GroupOffset>{
          {{topic, partition}, std::stoll(*record.sources[0].open[0].position), false}};
    };
    return spec;
  }
  EpochRecord epoch(EpochId number, const std::vector<std::string>& outputs,
                    const std::string& key = "k", const std::string& value = "v") {
    return epoch_of(number, output_, outputs, key, value);
  }
  std::vector<std::string> visible() const {
    std::vector<std::string> values;
    for (const auto& message : kafka::consume_all(broker_->address(), output_))
      values.push_back(*message.value);
    return values;
  }
  std::size_t changelog_length() const {
    return kafka::consume_all(broker_->address(), changelog_, 2).size();
  }
  static Status commit(const TaskStart& task, const EpochRecord& record) {
    return task.policy->commit(record);
  }
  static void expect_ok(const Status& status) { EXPECT_TRUE(status.is_ok()) << status.to_string(); }

  std::string app_, input_, output_, changelog_;
  std::unique_ptr<InternalTopics> topics_;
  std::unique_ptr<Executor> executor_;
};

TEST_F(StreamThreadTest, TasksCommitTogetherAndGoOnFromThere) {
  const auto member = join();
  const GroupMember who = member->owning(2).member;
  {
    const auto thread = this->thread(who);
    const TaskStart first = add(*thread, 0), second = add(*thread, 1);
    EXPECT_EQ(first.restore, nullptr);
    // Neither is through before both have handed in an epoch.
    std::promise<void> begun;
    thread->start_task({0, 0}, [] {});
    thread->start_task({0, 1}, [&] { begun.set_value(); });
    const EpochRecord a = epoch(1, {"a1"}, "x", "1"), b = epoch(1, {"b1", "b2"}, "y", "2");
    auto one = std::async(std::launch::async, [&] { return commit(first, a); });
    begun.get_future().wait();  // the first one to come asks the others
    EXPECT_THAT(visible(), IsEmpty());
    expect_ok(commit(second, b));
    expect_ok(one.get());
    EXPECT_THAT(visible(), UnorderedElementsAre("a1", "b1", "b2"));
    EXPECT_EQ(changelog_length(), 4u);

    // What says nothing new leaves no trace.
    EpochRecord same = a;
    same.epoch = 2;
    same.committables.clear();
    same.operators[0].deltas.clear();
    thread->remove_task({0, 1});
    expect_ok(commit(first, same));
    EXPECT_EQ(changelog_length(), 4u);
    same.sources[0].open[0].position = "30";
    same.epoch = 3;
    expect_ok(commit(first, same));
    EXPECT_EQ(changelog_length(), 5u);
  }
  const auto again = thread(who);
  const TaskStart first = add(*again, 0), second = add(*again, 1);
  ASSERT_NE(first.restore, nullptr);
  EXPECT_EQ(first.restore->epoch, 3u);
  EXPECT_EQ(first.restore->sources[0].open[0].position, "30");
  EXPECT_EQ(value_of(first.restore, "x"), "1");
  EXPECT_EQ(second.restore->epoch, 1u);
  EXPECT_EQ(value_of(second.restore, "y"), "2");
  EXPECT_EQ(visible().size(), 3u);
}

TEST_F(StreamThreadTest, AFormerOwnerIsRefused) {
  auto old_member = join();
  const GroupMember old = old_member->owning(2).member;
  const auto zombie = thread(old, "zombie");
  const TaskStart zombie_task = add(*zombie, 0);
  expect_ok(commit(zombie_task, epoch(1, {"1"})));

  const auto member = join();
  member->owning(1);
  old_member->owning(1);
  old_member->leave();
  const GroupMember who = member->owning(2).member;
  EXPECT_GT(who.generation, old.generation);
  const auto heir = thread(who, "heir");
  const TaskStart task = add(*heir, 0);
  EXPECT_EQ(task.restore->epoch, 1u);

  const Status refused = commit(zombie_task, epoch(2, {"zombie"}));
  EXPECT_EQ(refused.code(), ErrorCode::kServiceRefused) << refused.to_string();
  expect_ok(commit(task, epoch(2, {"2"})));
  // Also one of which nobody knows any more whether it was committed.
  arm_failpoint(
      "library.before-commit", [] { return Status(ErrorCode::kServiceTimeout, "no answer"); }, 1);
  EXPECT_EQ(commit(zombie_task, epoch(2, {"zombie"})).code(), ErrorCode::kServiceRefused);
  expect_ok(commit(task, epoch(3, {"3"})));
  EXPECT_THAT(visible(), ElementsAre("1", "2", "3"));
}

TEST_F(StreamThreadTest, AnUnknownOutcomeIsLookedUp) {
  const auto member = join();
  const auto thread = this->thread(member->owning(2).member);
  const TaskStart task = add(*thread, 0);
  const auto no_answer = [] { return Status(ErrorCode::kServiceTimeout, "no answer"); };
  EpochId number = 0;
  for (const char* where :
       {"library.before-offsets", "library.before-commit", "library.after-commit"}) {
    arm_failpoint(where, no_answer, 1);
    ++number;
    expect_ok(commit(task, epoch(number, {std::to_string(number)}, std::to_string(number))));
    EXPECT_EQ(failpoint_hits(where), number == 3 ? 1 : 2);
    disarm_failpoints();
  }
  EXPECT_THAT(visible(), ElementsAre("1", "2", "3"));

  // Without looking it would be there twice.
  arm_failpoint("library.after-commit", no_answer, 1);
  arm_failpoint("unprotected.look-first", no_answer);
  expect_ok(commit(task, epoch(4, {"4"})));
  EXPECT_THAT(visible(), ElementsAre("1", "2", "3", "4", "4"));
}

TEST_F(StreamThreadTest, WhatAKilledProcessLeftOpenIsGone) {
  const auto member = join();
  const GroupMember who = member->owning(2).member;
  {
    const auto thread = this->thread(who);
    expect_ok(commit(add(*thread, 0), epoch(1, {"1"})));
  }
  {
    // In the middle of a transaction, offsets included; nobody ends it.
    ThreadProducer producer({client(), app_ + "-a", milliseconds(600'000)});
    expect_ok(producer.connect());
    expect_ok(producer.begin());
    kafka::Outgoing message;
    message.value = "half";
    message.partition = 0;
    expect_ok(producer.send(output_, message));
    arm_failpoint("library.before-commit",
                  [] { return Status(ErrorCode::kServiceTimeout, "killed"); });
    const kafka::PartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(offsets.get(), changelog_.c_str(), 0)->offset = 77;
    EXPECT_FALSE(producer.commit(*offsets, who).is_ok());
    disarm_failpoints();
  }
  const auto thread = this->thread(who);
  const TaskStart task = add(*thread, 0);
  EXPECT_EQ(task.restore->epoch, 1u);
  expect_ok(commit(task, epoch(2, {"2"})));
  EXPECT_THAT(visible(), ElementsAre("1", "2"));
}

TEST_F(StreamThreadTest, TheChangelogStaysShort) {
  const auto member = join();
  const GroupMember who = member->owning(2).member;
  std::string last;
  {
    const auto thread = this->thread(who);
    const TaskStart task = add(*thread, 0);
    std::int64_t low = 0, high = 0;
    const auto reader = kafka::Client::make(kafka::Client::Role::kConsumer, client(), {});
    for (EpochId number = 1; low == 0 || number < 40; ++number) {
      last = std::to_string(number) + std::string(900'000, 'x');
      ASSERT_LT(number, 5'000u) << "nothing is ever deleted";
      expect_ok(commit(task, epoch(number, {}, "k" + std::to_string(number % 3), last)));
      rd_kafka_query_watermark_offsets((*reader)->handle(), changelog_.c_str(), 0, &low, &high,
                                       60'000);
    }
  }
  const auto thread = this->thread(who);
  const TaskStart task = add(*thread, 0);
  EXPECT_EQ(value_of(task.restore, "k" + std::to_string(task.restore->epoch % 3)), last);
  EXPECT_NE(value_of(task.restore, "k0"), "(none)");
  EXPECT_NE(value_of(task.restore, "k1"), "(none)");
}

TEST_F(StreamThreadTest, ALocalBaseIsGoneOnFrom) {
  const auto member = join();
  const GroupMember who = member->owning(2).member;
  const auto thread = this->thread(who);
  const TaskStart task = add(*thread, 0);
  expect_ok(commit(task, epoch(1, {}, "a", "1")));
  expect_ok(commit(task, epoch(2, {}, "b", "2")));
  // As a state store keeps it with its rows; the third epoch it has not heard of.
  HeldState held{{task.policy->run(), 2, task.policy->position()}, 2, {{"count", "rows"}}};
  expect_ok(commit(task, epoch(3, {}, "c", "3")));
  const auto restored = [&](const std::optional<HeldState>& with) {
    thread->remove_task({0, 0});
    TaskSpec again = spec(0);
    again.held = with;
    auto added = thread->add_task(again);
    TG_CHECK(added.is_ok(), "{}", added.status().to_string());
    return added->restore;
  };
  auto rest = restored(held);
  EXPECT_EQ(rest->epoch, 3u);
  EXPECT_EQ(rest->held, held.tables);
  EXPECT_EQ(value_of(rest, "b"), "(none)");
  EXPECT_EQ(value_of(rest, "c"), "3");

  // Whatever does not fit is not relied on.
  const auto is_whole = [&](const HeldState& with) {
    const auto all = restored(with);
    return all->held.empty() && value_of(all, "a") == "1" && value_of(all, "c") == "3";
  };
  HeldState other = held;
  other.as_of.run = "another/0";
  EXPECT_TRUE(is_whole(other));
  other = held;
  other.tables.clear();
  EXPECT_TRUE(is_whole(other)) << "a table is missing";
  other = held;
  other.as_of.position = "v0 ?";
  EXPECT_TRUE(is_whole(other));
  other = held;
  other.least_epoch = 4;
  EXPECT_TRUE(is_whole(other)) << "it is ahead of the changelog";
  BasePosition place = *BasePosition::parse(held.as_of.position);
  ++place.offset;
  other = held;
  other.as_of.position = place.to_string();
  EXPECT_TRUE(is_whole(other)) << "something else is there";
  place.offset = 1'000'000;
  other.as_of.position = place.to_string();
  EXPECT_TRUE(is_whole(other)) << "nothing is there";
  EXPECT_TRUE(is_whole({}));
}

TEST_F(StreamThreadTest, AChangelogThatWasDeletedIsMissed) {
  const auto member = join();
  const GroupMember who = member->owning(2).member;
  const auto thread = this->thread(who);
  expect_ok(commit(add(*thread, 0), epoch(1, {"1"})));
  thread->remove_task({0, 0});
  broker_->delete_records(changelog_, 0, 2);
  const auto added = thread->add_task(spec(0));
  ASSERT_FALSE(added.is_ok());
  EXPECT_EQ(added.status().code(), ErrorCode::kStateCorrupt) << added.status().to_string();
  EXPECT_THAT(added.status().message(), HasSubstr("ends with epoch 0, but epoch 1 was committed"));
}

TEST_F(StreamThreadTest, ARoundDoesNotWaitForATaskThatIsRemoved) {
  const auto member = join();
  const auto thread = this->thread(member->owning(2).member);
  const TaskStart first = add(*thread, 0), second = add(*thread, 1);
  thread->start_task({0, 0}, [] {});
  std::promise<void> begun;
  thread->start_task({0, 1}, [&] { begun.set_value(); });
  const EpochRecord record = epoch(1, {"1"});
  auto waiting = std::async(std::launch::async, [&] { return commit(first, record); });
  begun.get_future().wait();
  thread->remove_task({0, 1});
  expect_ok(waiting.get());
  EXPECT_EQ(commit(second, record).code(), ErrorCode::kCancelled);

  // Nor does one begin while the thread is paused; and what waits then can be removed.
  thread->pause();
  const EpochRecord next = epoch(2, {"2"});
  std::promise<void> runs;
  auto stuck = std::async(std::launch::async, [&] {
    runs.set_value();
    return commit(first, next);
  });
  runs.get_future().wait();
  thread->remove_task({0, 0});
  EXPECT_EQ(stuck.get().code(), ErrorCode::kCancelled);
  EXPECT_THAT(visible(), ElementsAre("1"));
}

TEST_F(StreamThreadTest, TheBrokerMayBeAwayForAWhile) {
  const auto member = join();
  const auto thread = this->thread(member->owning(2).member);
  const TaskStart task = add(*thread, 0);
  expect_ok(commit(task, epoch(1, {"1"})));
  broker_->kill();
  const EpochRecord record = epoch(2, {"2"});
  auto waiting = std::async(std::launch::async, [&] { return commit(task, record); });
  broker_->start();
  const Status committed = waiting.get();
  // A group that has forgotten the member refuses it, which loses nothing either.
  if (!committed.is_ok()) {
    EXPECT_EQ(committed.code(), ErrorCode::kServiceRefused) << committed.to_string();
  }
  thread->remove_task({0, 0});
  const auto heir = this->thread(member->owning(2).member, "heir");
  const TaskStart again = add(*heir, 0);
  EXPECT_EQ(again.restore->epoch, committed.is_ok() ? 2u : 1u);
  if (committed.is_ok()) {
    EXPECT_THAT(visible(), ElementsAre("1", "2"));
  }
}

TEST_F(StreamThreadTest, MembersShareThePartitions) {
  const auto first = join();
  const Assignment all = first->owning(2);
  EXPECT_THAT(all.partitions, ElementsAre(TopicPartition{input_, 0}, TopicPartition{input_, 1}));
  EXPECT_EQ(all.member.group, app_);
  EXPECT_GE(all.member.generation, 1);
  auto second = join();
  const Assignment half = second->owning(1);
  EXPECT_EQ(first->owning(1).member.generation, half.member.generation);
  EXPECT_EQ(first->endings(), 1);
  second->leave();
  EXPECT_EQ(second->endings(), 1);
  EXPECT_EQ(first->owning(2).member.member_id, all.member.member_id);
}

TEST_F(StreamThreadTest, AStaticMemberComesBackUnnoticed) {
  const auto first = join("one");
  first->owning(2);
  auto second = join("two");
  second->owning(1);
  first->owning(1);
  const int endings = first->endings();
  second->leave();
  second = join("two");
  EXPECT_EQ(second->owning(1).member.instance_id, "two");
  EXPECT_EQ(first->endings(), endings);
}

TEST_F(StreamThreadTest, InternalTopicsAreMadeOnce) {
  expect_ok(topics_->create({changelog_topic(changelog_, 2), repartition_topic(app_ + "-r", 3)}));
  EXPECT_EQ(*topics_->partition_count(app_ + "-r"), 3);
  const Status other = topics_->create({changelog_topic(changelog_, 5)});
  EXPECT_EQ(other.code(), ErrorCode::kStateMismatch);
  EXPECT_THAT(other.message(), HasSubstr("has 2 partitions, and the program needs 5"));
  EXPECT_EQ(topics_->partition_count("nothing-of-the-kind").status().code(),
            ErrorCode::kTopicNotFound);
}

/// A request that ends a transaction is held back in front of the broker, and comes when the next
/// transaction is open.
class LateRequestTest : public testing::TestWithParam<bool> {};

TEST_P(LateRequestTest, DoesNotTouchALaterTransaction) {
  if (!RealBroker::missing().empty()) GTEST_SKIP() << RealBroker::missing();
  const bool is_protected = GetParam();
  HoldingProxy proxy;
  RealBroker broker(fmt::format("advertised.listeners=PLAINTEXT://127.0.0.1:{}", proxy.port()));
  proxy.forward_to(broker.address());
  broker.create_topic("out", 1);
  broker.create_topic("marks", 1);
  kafka::ClientProperties client;
  client.brokers = proxy.address();
  const auto executor = make_thread_executor(1, 4);
  Member member(proxy.address(), "late", *executor, {"marks"});
  const GroupMember who = member.owning(1).member;
  const kafka::PartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(offsets.get(), "marks", 0)->offset = 1;
  const auto send = [](ThreadProducer& producer, const std::string& value) {
    kafka::Outgoing message;
    message.value = value;
    message.partition = 0;
    const Status sent = producer.send("out", message);
    EXPECT_TRUE(sent.is_ok()) << sent.to_string();
  };
  if (!is_protected)
    arm_failpoint("unprotected.late-requests",
                  [] { return Status(ErrorCode::kInternal, "not protected"); });
  const auto visible = [&] {
    std::vector<std::string> values;
    for (const auto& message : kafka::consume_all(broker.address(), "out"))
      values.push_back(*message.value);
    return values;
  };
  {
    ThreadProducer producer({client, "late-requests", milliseconds(60'000)});
    ASSERT_TRUE(producer.connect().is_ok());
    ASSERT_TRUE(producer.begin().is_ok());
    send(producer, "first");
    constexpr int kEndTxn = 26;
    proxy.hold_next(kEndTxn);  // and its connection is cut: the producer sends it again
    const Status committed = producer.commit(*offsets, who);
    ASSERT_TRUE(committed.is_ok()) << committed.to_string();
    ASSERT_TRUE(proxy.holds());

    ASSERT_TRUE(producer.connect().is_ok());
    ASSERT_TRUE(producer.begin().is_ok());
    send(producer, "half of the second");
    // Not before the broker has it.
    arm_failpoint("library.before-offsets", [&] {
      proxy.release();
      return Status(ErrorCode::kServiceTimeout, "crashed");
    });
    EXPECT_FALSE(producer.commit(*offsets, who).is_ok());
    disarm_failpoints();
    producer.abandon();
  }
  if (is_protected) {
    EXPECT_THAT(visible(), ElementsAre("first"));
  } else {
    EXPECT_THAT(visible(), ElementsAre("first", "half of the second"));
  }
}

INSTANTIATE_TEST_SUITE_P(Protection, LateRequestTest, testing::Bool());

}  // namespace
}  // namespace tidegate::library
