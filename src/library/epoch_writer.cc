// SPDX-License-Identifier: Apache-2.0
#include "library/epoch_writer.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/failpoints.h"
#include "base/log.h"
#include "base/random.h"
#include "epoch/record_codec.h"
#include "kafka/message_journal.h"
#include "kafka/position_letters.h"
#include "kafka/topic_journal.h"
#include "library/changelog_restore.h"

namespace tidegate::library {

namespace {

using std::chrono::milliseconds;

/// A transaction that a killed process has left open ends by itself within this time.
constexpr milliseconds kSettling{120'000};
constexpr milliseconds kFirstPause{100}, kLongestPause{5'000};

/// What of a record is compared: all but its number, state and output.
std::string positions_of(const EpochRecord& record) {
  EpochRecord bare = without_state(record);
  bare.epoch = 0;
  return encode_record(bare);
}

bool changes_anything(const EpochRecord& record) {
  return !record.committables.empty() ||
         std::ranges::any_of(record.operators,
                             [](const OperatorState& state) { return !state.deltas.empty(); });
}

}  // namespace

std::string run_of(const TopicPartition& changelog) {
  return fmt::format("{}/{}", changelog.topic, changelog.partition);
}

EpochWriter::EpochWriter(const StreamThreadOptions& options)
    : client_(options.client),
      patience_(options.patience),
      run_(entropy_seed()),
      producer_({options.client, options.transactional_id, options.transaction_timeout}) {}

Status EpochWriter::connect() {
  const std::lock_guard lock(mutex_);
  return producer_.connect();
}

Result<EpochMarks*> EpochWriter::marks(const std::string& group) {
  const std::lock_guard lock(marks_mutex_);
  if (marks_ == nullptr || marks_group_ != group) {
    TG_ASSIGN_OR_RETURN(marks_, EpochMarks::make(client_, group, kSettling));
    marks_group_ = group;
  }
  return marks_.get();
}

Result<std::shared_ptr<const EpochRecord>> EpochWriter::restore(TaskLog& log,
                                                                const std::string& group) {
  TG_ASSIGN_OR_RETURN(EpochMarks* const asked, marks(group));
  // First the mark, which waits for transactions that may still change it: this process is a member
  // of the newest generation, so no later one of a former owner will be accepted.
  ChangelogRange range{log.changelog, {}, 0};
  TG_ASSIGN_OR_RETURN(const auto found, asked->read({log.changelog}));
  range.mark = found[0];
  TG_ASSIGN_OR_RETURN(range.end, asked->end_of(log.changelog));
  ChangelogProgress progress;
  if (log.spec.on_progress)
    progress = [&](std::int64_t messages, std::int64_t bytes, std::int64_t all) {
      log.spec.on_progress({log.spec.id, messages, all, bytes});
    };
  TG_ASSIGN_OR_RETURN(ChangelogReader::Restored restored, read_rest(log, range, progress));
  log.index = std::move(restored.index);
  log.last = log.index.last();
  log.last_run = restored.run;
  log.tables = std::move(restored.tables);
  if (!restored.record) return std::shared_ptr<const EpochRecord>();
  log.last_positions = positions_of(*restored.record);
  return std::make_shared<const EpochRecord>(*std::move(restored.record));
}

/// What is to be restored: behind the local base when the changelog goes on from that, else all.
Result<ChangelogReader::Restored> EpochWriter::read_rest(const TaskLog& log,
                                                         const ChangelogRange& range,
                                                         const ChangelogProgress& progress) {
  const std::optional<HeldState>& held = log.spec.held;
  const std::string run = run_of(log.changelog);
  ChangelogRange rest = range;
  if (held && held->as_of.run == run) rest.base = BasePosition::parse(held->as_of.position);
  // What is not below memory is in the changelog only.
  const bool is_whole =
      rest.base && rest.base->epoch > 0 && std::ranges::includes(held->tables, rest.base->tables);
  if (is_whole) {
    Result<ChangelogReader::Restored> restored = read_changelog(client_, rest, kSettling, progress);
    const bool serves =
        restored.is_ok() && restored->record.has_value() &&
        (held->least_epoch == held->as_of.epoch || restored->index.last() >= held->least_epoch);
    if (serves) {
      restored->record->run = run;
      restored->record->held = rest.base->tables;
      return restored;
    }
    // Whether the changelog itself is damaged shows when all of it is read.
    const bool may_serve_whole = restored.is_ok() ||
                                 restored.status().code() == ErrorCode::kStateMismatch ||
                                 restored.status().code() == ErrorCode::kStateCorrupt;
    if (!may_serve_whole) return restored;
    log_info("library.base-not-used",
             {{"task", log.spec.id.to_string()}, {"reason", restored.status()}});
  }
  return read_changelog(client_, range, kSettling, progress);
}

Result<EpochRecord> EpochWriter::read_back(const TopicPartition& changelog, EpochId last) {
  const ChangelogRange range{changelog, EpochMark{run_, last}, INT64_MAX};
  TG_ASSIGN_OR_RETURN(ChangelogReader::Restored restored,
                      read_changelog(client_, range, kSettling, {}));
  if (!restored.record)
    return error(ErrorCode::kStateCorrupt, "topic '{}' partition {} is empty", changelog.topic,
                 changelog.partition);
  return *std::move(restored.record);
}

void EpochWriter::write(std::span<Contribution> contributions, const GroupMember& member,
                        const std::function<bool()>& gives_up) {
  const std::lock_guard lock(mutex_);
  Parts parts;
  last_bytes_ = 0;
  for (Contribution& part : contributions) {
    part.result = prepare(part);
    if (part.result.is_ok() && part.is_new) parts.push_back(&part);
  }
  if (parts.empty()) return;
  const std::int64_t end_ns =
      system_clock().monotonic_ns() + patience_.count() * std::int64_t{1'000'000};
  milliseconds pause = kFirstPause;
  Status written;
  for (bool again = false;; again = true) {
    written = try_to_write(parts, member, again);
    if (written.is_ok()) break;
    producer_.abandon();
    if (written.kind() != ErrorKind::kUnavailable || gives_up() ||
        system_clock().monotonic_ns() >= end_ns)
      break;
    log_warning("library.commit-again", {{"error", written}});
    wait(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  for (Contribution* part : parts) {
    part->result = written;
    if (written.is_ok()) accept(*part);
  }
}

void EpochWriter::wait(milliseconds time) {
  std::unique_lock lock(wait_mutex_);
  never_.wait_for(lock, time);
}

Status EpochWriter::prepare(Contribution& part) const {
  const EpochRecord& record = *part.record;
  const TaskLog& log = *part.log;
  part.positions = positions_of(record);
  part.is_new = changes_anything(record) || part.positions != log.last_positions;
  if (!part.is_new) return Status::ok();
  if (log.spec.offsets) {
    TG_ASSIGN_OR_RETURN(part.offsets, log.spec.offsets(record));
  }
  part.messages = encode_changelog(
      run_, log.last, record,
      log.slices.empty() ? std::span<const BaseSlice>() : std::span(&log.slices.front(), 1));
  return Status::ok();
}

Status EpochWriter::try_to_write(const Parts& parts, const GroupMember& member, bool look_first) {
  TG_RETURN_IF_ERROR(producer_.connect());
  if (look_first && TG_PROTECTED("look-first")) {
    TG_ASSIGN_OR_RETURN(const bool is_there, took_effect(parts, member));
    if (is_there) return Status::ok();
  }
  TG_RETURN_IF_ERROR(producer_.begin());
  TG_RETURN_IF_ERROR(send_all(parts));
  return commit(parts, member);
}

Result<bool> EpochWriter::took_effect(const Parts& parts, const GroupMember& member) {
  TG_ASSIGN_OR_RETURN(EpochMarks* const asked, marks(member.group));
  std::vector<TopicPartition> changelogs;
  for (const Contribution* part : parts) changelogs.push_back(part->log->changelog);
  TG_ASSIGN_OR_RETURN(const auto found, asked->read(changelogs));
  std::size_t num_there = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!found[i]) continue;
    if (*found[i] == EpochMark{run_, parts[i]->record->epoch}) {
      ++num_there;
    } else if (found[i]->epoch > parts[i]->log->last) {
      return error(ErrorCode::kServiceRefused,
                   "task {}: another process has committed epoch {} meanwhile",
                   parts[i]->log->spec.id.to_string(), found[i]->epoch);
    }
  }
  if (num_there != 0 && num_there != parts.size())
    return error(ErrorCode::kStateCorrupt, "group '{}': a transaction took effect in part",
                 member.group);
  return num_there != 0;
}

Status EpochWriter::send_all(const Parts& parts) {
  for (const Contribution* part : parts) {
    TG_RETURN_IF_ERROR(
        send_outputs(*part->record).with_context("task " + part->log->spec.id.to_string()));
    for (const std::string& bytes : part->messages) {
      kafka::Outgoing message;
      message.value = bytes;
      message.partition = part->log->changelog.partition;
      TG_RETURN_IF_ERROR(producer_.send(part->log->changelog.topic, message));
    }
  }
  return Status::ok();
}

Status EpochWriter::send_outputs(const EpochRecord& record) {
  for (const Committable& committable : record.committables)
    TG_RETURN_IF_ERROR(send_journal(committable.bytes));
  for (const SourceState& source : record.sources) {
    for (const SplitState& split : source.open) {
      if (!split.position) continue;
      const std::string_view letters = kafka::letters_of_position(*split.position);
      if (!letters.empty()) TG_RETURN_IF_ERROR(send_journal(letters));
    }
  }
  return Status::ok();
}

Status EpochWriter::send_journal(std::string_view topic_journal) {
  TG_ASSIGN_OR_RETURN(const auto output, kafka::TopicJournal::parse(topic_journal));
  const std::string topic(output.topic);
  return kafka::read_journal(
      output.journal, [&](kafka::Outgoing& message) { return producer_.send(topic, message); });
}

Status EpochWriter::commit(const Parts& parts, const GroupMember& member) {
  const kafka::PartitionsPtr offsets(rd_kafka_topic_partition_list_new(1));
  // Several sources of a task may read the same partition.
  std::map<TopicPartition, std::int64_t> positions;
  for (const Contribution* part : parts) {
    add_mark(*offsets, part->log->changelog, {run_, part->record->epoch});
    for (const GroupOffset& each : part->offsets) {
      const auto [at, is_first] = positions.try_emplace(each.partition, each.offset);
      if (!is_first) at->second = std::min(at->second, each.offset);
    }
  }
  for (const auto& [partition, offset] : positions)
    rd_kafka_topic_partition_list_add(offsets.get(), partition.topic.c_str(), partition.partition)
        ->offset = offset;
  return producer_.commit(*offsets, member);
}

void EpochWriter::accept(Contribution& part) {
  TaskLog& log = *part.log;
  std::int64_t bytes = 0;
  for (const std::string& message : part.messages)
    bytes += static_cast<std::int64_t>(message.size());
  last_bytes_ += bytes;
  log.index.add(part.record->epoch, log.last, producer_.first_offset(log.changelog).value_or(0),
                bytes);
  if (!log.slices.empty()) {
    log.index.add(log.slices.front());
    log.slices.pop_front();
  }
  for (const OperatorState& state : part.record->operators)
    for (const StateDelta& delta : state.deltas) log.tables.emplace(state.uid, delta.table);
  log.last = part.record->epoch;
  log.last_run = run_;
  log.last_positions = std::move(part.positions);
}

}  // namespace tidegate::library
