// SPDX-License-Identifier: Apache-2.0
#include "operators/live_rows.h"

#include <arrow/array/array_base.h>
#include <arrow/type.h>

#include "base/check.h"
#include "state/state_bytes.h"
#include "types/key_hash.h"

namespace tidegate {

Result<QueriedKeys> QueriedKeys::make(const StateQuery& query, const KeyCodec& codec) {
  QueriedKeys asked;
  if (!query.key) return asked;
  const std::vector<LogicalType>& types = codec.types();
  bool same = query.key->num_columns() == std::ssize(types);
  for (int i = 0; same && i < query.key->num_columns(); ++i) {
    same = query.key->column(i)->type()->Equals(*types[static_cast<std::size_t>(i)].arrow_type());
  }
  if (!same) {
    return error(ErrorCode::kTypeMismatch, "the key that is looked for is of other types");
  }
  asked.all_ = false;
  TG_RETURN_IF_ERROR(codec.encode(query.key->columns(), 1, asked.keys_));
  asked.hash_ = hash_key(asked.keys_.key(0));
  return asked;
}

std::vector<std::byte*> QueriedKeys::find(const StateTable& table, std::int64_t name_space) const {
  if (all_) return rows_by_key(table, name_space);
  std::byte* const value = table.find(name_space, key());
  return value == nullptr ? std::vector<std::byte*>() : std::vector{value};
}

}  // namespace tidegate
