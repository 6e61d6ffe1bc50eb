#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The state of an application in library mode, against a real broker.

* queries: two instances count clicks by URL. Each answers over HTTP for the keys that it has, and
  sends whoever asks for another one to its owner; ranges of both together are the truth.
* base: state is in RocksDB. An instance that is killed reads back only what came after its local
  state; one whose folder is lost reads everything. The counts are exact after both.
* standby: each of two instances keeps copies of what the other one has, and takes over from those.

    library_state_test.py [--engine build/tidegate] [--case queries|base|standby] [--seed N]
"""

import argparse
import collections
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kafka_program_test import Broker, Engine, kafka_table, table  # noqa: E402

PARTITIONS = 4
PATIENCE_S = 300
COLUMNS = "user_id BIGINT, url STRING"
COUNT = "EXPR$0"


class Instance:
    """`tidegate run` in the background, which serves its state."""

    def __init__(self, engine, script, name, *arguments):
        self.errors = engine.folder / f"{name}.err"
        self.errors.write_text("")
        self.process = subprocess.Popen(
            [engine.program, "run", script, "--parallelism", "2", "--epoch-interval", "100ms",
             "--state-dir", f"state-{name}", "--serve", "localhost:0", "--progress", "json",
             *arguments],
            cwd=engine.folder, stdout=subprocess.DEVNULL, stderr=self.errors.open("a"),
            env={**os.environ, "TIDEGATE_LOG": "info"})
        self.address = wait_for(self.served_at, f"{name} does not serve")

    def served_at(self):
        found = re.search(r"state is served at (http://\S+)/state", self.errors.read_text())
        return found and found[1]

    def progress(self):
        """What its last line of progress says."""
        lines = [line for line in self.errors.read_text().splitlines() if line.startswith("{")]
        return json.loads(lines[-1]) if lines else {}

    def restored(self):
        """What it says of its restoring when that is done."""
        return wait_for(self.restore_done, "nothing is told about restoring")

    def restore_done(self):
        restore = self.progress().get("restore", {"waiting": 1})
        return restore if restore["waiting"] == 0 and restore["tasks"] > 0 else None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(PATIENCE_S) != 0:
            sys.exit(self.errors.read_text()[-3000:])


def wait_for(what, complaint):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    sys.exit(complaint)


def get(url):
    """Status, and the answer; redirections are followed."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}")


def counts_of(instances, state, shows):
    """All counts that the instances have, or None while they settle who has what."""
    counts = collections.Counter()
    for instance in instances:
        status, answer = get(f"{instance.address}/state/{urllib.parse.quote(state)}?read={shows}")
        if status == 503:
            return None
        assert status == 200 and answer["shows"] == shows, (status, answer)
        for row in answer["rows"]:
            assert row["url"] not in counts, f"{row} is in two instances"
            counts[row["url"]] = row[COUNT]
    return counts


class Case:
    def __init__(self, engine, broker, name, rng):
        self.engine, self.broker, self.name, self.rng = engine, broker, name, rng
        self.truth = collections.Counter()
        self.instances = []
        self.topic = f"clicks-{name}"
        broker.create_topic(self.topic, PARTITIONS)
        broker.create_topic(f"counts-{name}", 2)
        self.clicks = kafka_table("clicks", COLUMNS, broker, {
            "topic": self.topic, "format": "json", "key.format": "json", "key.fields": "user_id",
            "scan.startup.mode": "earliest-offset", "properties.session.timeout.ms": "6000",
            "properties.heartbeat.interval.ms": "500"})
        self.script = f"{name}.sql"
        (engine.folder / self.script).write_text(
            self.clicks +
            table("counts", "url STRING, n BIGINT, PRIMARY KEY (url) NOT ENFORCED",
                  {"connector": "upsert-kafka", "topic": f"counts-{name}", "key.format": "json",
                   "value.format": "json", "properties.bootstrap.servers": broker.address}) +
            "INSERT INTO counts SELECT url, COUNT(*) AS n FROM clicks GROUP BY url;")

    def start(self, name, *arguments):
        self.instances.append(self.instance(name, *arguments))
        return self.instances[-1]

    def clear_up(self):
        for instance in self.instances:
            if instance.process.poll() is None:
                instance.kill()

    def instance(self, name, *arguments):
        return Instance(self.engine, self.script, f"{self.name}-{name}", "--application-id",
                        f"app-{self.name}", *arguments)

    def produce(self, rows, urls):
        folder = self.engine.folder / f"in-{self.name}-{sum(self.truth.values())}"
        folder.mkdir()
        clicks = [{"user_id": self.rng.randrange(1000), "url": f"/page/{self.rng.randrange(urls)}"}
                  for _ in range(rows)]
        self.truth.update(click["url"] for click in clicks)
        (folder / "a.json").write_text("".join(json.dumps(click) + "\n" for click in clicks))
        self.engine.succeed(
            table("file_rows", COLUMNS, {"connector": "filesystem", "path": str(folder),
                                         "format": "json"}) +
            self.clicks + "INSERT INTO clicks SELECT * FROM file_rows;", "--parallelism", "1")

    def state(self, instance):
        """The name of the counts."""
        _, answer = get(f"{instance.address}/state")
        named = [state["name"] for state in answer["states"]
                 if [column["name"] for column in state["columns"]] == ["url", COUNT]]
        assert len(named) == 1, answer
        return named[0]

    def await_truth(self, instances, state):
        found = wait_for(lambda: counts_of(instances, state, "committed") == self.truth,
                         f"{self.name}: the counts never become what they should be")
        return found


