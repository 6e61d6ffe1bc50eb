// SPDX-License-Identifier: Apache-2.0
#include "operators/regular_join.h"

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"
#include "operators/key_table.h"
#include "operators/probed_rows.h"
#include "operators/row_keys.h"
#include "operators/row_list.h"
#include "operators/unique_changes.h"

namespace tidegate {
namespace {

constexpr int kLeft = 0;
constexpr int kRight = 1;
/// How long before it is needed memory is asked for.
constexpr std::size_t kPrefetchRows = 8;

bool is_left_only(JoinKind kind) { return kind == JoinKind::kSemi || kind == JoinKind::kAnti; }

/// Whether rows of the side are part of the result when nothing matches them.
bool is_outer(JoinKind kind, int side) {
  if (kind == JoinKind::kFull) return true;
  return kind == (side == kLeft ? JoinKind::kLeft : JoinKind::kRight);
}

/// Results depend on how many rows match a row of the side.
bool counts_matches(JoinKind kind, int side) {
  return is_outer(kind, side) || (side == kLeft && is_left_only(kind));
}

std::vector<int> compared_columns(const RegularJoinOptions& options, int side) {
  std::vector<int> columns;
  for (const NullAwarePair& pair : options.null_aware) {
    columns.push_back(side == kLeft ? pair.left : pair.right);
  }
  return columns;
}

/// State: a table per side, "left" and "right"; by join key, the list of its rows (row_list.h).
///
/// A batch is a number of changes to one side. They look up the other side, which they do not
/// change but for its counts of matches, so pairs are collected over many changes before the
/// condition is asked about them; what pairs do to counts, results and the own side then follows
/// change by change.
class RegularJoin final : public Operator {
 public:
  explicit RegularJoin(RegularJoinOptions options)
      : options_(std::move(options)),
        sides_{Side(options_, kLeft), Side(options_, kRight)},
        is_inner_(options_.kind == JoinKind::kInner),
        is_outer_(is_outer(options_.kind, kLeft) || is_outer(options_.kind, kRight)),
        only_gets_matches_(is_left_only(options_.kind) && options_.left.insert_only &&
                           options_.right.insert_only && options_.right.ttl_ms == 0) {}

  Status open(OperatorContext& context) override {
    clock_ = &context.clock();
    rows_not_found_ = &context.metrics().counter("rows_not_found");
    TG_RETURN_IF_ERROR(sides_[kLeft].lists.open(context.state(), "left", kLeft));
    return sides_[kRight].lists.open(context.state(), "right", kRight);
  }

  Result<Progress> process(int input, Batch batch, Output& out) override {
    side_ = input;
    if (own().input->insert_only) TG_RETURN_IF_ERROR(check_insert_only(batch));
    batch_ = std::move(batch);
    TG_RETURN_IF_ERROR(own().keys.read(batch_));
    const std::int64_t now_ms = clock_->wall_ms();
    for (Side& side : sides_) side.lists.begin_batch(now_ms, batch_.num_rows());
    TG_RETURN_IF_ERROR(find_lists());
    TG_RETURN_IF_ERROR(own().changes.read(batch_, own().lists, own_lists_));
    changes_ = own().changes.changes();
    own().results.begin(own().changes.rows());
    if (options_.condition) own().pairs.begin(own().changes.rows());
    if (is_null_aware()) TG_RETURN_IF_ERROR(own().compared.read(own().changes.rows()));
    next_ = ended_ = 0;
    matched_ = 0;
    begin_change();
    return probe(out);
  }

  Result<Progress> resume(Output& out) override {
    return batch_.empty() ? Progress::kDone : probe(out);
  }

 private:
  struct Side {
    Side(const RegularJoinOptions& options, int side)
        : input(side == kLeft ? &options.left : &options.right),
          keys(input->keys, join_key_types(*input), options.null_safe_keys),
          compared(compared_columns(options, side),
                   types_at(compared_columns(options, side), input->types)),
          changes(input->types, input->keys,
                  input->insert_only ? std::vector<int>() : input->unique_key, input->upserts),
          outer(is_outer(options.kind, side)),
          lists({.counted = counts_matches(options.kind, side),
                 .keyed = changes.stores_unique_key(),
                 .compared = !options.null_aware.empty()},
                input->ttl_ms),
          results({.batch_is_left = side == kLeft,
                   .batch_columns = !is_left_only(options.kind) || side == kLeft,
                   .stored_columns = !is_left_only(options.kind) || side == kRight},
                  side == kLeft ? options.right.types : options.left.types),
          pairs({.batch_is_left = side == kLeft},
                side == kLeft ? options.right.types : options.left.types) {}

