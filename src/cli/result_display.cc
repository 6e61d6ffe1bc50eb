// SPDX-License-Identifier: Apache-2.0
#include "cli/result_display.h"

#include <utility>

#include "base/check.h"
#include "cli/final_table.h"
#include "cli/result_encoder.h"

namespace tidegate {

namespace {

/// Each change as an object.
class ChangelogDisplay final : public ResultDisplay {
 public:
  ChangelogDisplay(const ResultSettings& settings, ResultOutput output)
      : ResultDisplay(std::move(output)), encoder_(settings.schema, settings.zone) {}

  Status write(const Batch& batch) override {
    encoder_.bind(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      text_ += "{\"op\":\"";
      text_ += row_kind_symbol(batch.row_kind(row));
      text_ += "\",\"row\":";
      TG_RETURN_IF_ERROR(encoder_.append_json(row, text_));
      text_ += '}';
      add_batch_id();
      text_ += '\n';
      TG_RETURN_IF_ERROR(send_piece());
    }
    num_rows_ += batch.num_rows();
    return send();
  }
  Status finish() override { return Status::ok(); }
  std::int64_t num_rows() const override { return num_rows_; }
  bool shows_at_once() const override { return true; }

 private:
  ResultEncoder encoder_;
  std::int64_t num_rows_ = 0;
};

/// JSON or CSV of rows that stay.
class StreamDisplay final : public ResultDisplay {
 public:
  StreamDisplay(const ResultSettings& settings, ResultOutput output)
      : ResultDisplay(std::move(output)),
        encoder_(settings.schema, settings.zone),
        csv_(settings.form == ResultForm::kCsv) {
    if (csv_) text_ = encoder_.csv_header() + '\n';
  }

  Status write(const Batch& batch) override {
    encoder_.bind(batch);
    for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
      TG_RETURN_IF_ERROR(check_adds(batch, row));
      TG_RETURN_IF_ERROR(csv_ ? encoder_.append_csv(row, text_) : encoder_.append_json(row, text_));
      if (!csv_) add_batch_id();
      text_ += '\n';
      TG_RETURN_IF_ERROR(send_piece());
    }
    num_rows_ += batch.num_rows();
    return send();
  }
  Status finish() override { return send(); }
  std::int64_t num_rows() const override { return num_rows_; }
  bool shows_at_once() const override { return true; }

 private:
  ResultEncoder encoder_;
  bool csv_;
  std::int64_t num_rows_ = 0;
};

/// The final table as lines of JSON or CSV.
class FinalDisplay final : public ResultDisplay {
 public:
  FinalDisplay(const ResultSettings& settings, ResultOutput output)
      : ResultDisplay(std::move(output)),
        csv_(settings.form == ResultForm::kCsv),
        table_(settings) {}

  Status write(const Batch& batch) override { return table_.apply(batch); }
  Status finish() override {
    TG_RETURN_IF_ERROR(table_.check_complete());
    if (csv_) text_ = table_.encoder().csv_header() + '\n';
    Status sent;
    table_.for_each([&](std::string_view row) {
      text_ += row;
      text_ += '\n';
      if (sent.is_ok()) sent = send_piece();
    });
    TG_RETURN_IF_ERROR(sent);
    return send();
  }
  std::int64_t num_rows() const override { return table_.size(); }
  bool shows_at_once() const override { return false; }

 private:
  bool csv_;
  FinalTable table_;
};

}  // namespace

std::unique_ptr<ResultDisplay> make_result_display(const ResultSettings& settings,
                                                   ResultOutput output) {
  switch (settings.form) {
    case ResultForm::kTable:
      return make_table_display(settings, std::move(output));
    case ResultForm::kChangelog:
      return std::make_unique<ChangelogDisplay>(settings, std::move(output));
    default:
      if (settings.insert_only && (settings.order.empty() || settings.with_batch_id))
        return std::make_unique<StreamDisplay>(settings, std::move(output));
      return std::make_unique<FinalDisplay>(settings, std::move(output));
  }
}

}  // namespace tidegate
