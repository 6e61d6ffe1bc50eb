#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A day of Wikipedia edits in 200 micro-batches gives the rows of one run over all of it.

    batches_of_data_test.py [--engine build/tidegate] [--data FOLDER]

The folder, or the environment variable TIDEGATE_DATA, holds wikipedia_edits.json.gz; without it
nothing is checked.
"""

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BATCHES = 200
TABLE = """
CREATE TABLE edits (`time` STRING, channel STRING, page STRING, `user` STRING, isRobot BOOLEAN,
  added BIGINT, ts AS TO_TIMESTAMP(REPLACE(REPLACE(`time`, 'T', ' '), 'Z', '')),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE)
WITH ('connector' = 'filesystem', 'path' = '{path}', 'format' = 'json');
"""
QUERIES = {
    "windows": """SELECT window_start, channel, COUNT(*) AS n, SUM(added) AS added
        FROM TABLE(TUMBLE(TABLE edits, DESCRIPTOR(ts), INTERVAL '10' MINUTE))
        GROUP BY window_start, window_end, channel""",
    "groups": "SELECT channel, COUNT(DISTINCT `user`) AS people, SUM(added) AS s FROM edits GROUP BY channel",
    "filter": "SELECT ts, page, added FROM edits WHERE isRobot AND added > 1000",
}


def run(engine, folder, sql, *arguments):
    script = Path(folder) / "script.sql"
    script.write_text(sql)
    done = subprocess.run([engine, "run", str(script), "--output", "json", "--progress", "none",
                           *arguments], capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        sys.exit(f"exit code {done.returncode}: {done.stderr}")
    return sorted(done.stdout.splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--data", default=os.environ.get("TIDEGATE_DATA", ""))
    arguments = parser.parse_args()
    edits = Path(arguments.data) / "wikipedia_edits.json.gz"
    if not arguments.data or not edits.exists():
        print("skipped: there is no data")
        return
    lines = gzip.open(edits, "rt").read().splitlines()
    engine = str(Path(arguments.engine).resolve())
    with tempfile.TemporaryDirectory(prefix="tidegate-edits-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "whole.json").write_text("\n".join(lines) + "\n")
        for i in range(BATCHES):
            part = lines[len(lines) * i // BATCHES:len(lines) * (i + 1) // BATCHES]
            path = folder / "in" / f"{i:04}.json"
            path.write_text("\n".join(part) + "\n")
            os.utime(path, (1_700_000_000 + i, 1_700_000_000 + i))
        for query, sql in QUERIES.items():
            whole = run(engine, folder, TABLE.format(path=folder / "whole.json") + sql + ";")
            parts = run(engine, folder, TABLE.format(path=folder / "in") + sql + ";", "--mode",
                        "micro-batch", "--max-files-per-trigger", "1", "--parallelism", "2")
            if not whole or whole != parts:
                sys.exit(f"{query}: {len(parts)} rows in batches, {len(whole)} at once")
            print(f"{query}: {len(whole)} rows, the same in {BATCHES} batches")


if __name__ == "__main__":
    main()
