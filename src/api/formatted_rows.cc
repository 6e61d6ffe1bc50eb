// SPDX-License-Identifier: Apache-2.0
#include "api/formatted_rows.h"

#include <numeric>
#include <utility>

#include "base/check.h"
#include "formats/record_errors.h"

namespace tidegate {
namespace {

Result<const Format*> format_of(const Options& options, const FormatRegistry& formats) {
  const std::string name = options.get_string_or("format", "");
  if (name.empty()) {
    return Status(ErrorCode::kInvalidArgument, "the connector has no format",
                  "Give it one: files(...).format(json()).");
  }
  return formats.find(name);
}

}  // namespace

Result<Batch> decode_rows(std::string_view text, const SchemaPtr& schema, const Options& options,
                          const FormatRegistry& formats) {
  TG_ASSIGN_OR_RETURN(const Format* format, format_of(options, formats));
  if (!format->make_decoder) {
    return error(ErrorCode::kNotSupported, "format '{}' does not read text", format->name);
  }
  TG_ASSIGN_OR_RETURN(const RecordErrorPolicy policy, record_error_policy(options, format->name));
  std::vector<int> projection(static_cast<std::size_t>(schema->num_fields()));
  std::iota(projection.begin(), projection.end(), 0);
  TG_ASSIGN_OR_RETURN(auto decoder, format->make_decoder({schema, projection, options}));
  std::string padded(text);
  padded.append(Decoder::kPadding, '\0');
  TG_RETURN_IF_ERROR(decoder->decode(
      std::string_view(padded).substr(0, text.size()), [&](const BadRecord& bad) -> Status {
        if (policy != RecordErrorPolicy::kFail) return Status::ok();
        return Status(bad.reason).with_context(fmt::format("line {}", bad.line + 1));
      }));
  return decoder->take();
}

Result<std::string> encode_rows(const std::vector<Batch>& rows, const SchemaPtr& schema,
                                const Options& options, const FormatRegistry& formats) {
  TG_ASSIGN_OR_RETURN(const Format* format, format_of(options, formats));
  if (!format->make_encoder) {
    return error(ErrorCode::kNotSupported, "format '{}' does not write text", format->name);
  }
  TG_ASSIGN_OR_RETURN(auto encoder, format->make_encoder(schema, options));
  std::string text;
  for (const Batch& batch : rows) TG_RETURN_IF_ERROR(encoder->encode(batch, text));
  return text;
}

}  // namespace tidegate