    const RegularJoinInput* input;
    RowKeys keys;
    RowKeys compared;  // the column that NOT IN compares
    JoinChanges changes;
    bool outer;
    RowLists lists;
    // Of rows of this side with those of the other one:
    ProbedRows results;
    ProbedRows pairs;  // with a condition: what that will be asked about
  };
  /// A change and a row of the other side with the same key.
  struct Pair {
    std::size_t change;
    std::byte* list;
    ListedRow row = {};
  };

  Side& own() { return sides_[side_]; }
  Side& other() { return sides_[1 - side_]; }
  bool is_null_aware() const { return !options_.null_aware.empty(); }
  std::byte* other_list(std::int32_t row) const {
    return other_lists_[static_cast<std::size_t>(row)];
  }
  bool has_null(std::int32_t row) { return own().keys.has_null(row); }
  std::byte* own_list(const JoinChange& change) const {
    return own_lists_[static_cast<std::size_t>(change.key_row)];
  }

  Status find_lists() {
    const auto count = static_cast<std::size_t>(batch_.num_rows());
    other_lists_.resize(count);
    other().lists.table().find(RowLists::kNamespace, own().keys.all(), other_lists_);
    // Rows that can match nothing are not stored.
    stored_rows_.clear();
    for (std::int32_t row = 0; row < static_cast<std::int32_t>(count); ++row) {
      if (!has_null(row)) stored_rows_.push_back(row);
    }
    own_lists_.assign(count, nullptr);
    return own().lists.table().find_or_create(RowLists::kNamespace, own().keys.rows(stored_rows_),
                                              own_lists_);
  }

  // ---- pairs

  Result<Progress> probe(Output& out) {
    while (next_ < changes_.size()) {
      TG_ASSIGN_OR_RETURN(const bool all_pairs, pair_rows());
      if (all_pairs) {
        if (!options_.condition) TG_RETURN_IF_ERROR(end_change(next_));
        ++next_;
        begin_change();
      }
      if (!own().pairs.full() && !own().results.full()) continue;
      TG_RETURN_IF_ERROR(apply_pairs(out));
      TG_RETURN_IF_ERROR(flush(out));
      if (!out.has_credit()) return Progress::kMore;
    }
    TG_RETURN_IF_ERROR(apply_pairs(out));
    TG_RETURN_IF_ERROR(flush(out));
    return end_batch();
  }

  void begin_change() {
    place_ = {};
    if (next_ == changes_.size()) return;
    const std::int32_t row = changes_[next_].key_row;
    if (!has_null(row)) place_ = RowLists::Cursor(other_list(row));
    prefetch();
  }

  /// Lists lie anywhere in memory: first their values are asked for, then the bytes.
  void prefetch() const {
    const std::size_t later = next_ + kPrefetchRows;
    if (later + kPrefetchRows < changes_.size()) {
      const JoinChange& change = changes_[later + kPrefetchRows];
      __builtin_prefetch(other_list(change.key_row));
      __builtin_prefetch(own_list(change));
    }
    if (later >= changes_.size()) return;
    RowLists::prefetch(other_list(changes_[later].key_row));
    RowLists::prefetch(own_list(changes_[later]));
  }

  /// Pairs the next change with rows of the other side until there are no more (true) or enough for
  /// a batch.
  Result<bool> pair_rows() {
    const JoinChange& change = changes_[next_];
    Pair pair{next_, other_list(change.key_row)};
    while (true) {
      TG_ASSIGN_OR_RETURN(const bool more, other().lists.next(place_, pair.row));
      if (!more) return true;
      if (is_null_aware() && is_unlike(change.row, pair.row)) continue;
      if (options_.condition) {
        TG_RETURN_IF_ERROR(own().pairs.add(change.row, pair.row.row, change.kind));
        pairs_.push_back(pair);
        if (own().pairs.full()) return false;
      } else {
        TG_RETURN_IF_ERROR(match(pair));
        if (own().results.full()) return false;
      }
    }
  }

  /// For NOT IN: both have a value (null is encoded as nothing), and not the same one.
  bool is_unlike(std::int32_t row, const ListedRow& listed) {
    const std::string_view compared = own().compared[row].bytes;
    return !compared.empty() && !listed.compared.empty() && compared != listed.compared;
  }

