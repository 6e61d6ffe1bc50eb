// SPDX-License-Identifier: Apache-2.0
#include "operators/user_function.h"

#include <arrow/array/array_base.h>
#include <arrow/scalar.h>

#include <exception>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr std::size_t kMostCharacters = 200;

/// What the exception that is being handled says.
std::string thrown_text() {
  try {
    throw;
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (const std::string& text) {
    return text;
  } catch (const char* text) {
    return text;
  } catch (...) {
    return "something that is not a std::exception";
  }
}

/// Ends a text that is too long, without cutting a UTF-8 character in two.
void shorten(std::string& text) {
  if (text.size() <= kMostCharacters) return;
  std::size_t end = kMostCharacters;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  text += "...";
}

std::string value_text(const arrow::Array& column, std::int64_t row) {
  if (column.IsNull(row)) return "null";
  auto value = column.GetScalar(row);
  return value.ok() ? (*value)->ToString() : "?";
}

}  // namespace

std::string row_text(const Batch& batch, std::int64_t row) {
  std::string text = "[";
  for (int c = 0; c < batch.num_columns() && text.size() <= kMostCharacters; ++c) {
    if (c > 0) text += ", ";
    text += value_text(*batch.column(c), row);
  }
  shorten(text);
  return text + "]";
}

Status user_function_failed(std::string_view place) {
  return error(ErrorCode::kUserFunctionFailed, "{}: threw: {}", place, thrown_text());
}

Status user_function_failed_at(const Batch& batch, std::int64_t row) {
  return user_function_failed("row " + row_text(batch, row));
}

}  // namespace tidegate
