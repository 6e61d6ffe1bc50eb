// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/join.h"
#include "operators/key_table.h"
#include "operators/ordered_rows.h"
#include "operators/row_keys.h"
#include "operators/sort_order.h"
#include "operators/stored_rows.h"

namespace tidegate {

/// The input of an operator that keeps the rows of each key in order: state "rows"
/// (ordered_rows.h), and counter rows_not_found of rows that are taken back and are not there.
class OrderedInput {
 public:
  OrderedInput(const std::vector<int>& keys, const std::vector<LogicalType>& types,
               SortKeys sort_keys, bool retracts)
      : keys_(keys, types_at(keys, types)), sort_keys_(std::move(sort_keys)), retracts_(retracts) {}

  /// `form` of a row's bytes (row_layout.h), and what of them says that rows are equal.
  Status open(OperatorContext& context, std::string_view form, std::int64_t ttl_ms,
              OrderedRows::Columns columns) {
    rows_not_found_ = &context.metrics().counter("rows_not_found");
    TG_ASSIGN_OR_RETURN(auto rows, OrderedRows::open(context, "rows", form, ttl_ms, columns));
    rows_.emplace(std::move(rows));
    return Status::ok();
  }

  /// Calls `change(key, sort key, kind)`, which answers a Status, for each row of a batch. row() is
  /// its stored form.
  template <typename Change>
  Status read(const Batch& batch, const Change& change) {
    if (!retracts_) TG_RETURN_IF_ERROR(check_insert_only(batch));
    TG_RETURN_IF_ERROR(keys_.read(batch));
    TG_RETURN_IF_ERROR(sort_keys_.read(batch));
    rows_->forget_expired();
    const StoredRowEncoder encoder(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      OrderedRows::Key& key = rows_->key(keys_[row]);
      TG_RETURN_IF_ERROR(change(key, sort_keys_[row], batch.row_kind(row)));
      rows_->drop_if_empty(key);
    }
    return rows_->table().check_budget();
  }
  const std::string& row() const { return row_; }

  /// The place of a row that is equal to row(); none is counted.
  std::optional<std::size_t> find(OrderedRows::Key& key, std::string_view sort_key) {
    const auto found = rows_->find(key, sort_key, stored_columns(row_));
    if (!found) rows_not_found_->add(1);
    return found;
  }

  OrderedRows& rows() { return *rows_; }
  const OrderedRows& rows() const { return *rows_; }

 private:
  RowKeys keys_;
  SortKeys sort_keys_;
  bool retracts_;
  Counter* rows_not_found_ = nullptr;
  std::optional<OrderedRows> rows_;
  std::string row_;
};

}  // namespace tidegate
