// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "formats/column_condition.h"
#include "tidegate/status.h"
#include "types/batch.h"
#include "types/schema.h"

namespace tidegate {

/// What to do with a record that cannot be read.
enum class RecordErrorPolicy : std::uint8_t { kFail, kSkip, kDeadLetter };

/// A record that could not be read.
struct BadRecord {
  Status reason;            ///< what is wrong with it, without the place
  std::int64_t offset = 0;  ///< of its first byte within the input of this call
  std::int64_t line = 0;    ///< 0-based index of the record within the input of this call
  std::string_view bytes;   ///< the record itself; valid during the call
};

/// Takes bad records out of a decoder, by the source's policy. An error returned stops decoding.
using BadRecordHandler = std::function<Status(const BadRecord&)>;

/// Bytes to rows, appended to columns of the wanted fields only. One per thread; keeps buffers
/// between calls.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Bytes that must be readable behind the input (their value does not matter): lets SIMD parsers
  /// work without copying.
  static constexpr std::size_t kPadding = 64;

  /// Decodes a block of whole records in the format's framing (JSON, CSV: lines; the last one may
  /// lack its newline) and appends their rows. `input` is followed by kPadding readable bytes.
  virtual Status decode(std::string_view input, const BadRecordHandler& on_bad) = 0;
  /// Decodes exactly one record, a message of its own (Kafka), without framing.
  virtual Status decode_message(std::string_view message, const BadRecordHandler& on_bad) = 0;
  /// The same for many messages in order, cheaper for some formats. BadRecord::line is the index of
  /// the message.
  virtual Status decode_messages(std::span<const std::string_view> messages,
                                 const BadRecordHandler& on_bad);
  /// The rows since the last take(), and starts anew.
  virtual Result<Batch> take() = 0;
  virtual std::int64_t num_rows() const = 0;
  /// Lines that decode() has read since the decoder was made, good, bad and blank.
  virtual std::int64_t num_lines() const { return 0; }
};

/// Rows to bytes. One per thread.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// What stands in front of all rows of a file (CSV header; mostly empty).
  virtual std::string header() const { return {}; }
  /// Appends every row in the format's framing.
  virtual Status encode(const Batch& batch, std::string& out) = 0;
  /// Appends row `row` as a message of its own, without framing.
  virtual Status encode_message(const Batch& batch, std::int64_t row, std::string& out) = 0;
};

/// Finds where records end, for formats whose records may span lines. Its inputs begin with a
/// record and are followed by Decoder::kPadding readable bytes.
class RecordSplitter {
 public:
  virtual ~RecordSplitter() = default;
  /// Bytes of the first record; 0 when its end has not come yet.
  virtual std::size_t first_record(std::string_view input) = 0;
  /// Bytes of all records whose end has come.
  virtual std::size_t whole_records(std::string_view input) = 0;
};

/// Formats that are whole files rather than records one after another (Parquet) are read and
/// written through these.
class FileDecoder {
 public:
  virtual ~FileDecoder() = default;
  /// The next rows, about `max_rows`; an empty batch at the end. Blocking.
  virtual Result<Batch> next(std::int64_t max_rows) = 0;
  /// Rows that were left out in front of the last batch.
  virtual std::int64_t take_left_out() { return 0; }
  /// Skips rows, for restoring a position; those that would be left out count.
  virtual Status skip(std::int64_t rows) = 0;
};
class FileEncoder {
 public:
  virtual ~FileEncoder() = default;
  virtual Status write(const Batch& batch) = 0;
  virtual Status close() = 0;
};

class RandomAccessFile;  // base/file_system.h
class WritableFile;

/// What a decoder must produce.
struct DecodeRequest {
  SchemaPtr schema;             ///< all physical columns of the table
  std::vector<int> projection;  ///< the columns to decode, in this order
  Options options;              ///< the WITH list; the format's start with "<format>."
  /// By which a file's rows may be left out.
  std::vector<ColumnCondition> conditions = {};
};

/// One format: its name, options and factories. A file under src/formats registers one.
struct Format {
  std::string name;         ///< as in 'format' = '...'
  std::string description;  ///< one sentence
  std::vector<OptionSpec> options;
  bool line_framed = false;  ///< records are lines, so that a file can be cut at newlines
  bool changelog = false;    ///< rows carry row kinds
  /// Where records are not lines: cuts a file between them.
  std::function<Result<std::unique_ptr<RecordSplitter>>(const Options&)> make_splitter;
  /// True when a file begins with a record (a line) that is not data; empty: never.
  std::function<Result<bool>(const Options&)> has_header;
  std::function<Result<std::unique_ptr<Decoder>>(const DecodeRequest&)> make_decoder;
  std::function<Result<std::unique_ptr<Encoder>>(const SchemaPtr&, const Options&)> make_encoder;
  std::function<Result<std::unique_ptr<FileDecoder>>(const DecodeRequest&,
                                                     std::shared_ptr<RandomAccessFile>)>
      make_file_decoder;
  std::function<Result<std::unique_ptr<FileEncoder>>(const SchemaPtr&, const Options&,
                                                     std::unique_ptr<WritableFile>)>
      make_file_encoder;
};

/// All formats by name.
class FormatRegistry {
 public:
  void add(Format format);
  /// The format, or kUnknownName with the nearest one.
  Result<const Format*> find(std::string_view name) const;
  std::vector<const Format*> all() const;

 private:
  std::map<std::string, Format, std::less<>> formats_;
};

/// Calls every register_format_* (generated from the files of src/formats).
void register_all_formats(FormatRegistry& registry);

}  // namespace tidegate
