#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a job with SIGKILL again and again; the same command goes on until all is done.

What is published at the end must be what the input says: nothing lost, nothing twice. Then a
savepoint: stop at the end of the input with open windows, add a file, and go on with another
parallelism.

    kill_test.py [--engine build/tidegate] [--seed N] [--rows N]
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
from collections import defaultdict
from pathlib import Path

TABLES = """
CREATE TABLE clicks (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE counts (ws TIMESTAMP(3), k INT, n BIGINT, s BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO counts
SELECT window_start, k, COUNT(*), SUM(v)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, k;
"""


def time_text(ms):
    return f"2026-01-01 {ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def write_input(path, rng, begin, end, truth):
    with open(path, "w") as out:
        for i in range(begin, end):
            key, ts = rng.randint(0, 50), time_text(i)
            out.write(json.dumps({"k": key, "v": i, "ts": ts}) + "\n")
            entry = truth[(ts[:18] + "0", key)]
            entry[0] += 1
            entry[1] += i


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


def check(folder, truth, what):
    found = published(folder)
    if found != truth:
        wrong = [k for k in set(found) | set(truth) if found.get(k) != truth.get(k)]
        sys.exit(f"{what}: {len(wrong)} of {len(truth)} windows are wrong, for example "
                 f"{[(k, found.get(k), truth.get(k)) for k in sorted(wrong)[:3]]}")


def run(engine, folder, *arguments, timeout=None):
    """The exit code; None: killed."""
    process = subprocess.Popen([engine, "run", "job.sql", "--progress", "none", *arguments],
                               cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        _, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode != 0:
        sys.exit(f"exit code {process.returncode}: {errors}")
    return 0


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
        folder, truth = Path(name), defaultdict(lambda: [0, 0])
        (folder / "in").mkdir()
        (folder / "job.sql").write_text(TABLES)
        write_input(folder / "in" / "a.json", rng, 0, arguments.rows, truth)
        durable = ["--checkpoint-dir", "epochs", "--epoch-interval", "20ms", "--parallelism"]
        # An undisturbed run says how long one takes on this machine.
        begun = time.monotonic()
        run(engine, folder, *durable, "2")
        whole = time.monotonic() - begun
        check(folder / "out", truth, "undisturbed")
        kills = 0
        for _ in range(6):
            shutil.rmtree(folder / "out")
            shutil.rmtree(folder / "epochs")
            # Ever more time, so that it gets there.
            while run(engine, folder, *durable, str(1 + kills % 3),
                      timeout=whole * rng.uniform(0.3, 0.8) * (1 + kills / 10)) is None:
                kills += 1
            if kills > 0:
                break
            whole /= 2  # the first run may have been slower than others
        if kills == 0:
            sys.exit("never killed: the runs are too short")
        check(folder / "out", truth, f"after {kills} kills")
        run(engine, folder, *durable, "2")  # a job that has finished does nothing
        check(folder / "out", truth, "after a run of the finished job")
        print(f"{kills} kills, {len(truth)} windows: exact")

    with tempfile.TemporaryDirectory(prefix="tidegate-savepoint-") as name:
        folder, truth = Path(name), defaultdict(lambda: [0, 0])
        (folder / "in").mkdir()
        (folder / "job.sql").write_text(TABLES)
        half = 105_000  # in the middle of a window
        write_input(folder / "in" / "a.json", rng, 0, half, truth)
        run(engine, folder, "--stop-with-savepoint", "savepoint", "--parallelism", "3")
        write_input(folder / "in" / "b.json", rng, half, 2 * half, truth)
        run(engine, folder, "--restore", "savepoint", "--parallelism", "2")
        check(folder / "out", truth, "after a savepoint")
        print(f"savepoint: {len(truth)} windows: exact")


if __name__ == "__main__":
    main()
