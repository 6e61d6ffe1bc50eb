# SPDX-License-Identifier: Apache-2.0
"""Whether a run of a case did what Spark did."""

import collections
import json
import re

# The reasons of a refusal: in the words (or the class) of Spark, and in ours.
REASONS = [
    ("append without a watermark",
     r"(?=.*(UNSUPPORTED_OPERATION|append))(?!.*(complete|session|update)).*(aggregation|watermark)|"
     r"^STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION$",
     r"Aggregate is not supported without a watermark in its keys|append without a watermark in its"),
    ("complete without an aggregation",
     r"no streaming aggregations|^STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION$",
     r"without an aggregation|output mode complete: Sort is not supported"),
    ("sessions", r"session window|^STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION$",
     r"of sessions is not supported"),
    ("sessions of all rows", r"Global aggregation with session window", r"of sessions without keys"),
    ("sort", r"[Ss]orting is not supported", r"Sort is not supported: sorting"),
    ("limit", r"[Ll]imits? (are|is) not supported|^LIMIT$|_LEGACY_ERROR_TEMP_3102$",
     r"(Limit|Sort|TopN?) is not supported: rows that change"),
    ("distinct", r"[Dd]istinct aggregations", r"with DISTINCT is not supported"),
    ("a window over rows", r"NON_TIME_WINDOW|[Nn]on-time-?based window|Window function is not supported",
     r"a window over rows"),
    ("joins", r"(?i)(outer|semi|anti|inner)? ?joins? |not supported without a watermark|^outer$|^RightOuter$|^LeftOuter$",
     r"Join (of type|is not supported)|Join of|not supported: only inner joins"),
    ("watermark's type", r"EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE|event time.*invalid type",
     r"row-time column .* it must be TIMESTAMP"),
    ("second watermark", r"Redefining watermark", r"Redefining watermark"),
    ("files", r"UNSUPPORTED_DATASOURCE|not supported in Data Source", r"to files is not supported"),
    ("continuous", r"(?i)continuous", r"trigger continuous"),
    ("correctness", r"correctness.? issue", r"behind another aggregation, whose results change"),
    ("set operations", r"(?i)(intersect|except)\b.*not supported|^Intersect$|^Except$",
     r"(Intersect|Except) is not supported"),
    ("windows of months", r"months?|DATATYPE_MISMATCH|_LEGACY_ERROR_TEMP_3231", r"intervals of months"),
    ("slide", r"slide|PARAMETER_CONSTRAINT_VIOLATION|DATATYPE_MISMATCH", r"slide > size"),
    ("two windows", r"Multiple time/session window", r"Multiple time/session window"),
    ("delay", r"should not be negative", r"should not be negative"),
    ("unknown column", r"UNRESOLVED_COLUMN|cannot be resolved", r"UNRESOLVED_COLUMN|unknown-name"),
    ("duplicates without a watermark", r"dropDuplicatesWithinWatermark is not supported",
     r"dropping duplicates within the watermark needs"),
    ("sources", r"sources? in the checkpoint|assertion failed", r"sources in the checkpoint"),
    ("state", r"STATE_STORE_(KEY|VALUE)_SCHEMA|STREAMING_STATEFUL_OPERATOR|STATE_STORE|StateSchema|"
     r"state (schema|directory)", r"TG4002 state-mismatch|state-corrupt|TG400"),
    ("the sink failed", r"STREAM_FAILED|FOREACH_BATCH|sink|(?i:exception|error|boom|fail)",
     r"the sink fails, as it was told"),
]


def comparable(value):
    if isinstance(value, float):
        return round(value, 9) if value != int(value) else int(value)
    if isinstance(value, str) and re.fullmatch(r"-?\d+\.\d+", value):
        return comparable(float(value))  # a DECIMAL
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in sorted(value.items())}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return value


def canonical(row):
    return json.dumps(comparable(row), sort_keys=True)


def is_error_key(key):
    return re.search(r"error|refus|exception|expect_fail|raises|throws|fails_with|^fails$", key, re.I)


def error_in(part):
    for key, value in part.items():
        if is_error_key(key) and value:
            return value
    return None


def expected_errors(case):
    """What is refused: in the step of that number, or (None) whenever."""
    errors = {}
    if error_in(case) is not None:
        errors[None] = error_in(case)
    for number, step in enumerate(case.get("steps") or []):
        if error_in(step) is not None:
            errors[number] = error_in(step)
    for batch in case.get("batches") or []:
        if error_in(batch) is not None:
            errors[batch.get("step")] = error_in(batch)
    if not errors and not case.get("batches") and not any(
            key in step for step in case.get("steps") or [] for key in ("add", "add_files")):
        errors[None] = True
    return errors


def texts_in(value):
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts_in(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts_in(each)]
    return [value] if isinstance(value, str) else []


