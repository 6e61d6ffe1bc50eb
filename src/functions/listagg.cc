// SPDX-License-Identifier: Apache-2.0
#include "functions/binding.h"
#include "functions/row_sequence.h"

namespace tidegate {

namespace {

constexpr std::string_view kDefaultSeparator = ",";

/// Texts joined already. The separator in front of the first one is kept for merge().
class JoinedText {
 public:
  void add(std::string_view text, std::string_view separator) {
    if (is_empty_) {
      first_separator_ = separator;
      is_empty_ = false;
    } else {
      text_ += separator;
    }
    text_ += text;
  }
  void merge(const JoinedText& other) {
    if (!other.is_empty_) add(other.text_, other.first_separator_);
  }
  bool is_empty() const { return is_empty_; }
  const std::string& text() const { return text_; }

  std::int64_t owned_bytes() const {
    return static_cast<std::int64_t>(sizeof(*this) + text_.capacity() +
                                     first_separator_.capacity());
  }
  void serialize(std::string& out) const {
    append_sized(first_separator_, out);
    append_sized(text_, out);
  }
  /// There is one with the first text only.
  bool deserialize(std::string_view& in) {
    std::string_view separator;
    std::string_view text;
    if (!take_sized(in, &separator) || !take_sized(in, &text)) return false;
    add(text, separator);
    return true;
  }

 private:
  bool is_empty_ = true;
  std::string first_separator_;
  std::string text_;
};

class ListAgg final : public HeapAggregator<JoinedText> {
 public:
  using HeapAggregator::HeapAggregator;

  std::string fingerprint() const override { return "joined text"; }
  bool is_order_dependent() const override { return true; }

  Status add(Accumulators accumulators, ArgumentArrays arguments) const override {
    const ValueReader<std::string_view> texts(*arguments[0]);
    const bool has_separators = arguments.size() > 1;
    const ValueReader<std::string_view> separators(*arguments[has_separators ? 1 : 0]);
    for (std::size_t i = 0; i < accumulators.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      if (texts.is_null(row)) continue;
      content_of(accumulators[i])
          .add(texts[row], has_separators ? separators[row] : kDefaultSeparator);
    }
    return Status::ok();
  }
  Status merge(std::byte* into, const std::byte* from) const override {
    if (state(from) != nullptr) content_of(into).merge(*state(from));
    return Status::ok();
  }
  Result<ArrayPtr> result(ConstAccumulators accumulators) const override {
    return result_column<std::string_view>(accumulators,
                                           [](const JoinedText* content, std::string_view* out) {
                                             if (content == nullptr || content->is_empty())
                                               return false;
                                             *out = content->text();
                                             return true;
                                           });
  }
};

/// With all texts and their separators, so that rows can be taken back.
class RetractableListAgg final : public RowSequence<TakenValues> {
 public:
  using RowSequence::RowSequence;

 private:
  Result<ArrayPtr> make_result(const std::vector<ArrayPtr>& columns,
                               std::span<const std::int32_t> ends) const override {
    const ValueReader<std::string_view> texts(*columns[0]);
    const bool has_separators = columns.size() > 1;
    const ValueReader<std::string_view> separators(*columns[has_separators ? 1 : 0]);
    const auto count = static_cast<std::int64_t>(ends.size());
    TG_ASSIGN_OR_RETURN(auto out, ValueWriter<std::string_view>::make(count));
    std::int32_t row = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int32_t begin = row;
      for (; row < ends[static_cast<std::size_t>(i)]; ++row) {
        if (row > begin) out.text() += has_separators ? separators[row] : kDefaultSeparator;
        out.text() += texts[row];
      }
      if (begin < row) {
        out.end_row();
      } else {
        TG_RETURN_IF_ERROR(out.set_null(i));
      }
    }
    return out.finish(result_type());
  }
};

Status check_listagg(std::span<const LogicalType> arguments) {
  const bool fits = (arguments.size() == 1 || arguments.size() == 2) &&
                    arguments.front().is_character() && arguments.back().is_character();
  return fits ? Status::ok() : argument_mismatch("LISTAGG", "a string and a separator", arguments);
}

}  // namespace

void register_function_listagg(FunctionRegistry& registry) {
  using Bound = Result<std::unique_ptr<Aggregator>>;
  registry.add_aggregate(
      {.name = "LISTAGG",
       .signature = "LISTAGG([DISTINCT] string[, separator])",
       .description = "The strings that are not NULL, in the order in which they came, joined with "
                      "the separator (a comma without one); NULL when there are none.",
       .bind = [](std::span<const LogicalType> arguments) -> Bound {
         TG_RETURN_IF_ERROR(check_listagg(arguments));
         return std::make_unique<ListAgg>(text_type());
       },
       .bind_retracting = [](std::span<const LogicalType> arguments) -> Bound {
         TG_RETURN_IF_ERROR(check_listagg(arguments));
         return std::make_unique<RetractableListAgg>(text_type(), arguments, /*ignore_nulls=*/true);
       }});
}

}  // namespace tidegate
