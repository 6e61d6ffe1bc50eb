// SPDX-License-Identifier: Apache-2.0
//
// The nodes of relational algebra that queries are bound to; what is special to streams (windows,
// interval joins, Top-N) is found in them by the planner's rules.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "expr/expr.h"
#include "plan/node.h"
#include "types/batch.h"

namespace tidegate::plan {

/// Computes each output column from the input's row. `schema` holds the names and types.
class ProjectNode final : public Node {
 public:
  ProjectNode(Input input, std::vector<ExprPtr> columns, SchemaPtr output);
  std::string_view kind() const override { return "Project"; }
  std::string details() const override;
  void mark_columns_read(int input, std::vector<bool>& used) const override;
  void remap_columns(int input, const std::vector<int>& new_index) override;

  std::vector<ExprPtr> columns;
};

/// Keeps the rows for which the condition is true.
class FilterNode final : public Node {
 public:
  FilterNode(Input input, ExprPtr condition);
  std::string_view kind() const override { return "Filter"; }
  std::string details() const override;

  ExprPtr condition;
};

/// A column by which rows are sorted.
struct SortKey {
  int column = 0;
  bool descending = false;
  bool nulls_first = true;
};
/// "price DESC, ts": for details().
std::string sort_text(const Schema& schema, const std::vector<SortKey>& keys);

/// Rows in order, without those in front of `offset` and behind `offset + limit`.
class SortNode final : public Node {
 public:
  SortNode(Input input, std::vector<SortKey> keys, std::int64_t offset, std::int64_t limit);
  std::string_view kind() const override { return keys.empty() ? "Limit" : "Sort"; }
  std::string details() const override;

  std::vector<SortKey> keys;  ///< none: any rows will do
  std::int64_t offset;
  std::int64_t limit;  ///< -1: all
  /// Set by the planner: nothing but columns are computed behind it, so that the order of rows is
  /// that of the result.
  bool is_final = false;
  /// Set by the planner for an output mode: each epoch's rows are sorted and limited by themselves.
  bool per_epoch = false;
};

/// Constant rows.
class ValuesNode final : public Node {
 public:
  ValuesNode(SchemaPtr schema, Batch rows);
  std::string_view kind() const override { return "Values"; }
  std::string details() const override;

  Batch rows;
};

/// INTERSECT and EXCEPT. (UNION ALL is a MergeNode, UNION an aggregate of all columns over it.)
class SetOperationNode final : public Node {
 public:
  enum class Operation : std::uint8_t { kIntersect, kExcept };
  SetOperationNode(Input left, Input right, Operation operation, bool all);
  std::string_view kind() const override {
    return operation == Operation::kIntersect ? "Intersect" : "Except";
  }
  std::string details() const override { return all ? "all" : ""; }

  Operation operation;
  bool all;
};

/// Repeats each row per element of its collection `column`; elements stand behind the row's
/// columns: fields of rows, key and value of maps, then the ordinality.
class UnnestNode final : public Node {
 public:
  UnnestNode(Input input, int column, bool outer, bool ordinality, SchemaPtr output);
  std::string_view kind() const override { return "Unnest"; }
  std::string details() const override;

  int column;
  bool outer;  ///< a row without elements stays, with nulls
  bool ordinality;
};

/// Grouping sets: repeats each row per set, with the columns of `keys` that are not in it null, and
/// the BIGINT grouping id behind the row's columns. Bit n of the id (the last key is bit 0) is set
/// when the key is left out.
class ExpandNode final : public Node {
 public:
  ExpandNode(Input input, std::vector<int> keys, std::vector<std::vector<bool>> sets);
  std::string_view kind() const override { return "Expand"; }
  std::string details() const override;

  std::vector<int> keys;
  std::vector<std::vector<bool>> sets;  ///< per set, per key: whether it is in it
};

}  // namespace tidegate::plan
