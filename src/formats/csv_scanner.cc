// SPDX-License-Identifier: Apache-2.0
#include "formats/csv_scanner.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace tidegate {

namespace {

/// One character, or an escape for one: \t, \\, \u0001.
Result<char> read_character(std::string_view name, const std::string& text) {
  if (text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80) return text[0];
  if (text == "\\t") return '\t';
  if (text == "\\\\") return '\\';
  if (text.size() == 6 && text.substr(0, 2) == "\\u") {
    std::size_t used = 0;
    const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
    if (std::all_of(text.begin() + 2, text.end(), is_hex)) {
      const int code = std::stoi(text.substr(2), &used, 16);
      if (code > 0 && code < 0x80) return static_cast<char>(code);
    }
  }
  return error(ErrorCode::kInvalidOption,
               "option '{}' is '{}'; it must be one ASCII character, \\t or \\u0001 and the like",
               name, text);
}

}  // namespace

Result<CsvDialect> CsvDialect::from(const Options& options) {
  CsvDialect dialect;
  const auto character = [&](std::string_view name, auto& out) -> Status {
    if (!options.has(name)) return Status::ok();
    TG_ASSIGN_OR_RETURN(const char c, read_character(name, options.get_string_or(name, "")));
    if (c == '\n' || c == '\r')
      return error(ErrorCode::kInvalidOption, "option '{}' must not be a line end", name);
    out = c;
    return Status::ok();
  };
  TG_RETURN_IF_ERROR(character("csv.field-delimiter", dialect.delimiter));
  TG_RETURN_IF_ERROR(character("csv.quote-character", dialect.quote));
  TG_RETURN_IF_ERROR(character("csv.escape-character", dialect.escape));
  TG_ASSIGN_OR_RETURN(const bool no_quotes,
                      options.get_bool_or("csv.disable-quote-character", false));
  if (no_quotes) {
    if (options.has("csv.quote-character"))
      return error(ErrorCode::kInvalidOption,
                   "'csv.quote-character' and 'csv.disable-quote-character' exclude each other");
    dialect.quote.reset();
  }
  if (options.has("csv.null-literal"))
    dialect.null_literal = options.get_string_or("csv.null-literal", "");
  dialect.array_delimiter = options.get_string_or("csv.array-element-delimiter", ";");
  if (dialect.array_delimiter.empty())
    return error(ErrorCode::kInvalidOption, "option 'csv.array-element-delimiter' is empty");
  TG_ASSIGN_OR_RETURN(dialect.comments, options.get_bool_or("csv.allow-comments", false));
  TG_ASSIGN_OR_RETURN(dialect.header, options.get_bool_or("csv.header", false));
  if (dialect.quote == dialect.delimiter || dialect.escape == dialect.delimiter ||
      (dialect.escape && dialect.escape == dialect.quote))
    return error(ErrorCode::kInvalidOption,
                 "csv: delimiter, quote and escape characters must differ");
  return dialect;
}

/// The next delimiter, newline or escape character, or the end.
const char* CsvScanner::find_special(const char* from) const {
  const char escape = dialect_.escape.value_or('\n');
#ifdef __SSE2__
  const __m128i delimiters = _mm_set1_epi8(dialect_.delimiter);
  const __m128i newlines = _mm_set1_epi8('\n');
  const __m128i escapes = _mm_set1_epi8(escape);
  for (; from < end_; from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    const __m128i found = _mm_or_si128(
        _mm_or_si128(_mm_cmpeq_epi8(bytes, delimiters), _mm_cmpeq_epi8(bytes, newlines)),
        _mm_cmpeq_epi8(bytes, escapes));
    const auto mask = static_cast<std::uint32_t>(_mm_movemask_epi8(found));
    if (mask != 0) return std::min(from + std::countr_zero(mask), end_);
  }
  return end_;
#else
  while (from < end_ && *from != dialect_.delimiter && *from != '\n' && *from != escape) ++from;
  return from;
#endif
}