def queries(case):
    case.produce(5_000, 40)
    instances = [case.start("a"), case.start("b")]
    state = case.state(instances[0])
    case.await_truth(instances, state)
    assert counts_of(instances, state, "current") == case.truth
    path = f"/state/{urllib.parse.quote(state)}"
    own = [0, 0]
    for url, n in case.truth.items():
        for i, instance in enumerate(instances):
            with urllib.request.urlopen(
                    f"{instance.address}{path}?key={urllib.parse.quote(url)}") as answer:
                own[i] += answer.url.startswith(instance.address)
                rows = json.load(answer)["rows"]
            assert rows == [{"url": url, COUNT: n}], (url, n, rows)
    # Each key has one owner, and both own some.
    assert sum(own) == len(case.truth) and min(own) > 0, own
    status, answer = get(f"{instances[0].address}{path}?from=/page/1&to=/page/2")
    other = answer["elsewhere"]
    assert status == 200 and [f"http://{owner['address']}" for owner in other] == \
        [instances[1].address], answer
    _, rest = get(f"http://{other[0]['address']}{path}?from=/page/1&to=/page/2")
    found = {row["url"]: row[COUNT] for row in answer["rows"] + rest["rows"]}
    wanted = {url: n for url, n in case.truth.items() if "/page/1" <= url < "/page/2"}
    assert found == wanted, (found, wanted)
    assert get(f"{instances[0].address}{path}?key=/nowhere")[1]["rows"] == []
    assert get(f"{instances[0].address}/state/nothing")[0] == 404
    assert get(f"{instances[0].address}{path}?limit=x")[0] == 400
    # The other one takes over what a killed one had.
    instances[0].kill()
    case.await_truth(instances[1:], state)
    instances[1].stop()
    print(f"queries: {len(case.truth)} keys, {own[0]} and {own[1]} of them owned", flush=True)


def base(case):
    rocksdb = ("--state", "rocksdb")
    case.produce(20_000, 2_000)
    first = case.start("a", *rocksdb)
    state = case.state(first)
    case.await_truth([first], state)
    for _ in range(5):  # so that there is a log to read
        case.produce(1_000, 2_000)
        case.await_truth([first], state)
    first.kill()
    case.produce(1_000, 2_000)
    again = case.start("a", *rocksdb)
    case.await_truth([again], state)
    local = again.restored()
    again.kill()
    shutil.rmtree(case.engine.folder / "state-base-a")
    case.produce(1_000, 2_000)
    anew = case.start("a", *rocksdb)
    case.await_truth([anew], state)
    whole = anew.restored()
    anew.stop()
    assert local["behind_local"] >= PARTITIONS, local
    assert whole["behind_local"] == 0, whole
    assert local["bytes"] * 2 < whole["bytes"], (local, whole)
    print(f"base: {local['bytes']} bytes read behind the local state, {whole['bytes']} without it",
          flush=True)


def standby(case):
    """The copy that the other one keeps is all but what came last."""
    arguments = ("--state", "rocksdb", "--set", "library.standby-replicas=1")
    case.produce(20_000, 2_000)
    instances = [case.start("a", *arguments), case.start("b", *arguments)]
    state = case.state(instances[0])
    case.await_truth(instances, state)
    wait_for(lambda: all(instance.errors.read_text().count("library.standby-ready") >= PARTITIONS
                         for instance in instances), "there are no standbys")
    before = instances[1].restored()
    case.produce(1_000, 2_000)
    instances[0].kill()
    case.await_truth(instances[1:], state)
    after = wait_for(lambda: (lambda now: now if now and now["tasks"] == 2 * PARTITIONS else None)(
        instances[1].restore_done()), "the other one has not taken over")
    assert after["behind_local"] - before["behind_local"] == PARTITIONS, (before, after)
    instances[1].stop()
    print(f"standby: {after['bytes'] - before['bytes']} bytes read to take over {PARTITIONS} tasks",
          flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", choices=["queries", "base", "standby"])
    arguments = parser.parse_args()
    if shutil.which("java") is None:
        print("java is missing: no broker can be run on this machine")
        sys.exit(77)
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="tidegate-state-") as name:
        folder = Path(name)
        engine = Engine(str(Path(arguments.engine).resolve()), folder)
        broker = Broker(folder / "kafka", 33000 + os.getpid() % 900)
        try:
            for name, run in {"queries": queries, "base": base,
                              "standby": standby}.items():
                if arguments.case in (None, name):
                    case = Case(engine, broker, name, rng)
                    try:
                        run(case)
                    finally:
                        case.clear_up()
        finally:
            broker.call("wipe")


if __name__ == "__main__":
    main()