# What says that it is refused, and not why.
GENERIC = (r"\w*(Exception|Error)|_LEGACY_ERROR_TEMP_\d+|STREAM_FAILED|start|run|analysis|"
           r"(at )?(start|run|plan)(ning|time)?|[0-9A-Z]{5}")


def judge_error(expected, message):
    """Refused for the same reason?"""
    if message is None:
        return "differs", "Spark refuses it, and it ran"
    texts = [text for text in texts_in(expected) if not re.fullmatch(GENERIC, text)]
    if not texts:
        return "pass", message.split("\n")[0]
    ours = [name for name, _, words in REASONS if re.search(words, message)]
    for name, words, _ in REASONS:
        if name in ours and any(re.search(words, text, re.S) for text in texts):
            return "pass", f"{name}: " + message.split("\n")[0]
    return "differs", f"Spark says {' | '.join(texts)[:200]}; we say {message}"


KINDS = [("aggregate", r"^stateStoreSave|^sessionWindowStateStoreSave",
          r"^(Global)?(Window)?Aggregate|^WindowGroup"),
         ("dedup", r"^dedupe", r"^Deduplicate|^DropDuplicates")]


def counts_state(run):
    """An engine that does not say how many rows went does not count them."""
    return any("numRowsRemoved" in op for batch in run.batches
               for op in batch.get("progress", {}).get("stateOperators", []))


def judge_state(want, got, of_all_rows):
    """Rows and late rows of aggregates and duplicates."""
    progress = got.get("progress")
    if not progress or not want.get("state"):
        return None
    for kind, theirs, ours in KINDS:
        wish = [op for op in want["state"] if re.search(theirs, op["op"])]
        have = [op for op in progress["stateOperators"] if re.search(ours, op["operatorName"])]
        # Those downstream, which come first, may have seen nothing yet.
        have = [{}] * (len(wish) - len(have)) + have
        for number, op in enumerate(wish):
            there = have[number] if number < len(have) else {}
            pairs = [("dropped", op.get("dropped"), there.get("numRowsDroppedByWatermark", 0))]
            # Sessions are counted by key, and all rows have no group before there is one.
            if not op["op"].startswith("sessionWindow") and not of_all_rows:
                pairs.append(("total", op.get("total"), there.get("numRowsTotal", 0)))
            for name, a, b in pairs:
                if a is not None and a != b:
                    return f"state.{name} of the {kind} is {b}, not {a}"
    return None


def judge_batches(case, run):
    expected = [batch for batch in case.get("batches") or [] if error_in(batch) is None]
    counted = counts_state(run)
    of_all_rows = '"by": []' in json.dumps(case["pipeline"])
    for i, want in enumerate(expected):
        if i >= len(run.batches):
            return f"batch {want['batch']} (step {want.get('step')}) is missing" + (
                f": {run.error}" if run.error else "")
        got = run.batches[i]
        where = f"batch {want['batch']} (step {want.get('step')})"
        if got["batch"] != want["batch"] or got["step"] != want.get("step", got["step"]):
            return f"{where}: batch {got['batch']} of step {got['step']} is there instead"
        # A batch that was only told to its sink once more has none.
        mark = want.get("watermark") if "watermark" in got else None
        if mark is not None and got["watermark"] != mark and not (mark == 0 and not got["watermark"]):
            return f"{where}: watermark {got['watermark']}, not {mark}"
        have = [canonical(row) for row in got["rows"]]
        wish = [canonical(row) for row in want.get("rows") or []]
        if not want.get("ordered"):
            have.sort()
            wish.sort()
        if have != wish:
            extra = list((collections.Counter(have) - collections.Counter(wish)).elements())
            gone = list((collections.Counter(wish) - collections.Counter(have)).elements())
            return f"{where}: too many {extra[:3]}, missing {gone[:3]}" if extra or gone else (
                f"{where}: in another order")
        state = judge_state(want, got, of_all_rows) if counted else None
        if state:
            return f"{where}: {state}"
    if len(run.batches) > len(expected) and case.get("batches") is not None:
        more = run.batches[len(expected)]
        return f"batch {more['batch']} in step {more['step']} is one too many"
    return None


def judge_run(case, run):
    errors = expected_errors(case)
    for step, wanted in errors.items():
        message = run.error if step is None else run.errors.get(step, run.error)
        result, why = judge_error(wanted, message)
        if result != "pass" or not run.batches or not case.get("batches"):
            # What is refused when it is planned has no batches, also where Spark finds out later.
            return result, why
    if run.error and re.search(r"there is no function", run.error) and not errors:
        return "unsupported", run.error.split(" at query")[0]
    if run.error and not errors:
        return "differs", judge_batches(case, run) or f"ended with {run.error}"
    difference = judge_batches(case, run)
    return ("differs", difference) if difference else ("pass", "")
