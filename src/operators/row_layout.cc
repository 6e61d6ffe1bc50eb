// SPDX-License-Identifier: Apache-2.0
#include "operators/row_layout.h"

#include <arrow/type.h>

#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "base/check.h"
#include "operators/top_rows.h"
#include "state/binary_codec.h"
#include "state/migrate_rows.h"

namespace tidegate {
namespace {

constexpr std::string_view kPrefix = "rows/1";

Status corrupt() {
  return error(ErrorCode::kStateCorrupt, "stored rows are not of the form that they have");
}

bool take(std::string_view& in, std::size_t size, std::string_view& bytes) {
  if (in.size() < size) return false;
  bytes = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

bool take_count(std::string_view& in, std::uint32_t& count) { return read_fixed(in, count); }

bool bit(std::string_view bits, std::size_t i) {
  return (static_cast<unsigned char>(bits[i / 8]) >> (i % 8) & 1) != 0;
}

bool skip_value(const LogicalType& type, std::string_view& in);

/// Values behind their presence bits.
template <typename TypeOf>
bool skip_values(std::size_t count, const TypeOf& type_of, std::string_view& in) {
  std::string_view bits;
  if (!take(in, (count + 7) / 8, bits)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (bit(bits, i) && !skip_value(type_of(i), in)) return false;
  }
  return true;
}

/// Moves behind a value of row_codec.h.
bool skip_value(const LogicalType& type, std::string_view& in) {
  std::string_view skipped;
  std::uint32_t count = 0;
  const auto& children = type.children();
  switch (type.kind()) {
    case TypeKind::kNull:
      return true;
    case TypeKind::kBoolean:
      return take(in, 1, skipped);
    case TypeKind::kChar:
    case TypeKind::kVarchar:
    case TypeKind::kBinary:
    case TypeKind::kVarbinary:
      return take_count(in, count) && take(in, count, skipped);
    case TypeKind::kArray:
      return take_count(in, count) &&
             skip_values(
                 count, [&](std::size_t) -> const LogicalType& { return children[0].type; }, in);
    case TypeKind::kMap:
    case TypeKind::kMultiset: {
      const LogicalType value =
          type.kind() == TypeKind::kMap ? children[1].type : LogicalType(TypeKind::kInt);
      const LogicalType entry = LogicalType::row({{"key", children[0].type}, {"value", value}});
      return take_count(in, count) &&
             skip_values(
                 count, [&](std::size_t) -> const LogicalType& { return entry; }, in);
    }
    case TypeKind::kRow:
      return skip_values(
          children.size(), [&](std::size_t i) -> const LogicalType& { return children[i].type; },
          in);
    default:
      return take(in, static_cast<std::size_t>(type.arrow_type()->byte_width()), skipped);
  }
}

std::int64_t integer_of(std::string_view bytes) {
  std::uint64_t number = 0;
  std::memcpy(&number, bytes.data(), bytes.size());
  const int unused = 64 - static_cast<int>(bytes.size()) * 8;
  return static_cast<std::int64_t>(number << unused) >> unused;
}

void append_widened(const LogicalType& from, const LogicalType& to, std::string_view bytes,
                    std::string& out) {
  if (from.is_integer() && from.kind() != to.kind()) {
    const std::int64_t number = integer_of(bytes);
    out.append(reinterpret_cast<const char*>(&number),
               static_cast<std::size_t>(to.arrow_type()->byte_width()));
  } else if (from.kind() == TypeKind::kFloat && to.kind() == TypeKind::kDouble) {
    float number = 0;
    std::memcpy(&number, bytes.data(), sizeof(number));
    write_fixed(out, static_cast<double>(number));
  } else {
    out += bytes;
  }
}

/// What row_migration() answers.
class RowConversion {
 public:
  std::vector<LogicalType> from;
  std::vector<LogicalType> to;
  std::vector<int> matches;  // by column of `to`: that of `from`, or -1

  Status operator()(std::string_view row, std::string& out) const {
    std::vector<std::optional<std::string_view>> values(from.size());
    std::string_view bits;
    if (!take(row, (from.size() + 7) / 8, bits)) return corrupt();
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (!bit(bits, i)) continue;
      const std::string_view before = row;
      if (!skip_value(from[i], row)) return corrupt();
      values[i] = before.substr(0, before.size() - row.size());
    }
    if (!row.empty()) return corrupt();
    const std::size_t begin = out.size();
    out.append((to.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < to.size(); ++i) {
      if (matches[i] < 0) continue;
      const auto source = static_cast<std::size_t>(matches[i]);
      if (!values[source]) continue;
      char& byte = out[begin + i / 8];
      byte = static_cast<char>(byte | 1 << (i % 8));
      append_widened(from[source], to[i], *values[source], out);
    }
    return Status::ok();
  }
};

}  // namespace

std::vector<StateColumn> RowLayout::columns(const StateContext& context) const {
  const auto input = static_cast<std::size_t>(input_);
  return input < context.inputs.size() ? context.inputs[input] : std::vector<StateColumn>();
}

Result<ValueMigration> RowLayout::migration(const StateSchema& old, const StateSchema& now,
                                            bool may_drop) const {
  if (old.layout != now.layout) return ValueLayout::migration(old, now, may_drop);
  auto form = StoredForm::parse(now.layout);
  if (!form.is_ok()) return ValueLayout::migration(old, now, may_drop);
  TG_ASSIGN_OR_RETURN(StoredForm::Replace replace,
                      row_migration(old.columns, now.columns, may_drop));
  if (form->has_fixed_types()) {
    const std::vector<int> matches = match_columns(old.columns, now.columns);
    for (std::size_t i = 0; i < matches.size(); ++i) {
      if (matches[i] < 0) continue;
      const StateColumn& was = old.columns[static_cast<std::size_t>(matches[i])];
      if (was.type == now.columns[i].type) continue;
      return error(ErrorCode::kStateMismatch,
                   "column '{}' was {}, is {}, and rows of this form are in order of columns",
                   was.name, was.type, now.columns[i].type);
    }
  }
  return ValueMigration([form = *std::move(form), replace = std::move(replace)](
                            std::int64_t name_space, std::string_view value, std::string& out) {
    return form.rewrite(name_space, value, replace, out);
  });
}

bool StoredForm::read_word(std::string_view word, Part& part) {
  if (word == "8" || word == "4" || word == "1") {
    part.size = static_cast<std::size_t>(word[0] - '0');
    return true;
  }
  if (word == "chunk0:8") {
    part.kind = Kind::kFirstChunk;
    part.size = 8;
    return true;
  }
  if (word.starts_with("top")) {
    part.kind = Kind::kTop;
    part.length = word == "top" ? Length::kNone : Length::kVarint;
    return word == "top" || word == "top:v";
  }
  if (word.starts_with('v')) part.length = Length::kVarint;
  if (word.starts_with('l')) part.length = Length::kFour;
  if (word == "v" || word == "l") {
    part.kind = Kind::kSized;
    return true;
  }
  if (part.length != Length::kNone) {
    if (word.size() < 2 || word[1] != ':') return false;
    word.remove_prefix(2);
  }
  part.kind = Kind::kRow;
  part.is_stored = word == "stored";
  return word == "row" || word == "stored";
}

Result<StoredForm> StoredForm::parse(std::string_view layout) {
  constexpr std::string_view kStamped = "stamped ";
  std::string_view rest = layout;
  if (rest.starts_with(kStamped)) rest.remove_prefix(kStamped.size());
  const auto unknown = [&] {
    return error(ErrorCode::kNotSupported, "\"{}\" is no form of rows that can be read", layout);
  };
  if (!rest.starts_with(kPrefix)) return unknown();
  rest.remove_prefix(kPrefix.size());
  StoredForm form;
  while (!rest.empty()) {
    rest.remove_prefix(1);  // the space
    const std::string_view word = rest.substr(0, rest.find(' '));
    rest.remove_prefix(word.size());
    if (word == "*") {
      form.repeats_from_ = form.parts_.size();
    } else if (word == "=") {
      form.has_fixed_types_ = true;
    } else if (Part part; read_word(word, part)) {
      form.parts_.push_back(part);
    } else {
      return unknown();
    }
  }
  return form;
}

Status StoredForm::rewrite(std::int64_t name_space, std::string_view value, const Replace& replace,
                           std::string& out) const {
  // Both sides are values of BytesLayout: a length and the bytes.
  std::string_view rest;
  if (!read_bytes(value, rest) || !value.empty()) return corrupt();
  std::string bytes;
  std::size_t next = 0;
  while (!rest.empty() || (next < parts_.size() && next > 0 && repeats_from_ == SIZE_MAX)) {
    if (next == parts_.size()) next = repeats_from_;
    if (next >= parts_.size()) return corrupt();
    TG_RETURN_IF_ERROR(rewrite_part(parts_[next++], name_space, rest, replace, bytes));
  }
  write_bytes(out, bytes);
  return Status::ok();
}

Status StoredForm::rewrite_part(const Part& part, std::int64_t name_space, std::string_view& rest,
                                const Replace& replace, std::string& out) const {
  std::string_view bytes;
  std::uint32_t length = 0;
  switch (part.kind) {
    case Kind::kFirstChunk:
      if (name_space != 0) return Status::ok();
      [[fallthrough]];
    case Kind::kBytes:
      if (!take(rest, part.size, bytes)) return corrupt();
      out += bytes;
      return Status::ok();
    case Kind::kTop:
      bytes = std::exchange(rest, {});
      return rewrite_top(part.length != Length::kNone, bytes, replace, out);
    case Kind::kSized:
    case Kind::kRow:
      break;
  }
  if (part.length == Length::kNone) {
    bytes = std::exchange(rest, {});
  } else if (part.length == Length::kVarint) {
    if (!read_bytes(rest, bytes)) return corrupt();
  } else if (!take_count(rest, length) || !take(rest, length, bytes)) {
    return corrupt();
  }
  std::string replaced;
  if (part.kind == Kind::kRow) {
    TG_RETURN_IF_ERROR(replace_row(part.is_stored, bytes, replace, replaced));
    bytes = replaced;
  }
  if (part.length == Length::kVarint) {
    write_bytes(out, bytes);
  } else {
    if (part.length == Length::kFour) write_fixed(out, static_cast<std::uint32_t>(bytes.size()));
    out += bytes;
  }
  return Status::ok();
}

Status StoredForm::replace_row(bool is_stored, std::string_view row, const Replace& replace,
                               std::string& out) {
  if (is_stored) {
    if (row.size() < 2) return corrupt();
    std::string_view head;
    if (!take(row, row[1] != 0 ? 10 : 2, head)) return corrupt();
    out += head;
  }
  return replace(row, out);
}

Status StoredForm::rewrite_top(bool has_key, std::string_view value, const Replace& replace,
                               std::string& out) {
  TG_ASSIGN_OR_RETURN(const TopRows top, TopRows::read(value));
  std::vector<TopRows::Entry> entries;
  TG_RETURN_IF_ERROR(top.entries(entries));
  std::vector<std::string> rows;
  for (const TopRows::Entry& entry : entries) {
    std::string& replaced = rows.emplace_back();
    std::string_view row = entry.row;
    std::string_view key;
    if (has_key) {
      if (!read_bytes(row, key)) return corrupt();
      write_bytes(replaced, key);
    }
    TG_RETURN_IF_ERROR(replace_row(true, row, replace, replaced));
  }
  for (std::size_t i = 0; i < rows.size(); ++i) entries[i].row = rows[i];
  std::string bytes;
  if (!entries.empty()) write_top_rows(entries, bytes);
  out += bytes;
  return Status::ok();
}

Result<StoredForm::Replace> row_migration(const std::vector<StateColumn>& old,
                                          const std::vector<StateColumn>& now, bool may_drop) {
  const std::string dropped = dropped_columns(old, now);
  if (!dropped.empty() && !may_drop) {
    return error(ErrorCode::kStateMismatch,
                 "the program does not have {} any more (--allow-non-restored-state drops it)",
                 dropped);
  }
  RowConversion conversion;
  conversion.matches = match_columns(old, now);
  for (const StateColumn& column : old) {
    TG_ASSIGN_OR_RETURN(LogicalType type, LogicalType::parse(column.type));
    conversion.from.push_back(std::move(type));
  }
  for (std::size_t i = 0; i < now.size(); ++i) {
    TG_ASSIGN_OR_RETURN(const LogicalType type, LogicalType::parse(now[i].type));
    const int match = conversion.matches[i];
    if (match < 0 && !type.nullable()) {
      return error(ErrorCode::kStateMismatch,
                   "the new column '{}' is {}, but rows that are there have no value for it",
                   now[i].name, now[i].type);
    }
    if (match >= 0 && !is_widening(conversion.from[static_cast<std::size_t>(match)], type)) {
      return error(ErrorCode::kStateMismatch, "column '{}' was {}, is {}", now[i].name,
                   old[static_cast<std::size_t>(match)].type, now[i].type);
    }
    conversion.to.push_back(type);
  }
  return StoredForm::Replace(std::move(conversion));
}

}  // namespace tidegate
