#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten times as many small batches leave no more files, and need no more memory: what a query keeps
is its state and the batches that it was told to retain.

    batch_growth_test.py [--engine build/tidegate] [--batches N]
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROWS_OF_A_BATCH = 100
RETAINED = 20
# A batch that left 4 KiB behind would be found.
MOST_BYTES_MORE_OF_A_BATCH = 4096

QUERY = """
CREATE TABLE clicks (k INT, v INT, ts AS TO_TIMESTAMP_LTZ(v, 3))
WITH ('connector' = 'datagen', 'number-of-rows' = '{rows}', 'fields.k.min' = '1', 'fields.k.max' = '50',
      'fields.v.kind' = 'sequence', 'fields.v.start' = '0', 'fields.v.end' = '{rows}');
CREATE TABLE counts (k INT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO counts SELECT k, COUNT(*) FROM clicks GROUP BY k;
"""


def run(engine, folder, batches):
    """Files and bytes of the checkpoint, and the most memory of the process in bytes."""
    folder.mkdir()
    (folder / "job.sql").write_text(QUERY.format(rows=batches * ROWS_OF_A_BATCH))
    process = subprocess.Popen(
        [engine, "run", "job.sql", "--mode", "micro-batch", "--max-rows-per-trigger",
         str(ROWS_OF_A_BATCH), "--checkpoint-dir", "epochs", "--parallelism", "1", "--progress", "none",
         "--set", f"microbatch.retained-batches={RETAINED}"], cwd=folder)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{batches} batches: wait status {status}")
    files = [path for path in (folder / "epochs").rglob("*") if path.is_file()]
    offsets = [path for path in files if path.parent.name == "offsets"]
    last = max(int(path.name) for path in offsets)
    if len(offsets) != RETAINED or last < batches - 1:
        sys.exit(f"{batches} batches: {len(offsets)} plans are kept, the last is {last}")
    return len(files), sum(path.stat().st_size for path in files), usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--batches", type=int, default=1_100)
    arguments = parser.parse_args()
    engine = str(Path(arguments.engine).resolve())
    few = arguments.batches // 11
    with tempfile.TemporaryDirectory(prefix="tidegate-growth-") as name:
        files, size, memory = run(engine, Path(name) / "few", few)
        more_files, more_size, more_memory = run(engine, Path(name) / "many", arguments.batches)
    print(f"{few} batches: {files} files, {size} bytes, {memory >> 20} MiB; "
          f"{arguments.batches}: {more_files}, {more_size}, {more_memory >> 20}")
    # Numbers have more digits, and a fold of deltas may be under way.
    if more_files > files + 3 or more_size > 1.5 * size + 20_000:
        sys.exit("files grow with the number of batches")
    if more_memory > memory + (arguments.batches - few) * MOST_BYTES_MORE_OF_A_BATCH:
        sys.exit("memory grows with the number of batches")


if __name__ == "__main__":
    main()
