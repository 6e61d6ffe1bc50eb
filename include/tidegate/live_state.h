// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidegate/codec.h"
#include "tidegate/record.h"
#include "tidegate/state_owner.h"
#include "tidegate/status.h"
#include "tidegate/time.h"

namespace tidegate {

/// What a look into state shows.
enum class Shows : std::uint8_t {
  kCurrent,    ///< what is there now: epochs that are still to be committed are in it
  kCommitted,  ///< as of an epoch that is durable; the look waits for the next one that ends
};

/// What was found, and as of when.
template <typename T>
struct LiveReading {
  T value{};
  Shows shows = Shows::kCurrent;
  /// Committed: the state is as of this epoch. Current: this epoch is in it, and what was processed
  /// since. Tasks of library mode have epochs of their own; the earliest of those that were asked.
  EpochId epoch = 0;
  /// Library mode: which other instances have what this one has not. The owner of a key (or those
  /// who may have it, where only their rows tell), or all who have a part of a range.
  std::vector<StateOwner> elsewhere;

  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

class LiveState;

/// The results of an aggregate without windows by key, in a job that runs.
template <RecordType K, RecordType V>
class LiveStore {
 public:
  using Row = Keyed<K, V>;

  LiveStore(const LiveState& job, std::string_view name) : job_(&job), name_(name) {}

  /// The result of a key; none when it has none here.
  Result<LiveReading<std::optional<V>>> get(const K& key, Shows shows = Shows::kCurrent) const;
  /// The results of the keys from `from` on up to `to`, without that, as SQL orders them. Within a
  /// task they are in the order of keys.
  Result<LiveReading<std::vector<Row>>> range(const K& from, const K& to,
                                              Shows shows = Shows::kCurrent) const;
  Result<LiveReading<std::vector<Row>>> all(Shows shows = Shows::kCurrent) const;

 private:
  const LiveState* job_;
  std::string name_;
};

/// The results of an aggregate with windows of time: of all windows that are open.
template <RecordType K, RecordType V>
class LiveWindowStore {
 public:
  using Row = Windowed<K, V>;

  LiveWindowStore(const LiveState& job, std::string_view name) : job_(&job), name_(name) {}

  Result<LiveReading<std::vector<Row>>> get(const K& key, Shows shows = Shows::kCurrent) const;
  Result<LiveReading<std::vector<Row>>> range(const K& from, const K& to,
                                              Shows shows = Shows::kCurrent) const;
  Result<LiveReading<std::vector<Row>>> all(Shows shows = Shows::kCurrent) const;

 private:
  const LiveState* job_;
  std::string name_;
};

/// Looks into the state of a job that runs, by the names that as() gave to its operators. The task
/// that holds the state answers between two of its batches, and goes on; the caller waits for that.
/// A look is a read for a Ttl that reads renew. In library mode it finds what this instance has.
///
/// kUnknownName for an operator or state that the job does not have, kTypeMismatch for rows or keys
/// of other types, kCancelled when the operator has ended.
class LiveState {
 public:
  virtual ~LiveState() = default;

  /// What an aggregate would emit now, by key, in ranges of keys, also as of an epoch:
  ///   job.store<std::string, std::int64_t>("clicks").get("/home")
  template <RecordType K, RecordType V>
  LiveStore<K, V> store(std::string_view name) const {
    return LiveStore<K, V>(*this, name);
  }
  template <RecordType K, RecordType V>
  LiveWindowStore<K, V> window_store(std::string_view name) const {
    return LiveWindowStore<K, V>(*this, name);
  }

