#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a real job at every failpoint and at random times, and compares what it published with the truth.

A case is: a job with durable epochs, run under one fault (a kill, an error or a delay at the n-th pass
of a failpoint, or SIGKILL after some time), then again, perhaps under another fault, until it has
ended. What is then in the folder of its sink must be what Python computes from the input: no row
lost, none twice, nothing of an unfinished file left over, and files named in the order of epochs.

    campaign.py [--engine build/tidegate] [--kills N] [--seed N] [--jobs N] [--rows N]
                [--without PROTECTION]     with a planted bug: one of PROTECTIONS
                [--planted]                each planted bug in turn must be found
                [--batch-steps N]          N runs killed at every step of a micro-batch in turn instead

The failpoints are those that the sources name. Exit code 1: something was wrong; the case's seed and
folder are printed.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from counted_clicks import time_text

ROOT = Path(__file__).resolve().parents[2]
EPOCHS = 8  # about so many in a whole run
LONGEST = 300  # seconds of a run, on a machine that is busy
# Those that a kill, a second run or a damaged file can miss. What only a power cut misses (fsync) is
# for the simulation: api_test, WithoutProtection.
PROTECTIONS = ("commit-first", "manifest-last", "fencing", "checksum")

JOBS = {
    "windows": """
CREATE TABLE clicks (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE counts (ws TIMESTAMP(3), k INT, n BIGINT, s BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO counts
SELECT window_start, k, COUNT(*), SUM(v)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '1' SECOND))
GROUP BY window_start, window_end, k;
""",
    # Every row, in folders by key, in small files.
    "copies": """
CREATE TABLE clicks (k INT, v BIGINT, ts TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE copies (k INT, v BIGINT) PARTITIONED BY (k)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'csv',
      'sink.rolling-policy.file-size' = '2 kb',
      'sink.partition-commit.policy.kind' = 'success-file');
INSERT INTO copies SELECT k, v FROM clicks WHERE k < 5;
""",
    # State that stays: the last value per key, as changes.
    "totals": """
CREATE TABLE clicks (k INT, v BIGINT, ts TIMESTAMP(3))
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE totals (k INT, n BIGINT, s BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'debezium-json');
INSERT INTO totals SELECT k, COUNT(*), SUM(v) FROM clicks GROUP BY k;
""",
}


