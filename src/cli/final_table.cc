// SPDX-License-Identifier: Apache-2.0
#include "cli/final_table.h"

#include <arrow/array/array_base.h>

#include <cstring>
#include <utility>

#include "base/check.h"

namespace tidegate {

namespace {

std::string_view take_key(std::string_view& keys) {
  std::uint32_t size;
  std::memcpy(&size, keys.data(), sizeof(size));
  const std::string_view key = keys.substr(sizeof(size), size);
  keys.remove_prefix(sizeof(size) + size);
  return key;
}

}  // namespace

OrderKeys::OrderKeys(const Schema& schema, std::vector<ResultOrder> order)
    : order_(std::move(order)) {
  for (const ResultOrder& by : order_) {
    TG_CHECK(by.column >= 0 && by.column < schema.num_fields(), "column={}", by.column);
    codecs_.emplace_back(std::vector{schema.field(by.column).type});
  }
  keys_.resize(order_.size());
}

Status OrderKeys::bind(const Batch& batch) {
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const ArrayPtr& column = batch.column(order_[i].column);
    TG_RETURN_IF_ERROR(codecs_[i].encode({&column, 1}, batch.num_rows(), keys_[i]));
  }
  return Status::ok();
}

void OrderKeys::append(std::int64_t row, std::string& out) const {
  for (const EncodedKeys& keys : keys_) {
    const std::string_view key = keys.key(row);
    const auto size = static_cast<std::uint32_t>(key.size());
    out.append(reinterpret_cast<const char*>(&size), sizeof(size));
    out += key;
  }
}

bool OrderKeys::less(std::string_view a, std::string_view b) const {
  for (const ResultOrder& by : order_) {
    const std::string_view x = take_key(a);
    const std::string_view y = take_key(b);
    if (x == y) continue;
    // The key of null is empty, and first of all.
    if (x.empty() || y.empty()) return x.empty() != by.nulls_last;
    return (x < y) != by.descending;
  }
  return false;
}

FinalTable::FinalTable(const ResultSettings& settings, bool updates_in_place)
    : form_(settings.form),
      updates_in_place_(updates_in_place),
      encoder_(settings.schema, settings.zone),
      order_(*settings.schema, settings.order) {}

Status FinalTable::apply(const Batch& changes) {
  encoder_.bind(changes);
  TG_RETURN_IF_ERROR(order_.bind(changes));
  for (std::int64_t row = 0; row < changes.num_rows(); ++row) {
    TG_RETURN_IF_ERROR(encode(row, row_));
    const bool updated = updates_in_place_ && row + 1 < changes.num_rows() &&
                         changes.row_kind(row) == RowKind::kUpdateBefore &&
                         changes.row_kind(row + 1) == RowKind::kUpdateAfter;
    if (updated) {
      TG_RETURN_IF_ERROR(encode(++row, new_row_));
      rows_.replace(row_, new_row_, order_of(row));
    } else if (row_kind_adds(changes.row_kind(row))) {
      rows_.add(row_, order_of(row));
    } else {
      rows_.remove(row_);
    }
  }
  return Status::ok();
}

std::string_view FinalTable::order_of(std::int64_t row) {
  row_order_.clear();
  order_.append(row, row_order_);
  return row_order_;
}

Status FinalTable::encode(std::int64_t row, std::string& out) {
  out.clear();
  if (form_ == ResultForm::kJson) return encoder_.append_json(row, out);
  if (form_ == ResultForm::kCsv) return encoder_.append_csv(row, out);
  encoder_.append_cells(row, out);
  return Status::ok();
}

Status FinalTable::check_complete() const {
  if (rows_.num_missing() == 0) return Status::ok();
  return error(ErrorCode::kInternal, "{} of the result were taken back and never came",
               counted(rows_.num_missing(), "row"));
}

void FinalTable::for_each(const std::function<void(std::string_view)>& visit) const {
  FinalRows::Less less;
  if (order_.any()) less = [this](auto a, auto b) { return order_.less(a, b); };
  rows_.for_each(visit, less);
}

Status check_adds(const Batch& batch, std::int64_t row) {
  if (row_kind_adds(batch.row_kind(row))) return Status::ok();
  return error(ErrorCode::kInternal, "a result that only inserts got a row of kind {}",
               row_kind_symbol(batch.row_kind(row)));
}

std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return digits;
}

std::string counted(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", grouped(count), what, count == 1 ? "" : "s");
}

}  // namespace tidegate
