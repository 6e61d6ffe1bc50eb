#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hundreds of runs of library mode with something going wrong in each, against a real broker.

Clicks keyed by user arrive while a round of applications counts them by URL, each through a
repartition topic of its own. To each of them happens one thing, drawn by the seed:

  kills      instances are killed, at a step of a commit or anywhere, and started again
  sleeps     an instance stands still for longer than its session, and wakes up
  twins      two processes have one state folder, one copied folder, or one name in the group
  rolling    three instances are stopped and started one after the other
  moves      instances come and go, so that tasks move in the middle of epochs
  wiped      an instance is killed and loses its state folder
  standbys   owners are killed that others have copies of

In each fifth round the broker is killed as well. The output of all is compared with the truth, as
a reader of committed messages finds it: behind a last message that somebody else writes, which that
reader sees only if no transaction is left open.

    library_campaign.py [--engine build/tidegate] [--runs N] [--at-once N] [--seed N] [--fault NAME]
                        [--keep FOLDER]
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
import threading
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kafka_program_test import ROOT, Broker, Engine, kafka_table, table  # noqa: E402
from library_mode_test import PARTITIONS, Instance  # noqa: E402

STEPS = ["library.before-offsets", "library.before-commit", "library.after-commit",
         "epoch.after-commit", "epoch.before-commit", "epoch.seal", "source.poll"]
SESSION_S = 6
CHUNKS, ROWS, STEP_MS, WINDOW_MS = 10, 6_000, 20, 60_000
PATIENCE_S = 240
COLUMNS = "user_id BIGINT, url STRING, ts BIGINT"
ARGUMENTS = ["--set", "table.local-time-zone=UTC"]


class Wrong(Exception):
    pass


