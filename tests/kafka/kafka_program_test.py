#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program against a real broker.

* A job between two topics is killed with SIGKILL again and again: a reader of committed messages
  finds each row exactly once.
* A table of the connector upsert-kafka is written, changed, compared with the truth and read back.
* A broker that wants TLS and a password, by the names that the Java client has for both.

    kafka_program_test.py [--engine build/tidegate] [--seed N] [--rows N] [--kills N]
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
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Broker:
    def __init__(self, folder, port, properties=None):
        self.folder, self.port = str(folder), port
        self.environment = {**os.environ, "KAFKA_WAIT": "240"}
        if properties:
            self.environment["KAFKA_PROPS"] = str(properties)
        self.address = f"127.0.0.1:{port}"
        self.call("start", "--port", str(port))

    def call(self, command, *arguments):
        done = subprocess.run([str(ROOT / "tools/kafka"), command, "--dir", self.folder, *arguments],
                              env=self.environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"tools/kafka {command}: {done.stderr}")
        return done.stdout

    def create_topic(self, name, partitions, *arguments):
        self.call("topics", "--create", "--topic", name, "--partitions", str(partitions),
                  *arguments)

    def committed(self, topic):
        """What a reader of committed messages finds, as lines."""
        for patience_ms in (15_000, 120_000):  # a machine may be too busy to read anything so soon
            out = self.call("tool", "org.apache.kafka.tools.consumer.ConsoleConsumer",
                            "--bootstrap-server", "@BOOT@", "--topic", topic, "--from-beginning",
                            "--isolation-level", "read_committed",
                            "--timeout-ms", str(patience_ms))
            if out:
                break
        return out.split()


