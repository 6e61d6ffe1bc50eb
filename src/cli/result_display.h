// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/result_settings.h"
#include "tidegate/status.h"
#include "types/batch.h"

namespace tidegate {

/// One way of showing the rows of a result. write() is called by the task that has them, finish()
/// after it has gone, refresh() now and then from another thread in between.
class ResultDisplay {
 public:
  explicit ResultDisplay(ResultOutput output) : output_(std::move(output)) {}
  virtual ~ResultDisplay() = default;

  virtual Status write(const Batch& batch) = 0;
  virtual Status refresh() { return Status::ok(); }
  virtual Status finish() = 0;
  /// Rows of the final table, or changes shown.
  virtual std::int64_t num_rows() const = 0;
  /// Something is shown before finish().
  virtual bool shows_at_once() const = 0;
  /// The micro-batch that the rows of the following write() belong to.
  void set_batch_id(std::uint64_t batch_id) {
    batch_text_ = ",\"batch_id\":" + std::to_string(batch_id);
  }

 protected:
  /// Puts the number of the batch, if there is one, into the object that `text_` ends with.
  void add_batch_id() {
    if (!batch_text_.empty()) text_.insert(text_.size() - 1, batch_text_);
  }
  Status send() {
    if (text_.empty()) return Status::ok();
    const Status sent = output_(text_);
    text_.clear();
    return sent;
  }
  Status send_piece() { return text_.size() < kPieceBytes ? Status::ok() : send(); }

  std::string text_;  // not sent yet

 private:
  /// Text is handed on in pieces of about this size.
  static constexpr std::size_t kPieceBytes = std::size_t{64} << 10;

  ResultOutput output_;
  std::string batch_text_;
};

std::unique_ptr<ResultDisplay> make_result_display(const ResultSettings& settings,
                                                   ResultOutput output);
/// For ResultForm::kTable.
std::unique_ptr<ResultDisplay> make_table_display(const ResultSettings& settings,
                                                  ResultOutput output);

}  // namespace tidegate
