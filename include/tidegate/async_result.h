// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "tidegate/record.h"
#include "tidegate/untyped.h"

namespace tidegate {

/// Where the answer of an asynchronous call goes, from any thread. A call that is never answered
/// fails.
template <RecordType U>
class AsyncResult {
 public:
  explicit AsyncResult(std::shared_ptr<untyped::AsyncReply> reply) : reply_(std::move(reply)) {}
  void complete(const U& row) const {
    std::vector<ColumnType> types;
    for (const ColumnSpec& column : record_columns<U>()) types.push_back(column.type);
    BatchWriter writer(types);
    Record<U>::write(writer, 0, row);
    writer.end_row(0);
    reply_->complete(writer);
  }
  void fail(Status status) const { reply_->fail(std::move(status)); }

 private:
  std::shared_ptr<untyped::AsyncReply> reply_;
};

}  // namespace tidegate
