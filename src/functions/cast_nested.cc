// SPDX-License-Identifier: Apache-2.0
//
// Casts of ARRAY, MAP, MULTISET and ROW: those of their parts.
#include <arrow/array/array_nested.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "expr/column_values.h"
#include "functions/cast_kernels.h"

namespace tidegate {

namespace {

/// The same lists over other children; nulls and offsets stay.
ArrayPtr with_children(const arrow::ArrayData& data, const LogicalType& to,
                       std::vector<std::shared_ptr<arrow::ArrayData>> children) {
  auto out = data.Copy();
  out->type = to.arrow_type();
  out->child_data = std::move(children);
  return arrow::MakeArray(out);
}

/// Casts of children see rows that nobody asks for (behind nulls, outside of a slice), on which
/// they must not fail; so they are made of what is in view.
Result<ArrayPtr> compacted(const ArrayPtr& values) {
  std::vector<std::int32_t> rows(static_cast<std::size_t>(values->length()));
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i);
  return take_column(values, rows);
}

struct NestedCast {
  LogicalType to;
  std::vector<CastKernel> kernels;
  bool strict;  ///< else a part that cannot be cast makes the whole value NULL
};

/// The rows of which a part became NULL in its cast. `first_part` tells where the parts of a row
/// begin, up to those of the next row.
template <typename FirstPart>
void find_lost(const arrow::Array& parts, const arrow::Array& cast, const FirstPart& first_part,
               std::vector<bool>& lost) {
  if (cast.null_count() == parts.null_count()) return;
  for (std::size_t row = 0; row < lost.size(); ++row) {
    const auto end = first_part(row + 1);
    for (auto at = first_part(row); at < end; ++at) {
      if (parts.IsValid(at) && cast.IsNull(at)) lost[row] = true;
    }
  }
}

/// The same values without the lost ones; as they were where none is lost.
Result<ArrayPtr> without(const ArrayPtr& values, const std::vector<bool>& lost) {
  ValidityWriter validity(values->length());
  for (std::int64_t row = 0; row < values->length(); ++row) {
    if (lost[static_cast<std::size_t>(row)] || values->IsNull(row))
      TG_RETURN_IF_ERROR(validity.set_null(row));
  }
  auto out = values->data()->Copy();
  out->buffers[0] = validity.finish();
  out->null_count = arrow::kUnknownNullCount;
  return compacted(arrow::MakeArray(out));
}

bool any(const std::vector<bool>& lost) {
  return std::find(lost.begin(), lost.end(), true) != lost.end();
}

Result<ArrayPtr> part_of(const ArrayPtr& own, const LogicalType& to, int i) {
  if (to.kind() == TypeKind::kArray) return arrow::MakeArray(own->data()->child_data[0]);
  if (to.kind() == TypeKind::kRow) {
    // With the row's nulls: what stands behind a null row is nobody's value.
    const auto& rows = static_cast<const arrow::StructArray&>(*own);
    TG_ASSIGN_ARROW_OR_RETURN(ArrayPtr field, rows.GetFlattenedField(i), "cast a ROW");
    return field;
  }
  const auto& map = static_cast<const arrow::MapArray&>(*own);
  return i == 0 ? map.keys() : map.items();
}

/// Casts the children and keeps the lists, or the rows, around them.
Result<ArrayPtr> cast_parts(const ArrayPtr& own, const NestedCast& cast, EvalContext& context) {
  const bool is_row = cast.to.kind() == TypeKind::kRow;
  const bool is_list = cast.to.kind() == TypeKind::kArray;
  std::vector<bool> lost(static_cast<std::size_t>(own->length()));
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (std::size_t i = 0; i < cast.kernels.size(); ++i) {
    TG_ASSIGN_OR_RETURN(const ArrayPtr part, part_of(own, cast.to, static_cast<int>(i)));
    TG_ASSIGN_OR_RETURN(const ArrayPtr done, cast.kernels[i].cast(part, context));
    if (!cast.strict && is_row) {
      find_lost(
          *part, *done, [](std::size_t row) { return static_cast<std::int64_t>(row); }, lost);
    } else if (!cast.strict) {
      const std::int32_t* offsets = own->data()->GetValues<std::int32_t>(1);
      find_lost(
          *part, *done, [&](std::size_t row) { return offsets[row]; }, lost);
    }
    children.push_back(done->data());
  }
  if (any(lost)) {
    TG_ASSIGN_OR_RETURN(const ArrayPtr kept, without(own, lost));
    return cast_parts(kept, cast, context);
  }
  if (is_row || is_list) return with_children(*own->data(), cast.to, std::move(children));
  auto entries = own->data()->child_data[0]->Copy();
  entries->type = static_cast<const arrow::MapType&>(*cast.to.arrow_type()).value_type();
  entries->child_data = std::move(children);
  return with_children(*own->data(), cast.to, {std::move(entries)});
}

}  // namespace

std::optional<CastKernel> find_nested_cast(const LogicalType& from, const LogicalType& to,
                                           bool strict) {
  if (!from.is_nested() || from.kind() != to.kind() ||
      from.children().size() != to.children().size())
    return std::nullopt;
  std::vector<CastKernel> kernels;
  for (std::size_t i = 0; i < from.children().size(); ++i) {
    std::optional<CastKernel> kernel =
        find_cast(from.children()[i].type, to.children()[i].type, strict);
    if (!kernel) return std::nullopt;
    kernels.push_back(*std::move(kernel));
  }
  if (from.kind() == TypeKind::kMultiset) {
    kernels.push_back(
        {.cast = [](const ArrayPtr& counts, EvalContext&) { return Result<ArrayPtr>(counts); }});
  }
  CastKernel whole;
  whole.can_fail = std::any_of(kernels.begin(), kernels.end(),
                               [](const CastKernel& kernel) { return kernel.can_fail; });
  whole.uses_context = std::any_of(kernels.begin(), kernels.end(),
                                   [](const CastKernel& kernel) { return kernel.uses_context; });
  whole.cast = [cast = NestedCast{to, std::move(kernels), strict}](const ArrayPtr& values,
                                                                   EvalContext& context) {
    Result<ArrayPtr> own = compacted(values);
    return own.is_ok() ? cast_parts(*own, cast, context) : own;
  };
  return whole;
}

}  // namespace tidegate
