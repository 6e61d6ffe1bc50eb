// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/final_rows.h"
#include "cli/result_encoder.h"
#include "cli/result_settings.h"
#include "tidegate/status.h"
#include "types/key_encoding.h"

namespace tidegate {

/// What rows are sorted by, as bytes: for each column its length and its key.
class OrderKeys {
 public:
  OrderKeys(const Schema& schema, std::vector<ResultOrder> order);

  bool any() const { return !order_.empty(); }
  Status bind(const Batch& batch);
  void append(std::int64_t row, std::string& out) const;
  bool less(std::string_view a, std::string_view b) const;

 private:
  std::vector<ResultOrder> order_;
  std::vector<KeyCodec> codecs_;
  std::vector<EncodedKeys> keys_;
};

/// The table that a changelog leads to: its rows as text in the form of the settings, in order.
class FinalTable {
 public:
  /// `updates_in_place`: a row that is updated keeps its place, as far as both halves of the update
  /// come together, which is for the eye only; else it goes to the end.
  explicit FinalTable(const ResultSettings& settings, bool updates_in_place = false);

  Status apply(const Batch& changes);
  /// kInternal when the changelog took back rows that never came.
  Status check_complete() const;
  void for_each(const std::function<void(std::string_view row)>& visit) const;
  std::int64_t size() const { return rows_.size(); }
  ResultEncoder& encoder() { return encoder_; }

 private:
  Status encode(std::int64_t row, std::string& out);
  std::string_view order_of(std::int64_t row);

  ResultForm form_;
  bool updates_in_place_;
  ResultEncoder encoder_;
  OrderKeys order_;
  FinalRows rows_;
  std::string row_;
  std::string new_row_;
  std::string row_order_;
};

/// kInternal for a row that takes back another, in a result that was said not to.
Status check_adds(const Batch& batch, std::int64_t row);

/// "1,234 rows".
std::string counted(std::int64_t count, std::string_view what);
/// "1,234".
std::string grouped(std::int64_t count);

}  // namespace tidegate
