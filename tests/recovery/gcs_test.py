#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and savepoints on a server that speaks the protocol of Google Cloud Storage.

A job dies in the middle and is run again until it is done; what it publishes must be what the input
says. Then a savepoint, and a job that goes on from it. Skipped (77) without gcp-storage-emulator.

    gcs_test.py [--engine build/tidegate] [--rows N]
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from counted_clicks import TABLES, check, run, write_input
from s3_test import free_port

BUCKET = "gs://anonymous@bucket"


def find_server():
    beside = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "gcp-storage-emulator"
    return str(beside) if beside.exists() else shutil.which("gcp-storage-emulator")


def campaign(engine, folder, rows, endpoint):
    rng, truth = random.Random(1), {}
    (folder / "in").mkdir()
    write_input(folder / "in" / "a.json", rng, 0, rows, truth)
    for name in ("killed", "kept"):
        (folder / f"{name}.sql").write_text(f"SET 'gs.endpoint' = '{endpoint}';\n" +
                                            TABLES.format(out=f"out-{name}"))
    durable = ["--checkpoint-dir", f"{BUCKET}/killed", "--epoch-interval", "1h", "--set",
               f"runtime.epoch-rows={rows // 20}", "--set", "runtime.max-batch-rows=256"]
    deaths = ("checkpoint.before-data=exit@2", "checkpoint.before-manifest=exit@1",
              "checkpoint.after-manifest=exit@1", "epoch.restored.publish=exit@1")
    for number, death in enumerate(deaths):
        os.environ["TIDEGATE_FAILPOINTS"] = death
        run(engine, folder, "killed.sql", *durable, "--parallelism", str(1 + number % 3), code=1)
    os.environ["TIDEGATE_FAILPOINTS"] = ""
    for what in ("at the end", "after a run of the finished job"):
        run(engine, folder, "killed.sql", *durable)
        check(folder / "out-killed", truth, what)

    run(engine, folder, "kept.sql", "--stop-with-savepoint", f"{BUCKET}/kept", "--parallelism", "3")
    write_input(folder / "in" / "b.json", rng, rows, 2 * rows, truth)
    run(engine, folder, "kept.sql", "--restore", f"{BUCKET}/kept", "--parallelism", "2")
    check(folder / "out-kept", truth, "after a savepoint")
    print(f"{len(deaths)} deaths and a savepoint, {len(truth)} windows: exact")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--rows", type=int, default=20_000)
    arguments = parser.parse_args()
    program = find_server()
    if program is None:
        print("skipped: gcp-storage-emulator is not installed (pip install gcp-storage-emulator)")
        sys.exit(77)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tidegate-gcs-") as name:
        server = subprocess.Popen([program, "start", "--host=127.0.0.1", f"--port={port}",
                                   "--in-memory", "--default-bucket=bucket"], cwd=name,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for attempt in range(600):
                try:
                    urllib.request.urlopen(
                        f"http://127.0.0.1:{port}/storage/v1/b/bucket").close()
                    break
                except (urllib.error.URLError, ConnectionError):
                    if server.poll() is not None or attempt == 599:
                        sys.exit("gcp-storage-emulator does not come up")
                    time.sleep(0.1)
            campaign(str(Path(arguments.engine).resolve()), Path(name), arguments.rows,
                     f"http://127.0.0.1:{port}")
        finally:
            server.kill()
            server.wait()


if __name__ == "__main__":
    main()