  /// What an aggregate would emit now, for all keys and open windows:
  ///   job.state<Keyed<std::string, std::int64_t>>("clicks")
  template <RecordType R>
  Result<std::vector<R>> state(std::string_view name) const {
    return current<R>(name, nullptr);
  }
  /// The same of one key; several rows where it has several windows.
  template <RecordType R, RecordType K>
  Result<std::vector<R>> state(std::string_view name, const K& key) const {
    BatchWriter columns = key_columns(key);
    return current<R>(name, &columns);
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
  template <RecordType K, RecordType V>
  friend class LiveStore;
  template <RecordType K, RecordType V>
  friend class LiveWindowStore;

  using Visit = std::function<void(const BatchView& rows)>;
  /// Which rows are wanted; null: not limited by that.
  struct Wanted {
    BatchWriter* key = nullptr;
    BatchWriter* from = nullptr;
    BatchWriter* to = nullptr;
    Shows shows = Shows::kCurrent;
  };
  struct Found {
    EpochId epoch = 0;
    std::vector<StateOwner> elsewhere;
  };
  /// `columns` are those that the answer must have.
  virtual Result<Found> read_rows(std::string_view name, const Wanted& wanted,
                                  const std::vector<ColumnSpec>& columns,
                                  const Visit& visit) const = 0;
  /// The bytes of a process function's state; none when the key has no value.
  virtual Result<std::optional<std::string>> read_bytes(std::string_view name,
                                                        std::string_view state,
                                                        BatchWriter& key) const = 0;

  static Status held_elsewhere(const std::vector<StateOwner>& owners) {
    const std::string& address = owners.front().address;
    return Status(
        ErrorCode::kServiceRefused,
        "another instance has the key, or may have it" + (address.empty() ? "" : ", at " + address),
        "Ask that one, or use store(), which says who has a key.");
  }

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
  Result<LiveReading<std::vector<R>>> rows(std::string_view name, const Wanted& wanted) const {
    LiveReading<std::vector<R>> reading;
    Result<Found> found = read_rows(name, wanted, record_columns<R>(), [&](const BatchView& batch) {
      for (std::int64_t i = 0; i < batch.num_rows; ++i) {
        reading.value.push_back(Record<R>::read(batch, 0, i));
      }
    });
    if (!found.is_ok()) return found.status();
    reading.shows = wanted.shows;
    reading.epoch = found->epoch;
    reading.elsewhere = std::move(found->elsewhere);
    return reading;
  }
  template <RecordType R, RecordType K>
  Result<LiveReading<std::vector<R>>> rows_of(std::string_view name, const K& key,
                                              Shows shows) const {
    BatchWriter columns = key_columns(key);
    return rows<R>(name, {.key = &columns, .shows = shows});
  }
  template <RecordType R, RecordType K>
  Result<LiveReading<std::vector<R>>> rows_between(std::string_view name, const K& from,
                                                   const K& to, Shows shows) const {
    BatchWriter first = key_columns(from);
    BatchWriter end = key_columns(to);
    return rows<R>(name, {.from = &first, .to = &end, .shows = shows});
  }
  template <RecordType R>
  Result<std::vector<R>> current(std::string_view name, BatchWriter* key) const {
    Result<LiveReading<std::vector<R>>> reading = rows<R>(name, {.key = key});
    if (!reading.is_ok()) return reading.status();
    if (key != nullptr && !reading->elsewhere.empty()) return held_elsewhere(reading->elsewhere);
    return std::move(reading->value);
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

template <RecordType K, RecordType V>
Result<LiveReading<std::optional<V>>> LiveStore<K, V>::get(const K& key, Shows shows) const {
  auto rows = job_->rows_of<Row>(name_, key, shows);
  if (!rows.is_ok()) return rows.status();
  LiveReading<std::optional<V>> reading{{}, rows->shows, rows->epoch, std::move(rows->elsewhere)};
  if (!rows->value.empty()) reading.value = std::move(rows->value.front().value);
  return reading;
}
template <RecordType K, RecordType V>
auto LiveStore<K, V>::range(const K& from, const K& to, Shows shows) const
    -> Result<LiveReading<std::vector<Row>>> {
  return job_->rows_between<Row>(name_, from, to, shows);
}
template <RecordType K, RecordType V>
auto LiveStore<K, V>::all(Shows shows) const -> Result<LiveReading<std::vector<Row>>> {
  return job_->rows<Row>(name_, {.shows = shows});
}

template <RecordType K, RecordType V>
auto LiveWindowStore<K, V>::get(const K& key, Shows shows) const
    -> Result<LiveReading<std::vector<Row>>> {
  return job_->rows_of<Row>(name_, key, shows);
}
template <RecordType K, RecordType V>
auto LiveWindowStore<K, V>::range(const K& from, const K& to, Shows shows) const
    -> Result<LiveReading<std::vector<Row>>> {
  return job_->rows_between<Row>(name_, from, to, shows);
}
template <RecordType K, RecordType V>
auto LiveWindowStore<K, V>::all(Shows shows) const -> Result<LiveReading<std::vector<Row>>> {
  return job_->rows<Row>(name_, {.shows = shows});
}

}  // namespace tidegate
