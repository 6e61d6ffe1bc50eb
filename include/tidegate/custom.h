// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tidegate/collector.h"
#include "tidegate/connectors.h"
#include "tidegate/record.h"
#include "tidegate/status.h"
#include "tidegate/untyped.h"

/// Sources, sinks and formats of one's own: the contracts that the built-in ones follow, for rows
/// of a type.
namespace tidegate {

/// Reads one split of a source in order. One thread at a time.
template <RecordType T>
class CustomReader {
 public:
  using State = untyped::NativeReader::State;
  virtual ~CustomReader() = default;
  /// Emits at most about `max_rows` rows, without blocking. kPending: nothing now, `wake` (given to
  /// open()) will be called.
  virtual Result<State> poll(Collector<T>& out, std::int64_t max_rows) = 0;
  /// Where to go on after everything emitted so far; stored in epochs.
  virtual std::string position() const = 0;
};

/// A source: pieces with an order of their own, and readers for them.
template <RecordType T>
class CustomSource {
 public:
  virtual ~CustomSource() = default;
  /// Names of the pieces, stable over restarts. May block. Called once, or, of a source that is not
  /// bounded but whose splits end, again and again: new names are new splits.
  virtual Result<std::vector<std::string>> splits() = 0;
  /// True when the source ends by itself.
  virtual bool is_bounded() const { return true; }
  /// True when every split ends, as files do in a folder that gets new ones.
  virtual bool splits_end() const { return is_bounded(); }
  /// Opens a split at its beginning or at an earlier reader's position(). `wake` may be called from
  /// any thread at any time.
  virtual Result<std::unique_ptr<CustomReader<T>>> open(const std::string& split,
                                                        const std::optional<std::string>& position,
                                                        std::function<void()> wake) = 0;
};

/// Writes the rows of one task. One thread at a time.
template <RecordType T>
class CustomWriter {
 public:
  virtual ~CustomWriter() = default;
  virtual Status write(const T& row) = 0;
  /// Rows so far belong to `epoch`: makes them durable, not visible, and returns what
  /// CustomSink::commit() needs; empty: nothing to commit.
  virtual Result<std::string> prepare(EpochId epoch) = 0;
};

/// A sink. Without commit() it writes at least once.
template <RecordType T>
class CustomSink {
 public:
  virtual ~CustomSink() = default;
  /// True when rows become visible with commit() only.
  virtual bool is_transactional() const { return false; }
  virtual Result<std::unique_ptr<CustomWriter<T>>> open_writer(int task) = 0;
  /// Makes what prepare() described visible. Idempotent: may be called again after a failure.
  virtual Status commit(EpochId, const std::string&) { return Status::ok(); }
  virtual Status abort(EpochId, const std::string&) { return Status::ok(); }
};

namespace custom_adapters {

template <RecordType T>
class Reader final : public untyped::NativeReader {
 public:
  explicit Reader(std::unique_ptr<CustomReader<T>> reader) : reader_(std::move(reader)) {}
  Result<State> poll(BatchWriter& out, std::int64_t max_rows) override {
    Collector<T> collector(out);
    return reader_->poll(collector, max_rows);
  }
  std::string position() const override { return reader_->position(); }

 private:
  std::unique_ptr<CustomReader<T>> reader_;
};

template <RecordType T>
class Source final : public untyped::NativeSource {
 public:
  explicit Source(std::shared_ptr<CustomSource<T>> source) : source_(std::move(source)) {}
  Result<std::vector<std::string>> splits() override { return source_->splits(); }
  bool is_bounded() const override { return source_->is_bounded(); }
  bool splits_end() const override { return source_->splits_end(); }
  Result<std::unique_ptr<untyped::NativeReader>> open(const std::string& split,
                                                      const std::optional<std::string>& position,
                                                      std::function<void()> wake) override {
    Result<std::unique_ptr<CustomReader<T>>> reader =
        source_->open(split, position, std::move(wake));
    if (!reader.is_ok()) return std::move(reader).status();
    return std::unique_ptr<untyped::NativeReader>(std::make_unique<Reader<T>>(*std::move(reader)));
  }

 private:
  std::shared_ptr<CustomSource<T>> source_;
};

template <RecordType T>
class Writer final : public untyped::NativeWriter {
 public:
  explicit Writer(std::unique_ptr<CustomWriter<T>> writer) : writer_(std::move(writer)) {}
  Status write(const BatchView& rows) override {
    for (std::int64_t row = 0; row < rows.num_rows; ++row) {
      Status status = writer_->write(Record<T>::read(rows, 0, row));
      if (!status.is_ok()) return status;
    }
    return Status::ok();
  }
  Result<std::string> prepare(EpochId epoch) override { return writer_->prepare(epoch); }

 private:
  std::unique_ptr<CustomWriter<T>> writer_;
};

template <RecordType T>
class Sink final : public untyped::NativeSink {
 public:
  explicit Sink(std::shared_ptr<CustomSink<T>> sink) : sink_(std::move(sink)) {}
  bool is_transactional() const override { return sink_->is_transactional(); }
  Result<std::unique_ptr<untyped::NativeWriter>> open_writer(int task) override {
    Result<std::unique_ptr<CustomWriter<T>>> writer = sink_->open_writer(task);
    if (!writer.is_ok()) return std::move(writer).status();
    return std::unique_ptr<untyped::NativeWriter>(std::make_unique<Writer<T>>(*std::move(writer)));
  }
  Status commit(EpochId epoch, const std::string& committable) override {
    return sink_->commit(epoch, committable);
  }
  Status abort(EpochId epoch, const std::string& committable) override {
    return sink_->abort(epoch, committable);
  }

 private:
  std::shared_ptr<CustomSink<T>> sink_;
};

}  // namespace custom_adapters

/// A format for rows of T: `decode(bytes, collector)` turns one record (a line of a file, a Kafka
/// message) into rows, or returns what is wrong with it, which is then up to the source's error
/// policy; `encode(row, bytes)` appends a record. Either may be empty where it is not needed.
template <RecordType T>
FormatSpec custom_format(std::string name,
                         std::function<Status(std::string_view, Collector<T>&)> decode,
                         std::function<void(const T&, std::string&)> encode = {}) {
  untyped::NativeFormat format;
  if (decode) {
    format.decode = [decode = std::move(decode)](std::string_view record, BatchWriter& out) {
      Collector<T> collector(out);
      return decode(record, collector);
    };
  }
  if (encode) {
    format.encode = [encode = std::move(encode)](const BatchView& rows, std::int64_t row,
                                                 std::string& out) {
      encode(Record<T>::read(rows, 0, row), out);
    };
  }
  for (const ColumnSpec& column : record_columns<T>()) format.columns.push_back(column.type);
  return FormatSpec(std::move(name),
                    std::make_shared<const untyped::NativeFormat>(std::move(format)));
}

}  // namespace tidegate
