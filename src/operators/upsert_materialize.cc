// SPDX-License-Identifier: Apache-2.0
#include "operators/upsert_materialize.h"

#include <optional>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/last_rows.h"
#include "operators/row_codec.h"
#include "operators/stored_rows.h"
#include "state/binary_codec.h"

namespace tidegate {
namespace {

/// State "rows", per primary key: its rows in the order of their coming, each as
///   length (4) of what the input tells it by | that (row_codec.h; nothing: the row itself)
///   | length (4) of the row | the row (stored_rows.h), as +I
class UpsertMaterialize final : public Operator {
 public:
  explicit UpsertMaterialize(UpsertMaterializeOptions options)
      : rows_(options.primary_key, options.types, options.ttl_ms),
        input_key_(std::move(options.input_key)),
        changes_(options.types) {}

  Status open(OperatorContext& context) override {
    rows_not_found_ = &context.metrics().counter("rows_not_found");
    return rows_.open(context, "rows", "= * l l:stored");
  }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(rows_.read(batch));
    Batch inserts = batch;
    inserts.set_row_kinds(nullptr);
    const StoredRowEncoder encoder(inserts);
    std::vector<ArrayPtr> key_columns;
    for (const int column : input_key_) key_columns.push_back(batch.column(column));
    const RowEncoder key_encoder(key_columns);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      row_.clear();
      encoder.append(row, row_);
      key_.clear();
      if (!input_key_.empty()) key_encoder.append(row, key_);
      TG_RETURN_IF_ERROR(row_kind_adds(batch.row_kind(row)) ? add(row) : remove(row));
      if (changes_.full()) TG_RETURN_IF_ERROR(changes_.flush(out));
    }
    TG_RETURN_IF_ERROR(changes_.flush(out));
    TG_RETURN_IF_ERROR(rows_.finish());
    return Progress::kDone;
  }

 private:
  /// Where a row stands in the bytes of its primary key.
  struct Place {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string_view row;
  };
  struct Found {
    std::optional<Place> match;  ///< the first row like the current one
    std::optional<Place> last;
    std::optional<Place> before_last;
  };

  Result<Found> find(std::string_view rows) const {
    Found found;
    std::string_view rest = rows;
    while (!rest.empty()) {
      std::uint32_t key_size = 0;
      std::uint32_t row_size = 0;
      Place place;
      place.begin = rows.size() - rest.size();
      if (!read_fixed(rest, key_size) || key_size > rest.size()) return corrupt();
      const std::string_view key = rest.substr(0, key_size);
      rest.remove_prefix(key_size);
      if (!read_fixed(rest, row_size) || row_size > rest.size()) return corrupt();
      place.row = rest.substr(0, row_size);
      rest.remove_prefix(row_size);
      place.end = rows.size() - rest.size();
      const bool equal =
          input_key_.empty() ? row_of_stored(place.row) == row_of_stored(row_) : key == key_;
      if (equal && !found.match) found.match = place;
      found.before_last = found.last;
      found.last = place;
    }
    return found;
  }

  static Status corrupt() {
    return Status(ErrorCode::kStateCorrupt, "the stored rows of a primary key are cut short");
  }

  void write_entry(std::string& bytes) const {
    write_fixed(bytes, static_cast<std::uint32_t>(key_.size()));
    bytes += key_;
    write_fixed(bytes, static_cast<std::uint32_t>(row_.size()));
    bytes += row_;
  }

  Status add(std::int64_t row) {
    const std::string_view rows = rows_.get(row);
    const RowKind kind = rows.empty() ? RowKind::kInsert : RowKind::kUpdateAfter;
    TG_RETURN_IF_ERROR(changes_.append(row_, kind));
    bytes_.clear();
    if (!input_key_.empty()) {
      TG_ASSIGN_OR_RETURN(const Found found, find(rows));
      if (found.match) {
        bytes_.append(rows.substr(0, found.match->begin));
        write_entry(bytes_);
        bytes_.append(rows.substr(found.match->end));
        rows_.set(row, bytes_);
        return Status::ok();
      }
    }
    write_entry(bytes_);
    rows_.append(row, bytes_);
    return Status::ok();
  }

  Status remove(std::int64_t row) {
    const std::string_view rows = rows_.get(row);
    TG_ASSIGN_OR_RETURN(const Found found, find(rows));
    if (!found.match) {
      rows_not_found_->add(1);
      return Status::ok();
    }
    if (found.match->begin == found.last->begin) {
      TG_RETURN_IF_ERROR(found.before_last
                             ? changes_.append(found.before_last->row, RowKind::kUpdateAfter)
                             : changes_.append(row_, RowKind::kDelete));
    }
    bytes_.assign(rows.substr(0, found.match->begin));
    bytes_.append(rows.substr(found.match->end));
    rows_.set(row, bytes_);
    return Status::ok();
  }

  LastRows rows_;
  std::vector<int> input_key_;
  Counter* rows_not_found_ = nullptr;
  StoredRowDecoder changes_;
  // Of the current row: itself, what the input tells it by, and what its primary key has then.
  std::string row_;
  std::string key_;
  std::string bytes_;
};

}  // namespace

Result<std::unique_ptr<Operator>> make_upsert_materialize(UpsertMaterializeOptions options) {
  if (options.primary_key.empty()) {
    return error(ErrorCode::kInvalidArgument, "a sink without a primary key takes no upserts");
  }
  return std::unique_ptr<Operator>(std::make_unique<UpsertMaterialize>(std::move(options)));
}

}  // namespace tidegate
