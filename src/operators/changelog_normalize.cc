// SPDX-License-Identifier: Apache-2.0
#include "operators/changelog_normalize.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "operators/last_rows.h"
#include "operators/stored_rows.h"

namespace tidegate {
namespace {

/// State "rows", per key: its last row (stored_rows.h), as +I.
class ChangelogNormalize final : public Operator {
 public:
  explicit ChangelogNormalize(ChangelogNormalizeOptions options)
      : rows_(options.keys, options.types, options.ttl_ms),
        emit_update_before_(options.emit_update_before),
        changes_(options.types) {}

  Status open(OperatorContext& context) override { return rows_.open(context, "rows", "stored"); }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(rows_.read(batch));
    Batch inserts = batch;
    inserts.set_row_kinds(nullptr);
    const StoredRowEncoder encoder(inserts);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      if (row_kind_adds(batch.row_kind(row))) {
        bytes_.clear();
        encoder.append(row, bytes_);
        TG_RETURN_IF_ERROR(put(row));
      } else {
        TG_RETURN_IF_ERROR(remove(row));
      }
      if (changes_.full()) TG_RETURN_IF_ERROR(changes_.flush(out));
    }
    TG_RETURN_IF_ERROR(changes_.flush(out));
    TG_RETURN_IF_ERROR(rows_.finish());
    return Progress::kDone;
  }

 private:
  Status put(std::int64_t row) {
    const std::string_view before = rows_.get(row);
    const bool is_new = before.empty();
    if (!is_new) {
      if (!rows_.has_ttl() && row_of_stored(before) == row_of_stored(bytes_)) return Status::ok();
      if (emit_update_before_) {
        TG_RETURN_IF_ERROR(changes_.append(before, RowKind::kUpdateBefore));
      }
    }
    TG_RETURN_IF_ERROR(changes_.append(bytes_, is_new ? RowKind::kInsert : RowKind::kUpdateAfter));
    rows_.set(row, bytes_);
    return Status::ok();
  }

  Status remove(std::int64_t row) {
    const std::string_view before = rows_.get(row);
    if (before.empty()) return Status::ok();
    TG_RETURN_IF_ERROR(changes_.append(before, RowKind::kDelete));
    rows_.set(row, {});
    return Status::ok();
  }

  LastRows rows_;
  bool emit_update_before_;
  std::string bytes_;
  StoredRowDecoder changes_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_changelog_normalize(ChangelogNormalizeOptions options) {
  if (options.keys.empty()) {
    return error(ErrorCode::kInvalidArgument, "a changelog is made whole by a key; there is none");
  }
  return std::unique_ptr<Operator>(std::make_unique<ChangelogNormalize>(std::move(options)));
}

}  // namespace tidegate
