#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A job whose state is larger than its memory stays within what it was given: 1.25 times --memory
and 80 MiB, with checkpoints, their folding, and a restore of all of it.

    resident_memory.py [--engine build/tidegate] [--rows N]
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

MEMORY_MIB = 64
JOB = """
CREATE TABLE events (k BIGINT, v BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '{rows}',
  'fields.k.kind' = 'random', 'fields.k.min' = '1', 'fields.k.max' = '{keys}',
  'fields.v.kind' = 'random', 'fields.v.min' = '1', 'fields.v.max' = '9');
CREATE TABLE counts (k BIGINT, n BIGINT, s BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO counts SELECT k, COUNT(*), SUM(v) FROM events GROUP BY k;
"""


def resident_mib(engine, folder, *arguments):
    """The most that a run of the job had resident."""
    command = [engine, "run", "job.sql", "--progress", "none", "--state", "rocksdb", "--memory",
               f"{MEMORY_MIB}MiB", "--parallelism", "2", *arguments]
    process = os.fork()
    if process == 0:
        os.chdir(folder)
        os.execv(engine, command)
    _, status, usage = os.wait4(process, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)}: status {status}")
    return usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    engine = str(Path(arguments.engine).resolve())
    limit = 1.25 * MEMORY_MIB + 80
    with tempfile.TemporaryDirectory(prefix="tidegate-memory-") as name:
        folder = Path(name)
        (folder / "job.sql").write_text(JOB.format(rows=arguments.rows, keys=arguments.rows))
        found = {
            "with checkpoints": resident_mib(engine, folder, "--checkpoint-dir", "epochs",
                                             "--epoch-interval", "200ms",
                                             "--stop-with-savepoint", "saved"),
            "restored": resident_mib(engine, folder, "--restore", "saved", "--checkpoint-dir",
                                     "more"),
        }
    for what, mib in found.items():
        print(f"{what}: {mib:.0f} MiB resident, {limit:.0f} allowed")
    if max(found.values()) > limit:
        sys.exit("more memory is resident than was given")


if __name__ == "__main__":
    main()
