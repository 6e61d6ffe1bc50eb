// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "formats/column_builder.h"
#include "formats/json_index.h"
#include "formats/json_scan.h"
#include "formats/text_value.h"
#include "tidegate/status.h"
#include "types/logical_type.h"

namespace tidegate {

/// How JSON is turned into values; from the format's options.
struct JsonReadOptions {
  bool fail_on_missing_field = false;
  /// Values that cannot be converted become NULL.
  bool ignore_parse_errors = false;
};

/// Reads one JSON value after the other from the tokens of a block into column builders, and
/// nothing of what no column wants beyond its brackets. Never looks behind the newline at the end
/// of the block, and needs no recursion but for the nesting of the columns themselves.
class JsonReader {
 public:
  /// Columns are the fields of `row`, a ROW type.
  JsonReader(const LogicalType& row, const JsonReadOptions& options);

  /// Sets the block and its tokens.
  void start(const JsonIndex& index, const char* block) {
    index_ = &index;
    base_ = reinterpret_cast<const std::uint8_t*>(block);
    next_ = index.tokens();
  }
  /// Offsets of the next token and of the one before it, if any.
  std::uint32_t next_offset() const { return *next_; }
  std::uint32_t last_offset() const { return next_[-1]; }
  /// Goes to the first token from `offset` on, forwards or backwards.
  void move_to(std::uint32_t offset) {
    while (*next_ < offset) ++next_;
    while (next_ > index_->tokens() && next_[-1] >= offset) --next_;
  }

  /// Reads a block of `count` newlines that ends at offset `end` and should hold as many objects
  /// of less than `max_bytes`, each one alone on its line. False when anything else is found; then
  /// `rows` must be truncated and the block read record by record.
  bool read_records(ColumnBuilder& rows, std::uint32_t end, std::size_t count,
                    std::uint32_t max_bytes);

  /// Reads an object that should end before offset `end` and appends a value to `row` and each of
  /// its children. Checks for the end only where it has to: next_offset() may be behind it
  /// afterwards, and then the record is bad. False after an error; then `row` must be truncated to
  /// what it was.
  bool read_record(ColumnBuilder& row, std::uint32_t end);
  /// The last error.
  Status take_error() { return std::move(error_); }
  /// Offset of the token at which it was found; may be behind the record's end.
  std::uint32_t error_offset() const { return error_offset_; }

 private:
  enum class Reading : std::uint8_t {
    kInt64,  // read in place when it looks as expected
    kInt32,
    kString,
    kTimestamp,
    kText,  // any other scalar, through its text
    kArray,
    kMap,
    kRow,
  };
  static constexpr int kUnread = -1;
  /// A key, with its quotes, and the field that it stands for.
  struct ExpectedKey {
    static constexpr std::size_t kInlineSize = 16;

    ExpectedKey(std::string_view quoted, int field_index);
    bool matches(const std::uint8_t* key) const {
      if (((load_8(key) ^ words[0]) & masks[0]) != 0) return false;
      if (((load_8(key + 8) ^ words[1]) & masks[1]) != 0) return false;
      return text.size() <= kInlineSize || std::memcmp(key, text.data(), text.size()) == 0;
    }

    std::uint64_t words[2] = {};
    std::uint64_t masks[2] = {};
    std::string text;
    int field;
  };
  struct Node {
    std::string name;
    LogicalType type;
    Reading reading = Reading::kText;
    std::vector<Node> children;
    std::vector<ExpectedKey> expected;
  };

  static Node make_node(std::string name, const LogicalType& type);

  std::uint8_t byte_at(const std::uint32_t* token) const { return base_[*token]; }
  bool read_row(Node& node, ColumnBuilder& column);
  bool fill_missing(Node& node, ColumnBuilder& column, std::int64_t row);
  std::ptrdiff_t look_up(Node& node, std::ptrdiff_t place);
  bool read_usual(const Node& node, ColumnBuilder& column, const std::uint8_t* value,
                  std::uint32_t offset) const;
  bool read_value(Node& node, ColumnBuilder& column);
  bool read_unusual(Node& node, ColumnBuilder& column);
  bool convert(Node& node, ColumnBuilder& column);
  bool read_null(Node& node, ColumnBuilder& column);
  bool read_array(Node& node, ColumnBuilder& column);
  bool read_map(Node& node, ColumnBuilder& column);
  bool read_container_text(ColumnBuilder& column);
  /// The text of the scalar at next_: for a string unescaped and without quotes. Valid until the
  /// next call.
  bool scalar_text(std::string_view& text);
  bool skip_value();
  bool skip_container();

  // All of these are about the token at next_, and return false.
  bool fail(ErrorCode code, std::string message);
  bool fail_syntax(std::string message);
  bool fail_expected(std::string_view what);
  bool fail_too_deep();
  bool fail_wrong_type(const Node& node);
  /// The record from next_ on.
  std::string_view excerpt() const;

  JsonReadOptions options_;
  Node root_;
  const JsonIndex* index_ = nullptr;
  const std::uint8_t* base_ = nullptr;
  const std::uint32_t* next_ = nullptr;
  std::uint32_t end_ = 0;
  Status error_;
  std::uint32_t error_offset_ = 0;
  bool error_is_syntax_ = false;  // the record cannot be read, as opposed to a value
  std::string text_;              // an unescaped string
};

}  // namespace tidegate
