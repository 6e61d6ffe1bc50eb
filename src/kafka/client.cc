// SPDX-License-Identifier: Apache-2.0
#include "kafka/client.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <vector>

#include "base/check.h"
#include "base/clock.h"

namespace tidegate::kafka {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPause{100};  // before the same question is asked again

/// The outside runs on the machine's clock, whatever the job's is.
class Deadline {
 public:
  explicit Deadline(milliseconds from_now)
      : at_ns_(system_clock().monotonic_ns() + from_now.count() * 1'000'000) {}
  milliseconds left() const {
    return milliseconds((at_ns_ - system_clock().monotonic_ns()) / 1'000'000);
  }
  bool passed() const { return left() <= milliseconds::zero(); }

 private:
  std::int64_t at_ns_;
};

struct Setting {
  const char* name;
  const char* value;
};

// The user's properties may override these.
constexpr Setting kDefaults[] = {
    {"client.id", "tidegate"},
    {"socket.keepalive.enable", "true"},
    {"reconnect.backoff.max.ms", "1000"},  // librdkafka's 10 s is long for a broker that restarts
    {"topic.metadata.propagation.max.ms", "5000"},
};
constexpr Setting kConsumerDefaults[] = {
    {"isolation.level", "read_committed"},
    {"check.crcs", "true"},  // as Java's default
    // Records that retention has taken must not be skipped in silence.
    {"auto.offset.reset", "error"},
    // Per partition; a message in the queue takes up some 300 bytes beside its own.
    {"queued.min.messages", "20000"},
    {"queued.max.messages.kbytes", "16384"},
    {"fetch.queue.backoff.ms", "5"},
};
constexpr Setting kProducerDefaults[] = {
    {"enable.idempotence", "true"},    {"acks", "all"},
    {"delivery.timeout.ms", "120000"}, {"queue.buffering.max.kbytes", "32768"},
    {"compression.type", "lz4"},
};
// And these not.
constexpr Setting kConsumerFixed[] = {
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},
};

std::vector<std::string> known_properties(rd_kafka_conf_t* conf) {
  std::size_t count = 0;
  const char** dump = rd_kafka_conf_dump(conf, &count);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; i += 2) names.emplace_back(dump[i]);
  rd_kafka_conf_dump_free(dump, count);
  return names;
}

Status set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  char reason[512];
  switch (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), reason, sizeof reason)) {
    case RD_KAFKA_CONF_OK:
      return Status::ok();
    case RD_KAFKA_CONF_UNKNOWN: {
      const std::string nearest = nearest_name(name, known_properties(conf));
      if (nearest.empty())
        return error(ErrorCode::kUnknownOption, "the Kafka client has no property '{}'", name);
      return error(ErrorCode::kUnknownOption,
                   "the Kafka client has no property '{}'; did you mean '{}'?", name, nearest);
    }
    case RD_KAFKA_CONF_INVALID:
      break;
  }
  if (is_secret_name(name))
    return error(ErrorCode::kInvalidOption, "the value of 'properties.{}' is not valid", name);
  return error(ErrorCode::kInvalidOption, "option 'properties.{}': {}", name, reason);
}

/// Settings that not every version or build of librdkafka has. True when taken.
bool set_if_known(rd_kafka_conf_t* conf, const Setting& setting) {
  return rd_kafka_conf_set(conf, setting.name, setting.value, nullptr, 0) == RD_KAFKA_CONF_OK;
}

std::int64_t number_of(const rd_kafka_conf_t* conf, const char* name) {
  char text[32];
  std::size_t size = sizeof text;
  const auto got = rd_kafka_conf_get(conf, name, text, &size);
  TG_CHECK(got == RD_KAFKA_CONF_OK, "librdkafka has no {}", name);
  return std::strtoll(text, nullptr, 10);
}

/// Java's rule: what rules idempotence out turns it off, unless it was asked for.
bool rules_out_idempotence(const ClientProperties& properties) {
  if (!properties.find("enable.idempotence").empty()) return false;
  const std::string_view acks = properties.find("acks");
  return (!acks.empty() && acks != "all" && acks != "-1") || properties.find("retries") == "0";
}

bool is_refusal(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR__AUTHENTICATION || error == RD_KAFKA_RESP_ERR__SSL ||
         error == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED;
}

}  // namespace

