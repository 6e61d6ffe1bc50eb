#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A window of the clock that is closed at the end of the input has one result, also when a job restored
right away reads more rows in the time of that window."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ENGINE = str(Path(os.environ.get("TIDEGATE_BUILD", "build")).resolve() / "tidegate")
JOB = """
CREATE TABLE clicks (k INT, t AS PROCTIME())
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE counts (ws TIMESTAMP(3), k INT, n BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO counts SELECT window_start, k, COUNT(*)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(t), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, k;
"""


def run(folder, *arguments):
    done = subprocess.run([ENGINE, "run", "job.sql", "--progress", "none", *arguments], cwd=folder,
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{arguments}: {done.stderr}")


def main():
    with tempfile.TemporaryDirectory(prefix="tidegate-clock-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "job.sql").write_text(JOB)
        for part in range(4):
            (folder / "in" / f"{part}.json").write_text('{"k": 1}\n{"k": 2}\n')
            restore = ["--restore", f"saved-{part - 1}"] if part else []
            run(folder, *restore, "--stop-with-savepoint", f"saved-{part}", "--parallelism",
                str(1 + part % 3))
        results = [json.loads(line) for path in (folder / "out").glob("[!.]*")
                   for line in path.read_text().splitlines()]
        windows = [(row["ws"], row["k"]) for row in results]
        if len(set(windows)) < len(windows):
            sys.exit(f"a window has two results: {sorted(windows)}")
        if sum(row["n"] for row in results) != 8:
            sys.exit(f"rows are missing: {results}")
        print(f"{len(windows)} windows, each with one result")


if __name__ == "__main__":
    main()