  /// Asks the condition about the pairs so far, and ends the changes that have all their pairs.
  Status apply_pairs(Output& out) {
    if (!options_.condition) return Status::ok();
    if (!pairs_.empty()) {
      TG_ASSIGN_OR_RETURN(const Batch pairs, own().pairs.take());
      std::vector<std::int32_t> holds;
      TG_RETURN_IF_ERROR(options_.condition(pairs, holds));
      if (is_inner_ && !holds.empty()) {
        TG_ASSIGN_OR_RETURN(Batch joined, pairs.take(holds));
        out.emit(std::move(joined));
      }
      if (!is_inner_) TG_RETURN_IF_ERROR(match_all(holds, out));
      pairs_.clear();
    }
    return end_changes(next_, out);
  }

  Status match_all(const std::vector<std::int32_t>& holds, Output& out) {
    for (const std::int32_t i : holds) {
      Pair& pair = pairs_[static_cast<std::size_t>(i)];
      TG_RETURN_IF_ERROR(end_changes(pair.change, out));
      // An earlier pair may have changed the count.
      TG_RETURN_IF_ERROR(other().lists.read_again(pair.row));
      TG_RETURN_IF_ERROR(match(pair));
      if (own().results.full()) TG_RETURN_IF_ERROR(flush(out));
    }
    return Status::ok();
  }

  Status end_changes(std::size_t until, Output& out) {
    while (ended_ < until) {
      TG_RETURN_IF_ERROR(end_change(ended_));
      if (own().results.full()) TG_RETURN_IF_ERROR(flush(out));
    }
    return Status::ok();
  }

  // ---- what a match does

  Status match(const Pair& pair) {
    ++matched_;
    const JoinChange& change = changes_[pair.change];
    if (is_left_only(options_.kind)) return side_ == kLeft ? Status::ok() : match_left(pair);
    const bool adds = row_kind_adds(change.kind);
    const std::uint32_t before = pair.row.matches;
    if (adds) {
      // The first match of a row that stood alone.
      if (other().outer && before == 0) TG_RETURN_IF_ERROR(add_alone(pair, RowKind::kDelete));
      const RowKind kind = is_outer_ ? RowKind::kInsert : change.kind;
      TG_RETURN_IF_ERROR(own().results.add(change.row, pair.row.row, kind));
    } else {
      const RowKind kind = own().outer ? RowKind::kDelete : change.kind;
      TG_RETURN_IF_ERROR(own().results.add(change.row, pair.row.row, kind));
      if (other().outer && before == 1) TG_RETURN_IF_ERROR(add_alone(pair, RowKind::kInsert));
    }
    if (other().outer) count_match(pair, adds);
    return Status::ok();
  }

  Status add_alone(const Pair& pair, RowKind kind) {
    return own().results.add(-1, pair.row.row, kind);
  }

  /// A right row comes or goes that matches a left row of a semi or anti join.
  Status match_left(const Pair& pair) {
    const JoinChange& change = changes_[pair.change];
    const bool adds = row_kind_adds(change.kind);
    if (pair.row.matches == (adds ? 0 : 1)) {
      const RowKind opposite = adds ? RowKind::kDelete : RowKind::kInsert;
      const RowKind kind = options_.kind == JoinKind::kSemi ? change.kind : opposite;
      TG_RETURN_IF_ERROR(add_alone(pair, kind));
    }
    count_match(pair, adds);
    return Status::ok();
  }

  void count_match(const Pair& pair, bool adds) {
    const std::uint32_t before = pair.row.matches;
    if (!adds && before == 0) return;  // its match was forgotten
    other().lists.set_matches(pair.list, pair.row, adds ? before + 1 : before - 1);
  }

  /// All pairs of the change are known: its own row.
  Status end_change(std::size_t index) {
    const JoinChange& change = changes_[index];
    ended_ = index + 1;
    const std::uint32_t matches = std::exchange(matched_, 0);
    const bool adds = row_kind_adds(change.kind);
    if (own().outer && matches == 0) {
      const RowKind kind = adds ? RowKind::kInsert : RowKind::kDelete;
      TG_RETURN_IF_ERROR(own().results.add(change.row, std::nullopt, kind));
    }
    if (is_left_only(options_.kind) && side_ == kLeft &&
        (matches > 0) == (options_.kind == JoinKind::kSemi)) {
      TG_RETURN_IF_ERROR(own().results.add(change.row, std::nullopt, change.kind));
    }
    if (own_list(change) == nullptr || is_of_no_use(change, matches)) return Status::ok();
    return store(change, matches);
  }

