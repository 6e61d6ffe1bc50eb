// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/options.h"
#include "formats/format.h"
#include "tidegate/status.h"

namespace tidegate {

/// What the characters of a CSV text mean; from the format's options.
struct CsvDialect {
  char delimiter = ',';
  std::optional<char> quote = '"';
  std::optional<char> escape;
  std::optional<std::string> null_literal;
  std::string array_delimiter = ";";
  bool comments = false;  ///< records that start with # are none
  bool header = false;    ///< the first record of a file names the columns

  static Result<CsvDialect> from(const Options& options);
};

/// One field of a record.
struct CsvField {
  std::string_view text;  ///< without quotes and escapes; valid until the next is read
  bool quoted = false;
};

/// Goes through CSV field by field. A quote opens a quoted field only at the field's beginning;
/// inside, a doubled quote stands for one, and delimiters and newlines are text.
class CsvScanner {
 public:
  enum class Stop : std::uint8_t {
    kField,     ///< another field of the record follows
    kRecord,    ///< the record ended with a newline, and the scanner is behind it
    kInput,     ///< the record ended with the input
    kUnclosed,  ///< the input ended inside quotes
    kJunk,      ///< something follows the closing quote; the scanner is at it
  };
  explicit CsvScanner(const CsvDialect& dialect) : dialect_(dialect) {}

  /// Scans `input`, followed by Decoder::kPadding readable bytes, from its beginning.
  void start(std::string_view input) {
    at_ = input.data();
    end_ = at_ + input.size();
  }
  /// Goes to `at`, a place in the input.
  void move_to(const char* at) { at_ = at; }
  const char* at() const { return at_; }
  bool at_end() const { return at_ == end_; }

  Stop next(CsvField& field);
  /// Goes behind the record, after a field that ended with `stop`: kRecord, kInput or kUnclosed.
  Stop skip_record(Stop stop);

 private:
  const char* find_special(const char* from) const;
  Stop next_quoted(CsvField& field);
  Stop end_of_field();

  CsvDialect dialect_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::string text_;
};

/// Cuts CSV between records.
class CsvSplitter final : public RecordSplitter {
 public:
  explicit CsvSplitter(const CsvDialect& dialect) : dialect_(dialect), scanner_(dialect) {}
  std::size_t first_record(std::string_view input) override;
  std::size_t whole_records(std::string_view input) override;

 private:
  CsvDialect dialect_;
  CsvScanner scanner_;
};

}  // namespace tidegate
