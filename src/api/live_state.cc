// SPDX-License-Identifier: Apache-2.0
#include "api/live_state.h"

#include <arrow/array/array_binary.h>
#include <arrow/type.h>

#include <condition_variable>
#include <mutex>
#include <utility>

#include "api/columns.h"
#include "base/check.h"

namespace tidegate {
namespace {

Status check_columns(const Batch& batch, const Schema& asked, std::string_view name) {
  bool same = batch.num_columns() == asked.num_fields();
  for (int i = 0; same && i < batch.num_columns(); ++i) {
    same = batch.column(i)->type()->Equals(*asked.field(i).type.arrow_type());
  }
  if (same) return Status::ok();
  return Status(ErrorCode::kTypeMismatch,
                fmt::format("the rows of '{}' are not {}", name, asked.to_string()),
                "Ask for Keyed<K, V>, or of windows of time for Windowed<K, V>.");
}

Status take_key(BatchWriter* columns, std::optional<Batch>& key) {
  if (columns == nullptr) return Status::ok();
  TG_ASSIGN_OR_RETURN(key, finish_batch(*columns, Batch(1, {})));
  return Status::ok();
}

}  // namespace

Result<StateReading> read_live_rows(const AskJob& ask, std::string_view name,
                                    const LiveQuery& wanted, const std::vector<ColumnSpec>& columns,
                                    const std::function<void(const BatchView& rows)>& visit) {
  StateQuery query;
  query.committed = wanted.committed;
  TG_RETURN_IF_ERROR(take_key(wanted.key, query.key));
  TG_RETURN_IF_ERROR(take_key(wanted.from, query.from));
  TG_RETURN_IF_ERROR(take_key(wanted.to, query.to));
  TG_ASSIGN_OR_RETURN(StateReading reading, ask(name, std::move(query)));
  const SchemaPtr schema = schema_of(columns);
  for (const Batch& batch : std::exchange(reading.rows, {})) {
    if (batch.empty()) continue;
    TG_RETURN_IF_ERROR(check_columns(batch, *schema, name));
    visit(view_of(batch));
  }
  return reading;
}

Result<std::optional<std::string>> read_live_bytes(const AskJob& ask, std::string_view name,
                                                   std::string_view state, BatchWriter& key) {
  StateQuery query;
  query.state = state;
  TG_ASSIGN_OR_RETURN(query.key, finish_batch(key, Batch(1, {})));
  TG_ASSIGN_OR_RETURN(const StateReading reading, ask(name, std::move(query)));
  for (const Batch& batch : reading.rows) {
    if (batch.empty()) continue;
    const auto* bytes = dynamic_cast<const arrow::BinaryArray*>(batch.column(0).get());
    if (bytes == nullptr || batch.num_columns() != 1) {
      return error(ErrorCode::kTypeMismatch, "'{}' is no process function", name);
    }
    return std::optional<std::string>(bytes->GetString(0));
  }
  if (!reading.elsewhere.empty())
    return Status(ErrorCode::kServiceRefused,
                  fmt::format("another instance has the key, or may have it{}{}",
                              reading.elsewhere[0].address.empty() ? "" : ", at ",
                              reading.elsewhere[0].address),
                  "Ask the program that runs there.");
  return std::optional<std::string>();
}

Result<StateReading> ask_and_wait(Job& job, std::string_view name, StateQuery query,
                                  bool ends_epoch) {
  std::mutex mutex;
  std::condition_variable answered;
  std::optional<Result<StateReading>> answer;
  job.read_state(name, std::move(query), [&](Result<StateReading> reading) {
    const std::lock_guard lock(mutex);  // also while notifying: the waiting one owns all of this
    answer = std::move(reading);
    answered.notify_all();
  });
  if (ends_epoch) job.trigger_epoch();
  std::unique_lock lock(mutex);
  answered.wait(lock, [&] { return answer.has_value(); });
  return *std::move(answer);
}

}  // namespace tidegate
