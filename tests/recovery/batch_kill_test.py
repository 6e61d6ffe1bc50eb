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
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPT = """
CREATE TABLE clicks (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE counts (ws TIMESTAMP(3), k INT, n BIGINT, s BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO counts
SELECT window_start, k, COUNT(*), SUM(v)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, k;
"""
ROWS_OF_A_FILE = 4_000  # four seconds


def write_input(folder, files, rng):
    """The windows that there should be: {(start, key): [count, sum]}."""
    truth = {}
    for number in range(files):
        path = folder / f"{number:05}.json"
        with open(path, "w") as out:
            for i in range(number * ROWS_OF_A_FILE, (number + 1) * ROWS_OF_A_FILE):
                key = rng.randint(0, 20)
                second = i // 1000
                ts = f"2026-01-01 {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
                out.write(json.dumps({"k": key, "v": i, "ts": f"{ts}.{i % 1000:03}"}) + "\n")
                entry = truth.setdefault((ts[:18] + "0", key), [0, 0])
                entry[0] += 1
                entry[1] += i
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
    return truth


def published(folder):
    found = {}
    for path in folder.glob("[!.]*"):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            key = (row["ws"][:19], row["k"])
            if key in found:
                sys.exit(f"twice: {key}")
            found[key] = [row["n"], row["s"]]
    return found


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


def run(engine, folder, parallelism, timeout=None):
    """False: killed."""
    command = [engine, "run", "job.sql", "--progress", "none", "--mode", "micro-batch",
               "--max-files-per-trigger", "1", "--checkpoint-dir", "epochs",
               "--set", "microbatch.retained-batches=10000", "--parallelism", str(parallelism)]
    process = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        _, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    if process.returncode != 0:
        sys.exit(f"exit code {process.returncode}: {errors}")
    return True


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
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "job.sql").write_text(SCRIPT)
        truth = write_input(folder / "in", arguments.files, rng)
        begun = time.monotonic()
        run(engine, folder, 2)
        whole = time.monotonic() - begun
        if published(folder / "out") != truth:
            sys.exit("wrong without any kill")
        wanted = batches(folder)
        kills = rounds = 0
        while kills < arguments.kills and rounds < 10 * arguments.kills:
            rounds += 1
            shutil.rmtree(folder / "out")
            shutil.rmtree(folder / "epochs")
            killed_before = kills
            # Ever more time, so that it gets there.
            while not run(engine, folder, 1 + kills % 3,
                          whole * rng.uniform(0.1, 0.6) * (1 + (kills - killed_before) / 5)):
                kills += 1
            if published(folder / "out") != truth:
                sys.exit(f"after {kills} kills what is published is wrong")
            if batches(folder) != wanted:
                sys.exit(f"after {kills} kills the batches are others")
            if kills == killed_before:
                whole /= 2  # the first run may have been slower than others
        if kills == 0:
            sys.exit("never killed: the runs are too short")
        print(f"{kills} kills, {len(wanted)} batches, {len(truth)} windows: exact")


if __name__ == "__main__":
    main()
