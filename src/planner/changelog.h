// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "plan/sink.h"
#include "plan/source.h"
#include "plan/window.h"
#include "planner/stream_facts.h"

namespace tidegate {

/// Whether the rows of a node may be taken back. Changelogs are full inside a job: whoever takes a
/// row back says so with -U or -D and the whole row; but for -U where all that follows needs none.
bool output_retracts(const plan::Node& node, InputFacts inputs, bool bounded,
                     const LoweringOptions& options);

/// StreamFacts::tells_before.
bool output_tells_before(const plan::Node& node, InputFacts inputs);

/// True when OVER by columns other than time waits for the end of its input: where only the final
/// rows count, and for what cannot be told row by row (LEAD, NTILE, bounded frames).
bool over_waits_for_end(const plan::OverNode& over, bool bounded);

/// True when a table's rows are changes by key, of which a full changelog has to be made.
bool source_upserts(const plan::SourceNode& source, const LoweringOptions& options);

/// Of a node whose output is a changelog: StreamFacts::kept_keys.
std::vector<ColumnSet> kept_keys_of(const plan::Node& node, InputFacts inputs);

/// kInvalidPlan when `input` takes rows back: "IntervalJoin doesn't support consuming update and
/// delete changes which is produced by node Aggregate(...)".
Status check_insert_only_input(const plan::Node& node, const plan::Input& input, PlanFacts& facts);

/// Whether rows may be taken back from what a sink has got. Unknown connectors and formats, which
/// lowering finds, take everything.
bool sink_takes_changes(const plan::SinkNode& sink, const LoweringOptions& options);

/// The node that makes a changelog out of what `input` reads, for messages.
std::string changelog_origin(const plan::Input& input, PlanFacts& facts);

}  // namespace tidegate