Result<ConfPtr> Client::make_conf(Role role, const ClientProperties& properties) {
  ConfPtr conf(rd_kafka_conf_new());
  const bool consumes = role == Role::kConsumer;
  for (const Setting& setting : kDefaults) set_if_known(conf.get(), setting);
  for (const Setting& setting : consumes ? std::span<const Setting>(kConsumerDefaults)
                                         : std::span<const Setting>(kProducerDefaults)) {
    const bool taken = set_if_known(conf.get(), setting);
    if (std::string_view(setting.name) == "fetch.queue.backoff.ms") looks_by_itself_ = taken;
  }
  if (!consumes && rules_out_idempotence(properties))
    set_if_known(conf.get(), {"enable.idempotence", "false"});
  for (const auto& [name, value] : properties.settings)
    TG_RETURN_IF_ERROR(set(conf.get(), name, value));
  TG_RETURN_IF_ERROR(set(conf.get(), "bootstrap.servers", properties.brokers));
  if (consumes) {
    for (const Setting& setting : kConsumerFixed) set_if_known(conf.get(), setting);
    queue_limits_ = {number_of(conf.get(), "queued.min.messages"),
                     number_of(conf.get(), "queued.max.messages.kbytes") * 1024};
    rd_kafka_conf_set_offset_commit_cb(conf.get(), &Client::on_committed);
    if (events_.rebalanced) rd_kafka_conf_set_rebalance_cb(conf.get(), &Client::on_rebalanced);
  } else {
    rd_kafka_conf_set_dr_msg_cb(conf.get(), &Client::on_delivered);
    rd_kafka_conf_set_closesocket_cb(conf.get(), &Client::on_close);
  }
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_error_cb(conf.get(), &Client::on_error);
  // Its log says what on_error() is told as well, and belongs to nobody's output.
  rd_kafka_conf_set_log_cb(conf.get(), nullptr);
  return conf;
}

Result<std::unique_ptr<Client>> Client::make(Role role, const ClientProperties& properties,
                                             Events events) {
  std::unique_ptr<Client> client(new Client());
  client->brokers_ = properties.brokers;
  client->user_ = properties.find("sasl.username");
  client->password_ = properties.find("sasl.password");
  client->events_ = std::move(events);
  TG_ASSIGN_OR_RETURN(ConfPtr conf, client->make_conf(role, properties));
  char reason[512];
  const auto type = role == Role::kConsumer ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER;
  client->handle_.reset(rd_kafka_new(type, conf.get(), reason, sizeof reason));
  if (client->handle_ == nullptr)
    return error(ErrorCode::kInvalidOption, "the Kafka client cannot be made: {}", reason);
  static_cast<void>(conf.release());  // belongs to the handle
  return client;
}

Client::~Client() {
  if (main_queue_ != nullptr) rd_kafka_queue_cb_event_enable(main_queue_.get(), nullptr, nullptr);
  main_queue_.reset();
}

void Client::on_error(rd_kafka_t* handle, int error, const char* reason, void* opaque) {
  auto* client = static_cast<Client*>(opaque);
  auto code = static_cast<rd_kafka_resp_err_t>(error);
  char fatal[512];
  if (code == RD_KAFKA_RESP_ERR__FATAL) {
    code = rd_kafka_fatal_error(handle, fatal, sizeof fatal);
    reason = fatal;
  }
  if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
    if (client->events_.all_brokers_down) client->events_.all_brokers_down();
    return;  // the reason was told before
  }
  const std::lock_guard lock(client->mutex_);
  client->trouble_ = reason;
  client->trouble_code_ = code;
}

void Client::on_delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  const auto* client = static_cast<Client*>(opaque);
  if (client->events_.delivered) client->events_.delivered(*message);
}

void Client::on_rebalanced(rd_kafka_t*, rd_kafka_resp_err_t what,
                           rd_kafka_topic_partition_list_t* partitions, void* opaque) {
  static_cast<Client*>(opaque)->events_.rebalanced(what, *partitions);
}

int Client::on_close(int socket, void* opaque) {
  static_cast<Client*>(opaque)->closed_connections_.fetch_add(1, std::memory_order_acq_rel);
  return ::close(socket);
}

void Client::on_committed(rd_kafka_t*, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t*,
                          void* opaque) {
  const auto* client = static_cast<Client*>(opaque);
  if (client->events_.offsets_committed) client->events_.offsets_committed(error);
}

