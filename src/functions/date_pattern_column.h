// SPDX-License-Identifier: Apache-2.0
//
// The date pattern of each row, for functions that take one as an argument.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "expr/map_values.h"
#include "functions/date_pattern.h"

namespace tidegate {

/// What a pattern that is not one makes of its rows.
enum class WrongDatePattern : std::uint8_t { kIsNull, kIsAnError };

/// A pattern that is written down, or none.
struct PreparedDatePattern {
  bool is_constant = false;
  std::shared_ptr<const DatePattern> pattern = nullptr;  ///< null: it is not one
};

/// Prepares argument `index`; when there is none, the standard pattern.
Result<PreparedDatePattern> prepare_date_pattern(PatternDialect dialect, WrongDatePattern wrong,
                                                 std::span<const LogicalType> types,
                                                 std::span<const ArrayPtr> constants,
                                                 std::size_t index);

class DatePatternColumn {
 public:
  DatePatternColumn(PatternDialect dialect, WrongDatePattern wrong, PreparedDatePattern prepared,
                    std::span<const Argument> args, std::size_t index)
      : dialect_(dialect), wrong_(wrong), prepared_(std::move(prepared)) {
    if (!prepared_.is_constant) column_.emplace(args[index]);
  }

  /// Every row has the same one.
  bool is_constant() const { return prepared_.is_constant; }
  /// Null for NULL, and for a pattern that is not one when that makes NULL.
  Result<const DatePattern*> at(std::int64_t row);

 private:
  PatternDialect dialect_;
  WrongDatePattern wrong_;
  PreparedDatePattern prepared_;
  std::optional<ArgumentReader<std::string_view>> column_;
  std::optional<std::string> last_text_;
  std::shared_ptr<const DatePattern> last_;
};

}  // namespace tidegate
