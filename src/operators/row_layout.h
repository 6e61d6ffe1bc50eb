// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "state/value_layout.h"
#include "types/logical_type.h"

namespace tidegate {

/// Values of bytes that hold rows of one input of the operator. `form` says how, word by word:
///
///   8 4 1       so many bytes              v l       bytes with a length in front: varint, 4 bytes
///   row         a row (row_codec.h)        stored    one of stored_rows.h; both up to the end, or
///   v:row v:stored l:stored                with a length in front
///   chunk0:8    8 bytes, in namespace 0    *         what follows is repeated up to the end
///   top top:v   top_rows.h, whose rows have bytes with a length (v) in front
///   =           parts or keys are made of columns, so their types cannot change
///   other       not told
class RowLayout final : public BytesLayout {
 public:
  explicit RowLayout(std::string_view form, int input = 0)
      : BytesLayout("rows/1 " + std::string(form)), input_(input) {}

  std::vector<StateColumn> columns(const StateContext& context) const override;
  Result<ValueMigration> migration(const StateSchema& old, const StateSchema& now,
                                   bool may_drop) const override;

 private:
  int input_;
};

/// Walks through the rows of such values.
class StoredForm {
 public:
  /// Appends to `out` what takes the place of a row.
  using Replace = std::function<Status(std::string_view row, std::string& out)>;

  /// `layout`: RowLayout::fingerprint(), also "stamped ...". kNotSupported for another one, and for
  /// a form that is not told.
  static Result<StoredForm> parse(std::string_view layout);

  bool has_fixed_types() const { return has_fixed_types_; }
  /// The value with its rows (row_codec.h) replaced. kStateCorrupt when it is not of this form.
  Status rewrite(std::int64_t name_space, std::string_view value, const Replace& replace,
                 std::string& out) const;

 private:
  enum class Kind : std::uint8_t { kBytes, kFirstChunk, kSized, kRow, kTop };
  enum class Length : std::uint8_t { kNone, kVarint, kFour };
  struct Part {
    Kind kind = Kind::kBytes;
    std::size_t size = 0;
    Length length = Length::kNone;
    bool is_stored = false;
  };

  static bool read_word(std::string_view word, Part& part);
  static Status replace_row(bool is_stored, std::string_view row, const Replace& replace,
                            std::string& out);
  static Status rewrite_top(bool has_key, std::string_view value, const Replace& replace,
                            std::string& out);
  Status rewrite_part(const Part& part, std::int64_t name_space, std::string_view& rest,
                      const Replace& replace, std::string& out) const;

  std::vector<Part> parts_;
  std::size_t repeats_from_ = SIZE_MAX;
  bool has_fixed_types_ = false;
};

/// Rows (row_codec.h) of some columns as rows of others: columns are found by name, new ones are
/// null, and types may be wider. kStateMismatch names what cannot be kept; `may_drop`: columns may
/// go.
Result<StoredForm::Replace> row_migration(const std::vector<StateColumn>& old,
                                          const std::vector<StateColumn>& now, bool may_drop);

}  // namespace tidegate