class Engine:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, script, *arguments, kill_after=None):
        """What it printed; None: it was killed."""
        (self.folder / "script.sql").write_text(script)
        process = subprocess.Popen(
            [self.program, "run", "script.sql", "--progress", "none", *arguments],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, self.errors = process.communicate(timeout=kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None
        self.code = process.returncode
        return out

    def succeed(self, script, *arguments, kill_after=None):
        out = self.run(script, *arguments, kill_after=kill_after)
        if out is not None and self.code != 0:
            sys.exit(f"exit code {self.code}: {self.errors}\n{script}")
        return out


def table(name, columns, options):
    listed = ", ".join(f"'{key}' = '{value}'" for key, value in options.items())
    return f"CREATE TABLE {name} ({columns}) WITH ({listed});\n"


def kafka_table(name, columns, broker, more):
    return table(name, columns, {"connector": "kafka", "topic": name,
                                 "properties.bootstrap.servers": broker.address, **more})


def rows_of_files(engine, rows):
    """A table over a file with these rows (dicts), and the same rows in the topic `clicks`."""
    (engine.folder / "in").mkdir(exist_ok=True)
    (engine.folder / "in" / "a.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return table("file_rows", "n BIGINT", {"connector": "filesystem", "path": "in",
                                           "format": "json"})


BOUNDED = {"format": "json", "scan.startup.mode": "earliest-offset",
           "scan.bounded.mode": "latest-offset", "sink.partitioner": "round-robin"}


def test_kills(engine, broker, arguments, rng):
    for topic in ("numbers", "halves"):
        broker.create_topic(topic, 3)
    numbers = kafka_table("numbers", "n BIGINT", broker, BOUNDED)
    load = rows_of_files(engine, ({"n": n} for n in range(arguments.rows)))
    engine.succeed(load + numbers + "INSERT INTO numbers SELECT n FROM file_rows;",
                   "--parallelism", "1")
    copy = numbers + kafka_table("halves", "n BIGINT, half BIGINT", broker, {
        "format": "csv", "sink.delivery-guarantee": "exactly-once",
        "sink.transactional-id-prefix": "kill-test", "properties.transaction.timeout.ms": "60000",
    }) + "INSERT INTO halves SELECT n, n / 2 FROM numbers;"

    durable = ["--checkpoint-dir", "epochs", "--epoch-interval", "20ms", "--parallelism"]
    kills, pause, begun = 0, 0.15, time.monotonic()
    while engine.succeed(copy, *durable, str(1 + kills % 3),
                         kill_after=pause * rng.uniform(0.5, 1.5) if kills < arguments.kills
                         else None) is None:
        kills += 1
        pause *= 1.2
    engine.succeed(copy, *durable, "2")  # a job that has finished does nothing
    took = time.monotonic() - begun
    found = broker.committed("halves")
    expected = {f"{n},{n // 2}" for n in range(arguments.rows)}
    if len(found) != len(expected) or set(found) != expected:
        sys.exit(f"after {kills} kills: {len(found)} rows, {len(set(found))} different, "
                 f"{len(expected)} expected")
    print(f"kills: {kills} in {took:.1f} s, {len(found)} rows, each once")


def test_upserts(engine, broker):
    broker.create_topic("totals", 2, "--config", "cleanup.policy=compact")
    columns = "bucket BIGINT, total BIGINT, PRIMARY KEY (bucket) NOT ENFORCED"
    totals = table("totals", columns, {
        "connector": "upsert-kafka", "topic": "totals", "key.format": "json",
        "value.format": "json", "properties.bootstrap.servers": broker.address,
        "scan.bounded.mode": "latest-offset"})

    def write(numbers, query):
        source = rows_of_files(engine, [{"n": n} for n in numbers])
        engine.succeed(source + totals + f"INSERT INTO totals {query};", "--parallelism", "2")

    def read(query):
        out = engine.succeed(totals + query + ";", "--output", "json")
        return sorted(tuple(json.loads(line).values()) for line in out.splitlines())

    # Every second key goes again: what counts there is filtered out behind the aggregate.
    write(range(1000), "SELECT b, c FROM (SELECT n % 10 AS b, COUNT(*) AS c FROM file_rows "
                       "GROUP BY n % 10) WHERE b % 2 = 0 OR c < 50")
    found = read("SELECT bucket, total FROM totals")
    if found != [(b, 100) for b in range(0, 10, 2)]:
        sys.exit(f"upserts: {found}")
    write(range(0, 40), "SELECT n % 4, SUM(n) FROM file_rows GROUP BY n % 4")
    truth = {b: 100 for b in range(0, 10, 2)}
    for b in range(4):
        truth[b] = sum(range(b, 40, 4))
    found = read("SELECT bucket, total FROM totals")
    if found != sorted(truth.items()):
        sys.exit(f"upserts, second run: {found}")
    counted = read("SELECT COUNT(*) AS keys, SUM(total) AS total FROM totals")
    if counted != [(len(truth), sum(truth.values()))]:
        sys.exit(f"upserts, counted: {counted}")
    print(f"upserts: {len(found)} keys")


SECURE = """listeners=SASL_SSL://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=SASL_SSL://127.0.0.1:{port}
listener.security.protocol.map=SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL_SSL
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="a-secret" user_admin="a-secret" user_alice="wonder land";
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/cert.pem
"""
CLIENT = """security.protocol=SASL_SSL
sasl.mechanism=PLAIN
sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="{password}";
ssl.truststore.type=PEM
ssl.truststore.location={folder}/cert.pem
"""


def test_secure(engine, folder, port):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                    "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=IP:127.0.0.1"],
                   cwd=folder, check=True, capture_output=True)
    (folder / "broker.pem").write_text((folder / "key.pem").read_text() +
                                       (folder / "cert.pem").read_text())
    (folder / "secure.properties").write_text(
        SECURE.format(port=port, controller=port + 1000, folder=folder))
    right = CLIENT.format(password="wonder land", folder=folder)
    (folder / "client.properties").write_text(right)
    broker = Broker(folder / "secure-kafka", port, folder / "secure.properties")
    try:
        broker.create_topic("safe", 1, "--command-config", str(folder / "client.properties"))

        def safe(properties):
            options = dict(line.split("=", 1) for line in properties.splitlines())
            return kafka_table("safe", "n BIGINT", broker,
                               {**BOUNDED, "connect.timeout": "60 s",
                                **{f"properties.{name}": value for name, value in
                                   options.items()}})

        engine.succeed(safe(right) + "INSERT INTO safe VALUES (1), (2);")
        out = engine.succeed(safe(right) + "SELECT n FROM safe;", "--output", "json")
        if sorted(json.loads(line)["n"] for line in out.splitlines()) != [1, 2]:
            sys.exit(f"secure: {out}")
        engine.run(safe(CLIENT.format(password="wrong", folder=folder)) + "SELECT n FROM safe;")
        if engine.code == 0 or "refuse" not in engine.errors or "wrong" in engine.errors:
            sys.exit(f"a wrong password: {engine.code}: {engine.errors}")
        print("secure: TLS and a password")
    finally:
        broker.call("wipe")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--kills", type=int, default=5)
    arguments = parser.parse_args()
    for program in ("java", "openssl"):
        if shutil.which(program) is None:
            print(f"{program} is missing: no broker can be run on this machine")
            sys.exit(77)
    port = 31000 + os.getpid() % 900
    with tempfile.TemporaryDirectory(prefix="tidegate-kafka-") as name:
        folder = Path(name)
        engine = Engine(str(Path(arguments.engine).resolve()), folder)
        broker = Broker(folder / "kafka", port)
        try:
            test_kills(engine, broker, arguments, random.Random(arguments.seed))
            test_upserts(engine, broker)
        finally:
            broker.call("wipe")
        test_secure(engine, folder, port)


if __name__ == "__main__":
    main()
