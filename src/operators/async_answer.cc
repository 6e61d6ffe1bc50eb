// SPDX-License-Identifier: Apache-2.0
#include "operators/async_answer.h"

#include <atomic>
#include <utility>

#include "base/check.h"

namespace tidegate {

class AsyncAnswer::Pending {
 public:
  Pending(std::shared_ptr<AsyncMailbox> mailbox, AttemptId id)
      : mailbox_(std::move(mailbox)), id_(id) {}
  ~Pending() { answer(error(ErrorCode::kUserFunctionFailed, "the call ended without an answer")); }

  void answer(Result<Batch> rows) {
    if (!answered_.exchange(true)) mailbox_->put({id_, std::move(rows)});
  }

 private:
  const std::shared_ptr<AsyncMailbox> mailbox_;
  const AttemptId id_;
  std::atomic<bool> answered_ = false;
};

AsyncAnswer::AsyncAnswer(std::shared_ptr<AsyncMailbox> mailbox, AttemptId id)
    : pending_(std::make_shared<Pending>(std::move(mailbox), id)) {}

void AsyncAnswer::complete(Batch rows) const { pending_->answer(std::move(rows)); }

void AsyncAnswer::fail(Status status) const {
  TG_CHECK(!status.is_ok(), "a failure needs an error");
  pending_->answer(std::move(status));
}

void AsyncMailbox::put(Answer answer) {
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(answer));
  }
  waker_.wake();
}

std::vector<AsyncMailbox::Answer> AsyncMailbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

}  // namespace tidegate
