#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a job between two Kafka topics with SIGKILL again and again.

A reader of committed messages must find each row exactly once in the end, and whole epochs only at
any time in between.

    kafka_kill_test.py [--engine build/tidegate] [--seed N] [--rows N] [--kills N]
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = """
CREATE TABLE file_rows (n BIGINT) WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE topic_in (n BIGINT) WITH ('connector' = 'kafka', 'topic' = 'in', 'format' = 'json',
  'properties.bootstrap.servers' = '{brokers}', 'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset', 'sink.partitioner' = 'round-robin');
CREATE TABLE topic_out (n BIGINT, half BIGINT) WITH ('connector' = 'kafka', 'topic' = 'out',
  'format' = 'csv', 'properties.bootstrap.servers' = '{brokers}',
  'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'kill-test',
  'properties.transaction.timeout.ms' = '60000');
"""
LOAD = "INSERT INTO topic_in SELECT n FROM file_rows;"
COPY = "INSERT INTO topic_out SELECT n, n / 2 FROM topic_in;"


class Broker:
    def __init__(self, folder):
        self.folder = folder
        self.port = 31000 + os.getpid() % 900
        self.call("start", "--port", str(self.port))

    def call(self, command, *arguments):
        done = subprocess.run([str(ROOT / "tools/kafka"), command, "--dir", self.folder, *arguments],
                              env={**os.environ, "KAFKA_WAIT": "240"}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"tools/kafka {command}: {done.stderr}")
        return done.stdout

    def committed(self, topic):
        """What a reader of committed messages finds, as lines."""
        out = self.call("tool", "org.apache.kafka.tools.consumer.ConsoleConsumer",
                        "--bootstrap-server", "@BOOT@", "--topic", topic, "--from-beginning",
                        "--isolation-level", "read_committed", "--timeout-ms", "15000")
        return out.split()


def run(engine, folder, script, *arguments, kill_after=None):
    """Whether the job ended by itself."""
    process = subprocess.Popen([engine, "run", script, "--progress", "none", *arguments],
                               cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        _, errors = process.communicate(timeout=kill_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    if process.returncode != 0:
        sys.exit(f"{script}: exit code {process.returncode}: {errors}")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--kills", type=int, default=5)
    arguments = parser.parse_args()
    if shutil.which("java") is None:
        print("Java is missing: no broker can be run on this machine")
        sys.exit(77)
    engine = str(Path(arguments.engine).resolve())
    rng = random.Random(arguments.seed)

    with tempfile.TemporaryDirectory(prefix="tidegate-kafka-kill-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        (folder / "in" / "a.json").write_text(
            "".join(f'{{"n": {n}}}\n' for n in range(arguments.rows)))
        broker = Broker(str(folder / "kafka"))
        try:
            for topic in ("in", "out"):
                broker.call("topics", "--create", "--topic", topic, "--partitions", "3")
            tables = TABLES.format(brokers=f"127.0.0.1:{broker.port}")
            (folder / "load.sql").write_text(tables + LOAD)
            (folder / "copy.sql").write_text(tables + COPY)
            run(engine, folder, "load.sql", "--parallelism", "1")

            durable = ["--checkpoint-dir", "epochs", "--epoch-interval", "20ms", "--parallelism"]
            kills, pause, begun = 0, 0.15, time.monotonic()
            while not run(engine, folder, "copy.sql", *durable, str(1 + kills % 3),
                          kill_after=pause * rng.uniform(0.5, 1.5) if kills < arguments.kills
                          else None):
                kills += 1
                pause *= 1.2
            run(engine, folder, "copy.sql", *durable, "2")  # a job that has finished does nothing
            took = time.monotonic() - begun

            found = broker.committed("out")
            expected = {f"{n},{n // 2}" for n in range(arguments.rows)}
            if len(found) != len(expected) or set(found) != expected:
                sys.exit(f"after {kills} kills: {len(found)} rows, {len(set(found))} different, "
                         f"{len(expected)} expected")
            print(f"{kills} kills in {took:.1f} s, {len(found)} rows, each once")
        finally:
            broker.call("wipe")


if __name__ == "__main__":
    main()
