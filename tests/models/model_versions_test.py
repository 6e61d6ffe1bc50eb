#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Models whose file changes: a micro-batch that is run again is scored by the version that its plan
names, or not at all; the batches behind it by the new one. And the committed models are those that
make_models.py makes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINE = Path(os.environ.get("TIDEGATE_BUILD", "build")).resolve() / "tidegate"

JOB = """
CREATE TABLE payments (id BIGINT, amount DOUBLE, velocity DOUBLE)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json', 'source.monitor-interval' = '1h');
CREATE TABLE scored (id BIGINT, score DOUBLE, version STRING)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
CREATE MODEL m INPUT (amount FLOAT, velocity FLOAT) OUTPUT (score DOUBLE)
WITH ('provider' = 'onnx', 'model-path' = 'model.onnx');
INSERT INTO scored SELECT id, score, version
FROM ML_PREDICT(TABLE payments, MODEL m, DESCRIPTOR(amount, velocity),
                MAP['version-column', 'version']);
"""


def expect(what, is_so, text=""):
    if not is_so:
        sys.exit(f"{what}\n{text}")


def run(folder, failpoints=""):
    command = [ENGINE, "run", "job.sql", "--mode", "micro-batch", "--trigger", "available-now",
               "--max-files-per-trigger", "1", "--checkpoint-dir", "epochs", "--parallelism", "2"]
    environment = dict(os.environ, TIDEGATE_FAILPOINTS=failpoints)
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=600)


def put_model(folder, name, seconds):
    path = folder / "model.onnx"
    shutil.copyfile(HERE / f"{name}.onnx", path)
    os.utime(path, (1_700_000_000 + seconds,) * 2)


def put_payment(folder, number):
    path = folder / "in" / f"{number:03}.json"
    path.write_text(json.dumps({"id": number, "amount": number, "velocity": 0}) + "\n")
    os.utime(path, (1_700_000_000 + number,) * 2)


def scored(folder):
    rows = {}
    for path in (folder / "out").rglob("[!.]*"):
        for line in path.read_text().splitlines() if path.is_file() else []:
            row = json.loads(line)
            expect(f"row {row['id']} twice", row["id"] not in rows)
            rows[row["id"]] = (row["score"], row["version"])
    return rows


def main():
    with tempfile.TemporaryDirectory(prefix="tidegate-models-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "job.sql").write_text(JOB)
        put_model(folder, "linear", 0)
        for number in range(3):
            put_payment(folder, number)
        # Killed between the plan of the third batch and its record.
        killed = run(folder, "microbatch.after-offsets=kill@3")
        expect("not killed", killed.returncode == -signal.SIGKILL, killed.stderr)
        first = scored(folder)
        expect("the first two", {i: score for i, (score, _) in first.items()} == {0: 1, 1: 3}, first)
        version = first[0][1]
        [plan] = folder.glob("epochs/*/batches/offsets/2")
        versions = json.loads(plan.read_text().splitlines()[1])["modelVersions"]
        expect("the plan's version", list(versions.values()) == [version], versions)

        put_model(folder, "linear_2", 100)
        refused = run(folder)
        expect("not refused", refused.returncode == 3 and version in refused.stderr
               and "model 'm'" in refused.stderr, refused.stderr)
        expect("something was written", scored(folder) == first, scored(folder))

        put_model(folder, "linear", 200)
        again = run(folder)
        expect("not run again", again.returncode == 0, again.stderr)
        expect("the third", scored(folder)[2] == (5, version), scored(folder))

        put_model(folder, "linear_2", 300)
        put_payment(folder, 3)
        later = run(folder)
        expect("not gone on", later.returncode == 0, later.stderr)
        score, newer = scored(folder)[3]
        expect("the new version", score == 15 and newer != version, scored(folder))

        made = folder / "made"
        made.mkdir()
        subprocess.run([sys.executable, HERE / "make_models.py", made], check=True)
        for path in made.glob("*.onnx"):
            expect(f"{path.name} is another", (HERE / path.name).read_bytes() == path.read_bytes())
    print("ok")


if __name__ == "__main__":
    main()
