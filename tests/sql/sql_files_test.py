#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs golden SQL files: each one in many ways, with one answer.

    sql_files_test.py [--engine build/tidegate] [--only PART] [--ways WAY ...] [FILE.test ...]

A file is made of sections:

    # Anything before the first section says what the file shows.
    -- input NAME             a file beside the script; ${NAME} in the script is its path, as is
                              ${models/NAME} of one in tests/models
    {"a": 1}
    -- sql                    the script; ends with a SELECT, or writes to ${out:NAME}
    SELECT ...
    -- output                 what the last SELECT prints with --output json, in any order
    -- output ordered         the same, in this order
    -- output changelog       what it prints with --output changelog, in any order; in one way only
    -- error TG1012           the script fails with this code; lines below are parts of the message
    -- only WAYS              the ways in which it runs, when not all apply ("whole single-rows")
    -- set NAME=VALUE         a setting of all runs

Several sql/output pairs may follow each other; inputs stay.
"""

import argparse
import json
import math
import os
import random
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent

# A job that fails after each of its many epochs, and begins again from it at once.
RESTARTS = ["--set", "runtime.max-batch-rows=1", "--set", "runtime.epoch-rows=3",
            "--set", "restart-strategy.type=fixed-delay",
            "--set", "restart-strategy.fixed-delay.attempts=1000",
            "--set", "restart-strategy.fixed-delay.delay=0 ms"]

ROCKSDB = ["--state", "rocksdb", "--memory", "1"]
RESCALES = ["--set", "runtime.attempt-parallelism=" + ",".join(["1", "2", "3", "1"] * 30)]

# Cutting rows into batches, spreading them over tasks, leaving out rules, restoring, rescaling and
# failing change no answer.
WAYS = {
    "whole": ["--parallelism", "1"],
    "single-rows": ["--parallelism", "1", "--set", "runtime.max-batch-rows=1"],
    "odd-batches": ["--parallelism", "2", "--set", "runtime.max-batch-rows=7"],
    # Nothing but what is not published yet has room in memory.
    "rocksdb": ["--parallelism", "2", "--set", "runtime.max-batch-rows=3", *ROCKSDB,
                "--epoch-interval", "1ms"],
    "three-tasks": ["--parallelism", "3"],
    "micro-batch": ["--parallelism", "2", "--mode", "micro-batch"],
    "no-rules": ["--parallelism", "1", "--set", "planner.disabled-rules=outer-to-inner,prune-columns,"
                 "merge-projects,push-filters"],
    "restore": ["--parallelism", "2", *RESTARTS],
    "restore-files": ["--parallelism", "1", "--checkpoint-dir", "epochs", *RESTARTS],
    "restore-batches": ["--parallelism", "2", "--mode", "micro-batch", "--checkpoint-dir", "epochs",
                        *RESTARTS],
    "killed-batches": ["--parallelism", "2", "--mode", "micro-batch", "--checkpoint-dir", "epochs",
                       *RESTARTS],
    "rescale": [*RESCALES, *RESTARTS],
    "rescale-rocksdb": [*RESCALES, *RESTARTS, *ROCKSDB],
    # Begun again from an epoch somewhere, of which nothing, all, or the record alone was there.
    "killed": ["--parallelism", "2", "--checkpoint-dir", "epochs", *RESTARTS],
    "killed-rocksdb": ["--parallelism", "3", "--checkpoint-dir", "epochs", *RESTARTS, *ROCKSDB],
}
STEPS = ("epoch.before-commit", "checkpoint.before-manifest", "checkpoint.after-manifest",
         "epoch.before-publish", "epoch.published")
BATCH_STEPS = ("microbatch.before-offsets", "microbatch.after-offsets", "microbatch.before-record",
               "microbatch.before-commits", "microbatch.after-commits")


def failpoints(way, what):
    """What a run is to stumble over; `what` is run, so that it is another epoch for each query."""
    if way.startswith("killed"):
        chance = random.Random(f"{way} {what}")
        if way == "killed-batches":  # of which there may be one alone
            return f"{chance.choice(STEPS + BATCH_STEPS)}=error@1"
        return f"{chance.choice(STEPS)}=error@{chance.randint(1, 4)}"
    return "epoch.published=error" if way.startswith("res") else ""


class Section:
    def __init__(self, kind, argument, lines):
        self.kind, self.argument, self.lines = kind, argument, lines

    def text(self):
        return "\n".join(self.lines).strip("\n")


def parse(path):
    sections, current = [], None
    for line in Path(path).read_text().splitlines():
        match = re.match(r"^-- (input|sql|output|error|only|set)\b ?(.*)$", line)
        if match:
            current = Section(match.group(1), match.group(2).strip(), [])
            sections.append(current)
        elif current is not None:
            current.lines.append(line)
    return sections


def normal(value):
    """Values that print differently but are equal."""
    if isinstance(value, float):
        return f"{value:.10g}" if math.isfinite(value) else str(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return f"{value:.10g}" if abs(value) < 1e10 else value
    if isinstance(value, list):
        return [normal(v) for v in value]
    if isinstance(value, dict):
        return {k: normal(v) for k, v in value.items()}
    return value


def rows_of(text, ordered):
    rows = [json.dumps(normal(json.loads(l)), sort_keys=True) for l in text.splitlines() if l]
    return rows if ordered else sorted(rows)


def run_case(engine, inputs, sql, expected, settings, way, folder):
    for name, content in inputs.items():
        (folder / name).write_text(content + "\n" if content else "")
    script = re.sub(r"\$\{([^}:]+)\}",
                    lambda m: str((TESTS if m.group(1).startswith("models/") else folder) / m.group(1)),
                    sql)
    (folder / "script.sql").write_text(script)
    form = "changelog" if expected.kind == "output" and "changelog" in expected.argument else "json"
    command = [engine, "run", str(folder / "script.sql"), "--output", form, "--progress", "none"]
    command += WAYS[way]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder,
                          env=dict(os.environ, TIDEGATE_FAILPOINTS=failpoints(way, sql)))
    if expected.kind == "error":
        code = expected.argument
        if done.returncode == 0:
            return f"succeeded instead of failing with {code}"
        missing = [p for p in [code] + [l for l in expected.lines if l] if p not in done.stderr]
        return f"the message lacks {missing}:\n{done.stderr}" if missing else ""
    if done.returncode != 0:
        return f"exit code {done.returncode}:\n{done.stderr.strip()}"
    ordered = "ordered" in expected.argument
    try:
        got, want = rows_of(done.stdout, ordered), rows_of(expected.text(), ordered)
    except json.JSONDecodeError as e:
        return f"not JSON: {e}\n{done.stdout[:2000]}"
    if got == want:
        return ""
    extra = [r for r in got if got.count(r) > want.count(r)]
    lacks = [r for r in want if want.count(r) > got.count(r)]
    return "\n".join([f"{len(got)} rows instead of {len(want)}"]
                     + [f"  + {r}" for r in extra[:20]] + [f"  - {r}" for r in lacks[:20]]
                     + (["  the order differs"] if not extra and not lacks else []))


def run_file(engine, path, all_ways):
    failures, runs = [], 0
    inputs, settings, ways, sql = {}, [], all_ways, None
    number = 0
    for section in parse(path):
        if section.kind == "input":
            inputs[section.argument] = section.text()
        elif section.kind == "set":
            settings.append(section.argument)
        elif section.kind == "only":
            ways = [w for w in all_ways if w in section.argument.split()]
        elif section.kind == "sql":
            sql = section.text()
        else:
            number += 1
            once = section.kind == "error" or "changelog" in section.argument
            for way in ways[:1] if once else ways:
                with tempfile.TemporaryDirectory(prefix="tidegate-sql-") as folder:
                    try:
                        problem = run_case(engine, inputs, sql, section, settings, way,
                                           Path(folder))
                    except subprocess.TimeoutExpired:
                        problem = "does not end"
                runs += 1
                if problem:
                    failures.append(f"{path.name}, query {number}, {way}: {problem}")
    return runs, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("files", nargs="*", type=Path)
    arguments = parser.parse_args()
    files = arguments.files or sorted(Path(__file__).parent.glob("*.test"))
    files = [f for f in files if arguments.only in f.name]
    if not files:
        sys.exit("no test files")
    engine = str(Path(arguments.engine).resolve())
    total, failed = 0, []
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for runs, failures in pool.map(lambda f: run_file(engine, f, arguments.ways), files):
            total += runs
            failed += failures
    for failure in failed:
        print(failure)
    print(f"{len(files)} files, {total} runs, {len(failed)} failures")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