void Client::on_ready_event(rd_kafka_t*, void* opaque) { static_cast<Client*>(opaque)->ready_(); }

void Client::on_ready(std::function<void()> ready) {
  TG_CHECK(main_queue_ == nullptr, "on_ready() was called before");
  ready_ = std::move(ready);
  main_queue_.reset(rd_kafka_queue_get_main(handle()));
  rd_kafka_queue_cb_event_enable(main_queue_.get(), &Client::on_ready_event, this);
}

void Client::serve() { rd_kafka_poll(handle(), 0); }
void Client::serve_for(milliseconds wait) {
  rd_kafka_poll(handle(), static_cast<int>(wait.count()));
}

TopicPtr Client::topic(const std::string& name) const {
  return TopicPtr(rd_kafka_topic_new(handle(), name.c_str(), nullptr));
}

Result<MetadataPtr> Client::metadata(rd_kafka_topic_t* topic, milliseconds timeout) {
  // A topic that was made a moment ago is not known everywhere at once.
  const Deadline unknown_until(std::min(timeout, milliseconds(1500)));
  const Deadline deadline(timeout);
  while (true) {
    TG_ASSIGN_OR_RETURN(MetadataPtr metadata, ask_metadata(topic, timeout));
    if (topic == nullptr) return metadata;
    const rd_kafka_resp_err_t error = metadata->topic_cnt == 1
                                          ? metadata->topics[0].err
                                          : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR && metadata->topics[0].partition_cnt > 0)
      return metadata;
    const bool unknown = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    const bool passing = error == RD_KAFKA_RESP_ERR_NO_ERROR || is_passing(error);
    if (!(unknown && !unknown_until.passed()) && !(passing && !deadline.passed())) {
      const std::string what =
          fmt::format("topic '{}' at {}", rd_kafka_topic_name(topic), brokers_);
      if (unknown) return kafka_status(error, what, "there is no such topic");
      return kafka_status(passing ? RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE : error, what);
    }
    serve_for(kPause);
  }
}

Result<MetadataPtr> Client::ask_metadata(rd_kafka_topic_t* topic, milliseconds timeout) {
  const rd_kafka_metadata_t* metadata = nullptr;
  TG_RETURN_IF_ERROR(ask("cannot list topics", timeout, [&](int wait_ms) {
    return rd_kafka_metadata(handle(), topic == nullptr ? 1 : 0, topic, &metadata, wait_ms);
  }));
  return MetadataPtr(metadata);
}

Status Client::ask(std::string_view what, milliseconds timeout, const Question& question) {
  // In slices: what goes wrong with the connection comes in through serve(), and some of it will
  // not pass. They grow, for brokers that are just slow.
  milliseconds slice{1000};
  const Deadline deadline(timeout);
  while (true) {
    const rd_kafka_resp_err_t error =
        question(static_cast<int>(std::clamp(deadline.left(), milliseconds(1), slice).count()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::ok();
    serve();
    {
      const std::lock_guard lock(mutex_);
      if (is_refusal(trouble_code_))
        return tidegate::error(ErrorCode::kServiceRefused, "Kafka at {} refuses: {}", brokers_,
                               trouble_);
    }
    if (!is_passing(error)) return kafka_status(error, fmt::format("{} at {}", what, brokers_));
    if (deadline.passed()) return unreachable(timeout);
    if (error == RD_KAFKA_RESP_ERR__TIMED_OUT) {
      slice *= 2;
    } else {
      serve_for(kPause);
    }
  }
}

std::string Client::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_.empty() ? "" : fmt::format(" ({})", trouble_);
}

Status Client::unreachable(milliseconds timeout) const {
  return error(ErrorCode::kServiceUnreachable, "Kafka at {} did not answer within {} ms{}",
               brokers_, timeout.count(), trouble());
}

Status Client::fatal() const {
  char reason[512];
  const rd_kafka_resp_err_t code = rd_kafka_fatal_error(handle(), reason, sizeof reason);
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return Status::ok();
  return error(ErrorCode::kDeliveryFailed, "the producer for {} has failed for good: {}", brokers_,
               reason);
}

void Client::look_for_room() const {
  if (looks_by_itself_) return;
  // Of all calls that wake the threads which fetch, the only one that does nothing else: it sets
  // the credentials that are set already.
  ErrorPtr(rd_kafka_sasl_set_credentials(handle(), user_.c_str(), password_.c_str()));
}

}  // namespace tidegate::kafka
