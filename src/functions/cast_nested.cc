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

using Kernels = std::vector<CastKernel>;

Result<ArrayPtr> cast_list(const ArrayPtr& values, const LogicalType& to, const Kernels& kernels,
                           EvalContext& context) {
  TG_ASSIGN_OR_RETURN(const ArrayPtr own, compacted(values));
  const ArrayPtr elements = arrow::MakeArray(own->data()->child_data[0]);
  TG_ASSIGN_OR_RETURN(const ArrayPtr cast, kernels[0].cast(elements, context));
  return with_children(*own->data(), to, {cast->data()});
}

Result<ArrayPtr> cast_map(const ArrayPtr& values, const LogicalType& to, const Kernels& kernels,
                          EvalContext& context) {
  TG_ASSIGN_OR_RETURN(const ArrayPtr own, compacted(values));
  const auto& map = static_cast<const arrow::MapArray&>(*own);
  TG_ASSIGN_OR_RETURN(const ArrayPtr keys, kernels[0].cast(map.keys(), context));
  TG_ASSIGN_OR_RETURN(const ArrayPtr items, kernels[1].cast(map.items(), context));
  auto entries = own->data()->child_data[0]->Copy();
  entries->type = static_cast<const arrow::MapType&>(*to.arrow_type()).value_type();
  entries->child_data = {keys->data(), items->data()};
  return with_children(*own->data(), to, {std::move(entries)});
}

Result<ArrayPtr> cast_row(const ArrayPtr& values, const LogicalType& to, const Kernels& kernels,
                          EvalContext& context) {
  TG_ASSIGN_OR_RETURN(const ArrayPtr own, compacted(values));
  const auto& row = static_cast<const arrow::StructArray&>(*own);
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    // With the row's nulls: what stands behind a null row is nobody's value.
    TG_ASSIGN_ARROW_OR_RETURN(const ArrayPtr field, row.GetFlattenedField(static_cast<int>(i)),
                              "cast a ROW");
    TG_ASSIGN_OR_RETURN(const ArrayPtr cast, kernels[i].cast(field, context));
    children.push_back(cast->data());
  }
  return with_children(*own->data(), to, std::move(children));
}

}  // namespace

std::optional<CastKernel> find_nested_cast(const LogicalType& from, const LogicalType& to,
                                           bool strict) {
  if (!from.is_nested() || from.kind() != to.kind() ||
      from.children().size() != to.children().size())
    return std::nullopt;
  Kernels kernels;
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
  whole.cast = [to, kernels = std::move(kernels)](const ArrayPtr& values, EvalContext& context) {
    switch (to.kind()) {
      case TypeKind::kArray:
        return cast_list(values, to, kernels, context);
      case TypeKind::kRow:
        return cast_row(values, to, kernels, context);
      default:
        return cast_map(values, to, kernels, context);
    }
  };
  return whole;
}

}  // namespace tidegate