class Input:
    """Rows of some files, and what each job must publish of them."""

    def __init__(self, folder, rows, seed, files=3):
        rng = random.Random(seed)
        windows, totals = defaultdict(lambda: [0, 0]), defaultdict(lambda: [0, 0])
        copies = Counter()
        folder.mkdir()
        for number in range(files):
            with open(folder / f"{number}.json", "w") as out:
                for i in range(number * rows // files, (number + 1) * rows // files):
                    key, ts = rng.randint(0, 20), time_text(i)
                    out.write(json.dumps({"k": key, "v": i, "ts": ts}) + "\n")
                    for entry in (windows[(ts[:19], key)], totals[key]):
                        entry[0] += 1
                        entry[1] += i
                    copies[(key, i)] += key < 5
        self.truth = {"windows": Counter((k, tuple(v)) for k, v in windows.items()),
                      "copies": +copies,
                      "totals": Counter((k, tuple(v)) for k, v in totals.items())}


class Wrong(Exception):
    pass


def visible(folder):
    """Published files in the order of their names; unfinished ones must be gone at the end."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_dir() or path.name == "_SUCCESS":
            continue
        if path.name.startswith("."):
            raise Wrong(f"left over: {path.name}")
        found.append(path)
    return found


def published(job, folder, folds=True):
    """The rows; of changes, the table that they make (without `folds`: by how much it changes)."""
    rows = Counter()
    if job == "totals":
        state = Counter()
        for path in visible(folder):
            for line in path.read_text().splitlines():
                change = json.loads(line)
                for image, step in (("before", -1), ("after", 1)):
                    if change[image] is not None:
                        row = change[image]
                        state[(row["k"], (row["n"], row["s"]))] += step
        if not folds:
            return state
        if min(state.values(), default=0) < 0:
            raise Wrong("a row is taken back that never was there")
        return +state
    for path in visible(folder):
        for line in path.read_text().splitlines():
            if job == "windows":
                row = json.loads(line)
                rows[((row["ws"][:19], row["k"]), (row["n"], row["s"]))] += 1
            else:
                rows[(int(path.parent.name.split("=")[1]), int(line))] += 1
    return rows


def failpoints():
    names = set()
    for path in (ROOT / "src").rglob("*.cc"):
        if not path.name.endswith("_test.cc"):
            names.update(re.findall(r'TG_FAILPOINT\("([^"]+)"\)', path.read_text()))
    # Those of other connectors have tests of their own.
    return sorted(n for n in names if not n.startswith("kafka."))


class Case:
    def __init__(self, campaign, number):
        self.campaign, self.number = campaign, number
        self.rng = random.Random(f"{campaign.arguments.seed}/{number}")
        names = sorted(JOBS)
        self.job = names[number % len(names)]
        # As it comes, or in micro-batches of a file each.
        self.in_batches = number % 2 == 1
        points = self.points()
        # Every failpoint in turn, with every job; every fifth case a time instead.
        self.point = points[number // len(names) % len(points)] if number % 5 else None
        self.kills = 0
        self.log = []

    def points(self):
        return [p for p in self.campaign.failpoints
                if self.in_batches or not p.startswith("microbatch.")]

    def command(self):
        command = [self.campaign.engine, "run", "job.sql", "--progress", "none",
                   "--checkpoint-dir", "epochs", "--parallelism", str(self.rng.randint(1, 3)),
                   "--set", "runtime.max-batch-rows=256"]
        # Now in memory, now above a base that the run before may have left.
        if self.rng.random() < 0.5:
            command += ["--state", "rocksdb", "--state-dir", "state", "--memory", "256KiB"]
        if self.in_batches:
            return command + ["--mode", "micro-batch", "--max-files-per-trigger", "1"]
        rows = max(1, self.campaign.arguments.rows // EPOCHS // 3)
        return command + ["--epoch-interval", "1h", "--set", f"runtime.epoch-rows={rows}"]

    def run(self, folder, fault, timeout=LONGEST, restarts=False):
        """The exit code; negative: killed. `fault`: TIDEGATE_FAILPOINTS, may be empty."""
        planted = self.campaign.arguments.without
        armed = [f for f in (fault, f"unprotected.{planted}=error" if planted else "") if f]
        environment = dict(os.environ, TIDEGATE_FAILPOINTS=";".join(armed))
        command = self.command()
        if restarts and not self.in_batches:  # those are begun again from outside
            command += ["--set", "restart-strategy.type=fixed-delay",
                        "--set", "restart-strategy.fixed-delay.attempts=3",
                        "--set", "restart-strategy.fixed-delay.delay=1 ms"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        try:
            _, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            self.log.append(f"killed after {timeout:.3f} s")
            if timeout >= LONGEST:
                raise Wrong(f"does not end: {fault}") from None
            return -9
        self.log.append(f"{fault or 'undisturbed'}: {process.returncode} {errors[-300:]}")
        self.errors = errors
        return process.returncode

    def disturb(self, folder):
        """One disturbed run; True when the job has ended."""
        if self.point is None or self.kills > 0 and self.rng.random() < 0.5:
            code = self.run(folder, "", timeout=self.rng.uniform(0.01, self.campaign.whole))
        else:
            point = self.point if self.kills == 0 else self.rng.choice(self.points())
            hit = self.rng.randint(1, 3 if self.kills else 6)
            action = self.rng.choice(["kill"] * 6 + ["exit", "error", "error:file-io", "delay:20ms"])
            self.campaign.reached[point] += 0
            code = self.run(folder, f"{point}={action}@{hit}", restarts=self.rng.random() < 0.3)
            if code != 0:
                self.campaign.reached[point] += 1
        if code < 0 or code == 1:
            self.kills += 1
        elif code not in (0, 4):
            raise Wrong(f"exit code {code}: {self.errors}")
        return code == 0

    def check(self, folder, what):
        got, want = published(self.job, folder / "out"), self.campaign.input.truth[self.job]
        if got == want:
            return
        raise Wrong(f"{what}: {sum((want - got).values())} rows lost, {sum((got - want).values())} "
                    f"too many of {sum(want.values())}; for example {list((want - got) or (got - want))[:2]}")

    def play(self, folder):
        folder.mkdir()
        (folder / "in").symlink_to(self.campaign.folder / "in")
        (folder / "out").mkdir()
        (folder / "job.sql").write_text(JOBS[self.job])
        ended = False
        for _ in range(self.rng.randint(1, 3)):
            ended = self.disturb(folder)
            if ended:
                break
        planted = self.campaign.arguments.without
        if not ended and (self.number % 4 == 1 or planted == "checksum"):
            self.damage(folder)
        if not ended and (self.number % 4 == 3 or planted == "fencing"):
            self.compete(folder)
        if not ended and self.run(folder, "") != 0:
            raise Wrong(f"does not go on: {self.errors}")
        self.check(folder, "at the end")
        if self.run(folder, "") != 0:  # a job that has finished does nothing
            raise Wrong(f"the finished job: {self.errors}")
        self.check(folder, "after a run of the finished job")

    def damage(self, folder):
        """A byte of a checkpoint flips: refused, or an older epoch with the same answer; in copies."""
        files = [f for f in (folder / "epochs").rglob("*") if f.is_file() and f.stat().st_size > 0]
        tries = 3
        if self.campaign.arguments.without == "checksum":
            # What newer epochs hide is not missed.
            data = [f for f in files if f.parent.name == "data"]
            files = sorted(data, key=lambda f: f.stat().st_mtime_ns)[-1:]
            tries = 10
        for _ in range(tries if files else 0):
            copy = folder.with_name(folder.name + "-damaged")
            shutil.copytree(folder, copy, symlinks=True)
            path = copy / self.rng.choice(files).relative_to(folder)
            content = bytearray(path.read_bytes())
            content[self.rng.randrange(len(content))] ^= 1 << self.rng.randrange(8)
            path.write_bytes(content)
            code = self.run(copy, "")
            if code == 0:
                self.check(copy, f"after damage of {path.name}")
            elif code < 0:
                raise Wrong(f"crashes on a damaged {path.name}")
            shutil.rmtree(copy)

    def compete(self, folder):
        """A second run while the first is alive: one of them is refused, nothing comes twice."""
        slow = dict(os.environ, TIDEGATE_FAILPOINTS="epoch.before-commit=delay:100ms")
        planted = self.campaign.arguments.without
        if planted:
            slow["TIDEGATE_FAILPOINTS"] += f";unprotected.{planted}=error"
        first = subprocess.Popen(self.command(), cwd=folder, env=slow, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        time.sleep(0.15)
        code = self.run(folder, "")
        alive = first.poll() is None
        first.wait()
        if alive and code == 0 and first.returncode == 0:
            raise Wrong("two runs shared a checkpoint folder")


class Campaign:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.engine = str(Path(arguments.engine).resolve())
        self.failpoints = failpoints()
        self.reached = Counter()
        self.input = Input(folder / "in", arguments.rows, arguments.seed)
        begun = time.monotonic()
        case = Case(self, 0)
        for name in JOBS:
            case.job = name
            case.rng = random.Random(1)
            (folder / name).mkdir()
            (folder / name / "in").symlink_to(folder / "in")
            (folder / name / "out").mkdir()
            (folder / name / "job.sql").write_text(JOBS[name])
            if case.run(folder / name, "") != 0:
                sys.exit(f"{name}, undisturbed: {case.errors}")
            case.check(folder / name, f"{name}, undisturbed")
        self.whole = (time.monotonic() - begun) / len(JOBS) * 1.2
        self.kills = 0
        self.cases = 0
        self.wrong = []

    def play(self, number):
        if self.wrong or self.kills >= self.arguments.kills:
            return
        case = Case(self, number)
        folder = self.folder / f"case-{number}"
        try:
            case.play(folder)
            shutil.rmtree(folder)
        except Wrong as wrong:
            self.wrong.append(f"case {number} ({case.job}): {wrong}\n  " + "\n  ".join(case.log))
        self.kills += case.kills
        self.cases += 1

    def run(self):
        with ThreadPoolExecutor(self.arguments.jobs) as pool:
            for _ in pool.map(self.play, range(20 * self.arguments.kills)):
                pass
        return not self.wrong


def run_campaign(arguments):
    with tempfile.TemporaryDirectory(prefix="tidegate-campaign-") as name:
        campaign = Campaign(arguments, Path(name))
        begun = time.monotonic()
        exact = campaign.run()
        for wrong in campaign.wrong:
            print(wrong, file=sys.stderr)
        what = f" without {arguments.without}" if arguments.without else ""
        print(f"{campaign.cases} cases, {campaign.kills} kills{what} in "
              f"{time.monotonic() - begun:.0f} s: {'exact' if exact else 'WRONG'}")
        never = [p for p, n in campaign.reached.items() if n == 0]
        if never and not arguments.without and campaign.kills >= 200:
            print(f"failpoints that no run died at: {', '.join(never)}")
        return exact


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--without", default="")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--batch-steps", type=int, default=0, metavar="N")
    arguments = parser.parse_args()
    if arguments.batch_steps:
        from batch_steps import run_steps  # which builds on this
        sys.exit(0 if run_steps(arguments) else 1)
    if not arguments.planted:
        sys.exit(0 if run_campaign(arguments) else 1)
    missed = []
    for protection in PROTECTIONS:
        arguments.without = protection
        if run_campaign(arguments):
            missed.append(protection)
    if missed:
        sys.exit(f"nothing was missed without: {', '.join(missed)}")


if __name__ == "__main__":
    main()
