// SPDX-License-Identifier: Apache-2.0
#include "runtime/open_split.h"

#include <algorithm>

#include "base/check.h"
#include "base/clock.h"
#include "base/failpoints.h"
#include "runtime/guard.h"

namespace tidegate {
namespace {

// The first poll asks for few rows: when little is there, little should be waited for.
constexpr std::int64_t kFirstBudgetRows = 256;

}  // namespace

OpenSplit::OpenSplit(const Node& node, const std::string& label, int subtask, SplitState from,
                     TimeGrain grain, MetricGroup& metrics, TaskHost& host, Activation& task)
    : node_(node),
      label_(label),
      host_(host),
      metrics_(metrics),
      wake_point_(task),
      from_(std::move(from)),
      assigner_(node.watermark, grain, *node.schema, from_.watermark, from_.max_time),
      gauge_(std::make_shared<SplitGauge>()),
      budget_rows_(kFirstBudgetRows),
      rows_(from_.rows),
      planned_(host.options().planner != nullptr),
      admitted_(!planned_),
      rows_before_(from_.rows),
      idle_(from_.idle),
      watermark_(from_.watermark) {
  if (planned_) assigner_.collect_times(host.options().watermark_per_epoch);
  gauge_->id = from_.split.id;
  gauge_->subtask = subtask;
  gauge_->rows = rows_;
  gauge_->watermark = from_.watermark;
  gauge_->idle = idle_;
}

void OpenSplit::start_opening() {
  host_.run_blocking([this] {
    if (host_.cancelled()) return;
    opening_ =
        guarded([&] { return node_.source->open_split(from_.split, from_.position, *this); });
    opened_.store(true, std::memory_order_release);
    wake_point_.waker().wake();
  });
}

void OpenSplit::admit(std::optional<std::string> end) {
  admitted_ = was_admitted_ = true;
  pending_ = false;
  end_ = std::move(end);
  if (!end_ && limited_) end_.emplace();
}

std::optional<SourceRead> OpenSplit::take_read() {
  if (!was_admitted_ || (admitted_ && !ended_)) return std::nullopt;
  was_admitted_ = false;
  SourceRead read = assigner_.take_times();
  read.rows = rows_ - std::exchange(rows_before_, rows_);
  return read;
}

Status OpenSplit::set_limit() {
  if (!end_) return Status::ok();
  const std::string end = *std::exchange(end_, std::nullopt);
  limited_ = !end.empty();
  return guarded([&] { return reader_->read_until(end); }).with_context(place());
}

bool OpenSplit::is_ready() {
  if (ended_ || !admitted_) return false;
  if (reader_ == nullptr) return opened_.load(std::memory_order_acquire);
  return !pending_ || wake_point_.woken();
}

Status OpenSplit::poll(std::int64_t max_rows, std::vector<WatermarkAssigner::Piece>& pieces) {
  TG_FAILPOINT("source.poll");
  if (reader_ == nullptr) {
    if (!opening_->is_ok()) return std::move(*opening_).status().with_context(place());
    reader_ = **std::exchange(opening_, std::nullopt);
  }
  TG_RETURN_IF_ERROR(set_limit());
  // The mark goes before the poll, so that a wake during it is not lost.
  wake_point_.take();
  const std::int64_t budget_rows = std::min(budget_rows_, max_rows);
  Result<Polled> polled = guarded([&] { return reader_->poll(budget_rows); });
  if (!polled.is_ok()) return std::move(polled).status().with_context(place());
  const bool was_pending = std::exchange(pending_, polled->state == Polled::State::kPending);
  if (pending_) {
    if (!was_pending) pending_since_ns_ = clock().monotonic_ns();
    return Status::ok();
  }
  if (polled->state == Polled::State::kLimit) {
    admitted_ = false;
    pending_ = true;  // which it may turn idle by
    if (!was_pending) pending_since_ns_ = clock().monotonic_ns();
    return Status::ok();
  }
  if (polled->state == Polled::State::kEnd) {
    ended_ = true;
    reader_.reset();
    return Status::ok();
  }
  const std::int64_t rows = polled->batch.num_rows();
  TG_RETURN_IF_ERROR(
      assigner_.assign(std::move(polled->batch), rows_, pieces).with_context(place()));
  if (polled->watermark) {
    assigner_.raise(*polled->watermark);
    if (pieces.empty()) pieces.emplace_back();
    pieces.back().watermark = assigner_.watermark();
  }
  rows_ += rows;
  idle_ = polled->idle;
  adapt_budget(rows, max_rows);
  gauge_->rows.store(rows_, std::memory_order_relaxed);
  gauge_->watermark.store(assigner_.watermark(), std::memory_order_relaxed);
  gauge_->idle.store(idle_, std::memory_order_relaxed);
  return Status::ok();
}

void OpenSplit::adapt_budget(std::int64_t rows, std::int64_t max_rows) {
  if (rows >= budget_rows_) {
    budget_rows_ = std::min(2 * budget_rows_, std::max(max_rows, kFirstBudgetRows));
  } else if (rows < budget_rows_ / 4) {
    budget_rows_ = std::max(budget_rows_ / 2, kFirstBudgetRows);
  }
}

// Rows of a bounded split are certain to come, so it never turns idle, however long they take.
std::optional<std::int64_t> OpenSplit::idle_at_ns() const {
  if (node_.watermark.idle_timeout_ms <= 0 || node_.source->is_bounded()) return std::nullopt;
  if (!pending_ || idle_) return std::nullopt;
  return pending_since_ns_ + node_.watermark.idle_timeout_ms * 1'000'000;
}

void OpenSplit::check_idle() {
  const std::optional<std::int64_t> at_ns = idle_at_ns();
  if (!at_ns || clock().monotonic_ns() < *at_ns) return;
  idle_ = true;
  gauge_->idle.store(true, std::memory_order_relaxed);
}

void OpenSplit::waited() {
  if (pending_) pending_since_ns_ = clock().monotonic_ns();
}

Result<SplitState> OpenSplit::snapshot(EpochId epoch) {
  SplitState state = from_;
  state.subtask = gauge_->subtask;
  state.watermark = assigner_.watermark();
  state.max_time = assigner_.max_time();
  state.idle = idle_;
  state.rows = rows_;
  if (reader_ == nullptr) return state;
  Result<std::string> position =
      guarded([&]() -> Result<std::string> { return reader_->position(); });
  if (!position.is_ok()) return std::move(position).status().with_context(place());
  state.position = *std::move(position);
  uncommitted_.emplace_back(epoch, *state.position);
  return state;
}

Status OpenSplit::committed(EpochId epoch) {
  while (!uncommitted_.empty() && uncommitted_.front().first <= epoch) {
    const auto [at_epoch, position] = std::move(uncommitted_.front());
    uncommitted_.pop_front();
    if (at_epoch < epoch || reader_ == nullptr) continue;
    TG_RETURN_IF_ERROR(guarded([&] {
                         reader_->committed(position);
                         return Status::ok();
                       }).with_context(place()));
  }
  return Status::ok();
}

std::string OpenSplit::place() const {
  return fmt::format("source '{}', split '{}'", label_, from_.split.id);
}

}  // namespace tidegate
