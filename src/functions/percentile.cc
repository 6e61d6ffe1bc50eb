// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "functions/binding.h"
#include "functions/counted_values.h"
#include "functions/list_values.h"

namespace tidegate {

namespace {

/// Any numeric column as doubles; 0 for NULL.
std::vector<double> as_doubles(const LogicalType& type, const arrow::Array& column) {
  std::vector<double> out(static_cast<std::size_t>(column.length()));
  with_physical_type(type, [&]<typename T>() {
    const ValueReader<T> values(column);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      if (values.is_null(row)) continue;
      if constexpr (std::is_same_v<T, Int128>) {
        out[i] = decimal_to_double(values[row], type.scale());
      } else if constexpr (std::is_arithmetic_v<T>) {
        out[i] = static_cast<double>(values[row]);
      }
    }
  });
  return out;
}

/// Every value with how often it is there, and the percentages of the first row (they are constants
/// of the query).
class Distribution {
 public:
  std::vector<double> percentages;
  CountedValues<double> values;

  void merge(const Distribution& other) {
    if (percentages.empty()) percentages = other.percentages;
    values.merge(other.values);
  }
  /// The values at the percentages, between two neighbours in proportion; false when there are
  /// none.
  bool percentiles(std::vector<double>& out) const {
    std::vector<std::pair<double, std::int64_t>> upto;  // value, rows up to and with it
    std::int64_t rows = 0;
    values.for_each(
        [&](double value, std::int64_t count) { upto.emplace_back(value, rows += count); });
    if (rows == 0) return false;
    const auto at = [&upto](double rank) {  // from 0
      return std::upper_bound(
                 upto.begin(), upto.end(), rank,
                 [](double r, const auto& entry) { return r < static_cast<double>(entry.second); })
          ->first;
    };
    for (const double percentage : percentages) {
      const double position = percentage * static_cast<double>(rows - 1);
      const double below = std::floor(position);
      const double above = std::ceil(position);
      const double low = at(below);
      const double high = at(above);
      out.push_back(low == high || below == above
                        ? low
                        : (above - position) * low + (position - below) * high);
    }
    return true;
  }

  std::int64_t owned_bytes() const {
    return values.owned_bytes() +
           static_cast<std::int64_t>(sizeof(*this) + percentages.capacity() * sizeof(double));
  }
  void serialize(std::string& out) const {
    append_plain(static_cast<std::uint64_t>(percentages.size()), out);
    for (const double percentage : percentages) append_plain(percentage, out);
    values.serialize(out);
  }
  bool deserialize(std::string_view& in) {
    std::uint64_t count = 0;
    if (!take_plain(in, &count)) return false;
    for (; count > 0; --count)
      if (!take_plain(in, &percentages.emplace_back())) return false;
    return values.deserialize(in);
  }
};

class Percentile final : public HeapAggregator<Distribution> {
 public:
  Percentile(LogicalType result_type, std::span<const LogicalType> arguments)
      : HeapAggregator(std::move(result_type)), arguments_(arguments.begin(), arguments.end()) {}

  std::string fingerprint() const override { return "distribution"; }

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    return change(accumulators, arguments, 1);
  }
  bool can_retract() const override { return true; }
  Status retract(Accumulators accumulators, ArgumentArrays arguments) const override {
    return change(accumulators, arguments, -1);
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    if (state(from) != nullptr) content_of(into).merge(*state(from));
    return Status::ok();
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    if (result_type().kind() != TypeKind::kArray) {
      return result_column<double>(accumulators, [](const Distribution* content, double* out) {
        std::vector<double> percentiles;
        if (content == nullptr || !content->percentiles(percentiles)) return false;
        *out = percentiles[0];
        return true;
      });
    }
    std::vector<double> percentiles;
    ListWriter arrays(static_cast<std::int64_t>(accumulators.size()));
    for (const std::byte* accumulator : accumulators) {
      const Distribution* content = state(accumulator);
      const auto before = static_cast<std::int32_t>(percentiles.size());
      if (content == nullptr || !content->percentiles(percentiles)) {
        TG_RETURN_IF_ERROR(arrays.set_null());
      } else {
        arrays.push(before, static_cast<std::int32_t>(percentiles.size()));
        arrays.end_row();
      }
    }
    return arrays.finish(result_type(),
                         make_column(double_type(), static_cast<std::int64_t>(percentiles.size()),
                                     nullptr, {arrow::Buffer::FromVector(std::move(percentiles))}));
  }

 private:
  Status change(Accumulators accumulators, ArgumentArrays arguments, std::int64_t by) const {
    const std::vector<double> values = as_doubles(arguments_[0], *arguments[0]);
    std::vector<double> frequencies;
    if (arguments.size() == 3) frequencies = as_doubles(arguments_[2], *arguments[2]);
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      const std::int64_t times =
          frequencies.empty() ? 1 : static_cast<std::int64_t>(frequencies[i]);
      if (arguments[0]->IsNull(static_cast<std::int64_t>(i)) || times <= 0) continue;
      Distribution& content = content_of(accumulators[i]);
      if (content.percentages.empty()) {
        TG_RETURN_IF_ERROR(set_percentages(*arguments[1], static_cast<std::int64_t>(i), content));
      }
      content.values.change(values[i], times * by);
    }
    return Status::ok();
  }

  Status set_percentages(const arrow::Array& column, std::int64_t row,
                         Distribution& content) const {
    const ArrayPtr one = column.Slice(row, 1);
    const bool is_array = arguments_[1].kind() == TypeKind::kArray;
    const ArrayPtr numbers = is_array ? ListReader({one, true}).elements() : one;
    content.percentages =
        as_doubles(is_array ? arguments_[1].children()[0].type : arguments_[1], *numbers);
    const bool has_nulls = one->null_count() + numbers->null_count() > 0;
    if (content.percentages.empty() || has_nulls)
      return error(ErrorCode::kInvalidArgument, "PERCENTILE: a percentage is NULL or missing");
    for (const double percentage : content.percentages) {
      if (!(percentage >= 0 && percentage <= 1))
        return error(ErrorCode::kInvalidArgument, "PERCENTILE: {} is not between 0 and 1",
                     percentage);
    }
    return Status::ok();
  }

  std::vector<LogicalType> arguments_;
};

Result<std::unique_ptr<Aggregator>> bind_percentile(std::span<const LogicalType> arguments) {
  const auto are_percentages = [](const LogicalType& type) {
    return type.is_numeric() ||
           (type.kind() == TypeKind::kArray && type.children()[0].type.is_numeric());
  };
  if (arguments.size() < 2 || arguments.size() > 3 || !arguments[0].is_numeric() ||
      !are_percentages(arguments[1]) || (arguments.size() == 3 && !arguments[2].is_integer()))
    return argument_mismatch(
        "PERCENTILE", "a number, one or an array of percentages, and a whole number", arguments);
  const LogicalType result =
      arguments[1].kind() == TypeKind::kArray ? LogicalType::array(double_type()) : double_type();
  return std::make_unique<Percentile>(result, arguments);
}

}  // namespace

void register_function_percentile(FunctionRegistry& registry) {
  registry.add_aggregate(
      {.name = "PERCENTILE",
       .signature = "PERCENTILE(number, percentage | ARRAY[percentage, ...][, frequency])",
       .description =
           "The exact percentile (from 0 to 1) of the numbers that are not NULL, between "
           "two of them in proportion; each counts as often as its frequency says. NULL "
           "when there are none.",
       .bind = bind_percentile});
}

}  // namespace tidegate
