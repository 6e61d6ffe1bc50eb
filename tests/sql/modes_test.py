#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs golden SQL files in three parts, each restored from where the one before it failed.

The first part runs embedded with state in memory, the second one in micro-batches with state in RocksDB,
and the third one embedded again; each at another parallelism. What the three print together must come to
the answer of the file.

    modes_test.py [--engine build/tidegate] [--only PART] [FILE.test ...]
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sql_files_test import TESTS, normal, parse

# Rows are printed with their epoch, since there is a strategy, and the first failure ends the job.
FAILS = ["--set", "restart-strategy.type=fixed-delay",
         "--set", "restart-strategy.fixed-delay.attempts=0", "--output", "changelog",
         "--progress", "none"]
EMBEDDED = ["--set", "runtime.max-batch-rows=1", "--set", "runtime.epoch-rows=3"]
PARTS = [
    (["--parallelism", "2", *EMBEDDED], "epoch.published=error@2"),
    (["--parallelism", "3", "--mode", "micro-batch", "--state", "rocksdb", "--memory", "1"],
     "epoch.published=error@1"),
    (["--parallelism", "1", *EMBEDDED], ""),
]


def run_parts(engine, folder, settings):
    """All changes that were printed; a text: what went wrong."""
    changes, restore = [], []
    for number, (arguments, failpoint) in enumerate(PARTS):
        command = [engine, "run", "script.sql", *arguments, *FAILS, *restore]
        if failpoint:
            command += ["--checkpoint-dir", f"epochs-{number}"]
        for setting in settings:
            command += ["--set", setting]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder,
                              env=dict(os.environ, TIDEGATE_FAILPOINTS=failpoint))
        changes += done.stdout.splitlines()
        if done.returncode == 0:
            return changes, number
        if not failpoint or "failpoint 'epoch.published'" not in done.stderr:
            return f"part {number + 1}: exit code {done.returncode}: {done.stderr.strip()}", number
        restore = ["--restore", f"epochs-{number}"]
    return changes, len(PARTS)


def table_of(changes):
    rows = Counter()
    for line in changes:
        change = json.loads(line)
        row = json.dumps(normal(change["row"]), sort_keys=True)
        rows[row] += 1 if change["op"].startswith("+") else -1
    return +rows if min(rows.values(), default=0) >= 0 else rows


def run_file(engine, path):
    failures, runs, parts = [], 0, 0
    inputs, settings, sql, number = {}, [], None, 0
    for section in parse(path):
        if section.kind == "input":
            inputs[section.argument] = section.text()
        elif section.kind == "set":
            settings.append(section.argument)
        elif section.kind == "only":
            if "restore" not in section.argument.split():
                return failures, runs, parts
        elif section.kind == "sql":
            sql = section.text()
        else:
            number += 1
            # Orders and changes are of one run, and so are scripts of several jobs.
            if section.kind != "output" or section.argument or "INSERT INTO" in sql:
                continue
            with tempfile.TemporaryDirectory(prefix="tidegate-modes-") as name:
                folder = Path(name)
                for file, content in inputs.items():
                    (folder / file).write_text(content + "\n" if content else "")
                script = re.sub(
                    r"\$\{([^}:]+)\}",
                    lambda m: str((TESTS if m.group(1).startswith("models/") else folder) /
                                  m.group(1)), sql)
                (folder / "script.sql").write_text(script)
                changes, last = run_parts(engine, folder, settings)
            runs += 1
            parts += last
            if isinstance(changes, str):
                failures.append(f"{path.name}, query {number}: {changes}")
                continue
            got = table_of(changes)
            want = Counter(json.dumps(normal(json.loads(line)), sort_keys=True)
                           for line in section.text().splitlines() if line)
            if got != want:
                failures.append(f"{path.name}, query {number}: {last + 1} parts:\n" + "\n".join(
                    [f"  + {row} {n}" for row, n in list((got - want).items())[:10]] +
                    [f"  - {row} {n}" for row, n in list((want - got).items())[:10]]))
    return failures, runs, parts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("files", nargs="*", type=Path)
    arguments = parser.parse_args()
    files = arguments.files or sorted(Path(__file__).parent.glob("*.test"))
    engine = str(Path(arguments.engine).resolve())
    failed, total, continued = [], 0, 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        for failures, runs, parts in pool.map(lambda f: run_file(engine, f),
                                              [f for f in files if arguments.only in f.name]):
            failed += failures
            total += runs
            continued += parts
    for failure in failed:
        print(failure)
    print(f"{total} queries, {continued} times gone on in another mode, {len(failed)} failures")
    sys.exit(1 if failed or continued == 0 else 0)


if __name__ == "__main__":
    main()
