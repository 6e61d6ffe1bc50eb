// SPDX-License-Identifier: Apache-2.0
//
// JSON_ARRAYAGG and JSON_OBJECTAGG. They list JSON: whoever binds a call puts JSON_STRING around
// its value, as Flink does, since what JSON_OBJECT and the like made stays as it is there. What
// becomes of NULL is part of the name, the default goes without words.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "functions/binding.h"
#include "functions/json_document.h"
#include "functions/row_sequence.h"

namespace tidegate {

namespace {

using Columns = std::vector<ArrayPtr>;
using Ends = std::span<const std::int32_t>;

std::string_view json_or_null(const ValueReader<std::string_view>& json, std::int64_t row) {
  return json.is_null(row) ? "null" : json[row];
}

template <typename Content>
class JsonArrayAgg final : public RowSequence<Content> {
 public:
  using RowSequence<Content>::RowSequence;

 private:
  Result<ArrayPtr> make_result(const Columns& columns, Ends ends) const override {
    const ValueReader<std::string_view> json(*columns[0]);
    TG_ASSIGN_OR_RETURN(
        auto out, ValueWriter<std::string_view>::make(static_cast<std::int64_t>(ends.size())));
    std::int32_t row = 0;
    for (const std::int32_t end : ends) {
      out.text() += '[';
      for (const std::int32_t begin = row; row < end; ++row) {
        if (row > begin) out.text() += ',';
        out.text() += json_or_null(json, row);
      }
      out.text() += ']';
      out.end_row();
    }
    return out.finish(this->result_type());
  }
};

/// Keeps rows of (value, key), since it is the first column whose nulls may be left out.
template <typename Content>
class JsonObjectAgg final : public RowSequence<Content> {
 public:
  using Base = RowSequence<Content>;
  using Base::Base;

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    TG_RETURN_IF_ERROR(check_keys(arguments));
    return Base::add(accumulators, Columns{arguments[1], arguments[0]});
  }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    TG_RETURN_IF_ERROR(check_keys(arguments));
    return Base::retract(accumulators, Columns{arguments[1], arguments[0]});
  }

 private:
  static Status check_keys(ArgumentArrays arguments) {
    if (arguments[0]->null_count() == 0) return Status::ok();
    return error(ErrorCode::kNullKey, "JSON_OBJECTAGG: a key is NULL");
  }

  Result<ArrayPtr> make_result(const Columns& columns, Ends ends) const override {
    const ValueReader<std::string_view> json(*columns[0]);
    const ValueReader<std::string_view> keys(*columns[1]);
    TG_ASSIGN_OR_RETURN(
        auto out, ValueWriter<std::string_view>::make(static_cast<std::int64_t>(ends.size())));
    std::vector<std::int32_t> rows;
    std::int32_t row = 0;
    for (const std::int32_t end : ends) {
      rows.clear();
      for (; row < end; ++row) rows.push_back(row);
      TG_RETURN_IF_ERROR(append_object(json, keys, rows, out.text()));
      out.end_row();
    }
    return out.finish(this->result_type());
  }

  /// Keys in order. That there is one twice is an error only here: until the result is asked for,
  /// rows may still be taken back.
  static Status append_object(const ValueReader<std::string_view>& json,
                              const ValueReader<std::string_view>& keys,
                              std::vector<std::int32_t>& rows, std::string& out) {
    std::sort(rows.begin(), rows.end(), [&keys](std::int32_t a, std::int32_t b) {
      return comes_before_in_utf16(keys[a], keys[b]);
    });
    out += '{';
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string_view key = keys[rows[i]];
      if (i > 0 && key == keys[rows[i - 1]])
        return error(ErrorCode::kInvalidArgument, "JSON_OBJECTAGG: the key '{}' is there twice",
                     key);
      if (i > 0) out += ',';
      append_json_text(key, out);
      out += ':';
      out += json_or_null(json, rows[i]);
    }
    out += '}';
    return Status::ok();
  }
};

struct Kind {
  const char* name;
  const char* signature;
  bool object;
  bool absent_on_null;
  const char* description;
};

constexpr Kind kKinds[] = {
    {"JSON_ARRAYAGG", "JSON_ARRAYAGG(value [ABSENT ON NULL])", false, true,
     "The values that are not NULL as an array of JSON, in the order in which they came."},
    {"JSON_ARRAYAGG NULL ON NULL", "JSON_ARRAYAGG(value NULL ON NULL)", false, false,
     "The values as an array of JSON, in the order in which they came, null for NULL."},
    {"JSON_OBJECTAGG", "JSON_OBJECTAGG([KEY] key VALUE value [NULL ON NULL])", true, false,
     "An object of JSON with these keys, in order, and values, null for NULL; a key that is NULL "
     "or "
     "there twice is an error."},
    {"JSON_OBJECTAGG ABSENT ON NULL", "JSON_OBJECTAGG([KEY] key VALUE value ABSENT ON NULL)", true,
     true,
     "An object of JSON with these keys, in order, and values that are not NULL; a key that is "
     "NULL "
     "or there twice is an error."},
};

template <typename Content>
Result<std::unique_ptr<Aggregator>> bind_json(std::span<const LogicalType> arguments,
                                              const Kind& kind) {
  const bool fits = arguments.size() == (kind.object ? 2 : 1) && arguments.front().is_character() &&
                    arguments.back().is_character();
  if (!fits)
    return argument_mismatch(kind.name, kind.object ? "a string and JSON" : "JSON", arguments);
  const LogicalType result = text_type().with_nullable(false);
  const std::vector<LogicalType> kept(arguments.size(), text_type());
  if (kind.object)
    return std::make_unique<JsonObjectAgg<Content>>(result, kept, kind.absent_on_null);
  return std::make_unique<JsonArrayAgg<Content>>(result, kept, kind.absent_on_null);
}

}  // namespace

void register_function_json_agg(FunctionRegistry& registry) {
  for (const Kind& kind : kKinds) {
    registry.add_aggregate({.name = kind.name,
                            .signature = kind.signature,
                            .description = kind.description,
                            .bind =
                                [&kind](std::span<const LogicalType> arguments) {
                                  return bind_json<AppendedValues>(arguments, kind);
                                },
                            .bind_retracting =
                                [&kind](std::span<const LogicalType> arguments) {
                                  return bind_json<TakenValues>(arguments, kind);
                                }});
  }
}

}  // namespace tidegate
