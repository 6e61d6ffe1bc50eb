#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a job with SIGKILL again and again; the same command goes on until all is done.

What is published at the end must be what the input says: nothing lost, nothing twice. Then a
savepoint: stop at the end of the input with open windows, add a file, and go on with another
parallelism.

    kill_test.py [--engine build/tidegate] [--seed N] [--rows N]
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from counted_clicks import TABLES, check, run, write_input


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    engine = str(Path(arguments.engine).resolve())
    rng = random.Random(arguments.seed)

    with tempfile.TemporaryDirectory(prefix="tidegate-kill-") as name:
        folder, truth = Path(name), {}
        (folder / "in").mkdir()
        (folder / "job.sql").write_text(TABLES.format(out="out"))
        write_input(folder / "in" / "a.json", rng, 0, arguments.rows, truth)
        durable = ["--checkpoint-dir", "epochs", "--epoch-interval", "20ms", "--parallelism"]
        # An undisturbed run says how long one takes on this machine.
        begun = time.monotonic()
        run(engine, folder, "job.sql", *durable, "2")
        whole = time.monotonic() - begun
        check(folder / "out", truth, "undisturbed")
        kills = 0
        for _ in range(6):
            shutil.rmtree(folder / "out")
            shutil.rmtree(folder / "epochs")
            # Ever more time, so that it gets there.
            while run(engine, folder, "job.sql", *durable, str(1 + kills % 3),
                      timeout=whole * rng.uniform(0.3, 0.8) * (1 + kills / 10)) is None:
                kills += 1
            if kills > 0:
                break
            whole /= 2  # the first run may have been slower than others
        if kills == 0:
            sys.exit("never killed: the runs are too short")
        check(folder / "out", truth, f"after {kills} kills")
        run(engine, folder, "job.sql", *durable, "2")  # a job that has finished does nothing
        check(folder / "out", truth, "after a run of the finished job")
        print(f"{kills} kills, {len(truth)} windows: exact")

    with tempfile.TemporaryDirectory(prefix="tidegate-savepoint-") as name:
        folder, truth = Path(name), {}
        (folder / "in").mkdir()
        (folder / "job.sql").write_text(TABLES.format(out="out"))
        half = 105_000  # in the middle of a window
        write_input(folder / "in" / "a.json", rng, 0, half, truth)
        run(engine, folder, "job.sql", "--stop-with-savepoint", "savepoint", "--parallelism", "3")
        write_input(folder / "in" / "b.json", rng, half, 2 * half, truth)
        run(engine, folder, "job.sql", "--restore", "savepoint", "--parallelism", "2")
        check(folder / "out", truth, "after a savepoint")
        print(f"savepoint: {len(truth)} windows: exact")


if __name__ == "__main__":
    main()
