// SPDX-License-Identifier: Apache-2.0
#include "functions/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

/// Steps of backtracking for one text: enough for any sensible pattern, and an end for the others.
constexpr std::uint32_t kMatchLimit = 1'000'000;

PCRE2_SPTR code_units(std::string_view text) {
  // An empty view may have no address, which PCRE2 takes as an error.
  return reinterpret_cast<PCRE2_SPTR>(text.empty() ? "" : text.data());
}

std::string message_of(int code) {
  PCRE2_UCHAR buffer[128];
  const int size = pcre2_get_error_message(code, buffer, sizeof(buffer));
  return size < 0 ? std::to_string(code) : std::string(reinterpret_cast<const char*>(buffer));
}

}  // namespace

struct Regex::Code {
  explicit Code(pcre2_code* c) : code(c) {}
  ~Code() { pcre2_code_free(code); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  pcre2_code* code;
};

struct RegexMatcher::Scratch {
  explicit Scratch(const pcre2_code* code)
      : data(pcre2_match_data_create_from_pattern(code, nullptr)),
        context(pcre2_match_context_create(nullptr)) {
    TG_CHECK(data != nullptr && context != nullptr, "no memory to match a regular expression");
    pcre2_set_match_limit(context, kMatchLimit);
  }
  ~Scratch() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  pcre2_match_data* data;
  pcre2_match_context* context;
};

Regex::Regex(std::unique_ptr<Code> code, int num_groups)
    : code_(std::move(code)), num_groups_(num_groups) {}
Regex::~Regex() = default;

Result<std::shared_ptr<const Regex>> Regex::compile(std::string_view pattern) {
  int error_code = 0;
  PCRE2_SIZE error_offset = 0;
  // Lines end as in Java, where the point does not match a carriage return.
  const std::unique_ptr<pcre2_compile_context, void (*)(pcre2_compile_context*)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  TG_CHECK(context != nullptr, "no memory to compile a regular expression");
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_ANY);
  pcre2_code* compiled =
      pcre2_compile(code_units(pattern), pattern.size(), PCRE2_UTF | PCRE2_MATCH_INVALID_UTF,
                    &error_code, &error_offset, context.get());
  if (compiled == nullptr) {
    return error(ErrorCode::kInvalidSyntax, "regular expression '{}', byte {}: {}", pattern,
                 error_offset, message_of(error_code));
  }
  auto code = std::make_unique<Code>(compiled);
  // Without machine code (a platform that does not allow it) matching is slower, not wrong.
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
  std::uint32_t num_groups = 0;
  pcre2_pattern_info(compiled, PCRE2_INFO_CAPTURECOUNT, &num_groups);
  return std::shared_ptr<const Regex>(new Regex(std::move(code), static_cast<int>(num_groups)));
}

RegexMatcher::RegexMatcher(std::shared_ptr<const Regex> regex)
    : regex_(std::move(regex)), scratch_(std::make_unique<Scratch>(regex_->code_->code)) {}
RegexMatcher::~RegexMatcher() = default;
RegexMatcher::RegexMatcher(RegexMatcher&&) noexcept = default;
RegexMatcher& RegexMatcher::operator=(RegexMatcher&&) noexcept = default;

Result<bool> RegexMatcher::find(std::string_view text, std::size_t from) {
  text_ = text;
  const int found = pcre2_match(regex_->code_->code, code_units(text), text.size(), from, 0,
                                scratch_->data, scratch_->context);
  if (found >= 0) return true;
  if (found == PCRE2_ERROR_NOMATCH) return false;
  return error(ErrorCode::kLimitExceeded, "matching a regular expression: {}", message_of(found));
}

std::string_view RegexMatcher::group(int index) const {
  const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(scratch_->data);
  const PCRE2_SIZE begin = ends[2 * index];
  if (begin == PCRE2_UNSET) return {};
  return {text_.empty() ? "" : text_.data() + begin, ends[2 * index + 1] - begin};
}

}  // namespace tidegate
