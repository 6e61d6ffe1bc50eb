// SPDX-License-Identifier: Apache-2.0
#include "tests/support/evicting_backend.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/check.h"
#include "state/state_store.h"

namespace tidegate {
namespace {

class EvictingBackend final : public StateBackend {
 public:
  EvictingBackend(std::shared_ptr<StateStore> store, KeyGroupRange range)
      : store_(std::move(store)), inner_(store_->open(uid_, range)) {}

  Result<StateTable*> table(const StateTableSpec& spec) override { return inner_->table(spec); }
  Result<std::vector<StateDelta>> seal(EpochId epoch) override {
    TG_ASSIGN_OR_RETURN(std::vector<StateDelta> deltas, inner_->seal(epoch));
    const OperatorDeltas part{&uid_, &deltas};
    TG_RETURN_IF_ERROR(store_->apply({"", epoch, ""}, {&part, 1}));
    make_room();
    return deltas;
  }
  Result<std::vector<StateDelta>> dump(EpochId epoch) override { return inner_->dump(epoch); }
  Status restore(const StateDelta& delta) override { return inner_->restore(delta); }
  std::int64_t memory_bytes() const override { return inner_->memory_bytes(); }
  std::int64_t dirty_bytes() const override { return inner_->dirty_bytes(); }
  void make_room() override { inner_->make_room(); }
  Status status() const override { return inner_->status(); }

 private:
  const std::string uid_ = "operator";
  std::shared_ptr<StateStore> store_;
  std::unique_ptr<StateBackend> inner_;
};

}  // namespace

std::unique_ptr<StateBackend> make_evicting_backend(KeyGroupRange range) {
  auto store = make_rocksdb_state_store({::testing::TempDir(), "", 1});
  TG_CHECK(store.is_ok(), "{}", store.status().to_string());
  return std::make_unique<EvictingBackend>(*std::move(store), range);
}

}  // namespace tidegate
