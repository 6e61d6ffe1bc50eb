// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidegate/codec.h"
#include "tidegate/record.h"
#include "tidegate/status.h"

namespace tidegate {

/// Looks into the state of a job that runs, by the names that as() gave to its operators. The task
/// that holds the state answers between two of its batches, and goes on; the caller waits for that.
/// What comes is current: epochs that are still to be committed are in it. A look is a read for a
/// Ttl that reads renew.
///
/// kUnknownName for an operator or state that the job does not have, kTypeMismatch for rows or keys
/// of other types, kCancelled when the operator has ended.
class LiveState {
 public:
  virtual ~LiveState() = default;

  /// What an aggregate would emit now, for all keys and open windows:
  ///   job.state<Keyed<std::string, std::int64_t>>("clicks")
  template <RecordType R>
  Result<std::vector<R>> state(std::string_view name) const {
    return rows<R>(name, nullptr);
  }
  /// The same of one key; several rows where it has several windows.
  template <RecordType R, RecordType K>
  Result<std::vector<R>> state(std::string_view name, const K& key) const {
    BatchWriter columns = key_columns(key);
    return rows<R>(name, &columns);
  }

  /// A value (or reducing state) of a process function:
  ///   job.value_state<std::int64_t>("velocity", "last", card)
  template <StateType T, RecordType K>
  Result<std::optional<T>> value_state(std::string_view name, std::string_view state,
                                       const K& key) const {
    return decoded<std::optional<T>, T>(name, state, key);
  }
  /// The elements of a list.
  template <StateType T, RecordType K>
  Result<std::vector<T>> list_state(std::string_view name, std::string_view state,
                                    const K& key) const {
    return decoded<std::vector<T>, std::vector<T>>(name, state, key);
  }
  /// The entries of a map.
  template <StateType M, StateType T, RecordType K>
  Result<std::map<M, T>> map_state(std::string_view name, std::string_view state,
                                   const K& key) const {
    return decoded<std::map<M, T>, std::map<M, T>>(name, state, key);
  }

 protected:
  using Visit = std::function<void(const BatchView& rows)>;
  /// `key` null: all keys. `columns` are those that the answer must have.
  virtual Status read_rows(std::string_view name, BatchWriter* key,
                           const std::vector<ColumnSpec>& columns, const Visit& visit) const = 0;
  /// The bytes of a process function's state; none when the key has no value.
  virtual Result<std::optional<std::string>> read_bytes(std::string_view name,
                                                        std::string_view state,
                                                        BatchWriter& key) const = 0;

 private:
  template <RecordType K>
  static BatchWriter key_columns(const K& key) {
    std::vector<ColumnType> types;
    for (const ColumnSpec& column : record_columns<K>()) types.push_back(column.type);
    BatchWriter writer(types);
    Record<K>::write(writer, 0, key);
    writer.end_row(0);
    return writer;
  }
  template <RecordType R>
  Result<std::vector<R>> rows(std::string_view name, BatchWriter* key) const {
    std::vector<R> rows;
    Status status = read_rows(name, key, record_columns<R>(), [&](const BatchView& batch) {
      for (std::int64_t i = 0; i < batch.num_rows; ++i) {
        rows.push_back(Record<R>::read(batch, 0, i));
      }
    });
    if (!status.is_ok()) return status;
    return rows;
  }
  template <typename Answer, StateType T, RecordType K>
  Result<Answer> decoded(std::string_view name, std::string_view state, const K& key) const {
    BatchWriter columns = key_columns(key);
    Result<std::optional<std::string>> bytes = read_bytes(name, state, columns);
    if (!bytes.is_ok()) return bytes.status();
    if (!bytes->has_value()) return Answer();
    std::string_view rest = **bytes;
    T value{};
    if (!Codec<T>::read(rest, value) || !rest.empty()) {
      return Status(ErrorCode::kTypeMismatch,
                    "state '" + std::string(state) + "' is not of the type that is asked for");
    }
    return Answer(std::move(value));
  }
};

}  // namespace tidegate
