#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a job that runs in micro-batches with SIGKILL again and again; the same command goes on.

At the end every batch must have been planned and committed once, with the files that an undisturbed
run gave it, and what is published must be what the input says: nothing lost, nothing twice.

    batch_kill_test.py [--engine build/tidegate] [--seed N] [--files N] [--kills N]
"""

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from counted_clicks import TABLES, check, run, write_input

ROWS_OF_A_FILE = 4_000  # four seconds


def write_files(folder, files, rng, truth):
    for number in range(files):
        path = folder / f"{number:05}.json"
        write_input(path, rng, number * ROWS_OF_A_FILE, (number + 1) * ROWS_OF_A_FILE, truth)
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))


def batches(folder):
    """The files of each planned batch; every one must be committed."""
    [log] = folder.glob("epochs/*/batches")
    plans = {}
    for path in (log / "offsets").glob("[!.]*"):
        plan = json.loads(path.read_text().splitlines()[1])
        plans[plan["batchId"]] = [range_["split"] for source in plan["sources"]
                                  for range_ in source["ranges"]]
    committed = {int(path.name) for path in (log / "commits").glob("[!.]*")}
    # The last commit record may be lost with the process: the batch is finished all the same.
    if not set(plans) - {max(plans)} <= committed <= set(plans):
        sys.exit(f"planned {sorted(plans)}, committed {sorted(committed)}")
    return plans


def run_batches(engine, folder, parallelism, timeout=None):
    """None: killed."""
    return run(engine, folder, "job.sql", "--mode", "micro-batch", "--max-files-per-trigger", "1",
               "--checkpoint-dir", "epochs", "--set", "microbatch.retained-batches=10000",
               "--parallelism", str(parallelism), timeout=timeout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--files", type=int, default=60)
    parser.add_argument("--kills", type=int, default=12)
    arguments = parser.parse_args()
    engine = str(Path(arguments.engine).resolve())
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="tidegate-batches-") as name:
        folder, truth = Path(name), {}
        (folder / "in").mkdir()
        (folder / "job.sql").write_text(TABLES.format(out="out"))
        write_files(folder / "in", arguments.files, rng, truth)
        begun = time.monotonic()
        run_batches(engine, folder, 2)
        whole = time.monotonic() - begun
        check(folder / "out", truth, "undisturbed")
        wanted = batches(folder)
        kills = rounds = 0
        while kills < arguments.kills and rounds < 10 * arguments.kills:
            rounds += 1
            shutil.rmtree(folder / "out")
            shutil.rmtree(folder / "epochs")
            killed_before = kills
            # Ever more time, so that it gets there.
            while run_batches(engine, folder, 1 + kills % 3,
                              whole * rng.uniform(0.1, 0.6) *
                              (1 + (kills - killed_before) / 5)) is None:
                kills += 1
            check(folder / "out", truth, f"after {kills} kills")
            if batches(folder) != wanted:
                sys.exit(f"after {kills} kills the batches are others")
            if kills == killed_before:
                whole /= 2  # the first run may have been slower than others
        if kills == 0:
            sys.exit("never killed: the runs are too short")
        print(f"{kills} kills, {len(wanted)} batches, {len(truth)} windows: exact")


if __name__ == "__main__":
    main()
