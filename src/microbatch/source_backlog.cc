// SPDX-License-Identifier: Apache-2.0
#include "microbatch/source_backlog.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "microbatch/json.h"

namespace tidegate {

SourceBacklog::SourceBacklog(std::string name, std::string uid, std::shared_ptr<Source> source,
                             BatchLimits limits)
    : name_(std::move(name)), uid_(std::move(uid)), source_(std::move(source)), limits_(limits) {}

void SourceBacklog::restore(const SourceState* state) {
  if (state == nullptr) return;
  for (const std::string& id : state->known) add_known(id);
  files_.assign(state->unassigned.begin(), state->unassigned.end());
  for (const SplitState& split : state->open)
    open_.push_back({split.split, split.position, true, std::nullopt, std::nullopt});
  splits_read_ =
      static_cast<std::int64_t>(known_.size() - state->open.size() - state->unassigned.size());
}

void SourceBacklog::replay(const SourceRange& range) {
  for (const SplitRange& part : range.splits) {
    const std::string& id = part.split.id;
    std::erase_if(files_, [&](const Split& split) { return split.id == id; });
    add_known(id);
    auto open = std::ranges::find_if(open_, [&](const auto& s) { return s.split.id == id; });
    if (!part.end) {
      ++splits_read_;
      if (open != open_.end()) open_.erase(open);
    } else if (open != open_.end()) {
      open->position = part.end;
    } else {
      open_.push_back({part.split, part.end, true, std::nullopt, std::nullopt});
    }
  }
}

void SourceBacklog::add_known(const std::string& id) {
  if (known_set_.insert(id).second) known_.push_back(id);
}

Status SourceBacklog::look() {
  const bool enough =
      limits_.max_files > 0 && static_cast<std::int64_t>(files_.size()) >= limits_.max_files;
  if (std::exchange(looked_ahead_, false) || enough) return Status::ok();
  return find();
}

Status SourceBacklog::look_ahead() {
  TG_RETURN_IF_ERROR(look());
  looked_ahead_ = !files_.empty();
  return Status::ok();
}

Status SourceBacklog::find() {
  if (complete_ || fixed_) return Status::ok();
  Result<Discovery> found = source_->discover(known_);
  if (!found.is_ok())
    return std::move(found).status().with_context(fmt::format("source '{}'", name_));
  for (Split& split : found->splits) {
    if (known_set_.contains(split.id)) continue;
    add_known(split.id);
    files_.push_back(std::move(split));
  }
  complete_ = found->complete;
  return Status::ok();
}

Status SourceBacklog::fix_end() {
  TG_RETURN_IF_ERROR(find());
  // Those that are not read whole get their end now.
  std::vector<OpenSplit> candidates = std::move(open_);
  open_.clear();
  std::deque<Split> whole;
  for (Split& split : files_)
    candidates.push_back({std::move(split), std::nullopt, false, std::nullopt, std::nullopt});
  for (OpenSplit& split : candidates) {
    TG_ASSIGN_OR_RETURN(const BatchEnd end, end_of(split, 0));
    if (!end.position && !split.begun) {
      whole.push_back(std::move(split.split));
      continue;
    }
    split.fixed_end = end.position;
    split.rows_left = end.rows;
    open_.push_back(std::move(split));
  }
  files_ = std::move(whole);
  fixed_ = true;
  return Status::ok();
}

Result<BatchEnd> SourceBacklog::end_of(const OpenSplit& split, std::int64_t max_rows) {
  if (split.rows_left && (max_rows == 0 || max_rows >= *split.rows_left))
    return BatchEnd{split.fixed_end, *split.rows_left};
  Result<BatchEnd> end = source_->plan_end(split.split, split.position, max_rows);
  if (!end.is_ok()) return std::move(end).status().with_context(fmt::format("source '{}'", name_));
  return end;
}

Result<SourceRange> SourceBacklog::take(bool ignore_limits, bool& any_rows) {
  SourceRange range;
  range.uid = uid_;
  TG_RETURN_IF_ERROR(take_open(ignore_limits ? 0 : limits_.max_rows, range, any_rows));
  TG_RETURN_IF_ERROR(take_files(ignore_limits, range, any_rows));
  return range;
}

// The rows that there are, split by split. Splits that were found and turn out to be read piece by
// piece join those that are open.
Result<std::int64_t> SourceBacklog::rows_behind(std::vector<std::int64_t>& rows) {
  for (const OpenSplit& split : open_) {
    TG_ASSIGN_OR_RETURN(const BatchEnd end, end_of(split, 0));
    rows.push_back(end.rows);
  }
  return std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
}

// With more rows than a batch may take, each split gives its share of them.
Status SourceBacklog::take_open(std::int64_t max_rows, SourceRange& range, bool& any_rows) {
  if (!source_->splits_end()) {
    for (Split& split : files_)
      open_.push_back({std::move(split), std::nullopt, false, std::nullopt, std::nullopt});
    files_.clear();
  }
  if (open_.empty()) return Status::ok();
  std::vector<std::int64_t> rows;
  std::int64_t all_rows = 0;
  if (max_rows > 0) {
    TG_ASSIGN_OR_RETURN(all_rows, rows_behind(rows));
  }
  for (std::size_t i = 0; i < open_.size(); ++i) {
    std::int64_t share = 0;
    if (max_rows > 0 && all_rows > max_rows) {
      const double part = static_cast<double>(rows[i]) / static_cast<double>(all_rows);
      share = std::max<std::int64_t>(
          1, static_cast<std::int64_t>(static_cast<double>(max_rows) * part));
      if (rows[i] == 0) share = 0;
    }
    TG_ASSIGN_OR_RETURN(const BatchEnd end, end_of(open_[i], share));
    any_rows = any_rows || end.rows > 0;
    if (end.rows > 0 || !open_[i].begun) advance(open_[i], end, range);
  }
  std::erase_if(open_, [](const OpenSplit& split) { return split.split.id.empty(); });
  return Status::ok();
}

void SourceBacklog::advance(OpenSplit& split, const BatchEnd& end, SourceRange& range) {
  range.splits.push_back({split.split, end.position});
  split.position = end.position;
  if (split.rows_left) *split.rows_left -= std::min(*split.rows_left, end.rows);
  if (end.position) return;
  ++splits_read_;
  split.split.id.clear();  // it is through; the caller drops it
}

Status SourceBacklog::take_files(bool ignore_limits, SourceRange& range, bool& any_rows) {
  const std::int64_t max_rows = ignore_limits ? 0 : limits_.max_rows;
  std::int64_t files = 0;
  std::int64_t bytes = 0;
  while (!files_.empty()) {
    const bool full = (limits_.max_files > 0 && files >= limits_.max_files) ||
                      (limits_.max_bytes > 0 && files > 0 &&
                       bytes + files_.front().size_bytes > limits_.max_bytes);
    if (full && !ignore_limits) break;
    OpenSplit split{files_.front(), std::nullopt, false, std::nullopt, std::nullopt};
    TG_ASSIGN_OR_RETURN(const BatchEnd end, end_of(split, max_rows));
    bytes += split.split.size_bytes;
    ++files;
    any_rows = true;
    files_.pop_front();
    advance(split, end, range);
    if (!end.position) continue;
    // The batch is full in the middle of this one.
    open_.push_back(std::move(split));
    break;
  }
  return Status::ok();
}

void SourceBacklog::begin(const SourceRange& range) {
  for (OpenSplit& open : open_) {
    open.begun = open.begun || std::ranges::any_of(range.splits, [&](const SplitRange& part) {
                   return part.split.id == open.split.id;
                 });
  }
}

bool SourceBacklog::is_exhausted() const {
  return source_->is_bounded() && complete_ && files_.empty() && open_.empty();
}

std::string SourceBacklog::offsets() const {
  json::object object;
  if (source_->splits_end()) object["splitsRead"] = splits_read_;
  for (const OpenSplit& split : open_) {
    if (split.position) object[split.split.id] = json_bytes(*split.position);
  }
  return json::serialize(object);
}

}  // namespace tidegate