CsvScanner::Stop CsvScanner::next(CsvField& field) {
  if (at_ < end_ && dialect_.quote && *at_ == *dialect_.quote) return next_quoted(field);
  const char* const begin = at_;
  at_ = find_special(begin);
  field.quoted = false;
  if (at_ == end_ || !dialect_.escape || *at_ != *dialect_.escape) [[likely]] {
    const char* text_end = at_;
    if ((at_ == end_ || *at_ == '\n') && text_end > begin && text_end[-1] == '\r') --text_end;
    field.text = {begin, static_cast<std::size_t>(text_end - begin)};
    return end_of_field();
  }
  text_.assign(begin, at_);
  while (at_ < end_ && *at_ == *dialect_.escape) {
    if (++at_ < end_) text_ += *at_++;
    const char* const rest = at_;
    at_ = find_special(at_);
    text_.append(rest, at_);
  }
  field.text = text_;
  return end_of_field();
}

CsvScanner::Stop CsvScanner::next_quoted(CsvField& field) {
  const char quote = *dialect_.quote;
  const char escape = dialect_.escape.value_or(quote);
  const char* begin = ++at_;
  bool in_text = false;  // parts of the field are in text_
  field.quoted = true;
  for (;; ++at_) {
    while (at_ < end_ && *at_ != quote && *at_ != escape) ++at_;
    if (at_ == end_) return Stop::kUnclosed;
    const bool escaped = *at_ == escape && escape != quote;
    const bool doubled = !escaped && at_ + 1 < end_ && at_[1] == quote;
    if (!escaped && !doubled) break;
    if (at_ + 1 == end_) return Stop::kUnclosed;
    if (!in_text) text_.clear();
    in_text = true;
    text_.append(begin, at_);
    text_ += *++at_;
    begin = at_ + 1;
  }
  field.text = {begin, static_cast<std::size_t>(at_ - begin)};
  if (in_text) field.text = text_.append(field.text);
  ++at_;
  while (at_ < end_ && (*at_ == ' ' || *at_ == '\r') && *at_ != dialect_.delimiter) ++at_;
  return end_of_field();
}

CsvScanner::Stop CsvScanner::end_of_field() {
  if (at_ == end_) return Stop::kInput;
  const char stop = *at_;
  if (stop != dialect_.delimiter && stop != '\n') return Stop::kJunk;
  ++at_;
  return stop == '\n' ? Stop::kRecord : Stop::kField;
}

CsvScanner::Stop CsvScanner::skip_record(Stop stop) {
  CsvField field;
  while (stop == Stop::kField || stop == Stop::kJunk) {
    if (stop == Stop::kField) {
      stop = next(field);
      continue;
    }
    // The rest of the field is text like any other.
    at_ = find_special(at_);
    if (at_ < end_ && dialect_.escape && *at_ == *dialect_.escape) at_ = std::min(at_ + 2, end_);
    stop = end_of_field();
  }
  return stop;
}

std::size_t CsvSplitter::first_record(std::string_view input) {
  if (input.empty()) return 0;
  scanner_.start(input);
  CsvField field;
  if (scanner_.skip_record(scanner_.next(field)) != CsvScanner::Stop::kRecord) return 0;
  return static_cast<std::size_t>(scanner_.at() - input.data());
}

std::size_t CsvSplitter::whole_records(std::string_view input) {
  const bool quotes = dialect_.quote && input.find(*dialect_.quote) != std::string_view::npos;
  const bool escapes = dialect_.escape && input.find(*dialect_.escape) != std::string_view::npos;
  if (!quotes && !escapes) return input.rfind('\n') + 1;  // npos + 1 is 0
  std::size_t whole = 0;
  for (;;) {
    const std::size_t size = first_record(input.substr(whole));
    if (size == 0) return whole;
    whole += size;
  }
}

}  // namespace tidegate