class Input:
    """The same clicks for every round, in chunks; the last one moves time past all windows."""

    def __init__(self, folder, rng):
        urls = [f"/page/{n}" for n in range(40)]
        self.expected = collections.Counter()
        self.folders = []
        for number in range(CHUNKS):
            rows = []
            for n in range(number * ROWS, (number + 1) * ROWS):
                rows.append({"user_id": rng.randrange(500), "url": rng.choice(urls),
                             "ts": n * STEP_MS})
                self.expected[rows[-1]["url"], n * STEP_MS // WINDOW_MS * WINDOW_MS] += 1
            self.add(folder, rows)
        far = (CHUNKS * ROWS * STEP_MS // WINDOW_MS + 10) * WINDOW_MS
        self.add(folder, [{"user_id": user, "url": "/end", "ts": far} for user in range(500)])

    def add(self, folder, rows):
        self.folders.append(folder / f"chunk-{len(self.folders)}")
        self.folders[-1].mkdir()
        (self.folders[-1] / "a.json").write_text("".join(json.dumps(row) + "\n" for row in rows))


class Reader:
    """Follows a topic as a reader of committed messages: how often each (run, url, window, n) was
    seen."""

    def __init__(self, broker, topic):
        self.process = subprocess.Popen(
            [str(ROOT / "tools/kafka"), "tool", "--dir", broker.folder,
             "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", "@BOOT@",
             "--topic", topic, "--from-beginning", "--isolation-level", "read_committed",
             "--formatter-property", "print.partition=true", "--formatter-property",
             "print.offset=true"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.changed = threading.Condition()
        self.rows = collections.defaultdict(collections.Counter)
        self.seen = set()
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        for line in self.process.stdout:
            partition, offset, value = line.rstrip("\n").split("\t")
            if (partition, offset) in self.seen:
                continue  # the reader has begun again, as when the broker was away
            row = json.loads(value)
            with self.changed:
                self.seen.add((partition, offset))
                at = partition if row["url"] is None else (row["url"], row["starts"])
                self.rows[row["run"]][at, row["n"]] += 1
                self.changed.notify_all()

    def await_rows(self, run, count, patience_s):
        with self.changed:
            return self.changed.wait_for(lambda: len(self.rows[run]) >= count, patience_s)

    def found(self, run):
        with self.changed:
            return dict(self.rows[run])

    def stop(self):
        for pid in subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)],
                                  stdout=subprocess.PIPE, text=True).stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        self.process.kill()


class Run:
    """An application, and what happens to it."""

    def __init__(self, round_, name, fault, seed):
        self.round, self.name, self.fault = round_, name, fault
        self.rng = random.Random(seed)
        self.engine = Engine(round_.engine.program, round_.folder / name)
        self.engine.folder.mkdir()
        self.live, self.all, self.log = {}, [], []
        self.may_end = ""  # those that others have taken the place of
        self.arguments = [*ARGUMENTS, "--application-id", f"app-{name}",
                          "--epoch-interval", self.rng.choice(["60ms", "150ms", "400ms"]),
                          "--parallelism", self.rng.choice(["1", "2"])]
        if fault == "standbys" or self.rng.random() < 0.35:
            self.arguments += ["--state", "rocksdb"]
        if fault == "standbys":
            self.arguments += ["--set", "library.standby-replicas=1"]
        broker = round_.broker
        options = {"format": "json", "key.format": "json", "key.fields": "user_id",
                   "scan.startup.mode": "earliest-offset",
                   "properties.session.timeout.ms": str(SESSION_S * 1000),
                   "properties.heartbeat.interval.ms": "500", "topic": round_.topic}
        (self.engine.folder / "run.sql").write_text(
            kafka_table("clicks", COLUMNS + ", at AS TO_TIMESTAMP_LTZ(ts, 3), WATERMARK FOR at AS "
                        "at", broker, options) + COUNTS.format(broker=broker.address) +
            f"INSERT INTO counts SELECT '{name}', url, UNIX_TIMESTAMP(CAST(window_start AS "
            "STRING)) * 1000, COUNT(*) FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(at), "
            "INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, url;")

    def start(self, name, *arguments, failpoints=""):
        instance = Instance(self.engine, name, "run.sql", *self.arguments, *arguments,
                            failpoints=failpoints)
        self.live[name] = instance
        self.all.append(instance)
        self.log.append(f"+{name}")
        return instance

    def kill(self, name, note=""):
        self.log.append(f"-{name}{note}")
        self.live.pop(name).kill()

    def stop(self, name):
        """In order, or it was fenced for good reason."""
        instance = self.live.pop(name)
        self.log.append(f".{name}")
        instance.process.send_signal(signal.SIGTERM)
        try:
            code = instance.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            instance.kill()
            raise Wrong(f"instance {name} does not stop")
        if code not in (0, -signal.SIGTERM) and name not in self.may_end:
            raise Wrong(f"instance {name}: exit code {code}: {self.errors(name)}")

    def errors(self, name):
        return (self.engine.folder / f"{name}.err").read_text()[-1500:]

    def wait(self, least_s, most_s):
        time.sleep(self.rng.uniform(least_s, most_s))

    def look(self):
        """Nobody ends by itself."""
        for name, instance in list(self.live.items()):
            code = instance.process.poll()
            if code is not None and name in self.may_end:
                self.log.append(f"!{name}")
                del self.live[name]
            elif code is not None:
                raise Wrong(f"instance {name} has ended with {code}: {self.errors(name)}")

    def input_lasts(self):
        return not self.round.produced.is_set()

    # What happens.

    def kills(self):
        names = "abc"[:self.rng.randint(1, 3)]
        for name in names:
            self.start(name)
        while self.input_lasts():
            self.wait(0.5, 3)
            name = self.rng.choice(names)
            self.kill(name)
            if self.rng.random() < 0.6:
                step = self.rng.choice(STEPS)
                instance = self.start(name, failpoints=f"{step}=kill@{self.rng.randint(1, 12)}")
                try:
                    instance.process.wait(4)
                    self.log.append(f"({step})")
                except subprocess.TimeoutExpired:
                    pass
                self.kill(name)
            self.start(name)

    def sleeps(self):
        self.start("a"), self.start("b")
        for _ in range(2):
            self.wait(1, 5)
            sleeper = self.live[self.rng.choice("ab")]
            sleeper.process.send_signal(signal.SIGSTOP)
            self.log.append(f"~{sleeper.name}")
            time.sleep(self.rng.choice([1, SESSION_S + 2, SESSION_S + 4]))
            sleeper.process.send_signal(signal.SIGCONT)
        self.look()

    def twins(self):
        kind = self.rng.choice(["folder", "copy", "name"])
        self.log.append(kind)
        named = ["--set", "library.group-instance-id=one"] if kind == "name" else []
        self.start("a", *named)
        self.start("c")
        while not list((self.engine.folder / "state-a").glob("*/process-id")):
            self.look()
            time.sleep(0.1)
        self.wait(1, 4)
        if kind == "folder":
            second = Instance(self.engine, "a", "run.sql", *self.arguments)
            self.all.append(second)
            try:
                code = second.process.wait(60)
            except subprocess.TimeoutExpired:
                code = 0
            self.look()
            if code == 0:
                raise Wrong("a second process has taken the state folder of the first one")
            return
        if kind == "copy":  # so that both make transactions by the same ids
            shutil.copytree(self.engine.folder / "state-a", self.engine.folder / "state-b",
                            ignore_dangling_symlinks=True, dirs_exist_ok=True,
                            copy_function=copy_if_there)
        self.start("b", *named)
        self.may_end = "ab"
        self.wait(3, 10)
        self.look()
        name = self.rng.choice("ab")
        if name in self.live:
            self.kill(name)
        self.start("d")

    def rolling(self):
        for name in "abc":
            self.start(name)
        while self.input_lasts():
            for name in "abc":
                self.wait(0.5, 2)
                self.look()
                self.stop(name)
                self.start(name)

    def moves(self):
        self.start("a")
        while self.input_lasts():
            self.wait(0.3, 1.5)
            self.look()
            away = [name for name in "abcd" if name not in self.live]
            if away and (len(self.live) == 1 or self.rng.random() < 0.55):
                self.start(self.rng.choice(away))
            else:
                self.stop(self.rng.choice(list(self.live)))

    def wiped(self):
        self.start("a"), self.start("b")
        for _ in range(self.rng.randint(1, 3)):
            self.wait(2, 5)
            self.look()
            name = self.rng.choice("ab")
            self.kill(name, "*")
            shutil.rmtree(self.engine.folder / f"state-{name}", ignore_errors=True)
            self.start(name)

    def standbys(self):
        for name in "ab":
            self.start(name)
        while self.input_lasts():
            self.wait(4, 7)
            self.look()
            name = self.rng.choice("ab")
            self.kill(name)
            self.wait(0, 3)
            self.start(name)

    def go(self):
        self.problem = None
        try:
            self.wait(0, 3)
            getattr(self, self.fault)()
            self.await_output()
            for name in list(self.live):
                self.stop(name)
        except Wrong as wrong:
            self.problem = str(wrong)
        except BaseException:  # noqa: B036: a run must not end the others
            self.problem = traceback.format_exc()
        for instance in self.all:
            if instance.process.poll() is None:
                instance.kill()

    def await_output(self):
        self.round.produced.wait()
        end = time.monotonic() + PATIENCE_S
        count = len(self.round.input.expected)
        while not self.round.reader.await_rows(self.name, count, 2):
            self.look()
            if time.monotonic() > end:
                raise Wrong(f"only {len(self.round.reader.found(self.name))} rows of {count}")

    def check(self):
        """After everything that was committed has been read."""
        expected = {(key, n): 1 for key, n in self.round.input.expected.items()}
        found = self.round.reader.found(self.name)
        if self.problem is None and found != expected:
            wrong = [(key, found.get(key, 0), expected.get(key, 0))
                     for key in found.keys() | expected.keys()
                     if found.get(key, 0) != expected.get(key, 0)]
            self.problem = f"found and expected differ in {len(wrong)} places: {wrong[:8]}"
        state = "ok" if self.problem is None else "WRONG"
        print(f"{self.name} {self.fault} {' '.join(self.arguments[4:])}: {state} "
              f"{' '.join(self.log)}", flush=True)
        if self.problem is not None:
            print(f"  {self.problem}", flush=True)
        return self.problem is None


COUNTS = ("CREATE TABLE counts (run STRING, url STRING, starts BIGINT, n BIGINT) WITH ("
          "'connector' = 'kafka', 'topic' = 'counts', 'format' = 'json', "
          "'properties.bootstrap.servers' = '{broker}', 'sink.partitioner' = 'round-robin');\n")


def copy_if_there(source, target):
    """Files of a state folder that is in use come and go."""
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        pass


class Round:
    """Applications that read the same live input at the same time."""

    def __init__(self, number, engine, broker, reader, input_, faults, seed, folder):
        self.number, self.engine, self.broker, self.reader = number, engine, broker, reader
        self.input, self.folder, self.seed = input_, folder, seed
        self.topic = f"clicks-{number}"
        self.produced = threading.Event()
        self.producing = threading.Lock()
        self.folder.mkdir()
        broker.create_topic(self.topic, PARTITIONS)
        self.runs = [Run(self, f"r{seed}-{number}-{i}", fault, seed * 100_003 + number * 1009 + i)
                     for i, fault in enumerate(faults)]

    def produce(self):
        for chunk in self.input.folders:
            script = (table("file_rows", COLUMNS, {"connector": "filesystem", "path": str(chunk),
                                                   "format": "json"}) +
                      kafka_table("clicks", COLUMNS, self.broker,
                                  {"topic": self.topic, "format": "json", "key.format": "json",
                                   "key.fields": "user_id"}) +
                      "INSERT INTO clicks SELECT * FROM file_rows;")
            with self.producing:
                self.engine.succeed(script, "--parallelism", "1")
            time.sleep(1.5)
        self.produced.set()

    def kill_broker(self, rng):
        time.sleep(rng.uniform(4, 14))
        with self.producing:  # whose rows must all arrive, once
            self.broker.call("stop", "--kill")
            time.sleep(rng.choice([0, 0, 5]))
            self.broker.call("start")

    def go(self, kill_broker):
        threads = [threading.Thread(target=run.go) for run in self.runs]
        if kill_broker:
            rng = random.Random(self.seed * 7919 + self.number)
            threads.append(threading.Thread(target=self.kill_broker, args=(rng,)))
        for thread in threads:
            thread.start()
        try:
            self.produce()
        finally:
            self.produced.set()
        for thread in threads:
            thread.join()
        self.engine.succeed(
            COUNTS.format(broker=self.broker.address) + "INSERT INTO counts VALUES " +
            ", ".join(f"('end-{self.number}', CAST(NULL AS STRING), 0, {n})" for n in range(8)) +
            ";", "--parallelism", "1")
        whole = self.reader.await_rows(f"end-{self.number}", 8, PATIENCE_S)
        if not whole:
            print(f"round {self.number}: a transaction was left open", flush=True)
        good = [run.check() for run in self.runs]
        # Their topics would slow the broker down.
        self.broker.call("topics", "--delete", "--topic",
                         f"(app-r{self.seed}-{self.number}-.*)|({self.topic})")
        return whole, sum(good), len(good)


FAULTS = ["kills", "sleeps", "twins", "rolling", "moves", "wiped", "standbys"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--at-once", type=int, default=7, help="runs that share a round")
    parser.add_argument("--fault", choices=FAULTS)
    parser.add_argument("--broker", choices=["never", "fifth", "always"], default="fifth",
                        help="in which rounds the broker is killed")
    parser.add_argument("--keep", help="a folder for what belongs to runs that went wrong")
    arguments = parser.parse_args()
    if shutil.which("java") is None:
        print("java is missing: no broker can be run on this machine")
        sys.exit(77)
    rng = random.Random(arguments.seed)
    every = {"never": 0, "fifth": 5, "always": 1}[arguments.broker]
    good = done = 0
    with tempfile.TemporaryDirectory(prefix="tidegate-campaign-") as name:
        folder = Path(name)
        engine = Engine(str(Path(arguments.engine).resolve()), folder)
        broker = Broker(folder / "kafka", 34000 + os.getpid() % 900)
        try:
            broker.create_topic("counts", 2)
            reader = Reader(broker, "counts")
            input_ = Input(folder, rng)
            number = 0
            while done < arguments.runs:
                count = min(arguments.at_once, arguments.runs - done)
                faults = [arguments.fault or FAULTS[(done + i) % len(FAULTS)]
                          for i in range(count)]
                round_ = Round(number, engine, broker, reader, input_, faults, arguments.seed,
                               folder / f"round-{number}")
                whole, right, of = round_.go(every > 0 and number % every == every - 1)
                good, done, number = good + right, done + of, number + 1
                if arguments.keep and (right < of or not whole):
                    shutil.copytree(round_.folder, Path(arguments.keep) / round_.folder.name,
                                    dirs_exist_ok=True)
                shutil.rmtree(round_.folder)
                print(f"== {good} of {done} runs exact", flush=True)
                if not whole:
                    sys.exit("a transaction was left open, so that no reader sees more")
        finally:
            broker.call("wipe")
    if good < done:
        sys.exit(1)


if __name__ == "__main__":
    main()
