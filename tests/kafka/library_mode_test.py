#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Library mode against a real broker: clicks keyed by user are counted by URL.

The topic has several partitions, the counts go through a repartition topic, and the output, as a
reader of committed messages finds it, is compared with the truth recomputed from the input:

* one instance;
* two instances, one of which is killed with SIGKILL in the middle, and a third that joins;
* instances that are stopped and started again with the same state folders;
* a topic whose keys are the URLs already, which goes through no repartition topic;
* messages that cannot be read, which go to a topic of their own (last: they stay in the input).

    library_mode_test.py [--engine build/tidegate] [--rows N] [--seed N] [--case one|kill|keyed|restart|letters]
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kafka_program_test import Broker, Engine, kafka_table, table  # noqa: E402

PARTITIONS = 4
WINDOW_MS = 60_000
PATIENCE_S = 300
STREAM_THREADS = ("--parallelism", "2", "--epoch-interval", "100ms")


def clicks(rows, rng):
    """Clicks in order of time; the minute of /home has 156 of them."""
    urls = [f"/page/{n}" for n in range(50)]
    homes = set(rng.sample(range(rows // 2, rows // 2 + 2000), 156))
    return [{"user_id": rng.randrange(1000), "url": "/home" if n in homes else rng.choice(urls),
             "ts": n * 5} for n in range(rows)]


def truth(all_clicks):
    counts = collections.Counter()
    for click in all_clicks:
        counts[click["url"], click["ts"] // WINDOW_MS * WINDOW_MS] += 1
    return counts


class Instance:
    """`tidegate run` in the background, with a state folder of its own."""

    def __init__(self, engine, name, script, *arguments, failpoints=""):
        self.name = name
        self.errors = engine.folder / f"{name}.err"
        self.process = subprocess.Popen(
            [engine.program, "run", script, "--progress", "none", "--state-dir", f"state-{name}",
             *(() if "--parallelism" in arguments else STREAM_THREADS), *arguments],
            cwd=engine.folder, stdout=subprocess.DEVNULL, stderr=self.errors.open("a"),
            env={**os.environ, "TIDEGATE_FAILPOINTS": failpoints})

    def kill(self):
        self.process.kill()
        self.process.wait()

    def finish(self, expected=(0,)):
        try:
            code = self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            sys.exit(f"instance {self.name} does not end: {self.errors.read_text()[-3000:]}")
        if code not in expected:
            sys.exit(f"instance {self.name}: exit code {code}: {self.errors.read_text()[-3000:]}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.finish((0, -signal.SIGTERM))  # it may not yet listen to signals


class Case:
    """A run of the application over fresh topics for the output, and internal ones."""

    def __init__(self, engine, broker, all_clicks, name):
        self.engine, self.broker, self.name = engine, broker, name
        self.expected = truth(all_clicks)
        self.output = f"counts-{name}"
        broker.create_topic(self.output, 2)
        bounded = {"format": "json", "key.format": "json", "key.fields": "user_id",
                   "scan.startup.mode": "earliest-offset", "scan.bounded.mode": "latest-offset",
                   "properties.session.timeout.ms": "6000",
                   "properties.heartbeat.interval.ms": "500"}
        self.script = f"{name}.sql"
        (engine.folder / self.script).write_text(
            kafka_table("clicks", "user_id BIGINT, url STRING, ts BIGINT, "
                        "at AS TO_TIMESTAMP_LTZ(ts, 3), WATERMARK FOR at AS at", broker, bounded) +
            table("counts", "url STRING, starts BIGINT, n BIGINT",
                  {"connector": "kafka", "topic": self.output, "format": "json",
                   "properties.bootstrap.servers": broker.address}) +
            "INSERT INTO counts SELECT url, UNIX_TIMESTAMP(CAST(window_start AS STRING)) * 1000, "
            "COUNT(*) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), INTERVAL '1' MINUTE)) "
            "GROUP BY window_start, window_end, url;")

    def read_by_url(self):
        """From here on the script reads a topic whose keys are the URLs."""
        script = self.engine.folder / self.script
        script.write_text(script.read_text()
                          .replace("'topic' = 'clicks'", "'topic' = 'clicks-by-url'")
                          .replace("'key.fields' = 'user_id'", "'key.fields' = 'url', "
                                   "'scan.key-partitioner' = 'murmur2'"))

    def start(self, name, *arguments, failpoints=""):
        return Instance(self.engine, f"{self.name}-{name}", self.script, "--set",
                        "table.local-time-zone=UTC", "--application-id", f"app-{self.name}",
                        *arguments, failpoints=failpoints)

    def check(self, note=""):
        found = [json.loads(line) for line in self.broker.committed(self.output)]
        counts = collections.Counter()
        for row in found:
            counts[row["url"], row["starts"]] += row["n"]
        if len(found) != len(self.expected) or counts != self.expected:
            wrong = {key: (counts[key], self.expected[key])
                     for key in counts.keys() | self.expected.keys()
                     if counts[key] != self.expected[key]}
            sys.exit(f"{self.name}: {len(found)} rows, {len(self.expected)} expected; found and "
                     f"expected: {list(wrong.items())[:10]} of {len(wrong)}")
        home = [row["n"] for row in found if row["url"] == "/home"]
        if sum(home) != 156:
            sys.exit(f"{self.name}: /home is {home}")
        print(f"{self.name}: {len(found)} windows, /home = {home}{note}", flush=True)


def load(engine, broker, all_clicks):
    (engine.folder / "in").mkdir()
    (engine.folder / "in" / "a.json").write_text(
        "".join(json.dumps(click) + "\n" for click in all_clicks))
    columns = "user_id BIGINT, url STRING, ts BIGINT"
    engine.succeed(
        table("file_rows", columns, {"connector": "filesystem", "path": "in", "format": "json"}) +
        kafka_table("clicks", columns, broker, {"format": "json", "key.format": "json",
                                                "key.fields": "user_id"}) +
        "INSERT INTO clicks SELECT * FROM file_rows;", "--parallelism", "1")
    broker.create_topic("clicks-by-url", PARTITIONS)
    engine.succeed(
        table("file_rows", columns, {"connector": "filesystem", "path": "in", "format": "json"}) +
        kafka_table("clicks", columns, broker, {"format": "json", "key.format": "json",
                                                "key.fields": "url"})
        .replace("'topic' = 'clicks'", "'topic' = 'clicks-by-url'") +
        "INSERT INTO clicks SELECT * FROM file_rows;", "--parallelism", "1")


def one_instance(case):
    case.start("a").finish()
    case.check()
    case.start("a").finish()  # what has finished does nothing
    case.check(" again")


def kill_and_join(case, rng):
    first, second = case.start("a"), case.start("b")
    time.sleep(rng.uniform(2, 5))
    first.kill()
    third = case.start("c")
    second.finish()
    third.finish()
    case.check(" after a kill")


def keyed(case, rng):
    """Without a repartition topic, and the state comes back from the changelog."""
    case.read_by_url()
    first = case.start("a")
    time.sleep(rng.uniform(1, 2))
    first.kill()
    case.start("b").finish()
    case.check(" without a repartition topic")
    topics = case.broker.call("topics", "--list").split()
    internal = [topic for topic in topics if topic.startswith(f"app-{case.name}-")]
    if internal != [f"app-{case.name}-0-changelog"]:
        sys.exit(f"{case.name}: there are the topics {internal}")


def letters(case, rng):
    """Messages that cannot be read go to a topic of their own, once, whatever is killed."""
    bad = [f"bad-{n}" for n in range(500)]
    (case.engine.folder / "bad").mkdir()
    (case.engine.folder / "bad" / "a.txt").write_text("\n".join(bad) + "\n")
    case.broker.create_topic("letters", 2)
    case.engine.succeed(
        table("lines", "line STRING", {"connector": "filesystem", "path": "bad",
                                       "format": "raw"}) +
        table("bad", "line STRING", {"connector": "kafka", "topic": "clicks", "format": "raw",
                                     "properties.bootstrap.servers": case.broker.address}) +
        "INSERT INTO bad SELECT line FROM lines;", "--parallelism", "1")
    script = case.engine.folder / case.script
    script.write_text(script.read_text().replace(
        "'key.fields'", "'error-policy' = 'dead-letter', 'dead-letter.topic' = 'letters', "
        "'key.fields'"))
    first = case.start("a")
    time.sleep(rng.uniform(1.5, 3))
    first.kill()
    case.start("b").finish()
    found = sorted(case.broker.committed("letters"))
    if found != sorted(bad):
        sys.exit(f"{case.name}: {len(found)} letters, {len(set(found))} different, of {len(bad)}")
    case.check(f" and {len(found)} letters")


def restarts(case, rng):
    kills = 0
    for pause in (1.0, 1.5, 2.0):
        instance = case.start("a")
        try:
            instance.process.wait(pause * rng.uniform(0.7, 1.3))
            break
        except subprocess.TimeoutExpired:
            kills += 1
            instance.stop() if kills % 2 == 0 else instance.kill()
    case.start("a").finish()
    case.check(f" after {kills} restarts")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--case", choices=["one", "kill", "keyed", "restart", "letters"])
    arguments = parser.parse_args()
    if shutil.which("java") is None:
        print("java is missing: no broker can be run on this machine")
        sys.exit(77)
    port = 32000 + os.getpid() % 900
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="tidegate-library-") as name:
        folder = Path(name)
        engine = Engine(str(Path(arguments.engine).resolve()), folder)
        broker = Broker(folder / "kafka", port)
        try:
            all_clicks = clicks(arguments.rows, rng)
            broker.create_topic("clicks", PARTITIONS)
            load(engine, broker, all_clicks)
            cases = {"one": lambda case: one_instance(case),
                     "kill": lambda case: kill_and_join(case, rng),
                     "keyed": lambda case: keyed(case, rng),
                     "restart": lambda case: restarts(case, rng),
                     "letters": lambda case: letters(case, rng)}
            for name, run in cases.items():
                if arguments.case in (None, name):
                    run(Case(engine, broker, all_clicks, name))
        finally:
            broker.call("wipe")


if __name__ == "__main__":
    main()
