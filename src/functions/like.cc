// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "expr/map_values.h"
#include "functions/binding.h"
#include "functions/utf8.h"

namespace tidegate {

namespace {

/// _ is the point of Java's regular expressions, which ends at the end of a line.
bool is_line_end(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  return rest[0] == '\n' || rest[0] == '\r' || rest.starts_with("\u0085") ||
         rest.starts_with("\u2028") || rest.starts_with("\u2029");
}

/// A LIKE pattern: % is any text, _ any character, and behind the escape character both are
/// themselves.
class LikePattern {
 public:
  static Result<LikePattern> parse(std::string_view pattern, std::string_view escape) {
    if (escape.size() > 1 && character_length(escape, 0) != escape.size())
      return error(ErrorCode::kInvalidArgument, "the escape '{}' of LIKE is not one character",
                   escape);
    LikePattern out;
    for (std::size_t i = 0; i < pattern.size();) {
      const std::size_t length = character_length(pattern, i);
      std::string_view character = pattern.substr(i, length);
      i += length;
      if (!escape.empty() && character == escape) {
        const bool valid = i < pattern.size() && (pattern[i] == '%' || pattern[i] == '_' ||
                                                  pattern.substr(i).starts_with(escape));
        if (!valid) {
          return error(ErrorCode::kInvalidArgument,
                       "LIKE pattern '{}': behind the escape '{}' stands neither %, _ nor it again",
                       pattern, escape);
        }
        character = pattern.substr(i, character_length(pattern, i));
        i += character.size();
        out.add_text(character);
      } else if (character == "%") {
        if (out.parts_.empty() || out.parts_.back().kind != Kind::kAnyText)
          out.parts_.push_back({Kind::kAnyText, ""});
      } else if (character == "_") {
        out.parts_.push_back({Kind::kAnyCharacter, ""});
      } else {
        out.add_text(character);
      }
    }
    out.choose_shape();
    return out;
  }

  bool matches(std::string_view text) const {
    switch (shape_) {
      case Shape::kEqual:
        return text == word();
      case Shape::kPrefix:
        return text.starts_with(word());
      case Shape::kSuffix:
        return text.ends_with(word());
      case Shape::kContains:
        return text.find(word()) != std::string_view::npos;
      default:
        return matches_parts(text);
    }
  }

 private:
  enum class Kind : std::uint8_t { kText, kAnyCharacter, kAnyText };
  enum class Shape : std::uint8_t { kEqual, kPrefix, kSuffix, kContains, kOther };
  struct Part {
    Kind kind;
    std::string text;
  };

  void add_text(std::string_view text) {
    if (parts_.empty() || parts_.back().kind != Kind::kText) parts_.push_back({Kind::kText, ""});
    parts_.back().text += text;
  }

  /// Most patterns are a word with % at one end or both.
  void choose_shape() {
    const auto is = [this](std::size_t i, Kind kind) { return parts_[i].kind == kind; };
    const std::size_t n = parts_.size();
    if (n == 0 || (n == 1 && is(0, Kind::kText))) shape_ = Shape::kEqual;
    if (n == 2 && is(0, Kind::kText) && is(1, Kind::kAnyText)) shape_ = Shape::kPrefix;
    if (n == 2 && is(0, Kind::kAnyText) && is(1, Kind::kText)) shape_ = Shape::kSuffix;
    if (n == 3 && is(0, Kind::kAnyText) && is(1, Kind::kText) && is(2, Kind::kAnyText))
      shape_ = Shape::kContains;
  }
  std::string_view word() const {
    for (const Part& part : parts_)
      if (part.kind == Kind::kText) return part.text;
    return {};
  }

