// SPDX-License-Identifier: Apache-2.0
#include "operators/live_rows.h"

#include <arrow/array/array_base.h>
#include <arrow/type.h>

#include "base/check.h"
#include "state/state_bytes.h"
#include "types/key_hash.h"

namespace tidegate {

namespace {

/// One row of key columns as bytes.
Status encode_key(const Batch& row, const KeyCodec& codec, EncodedKeys& key) {
  const std::vector<LogicalType>& types = codec.types();
  bool same = row.num_rows() == 1 && row.num_columns() == std::ssize(types);
  for (int i = 0; same && i < row.num_columns(); ++i) {
    same = row.column(i)->type()->Equals(*types[static_cast<std::size_t>(i)].arrow_type());
  }
  if (!same) {
    return error(ErrorCode::kTypeMismatch, "the key that is looked for is of other types");
  }
  return codec.encode(row.columns(), 1, key);
}

}  // namespace

Result<QueriedKeys> QueriedKeys::make(const StateQuery& query, const KeyCodec& codec) {
  QueriedKeys asked;
  asked.all_ = !query.key;
  asked.has_from_ = query.from.has_value();
  asked.has_to_ = query.to.has_value();
  if (query.key) {
    TG_RETURN_IF_ERROR(encode_key(*query.key, codec, asked.key_));
    asked.hash_ = hash_key(asked.key_.key(0));
  }
  if (query.from) TG_RETURN_IF_ERROR(encode_key(*query.from, codec, asked.from_));
  if (query.to) TG_RETURN_IF_ERROR(encode_key(*query.to, codec, asked.to_));
  return asked;
}

std::vector<std::byte*> QueriedKeys::find(const StateTable& table, std::int64_t name_space) const {
  if (all_) {
    return rows_by_key(table, name_space,
                       [this](std::string_view key) { return is_in_range(key); });
  }
  std::byte* const value = table.find(name_space, key());
  return value == nullptr ? std::vector<std::byte*>() : std::vector{value};
}

}  // namespace tidegate
