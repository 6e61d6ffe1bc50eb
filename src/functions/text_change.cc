// SPDX-License-Identifier: Apache-2.0
//
// REPLACE, REVERSE, REPEAT, LPAD, RPAD, SPLIT_INDEX, STARTSWITH, ENDSWITH.
#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/unicode.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

/// What one value may grow to; a wrong count must not eat the memory.
constexpr std::int64_t kMaxBytes = 64 << 20;

Status too_long(const char* function) {
  return error(ErrorCode::kLimitExceeded, "{} would make a string of more than {} bytes", function,
               kMaxBytes);
}

void replace(std::string_view text, std::string_view from, std::string_view to, std::string& out) {
  if (from.empty()) {
    // Java finds the empty text at each character and at the end.
    for (; !text.empty(); text.remove_prefix(character_length(text, 0))) {
      out += to;
      out += text.substr(0, character_length(text, 0));
    }
    out += to;
    return;
  }
  for (;;) {
    const std::size_t at = text.find(from);
    if (at == std::string_view::npos) break;
    out += text.substr(0, at);
    out += to;
    text.remove_prefix(at + from.size());
  }
  out += text;
}

void reverse(std::string_view text, std::string& out) {
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && is_continuation(text[last])) --last;
    out += text.substr(last);
    text.remove_suffix(text.size() - last);
  }
}

Status repeat(std::string_view text, std::int64_t times, std::string& out) {
  if (times <= 0 || text.empty()) return Status::ok();
  if (times > kMaxBytes / static_cast<std::int64_t>(text.size())) return too_long("REPEAT");
  for (; times > 0; --times) out += text;
  return Status::ok();
}

/// `count` characters of `pad`, again and again.
void append_padding(std::string_view pad, std::int64_t count, std::string& out) {
  const std::int64_t in_pad = count_characters(pad);
  for (; count >= in_pad; count -= in_pad) out += pad;
  out += first_characters(pad, count);
}

/// NULL for a negative length or an empty padding.
template <bool kLeft>
Result<ArrayPtr> evaluate_pad(std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
  const std::vector<ArgumentReader<std::string_view>> texts = {
      ArgumentReader<std::string_view>(args[0]), ArgumentReader<std::string_view>(args[2])};
  const ArgumentReader<std::int64_t> lengths(args[1]);
  TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(num_rows));
  for (std::int64_t i = 0; i < num_rows; ++i) {
    if (texts[0].is_null(i) || texts[1].is_null(i) || lengths.is_null(i) || lengths[i] < 0 ||
        texts[1][i].empty()) {
      TG_RETURN_IF_ERROR(writer.set_null(i));
      continue;
    }
    if (lengths[i] > kMaxBytes / 4) return too_long(kLeft ? "LPAD" : "RPAD");
    const std::string_view text = first_characters(texts[0][i], lengths[i]);
    const std::int64_t missing = lengths[i] - count_characters(text);
    if (kLeft) append_padding(texts[1][i], missing, writer.text());
    writer.text() += text;
    if (!kLeft) append_padding(texts[1][i], missing, writer.text());
    writer.end_row();
  }
  return writer.finish(text_type());
}

/// Part `index` (from 0) of the text between separators; an empty separator stands for any blank.
/// An empty text has no parts.
std::optional<std::string_view> split_index(std::string_view text, std::string_view separator,
                                            std::int64_t index) {
  if (index < 0 || text.empty()) return std::nullopt;
  const std::size_t skipped = separator.empty() ? 1 : separator.size();
  for (;; --index) {
    const std::size_t at =
        separator.empty() ? text.find_first_of(" \t\n\v\f\r") : text.find(separator);
    if (index == 0) return text.substr(0, at);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + skipped);
  }
}

/// The same with the number of a character (1 to 255) as separator.
std::optional<std::string_view> split_index_by_code(std::string_view text, std::int64_t code,
                                                    std::int64_t index) {
  if (code < 1 || code > 255) return std::nullopt;
  std::string separator;
  append_code_point(static_cast<char32_t>(code), separator);
  return split_index(text, separator, index);
}

Result<BoundFunction> bind_split_index(std::span<const LogicalType> arguments) {
  const bool by_code = arguments.size() == 3 && arguments[1].is_integer();
  const Bind bind = bind_fixed(
      {.name = "SPLIT_INDEX",
       .takes = "two strings and a whole number",
       .parameters = {text_type(), by_code ? integer_type() : text_type(), integer_type()},
       .result = text_type(),
       .may_be_null = true},
      [by_code](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
        if (by_code) {
          return map_values<std::string_view, std::string_view, std::int64_t, std::int64_t>(
              text_type(), args, num_rows, split_index_by_code);
        }
        return map_values<std::string_view, std::string_view, std::string_view, std::int64_t>(
            text_type(), args, num_rows, split_index);
      });
  return bind(arguments);
}

