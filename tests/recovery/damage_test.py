#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damages each file that a job in micro-batches has left, in every way: a clear refusal, or the truth.

The job is killed in the middle. In copies of its folder each file is flipped, cut, deleted, and swapped
with another one of its kind; then the same command goes on. What comes out is a refusal that names a
file and publishes nothing more, or all rows exactly once.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ENGINE = str(Path(os.environ.get("TIDEGATE_BUILD", "build")).resolve() / "tidegate")
JOB = """
CREATE TABLE clicks (k INT, v BIGINT) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE totals (k INT, n BIGINT, s BIGINT)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'debezium-json');
INSERT INTO totals SELECT k, COUNT(*), SUM(v) FROM clicks GROUP BY k;
"""
FILES, ROWS, KEYS = 5, 4, 3


def run(folder, failpoints=""):
    return subprocess.run(
        [ENGINE, "run", "job.sql", "--progress", "none", "--mode", "micro-batch", "--checkpoint-dir",
         "epochs", "--max-files-per-trigger", "1", "--parallelism", "2"], cwd=folder,
        capture_output=True, text=True, env=dict(os.environ, TIDEGATE_FAILPOINTS=failpoints))


def published(folder):
    rows = Counter()
    for path in sorted((folder / "out").glob("[!.]*")):
        for line in path.read_text().splitlines():
            change = json.loads(line)
            for image, step in (("before", -1), ("after", 1)):
                if change[image] is not None:
                    rows[tuple(change[image].values())] += step
    return rows


def damages(files):
    """(what, function of a folder) of each damage; files are relative to the folder."""
    def write(path, content):
        return lambda folder: (folder / path).write_bytes(content)

    for path, content in files.items():
        places = {0, len(content) // 3, len(content) // 2, len(content) - 2, len(content) - 1}
        for at in sorted(p for p in places if 0 <= p < len(content)):
            flipped = bytearray(content)
            flipped[at] ^= 1 << (at % 8)
            yield f"flip byte {at} of {path}", write(path, bytes(flipped))
        for size in (0, len(content) // 2):
            yield f"cut {path} to {size}", write(path, content[:size])
        yield f"delete {path}", lambda folder, path=path: (folder / path).unlink()
        for other, its_content in files.items():
            if other != path and other.parent == path.parent:
                yield f"replace {path} by {other}", write(path, its_content)


def check(folder, what, make_damage, truth, before):
    copy = Path(tempfile.mkdtemp(prefix="copy-", dir=folder.parent))
    shutil.copytree(folder, copy, symlinks=True, dirs_exist_ok=True)
    make_damage(copy)
    done = run(copy)
    rows = published(copy)
    shutil.rmtree(copy)
    if done.returncode == 0:
        if +rows != truth or min(rows.values()) < 0:
            return f"{what}: {rows} instead of {truth}"
        return ""
    if done.returncode < 0 or "epochs" not in done.stderr:
        return f"{what}: exit code {done.returncode}: {done.stderr}"
    if rows != before:
        return f"{what}: refused, but published more: {done.stderr}"
    return None


def main():
    with tempfile.TemporaryDirectory(prefix="tidegate-damage-") as name:
        folder = Path(name) / "job"
        (folder / "in").mkdir(parents=True)
        truth = {}
        for number in range(FILES):
            path = folder / "in" / f"{number}.json"
            with open(path, "w") as out:
                for i in range(number * ROWS, (number + 1) * ROWS):
                    out.write(json.dumps({"k": i % KEYS, "v": i}) + "\n")
                    count, total = truth.get(i % KEYS, (0, 0))
                    truth[i % KEYS] = (count + 1, total + i)
            os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))
        truth = Counter((k, n, s) for k, (n, s) in truth.items())
        (folder / "job.sql").write_text(JOB)
        # Batches 0 and 1 are published, 2 has a plan and no record.
        done = run(folder, "epoch.before-commit=kill@3")
        if done.returncode != -9:
            sys.exit(f"not killed: {done.returncode} {done.stderr}")
        before = published(folder)
        files = {path.relative_to(folder): path.read_bytes()
                 for path in sorted((folder / "epochs").rglob("*"))
                 if path.is_file() and not path.name.startswith(".") and path.name != "lock"}
        for kind in ("offsets", "commits", "data", "manifest", "current"):
            if not any(kind in str(path) for path in files):
                sys.exit(f"no {kind} in {list(files)}")
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(lambda d: check(folder, *d, truth, before), damages(files)))
        wrong = [outcome for outcome in outcomes if outcome]
        if wrong:
            sys.exit("\n".join(wrong))
        refused = outcomes.count(None)
        if not 0 < refused < len(outcomes):
            sys.exit(f"{refused} of {len(outcomes)} refused")
        print(f"{len(outcomes)} damages of {len(files)} files: {refused} refused, the others made good")


if __name__ == "__main__":
    main()
