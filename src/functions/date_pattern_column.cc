// SPDX-License-Identifier: Apache-2.0
#include "functions/date_pattern_column.h"

#include <utility>

namespace tidegate {

namespace {

Result<std::shared_ptr<const DatePattern>> parse(std::string_view text, PatternDialect dialect,
                                                 WrongDatePattern wrong) {
  Result<DatePattern> pattern = DatePattern::parse(text, dialect);
  if (pattern.is_ok()) return std::make_shared<const DatePattern>(*std::move(pattern));
  if (wrong == WrongDatePattern::kIsAnError) return std::move(pattern).status();
  return std::shared_ptr<const DatePattern>();
}

}  // namespace

Result<PreparedDatePattern> prepare_date_pattern(PatternDialect dialect, WrongDatePattern wrong,
                                                 std::span<const LogicalType> types,
                                                 std::span<const ArrayPtr> constants,
                                                 std::size_t index) {
  PreparedDatePattern prepared;
  if (index >= constants.size()) {
    prepared.is_constant = true;
    prepared.pattern = std::make_shared<const DatePattern>(DatePattern::standard());
  } else if (constants[index] != nullptr && types[index].is_character() &&
             constants[index]->IsValid(0)) {
    prepared.is_constant = true;
    const std::string_view text = ValueReader<std::string_view>(*constants[index])[0];
    TG_ASSIGN_OR_RETURN(prepared.pattern, parse(text, dialect, wrong));
  }
  return prepared;
}

Result<const DatePattern*> DatePatternColumn::at(std::int64_t row) {
  if (prepared_.is_constant) return prepared_.pattern.get();
  if (column_->is_null(row)) return static_cast<const DatePattern*>(nullptr);
  const std::string_view text = (*column_)[row];
  if (!last_text_ || text != *last_text_) {
    TG_ASSIGN_OR_RETURN(last_, parse(text, dialect_, wrong_));
    last_text_ = text;
  }
  return last_.get();
}

}  // namespace tidegate