  /// Where semi and anti joins only get more matches, a left row that has one has all that it
  /// needs, and of right rows without a condition one is enough.
  bool is_of_no_use(const JoinChange& change, std::uint32_t matches) {
    if (!only_gets_matches_) return false;
    if (side_ == kLeft) return matches > 0;
    return !options_.condition && !is_null_aware() && !RowLists::is_empty(own_list(change));
  }

  Status store(const JoinChange& change, std::uint32_t matches) {
    const bool adds = row_kind_adds(change.kind);
    const std::string_view unique_key = own().changes.unique_key(change.key_row);
    const std::string_view bytes = own().changes.bytes(change.row);
    RowLists& lists = own().lists;
    std::byte* list = own_list(change);
    if (adds) {
      const std::string_view compared =
          is_null_aware() ? own().compared[change.row].bytes : std::string_view();
      return lists.append(list, {matches, unique_key, compared, bytes});
    }
    ListedRow stored;
    TG_ASSIGN_OR_RETURN(const bool found, lists.find(list, unique_key, bytes, stored));
    if (found) {
      lists.remove(list, stored);
    } else {
      rows_not_found_->add(1);
    }
    return Status::ok();
  }

  // ---- output

  Status flush(Output& out) {
    if (own().results.num_rows() == 0) return Status::ok();
    TG_ASSIGN_OR_RETURN(Batch results, own().results.take());
    out.emit(std::move(results));
    return Status::ok();
  }

  Result<Progress> end_batch() {
    StateTable& table = own().lists.table();
    for (const JoinChange& change : changes_) {
      const bool stored = row_kind_adds(change.kind) && !only_gets_matches_;
      if (stored || own_list(change) == nullptr) continue;
      std::byte* list = table.find(RowLists::kNamespace, own().keys[change.key_row]);
      if (list != nullptr) own().lists.erase_if_empty(list);
    }
    batch_ = Batch();
    TG_RETURN_IF_ERROR(table.check_budget());
    return Progress::kDone;
  }

  const RegularJoinOptions options_;
  std::array<Side, 2> sides_;
  const bool is_inner_;
  const bool is_outer_;
  const bool only_gets_matches_;
  const Clock* clock_ = nullptr;
  Counter* rows_not_found_ = nullptr;

  // The batch that is being joined, and how far that has come.
  int side_ = kLeft;
  Batch batch_;
  std::vector<std::int32_t> stored_rows_;
  std::vector<std::byte*> own_lists_;    // per row; null: it has none
  std::vector<std::byte*> other_lists_;  // per row; null: nothing has its key
  std::span<const JoinChange> changes_;
  std::size_t next_ = 0;       // change whose pairs are being made
  RowLists::Cursor place_;     // in the list that it is paired with
  std::size_t ended_ = 0;      // changes before it have had their effect
  std::uint32_t matched_ = 0;  // by change ended_
  std::vector<Pair> pairs_;    // of the rows in own().pairs
};

Status check_columns(const RegularJoinInput& input) {
  for (const int column : input.unique_key) {
    if (column < 0 || column >= std::ssize(input.types)) {
      return error(ErrorCode::kInvalidArgument, "join: there is no column {} for a unique key",
                   column);
    }
  }
  return Status::ok();
}

}  // namespace

Result<std::unique_ptr<Operator>> make_regular_join(RegularJoinOptions options) {
  TG_RETURN_IF_ERROR(check_join_inputs(options.left, options.right));
  TG_RETURN_IF_ERROR(
      check_null_aware(options.left, options.right, options.kind, options.null_aware));
  for (const RegularJoinInput* input : {&options.left, &options.right}) {
    TG_RETURN_IF_ERROR(check_columns(*input));
  }
  for (const RegularJoinInput* input : {&options.left, &options.right}) {
    if (!input->upserts || !input->unique_key.empty()) continue;
    return error(ErrorCode::kInvalidArgument, "join: rows without a unique key replace none");
  }
  if (!options.null_safe_keys.empty() &&
      options.null_safe_keys.size() != options.left.keys.size()) {
    return error(ErrorCode::kInvalidArgument, "join: {} flags of null-safe keys for {} keys",
                 options.null_safe_keys.size(), options.left.keys.size());
  }
  // One column is compared as bytes, which is much faster.
  if (options.null_aware.size() > 1) {
    options.condition =
        null_aware_condition(options.left.types, options.right.types,
                             std::exchange(options.null_aware, {}), std::move(options.condition));
  }
  return std::unique_ptr<Operator>(std::make_unique<RegularJoin>(std::move(options)));
}

}  // namespace tidegate
