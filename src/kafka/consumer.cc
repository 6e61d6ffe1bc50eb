// SPDX-License-Identifier: Apache-2.0
#include "kafka/consumer.h"

#include <chrono>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"

namespace tidegate::kafka {

using std::chrono::milliseconds;

Consumer::Consumer(milliseconds outage_timeout, Executor& executor)
    : outage_timeout_(outage_timeout), executor_(executor) {}

Result<std::shared_ptr<Consumer>> Consumer::make(const ClientProperties& properties,
                                                 milliseconds outage_timeout, Executor& executor) {
  std::shared_ptr<Consumer> consumer(new Consumer(outage_timeout, executor));
  Client::Events events;
  events.all_brokers_down = [raw = consumer.get()] { raw->watch_outage(); };
  events.offsets_committed = [raw = consumer.get()](rd_kafka_resp_err_t error) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) ++raw->failed_commits_;
  };
  TG_ASSIGN_OR_RETURN(consumer->client_,
                      Client::make(Client::Role::kConsumer, properties, std::move(events)));
  const std::weak_ptr<Consumer> weak = consumer;
  const auto serve = [weak, &executor = consumer->executor_] {
    executor.submit([weak] {
      if (const auto consumer = weak.lock()) consumer->client_->serve();
    });
  };
  consumer->client_->on_ready(serve);
  serve();  // there is no call for what came before
  return consumer;
}

Result<std::unique_ptr<Consumer::Fetch>> Consumer::fetch(const std::string& topic,
                                                         std::int32_t partition,
                                                         std::int64_t offset, Waker waker) {
  TopicPtr handle = client_->topic(topic);
  if (handle == nullptr)
    return error(ErrorCode::kInvalidArgument, "'{}' is not a topic's name", topic);
  {
    const std::lock_guard lock(mutex_);
    if (!wakers_.try_emplace({topic, partition}, waker).second)
      return error(ErrorCode::kInternal, "topic '{}' partition {} has a reader already", topic,
                   partition);
  }
  auto fetch =
      std::make_unique<Fetch>(shared_from_this(), std::move(handle), partition, std::move(waker));
  if (rd_kafka_consume_start_queue(fetch->topic_.get(), partition, offset, fetch->queue()) != 0)
    return kafka_status(
        rd_kafka_last_error(),
        fmt::format("cannot read topic '{}' partition {} from {}", topic, partition, offset));
  fetch->started_ = true;
  return fetch;
}

Consumer::Fetch::Fetch(std::shared_ptr<Consumer> consumer, TopicPtr topic, std::int32_t partition,
                       Waker waker)
    : consumer_(std::move(consumer)),
      topic_(std::move(topic)),
      partition_(partition),
      waker_(std::move(waker)),
      queue_(rd_kafka_queue_new(consumer_->client_->handle())) {
  rd_kafka_queue_cb_event_enable(queue_.get(), &Fetch::on_message, this);
}

Consumer::Fetch::~Fetch() {
  rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  if (started_) rd_kafka_consume_stop(topic_.get(), partition_);
  const std::lock_guard lock(consumer_->mutex_);
  consumer_->wakers_.erase({rd_kafka_topic_name(topic_.get()), partition_});
}

void Consumer::Fetch::on_message(rd_kafka_t*, void* fetch) {
  static_cast<const Fetch*>(fetch)->waker_.wake();
}

Status Consumer::failure() const {
  if (!failed_.load(std::memory_order_acquire)) return Status::ok();
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Consumer::fail(Status failure) {
  std::vector<Waker> wakers;
  {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
    failed_.store(true, std::memory_order_release);
    for (const auto& [partition, waker] : wakers_) wakers.push_back(waker);
  }
  for (const Waker& waker : wakers) waker.wake();
}

void Consumer::commit(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  const PartitionsPtr list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = offset;
  rd_kafka_commit(client_->handle(), list.get(), /*async=*/1);
}

void Consumer::watch_outage() {
  if (watching_.exchange(true)) return;
  executor_.submit_blocking([weak = weak_from_this()] {
    if (const auto consumer = weak.lock()) consumer->wait_for_brokers();
  });
}

void Consumer::wait_for_brokers() {
  const std::int64_t start_ns = system_clock().monotonic_ns();
  const rd_kafka_metadata_t* metadata = nullptr;
  // librdkafka says when brokers go, but not when they come back: any answer will do. When nobody
  // else holds the consumer any more, the job has ended.
  while (weak_from_this().use_count() > 1) {
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client_->handle(), 0, nullptr, &metadata, 500);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      MetadataPtr{metadata};
      break;
    }
    const milliseconds past((system_clock().monotonic_ns() - start_ns) / 1'000'000);
    if (past >= outage_timeout_) {
      fail(client_->unreachable(outage_timeout_));
      break;
    }
    client_->serve_for(milliseconds(50));
  }
  watching_ = false;
}

}  // namespace tidegate::kafka
