// SPDX-License-Identifier: Apache-2.0
#include "expr/encoded_argument.h"

#include <arrow/array.h>

#include <utility>

#include "base/check.h"
#include "expr/column_values.h"
#include "types/key_encoding.h"

namespace tidegate {

namespace {

class EncodedArgument final : public Aggregator {
 public:
  EncodedArgument(LogicalType type, std::unique_ptr<Aggregator> of_bytes)
      : type_(type), codec_({std::move(type)}), of_bytes_(std::move(of_bytes)) {}

  LogicalType result_type() const override { return type_; }
  std::int32_t size_bytes() const override { return of_bytes_->size_bytes(); }
  void create(std::byte* accumulator) const override { of_bytes_->create(accumulator); }
  bool needs_create() const override { return of_bytes_->needs_create(); }
  void destroy(std::byte* accumulator) const override { of_bytes_->destroy(accumulator); }
  bool needs_destroy() const override { return of_bytes_->needs_destroy(); }
  bool is_relocatable() const override { return of_bytes_->is_relocatable(); }
  std::int64_t owned_bytes(const std::byte* accumulator) const override {
    return of_bytes_->owned_bytes(accumulator);
  }
  std::string fingerprint() const override {
    return of_bytes_->fingerprint() + " of " + type_.to_string();
  }

  Status add(std::span<std::byte* const> accumulators,
             std::span<const ArrayPtr> arguments) const override {
    TG_ASSIGN_OR_RETURN(const ArrayPtr bytes, encode(arguments[0]));
    return of_bytes_->add(accumulators, {&bytes, 1});
  }
  bool can_retract() const override { return of_bytes_->can_retract(); }
  Status retract(std::span<std::byte* const> accumulators,
                 std::span<const ArrayPtr> arguments) const override {
    TG_ASSIGN_OR_RETURN(const ArrayPtr bytes, encode(arguments[0]));
    return of_bytes_->retract(accumulators, {&bytes, 1});
  }
  bool can_merge() const override { return of_bytes_->can_merge(); }
  Status merge(std::byte* into, const std::byte* from) const override {
    return of_bytes_->merge(into, from);
  }
  bool is_order_dependent() const override { return of_bytes_->is_order_dependent(); }

  Result<ArrayPtr> result(std::span<const std::byte* const> accumulators) const override {
    TG_ASSIGN_OR_RETURN(const ArrayPtr bytes, of_bytes_->result(accumulators));
    const auto& values = static_cast<const arrow::BinaryArray&>(*bytes);
    // A key of one nested column is a marker and the value: a null is the marker alone.
    static constexpr std::string_view kNullKey("\0", 1);
    std::vector<std::string_view> keys;
    keys.reserve(static_cast<std::size_t>(values.length()));
    for (std::int64_t i = 0; i < values.length(); ++i)
      keys.push_back(values.IsNull(i) ? kNullKey : values.GetView(i));
    TG_ASSIGN_OR_RETURN(std::vector<ArrayPtr> columns, codec_.decode(keys));
    return std::move(columns[0]);
  }

  void serialize(const std::byte* accumulator, std::string& out) const override {
    of_bytes_->serialize(accumulator, out);
  }
  Status deserialize(std::string_view& in, std::byte* accumulator) const override {
    return of_bytes_->deserialize(in, accumulator);
  }

 private:
  Result<ArrayPtr> encode(const ArrayPtr& argument) const {
    EncodedKeys keys;
    TG_RETURN_IF_ERROR(codec_.encode({&argument, 1}, argument->length(), keys));
    TG_ASSIGN_OR_RETURN(auto writer, ValueWriter<std::string_view>::make(argument->length()));
    for (std::int64_t i = 0; i < argument->length(); ++i) {
      if (argument->IsNull(i)) {
        TG_RETURN_IF_ERROR(writer.set_null(i));
      } else {
        writer.set(i, keys.key(i));
      }
    }
    return writer.finish(LogicalType(TypeKind::kVarbinary));
  }

  LogicalType type_;
  KeyCodec codec_;
  std::unique_ptr<Aggregator> of_bytes_;
};

}  // namespace

std::unique_ptr<Aggregator> encode_argument(LogicalType type,
                                            std::unique_ptr<Aggregator> of_bytes) {
  TG_CHECK(type.is_nested(), "{} is not nested", type.to_string());
  return std::make_unique<EncodedArgument>(std::move(type), std::move(of_bytes));
}

}  // namespace tidegate
