// SPDX-License-Identifier: Apache-2.0
#include "runtime/epoch_record.h"

#include <iterator>
#include <utility>

#include "base/check.h"

namespace tidegate {
namespace {

OperatorState* find(std::vector<OperatorState>& operators, const std::string& uid) {
  for (OperatorState& state : operators)
    if (state.uid == uid) return &state;
  return nullptr;
}

}  // namespace

Status load_state(EpochRecord& record) {
  for (OperatorState& state : record.operators) {
    for (StateDelta& delta : state.deltas) {
      if (delta.stored == nullptr) continue;
      TG_ASSIGN_OR_RETURN(delta.bytes, delta.stored->read());
      delta.stored = nullptr;
    }
  }
  return Status::ok();
}

EpochRecord merge(EpochRecord base, EpochRecord next) {
  for (OperatorState& old : base.operators) {
    OperatorState* state = find(next.operators, old.uid);
    if (state == nullptr) {
      next.operators.push_back(std::move(old));
      continue;
    }
    std::vector<StateDelta> deltas = std::move(old.deltas);
    deltas.insert(deltas.end(), std::make_move_iterator(state->deltas.begin()),
                  std::make_move_iterator(state->deltas.end()));
    state->deltas = std::move(deltas);
  }
  return next;
}

}  // namespace tidegate