  /// When a part does not fit, the last % takes one character more; those before it never need to.
  bool matches_parts(std::string_view text) const {
    std::size_t at = 0;
    std::size_t part = 0;
    bool have_any = false;
    std::size_t any_part = 0;
    std::size_t any_end = 0;
    while (at < text.size() || part < parts_.size()) {
      if (part < parts_.size()) {
        const Part& next = parts_[part];
        if (next.kind == Kind::kAnyText) {
          have_any = true;
          any_part = part++;
          any_end = at;
          continue;
        }
        if (next.kind == Kind::kAnyCharacter && at < text.size() && !is_line_end(text, at)) {
          at += character_length(text, at);
          ++part;
          continue;
        }
        if (next.kind == Kind::kText && text.substr(at).starts_with(next.text)) {
          at += next.text.size();
          ++part;
          continue;
        }
      }
      if (!have_any || any_end == text.size()) return false;
      any_end += character_length(text, any_end);
      at = any_end;
      part = any_part + 1;
    }
    return true;
  }

  std::vector<Part> parts_;
  Shape shape_ = Shape::kOther;
};

/// The pattern of a call when it is written down, else none.
Result<std::shared_ptr<const LikePattern>> prepare(std::span<const LogicalType> arguments,
                                                   std::span<const ArrayPtr> constants) {
  for (std::size_t i = 1; i < constants.size(); ++i) {
    if (constants[i] == nullptr || !arguments[i].is_character() || constants[i]->IsNull(0))
      return std::shared_ptr<const LikePattern>();
  }
  const auto text_of = [&](std::size_t i) {
    return i < constants.size() ? ValueReader<std::string_view>(*constants[i])[0]
                                : std::string_view();
  };
  TG_ASSIGN_OR_RETURN(LikePattern pattern, LikePattern::parse(text_of(1), text_of(2)));
  return std::make_shared<const LikePattern>(std::move(pattern));
}

Result<ArrayPtr> match_each(std::span<const Argument> args, std::int64_t num_rows) {
  const auto match = [](std::string_view text, std::string_view pattern,
                        std::string_view escape) -> Result<bool> {
    TG_ASSIGN_OR_RETURN(const LikePattern parsed, LikePattern::parse(pattern, escape));
    return parsed.matches(text);
  };
  if (args.size() == 3) {
    return map_values<bool, std::string_view, std::string_view, std::string_view>(
        boolean_type(), args, num_rows, match);
  }
  return map_values<bool, std::string_view, std::string_view>(
      boolean_type(), args, num_rows,
      [&](std::string_view text, std::string_view pattern) { return match(text, pattern, {}); });
}

Result<BoundFunction> bind_like(std::span<const LogicalType> arguments,
                                std::span<const ArrayPtr> constants) {
  std::shared_ptr<const LikePattern> prepared;
  if (arguments.size() == 2 || arguments.size() == 3) {
    TG_ASSIGN_OR_RETURN(prepared, prepare(arguments, constants));
  }
  const Bind bind =
      bind_fixed({.name = "LIKE",
                  .takes = "a string and a pattern",
                  .parameters = {text_type(), text_type(), text_type()},
                  .required = 2,
                  .result = boolean_type(),
                  .can_fail = prepared == nullptr},
                 [prepared](std::span<const Argument> args, std::int64_t num_rows, EvalContext&) {
                   if (prepared == nullptr) return match_each(args, num_rows);
                   return map_values<bool, std::string_view>(
                       boolean_type(), args.first(1), num_rows,
                       [&](std::string_view text) { return prepared->matches(text); });
                 });
  return bind(arguments);
}

}  // namespace

void register_function_like(FunctionRegistry& registry) {
  registry.add({.name = "LIKE",
                .category = "string",
                .signature = "string LIKE pattern [ESCAPE character]",
                .description = "True when the string matches the pattern: % is any text, _ any "
                               "character but the end of a line.",
                .examples = {{"'hello' LIKE 'h_l%'", "TRUE"},
                             {"'100%' LIKE '%!%' ESCAPE '!'", "TRUE"},
                             {"'hello' LIKE 'ell'", "FALSE"}},
                .bind_with_constants = bind_like});
}

}  // namespace tidegate
