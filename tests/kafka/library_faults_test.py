#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Library mode when things go wrong, against a real broker. The program is library_mode_test.py's,
but its input comes while it runs. The output, as a reader of committed messages finds it, is
compared with the truth recomputed from the input.

* killed at each step of a commit, and started again;
* an instance that sleeps for longer than its session, and wakes up when others own its tasks;
* a state folder that is lost, and one that two processes want.

A plain run has the short cases only; `--case sleep` and `--case lost` are the others. With `--case
broker` the broker is killed as well: one without replicas that dies between deciding to commit and
telling the partitions has been seen to forget one of them (4.3.1), and its readers then wait until
somebody aborts that transaction.

    library_faults_test.py [--engine build/tidegate] [--chunks N] [--seed N] [--case NAME]
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kafka_program_test import Broker, Engine, kafka_table, table  # noqa: E402
from library_mode_test import PARTITIONS, PATIENCE_S, WINDOW_MS, Case, clicks  # noqa: E402

STEPS = ["library.before-offsets", "library.before-commit", "library.after-commit",
         "epoch.after-commit"]
SESSION_S = 6
ROWS = 5_000  # of a chunk
COLUMNS = "user_id BIGINT, url STRING, ts BIGINT"


class LiveCase(Case):
    """An application whose input is produced in chunks while it runs."""

    def __init__(self, engine, broker, name, chunks, rng):
        rows = clicks(chunks * ROWS, rng)
        super().__init__(engine, broker, rows, name)
        self.topic = f"clicks-{name}"
        broker.create_topic(self.topic, PARTITIONS)
        script = engine.folder / self.script
        script.write_text(
            script.read_text()
            .replace("'scan.bounded.mode' = 'latest-offset'", "'scan.bounded.mode' = 'unbounded'")
            .replace("'topic' = 'clicks'", f"'topic' = '{self.topic}'"))
        # The last one moves the time of all partitions past all windows; its own stay open.
        far = rows[-1]["ts"] + 10 * WINDOW_MS
        last = [{"user_id": user, "url": "/end", "ts": far} for user in range(1000)]
        self.chunks = [rows[n * ROWS:(n + 1) * ROWS] for n in range(chunks)] + [last]
        self.instances = []
        self.produced = 0
        self.producing = threading.Lock()  # held while a chunk is on its way
        self.producer = threading.Thread(target=self.produce)
        self.producer.start()

    def produce(self):
        for number, chunk in enumerate(self.chunks):
            folder = self.engine.folder / f"{self.name}-{number}"
            folder.mkdir()
            (folder / "a.json").write_text("".join(json.dumps(row) + "\n" for row in chunk))
            script = (
                table("file_rows", COLUMNS, {"connector": "filesystem", "path": ".",
                                             "source.path.regex-pattern": r".*\.json",
                                             "format": "json"}) +
                kafka_table("clicks", COLUMNS, self.broker,
                            {"format": "json", "key.format": "json", "key.fields": "user_id"})
                .replace("'topic' = 'clicks'", f"'topic' = '{self.topic}'") +
                "INSERT INTO clicks SELECT * FROM file_rows;")
            with self.producing:
                Engine(self.engine.program, folder).succeed(script, "--parallelism", "1")
            self.produced += 1

    def start(self, name, *arguments, failpoints=""):
        instance = super().start(name, *arguments, failpoints=failpoints)
        self.instances.append(instance)
        return instance

    def clear_up(self):
        for instance in self.instances:
            if instance.process.poll() is None:
                instance.kill()
        self.producer.join()

    def finish(self, note):
        self.producer.join()
        if self.produced != len(self.chunks):
            sys.exit(f"{self.name}: the input could not be produced")
        end = time.monotonic() + PATIENCE_S
        while (len(self.broker.committed(self.output)) < len(self.expected) and
               time.monotonic() < end):
            pass
        for instance in self.instances:
            if instance.process.poll() is None:
                instance.stop()
        self.check(note)


def killed_at_each_step(case, rng):
    kills = 0
    for step in STEPS * 2:
        with case.producing:  # whose program must not be killed
            instance = case.start("a", failpoints=f"{step}=kill@{rng.randint(1, 10)}")
        try:
            kills += instance.process.wait(30) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            instance.kill()  # there was too little input left
    case.start("a")
    case.finish(f" after {kills} kills in the middle of commits")


def sleeps_beyond_its_session(case, rng):
    sleeper, _ = case.start("a"), case.start("b")
    time.sleep(rng.uniform(4, 8))
    sleeper.process.send_signal(signal.SIGSTOP)
    time.sleep(SESSION_S + rng.uniform(2, 5))
    sleeper.process.send_signal(signal.SIGCONT)
    case.finish(" after an instance slept")


def broker_is_killed(case, rng):
    case.start("a"), case.start("b")
    time.sleep(rng.uniform(3, 8))
    with case.producing:  # whose rows must all arrive, once
        case.broker.call("stop", "--kill")
        case.broker.call("start")
    case.finish(" after the broker was killed")


def state_folder_is_lost(case, rng):
    for lost in (True, True, False):
        instance = case.start("a", "--state", "rocksdb")
        time.sleep(rng.uniform(3, 6))
        instance.kill()
        if lost:
            shutil.rmtree(case.engine.folder / f"state-{instance.name}", ignore_errors=True)
    case.start("a", "--state", "rocksdb")
    case.finish(" with state in RocksDB, lost twice")


def folder_is_wanted_twice(case, _):
    first = case.start("a")
    while not list(case.engine.folder.glob(f"state-{first.name}/*")):
        time.sleep(0.1)
    time.sleep(1)
    second = case.start("a")
    code = second.process.wait(PATIENCE_S)
    if code == 0 or first.process.poll() is not None:
        sys.exit("a second process has taken the state folder of the first one")
    case.finish(" beside a second process that wanted the same state folder")


CASES = {"commit": killed_at_each_step, "sleep": sleeps_beyond_its_session,
         "broker": broker_is_killed, "lost": state_folder_is_lost,
         "twice": folder_is_wanted_twice}
# Minutes of waiting each: the others come when they are asked for.
SHORT = ("commit", "twice")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--chunks", type=int, default=16)
    parser.add_argument("--case", choices=list(CASES))
    arguments = parser.parse_args()
    if shutil.which("java") is None:
        print("java is missing: no broker can be run on this machine")
        sys.exit(77)
    port = 33000 + os.getpid() % 900
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="tidegate-faults-") as name:
        folder = Path(name)
        engine = Engine(str(Path(arguments.engine).resolve()), folder)
        broker = Broker(folder / "kafka", port)
        try:
            for name, run in CASES.items():
                if name not in ([arguments.case] if arguments.case else SHORT):
                    continue
                case = LiveCase(engine, broker, name, arguments.chunks, rng)
                try:
                    run(case, rng)
                finally:
                    case.clear_up()
        finally:
            broker.call("wipe")


if __name__ == "__main__":
    main()