/// Of two strings, or of bytes.
template <bool (*kTest)(std::string_view, std::string_view)>
Bind bind_test(const char* name) {
  return [name](std::span<const LogicalType> arguments) {
    const bool bytes = !arguments.empty() && arguments[0].is_bytes();
    const LogicalType type = bytes ? LogicalType(TypeKind::kVarbinary) : text_type();
    const Bind bind =
        bind_fixed({.name = name,
                    .takes = "two strings or bytes",
                    .parameters = {type, type},
                    .result = boolean_type()},
                   [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                     return map_values<bool, std::string_view, std::string_view>(
                         boolean_type(), args, num_rows, kTest);
                   });
    return bind(arguments);
  };
}

bool starts_with(std::string_view text, std::string_view part) { return text.starts_with(part); }
bool ends_with(std::string_view text, std::string_view part) { return text.ends_with(part); }

void add_pads(FunctionRegistry& registry) {
  const auto signature = [](const char* name) {
    return FixedSignature{.name = name,
                          .takes = "a string, a length and a string",
                          .parameters = {text_type(), integer_type(), text_type()},
                          .result = text_type(),
                          .may_be_null = true,
                          .can_fail = true};
  };
  registry.add({.name = "LPAD",
                .category = "string",
                .signature = "LPAD(string, length, padding)",
                .description = "The string, filled up to the length in front, or cut to it.",
                .examples = {{"LPAD('hi', 5, '?!')", "?!?hi"}, {"LPAD('hi', 1, '?')", "h"}},
                .bind = bind_fixed(signature("LPAD"), evaluate_pad<true>)});
  registry.add({.name = "RPAD",
                .category = "string",
                .signature = "RPAD(string, length, padding)",
                .description = "The string, filled up to the length at its end, or cut to it.",
                .examples = {{"RPAD('hi', 5, '?!')", "hi?!?"}, {"RPAD('hi', -1, '?')", "NULL"}},
                .bind = bind_fixed(signature("RPAD"), evaluate_pad<false>)});
}

}  // namespace

void register_function_text_change(FunctionRegistry& registry) {
  registry.add({.name = "REPLACE",
                .category = "string",
                .signature = "REPLACE(string, from, to)",
                .description = "The string with every `from` in it replaced.",
                .examples = {{"REPLACE('hello world', 'world', 'you')", "hello you"},
                             {"REPLACE('aaa', 'aa', 'b')", "ba"}},
                .bind = bind_fixed(
                    {.name = "REPLACE",
                     .takes = "three strings",
                     .parameters = {text_type(), text_type(), text_type()},
                     .result = text_type()},
                    [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                      return map_to_text<std::string_view, std::string_view, std::string_view>(
                          text_type(), args, num_rows, replace);
                    })});
  registry.add({.name = "REVERSE",
                .category = "string",
                .signature = "REVERSE(string)",
                .description = "The characters in reverse order.",
                .examples = {{"REVERSE('añb')", "bña"}},
                .bind = bind_fixed(
                    {.name = "REVERSE",
                     .takes = "one string",
                     .parameters = {text_type()},
                     .result = text_type()},
                    [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                      return map_to_text<std::string_view>(text_type(), args, num_rows, reverse);
                    })});
  registry.add(
      {.name = "REPEAT",
       .category = "string",
       .signature = "REPEAT(string, n)",
       .description = "The string n times.",
       .examples = {{"REPEAT('ab', 3)", "ababab"}, {"REPEAT('ab', -1)", ""}},
       .bind = bind_fixed({.name = "REPEAT",
                           .takes = "a string and a whole number",
                           .parameters = {text_type(), integer_type()},
                           .result = text_type(),
                           .can_fail = true},
                          [](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                            return map_to_text<std::string_view, std::int64_t>(text_type(), args,
                                                                               num_rows, repeat);
                          })});
  add_pads(registry);
  registry.add(
      {.name = "SPLIT_INDEX",
       .category = "string",
       .signature = "SPLIT_INDEX(string, separator, index)",
       .description =
           "The part of this index (from 0) between separators; NULL when there is none.",
       .examples = {{"SPLIT_INDEX('a,b,c', ',', 1)", "b"}, {"SPLIT_INDEX('a,b', ',', 2)", "NULL"}},
       .bind = bind_split_index});
  registry.add({.name = "STARTSWITH",
                .category = "string",
                .signature = "STARTSWITH(string, part)",
                .description = "True when the string starts with the part.",
                .examples = {{"STARTSWITH('hello', 'he')", "TRUE"}},
                .bind = bind_test<starts_with>("STARTSWITH")});
  registry.add({.name = "ENDSWITH",
                .category = "string",
                .signature = "ENDSWITH(string, part)",
                .description = "True when the string ends with the part.",
                .examples = {{"ENDSWITH('hello', 'he')", "FALSE"}},
                .bind = bind_test<ends_with>("ENDSWITH")});
}

}  // namespace tidegate
