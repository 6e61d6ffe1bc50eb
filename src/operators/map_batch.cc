// SPDX-License-Identifier: Apache-2.0
#include "operators/map_batch.h"

#include <utility>

#include "base/check.h"
#include "operators/user_function.h"

namespace tidegate {
namespace {

class MapBatch final : public Operator {
 public:
  explicit MapBatch(BatchFunction function) : function_(std::move(function)) {}

  Status open(OperatorContext&) override { return Status::ok(); }

  Result<Progress> process(int, Batch batch, Output& out) override {
    TG_RETURN_IF_ERROR(
        call_user_function("a function of the program", [&] { return function_(batch, out); }));
    return Progress::kDone;
  }

 private:
  BatchFunction function_;
};

}  // namespace

std::unique_ptr<Operator> make_map_batch(BatchFunction function) {
  return std::make_unique<MapBatch>(std::move(function));
}

std::unique_ptr<Operator> make_map_batch(std::function<Result<Batch>(const Batch&)> function) {
  return make_map_batch([function = std::move(function)](const Batch& in, Output& out) -> Status {
    TG_ASSIGN_OR_RETURN(Batch made, function(in));
    out.emit(std::move(made));
    return Status::ok();
  });
}

}  // namespace tidegate
