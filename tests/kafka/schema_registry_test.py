#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The formats avro-confluent and debezium-avro-confluent against a real broker and a small server
that speaks the Schema Registry's REST interface, with a password (no registry of Confluent's can be
had as a package).

* Rows are written with their schemas registered under the topic's name, and come back the same.
* Messages of another writer: two versions of a schema, fields in another order and unknown ones.
* Changes of a table, as Debezium tells them.
* A wrong password, a number that nobody knows, a schema that is refused, a registry that is down:
  each is told, and the password never.

    schema_registry_test.py [--engine build/tidegate]
"""

import argparse
import base64
import http.server
import json
import os
import shutil
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from kafka_program_test import Broker, Engine, table  # noqa: E402

USER, PASSWORD = "reader", "s3cret-word"


class Registry:
    def __init__(self):
        self.schemas, self.subjects, self.refuses, self.lock = [], {}, False, threading.Lock()
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, content):
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def may(self):
                token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
                if self.headers.get("Authorization") == f"Basic {token}":
                    return True
                self.answer(401, {"error_code": 401, "message": "Unauthorized"})
                return False

            def do_GET(self):
                if not self.may():
                    return
                number = self.path.removeprefix("/schemas/ids/")
                with registry.lock:
                    if number.isdigit() and 0 < int(number) <= len(registry.schemas):
                        return self.answer(200, {"schema": registry.schemas[int(number) - 1]})
                self.answer(404, {"error_code": 40403, "message": "Schema not found"})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not self.may():
                    return
                parts = self.path.split("/")
                if parts[1] != "subjects" or parts[3:] != ["versions"]:
                    return self.answer(404, {"error_code": 404, "message": "HTTP 404 Not Found"})
                if registry.refuses:
                    return self.answer(409, {"error_code": 409, "message": "incompatible"})
                self.answer(200, {"id": registry.register(parts[2], json.loads(body)["schema"])})

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def register(self, subject, schema):
        json.loads(schema)
        with self.lock:
            if schema not in self.schemas:
                self.schemas.append(schema)
            versions = self.subjects.setdefault(subject, [])
            if schema not in versions:
                versions.append(schema)
            return self.schemas.index(schema) + 1


def avro_long(number):
    number, out = (number << 1) ^ (number >> 63), bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def avro_text(text):
    return avro_long(len(text.encode())) + text.encode()


class Test:
    def __init__(self, engine, broker, registry):
        self.engine, self.broker, self.registry = engine, broker, registry

    def topic(self, name, columns, options, connector="kafka"):
        return table(name, columns, {
            "connector": connector, "topic": name.rstrip("_"),
            "properties.bootstrap.servers": self.broker.address,
            **({} if connector != "kafka" else {"scan.startup.mode": "earliest-offset",
                                                "scan.bounded.mode": "latest-offset"}), **options})

    def avro(self, part="", name="avro-confluent", password=PASSWORD):
        return {f"{part}format": name, f"{part}{name}.url": self.registry.url,
                f"{part}{name}.basic-auth.credentials-source": "USER_INFO",
                f"{part}{name}.basic-auth.user-info": f"{USER}:{password}"}

    def rows(self, script):
        out = self.engine.succeed(script, "--output", "json", "--parallelism", "1")
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def fail(self, script, *expected):
        self.engine.run(script, "--parallelism", "1")
        if self.engine.code == 0 or not all(word in self.engine.errors for word in expected):
            sys.exit(f"{expected} is not in: {self.engine.errors}")
        if PASSWORD in self.engine.errors or "wrong-word" in self.engine.errors:
            sys.exit(f"a password is shown: {self.engine.errors}")

    def there_and_back(self):
        self.broker.create_topic("clicks", 1)
        columns = "k BIGINT, url STRING, price DECIMAL(10, 2), tags ARRAY<STRING>, ts TIMESTAMP(3)"
        clicks = self.topic("clicks", columns, {
            **self.avro("value."), **self.avro("key."), "key.fields": "k",
            "value.fields-include": "EXCEPT_KEY"})
        self.engine.succeed(clicks + """INSERT INTO clicks VALUES
            (1, '/a', 1.25, ARRAY['x', 'y'], TIMESTAMP '2024-01-02 03:04:05.678'),
            (2, CAST(NULL AS STRING), CAST(NULL AS DECIMAL(10, 2)), CAST(NULL AS ARRAY<STRING>),
             CAST(NULL AS TIMESTAMP(3)));""", "--parallelism", "1")
        found = self.rows(clicks + "SELECT k, url, CAST(price AS STRING) AS price, tags[2] AS tag, "
                          "CAST(ts AS STRING) AS ts FROM clicks;")
        expected = [{"k": 1, "url": "/a", "price": "1.25", "tag": "y",
                     "ts": "2024-01-02 03:04:05.678"},
                    {"k": 2, "url": None, "price": None, "tag": None, "ts": None}]
        if found != expected:
            sys.exit(f"found {found}")
        if sorted(self.registry.subjects) != ["clicks-key", "clicks-value"]:
            sys.exit(f"subjects: {self.registry.subjects}")
        fields = json.loads(self.registry.subjects["clicks-value"][0])["fields"]
        if [field["name"] for field in fields] != ["url", "price", "tags", "ts"]:
            sys.exit(f"schema: {fields}")
        print("rows and keys: written and read back")

    def another_writer(self):
        self.broker.create_topic("other", 1)
        old = self.registry.register("other-value", json.dumps(
            {"type": "record", "name": "Click", "fields": [
                {"name": "extra", "type": {"type": "map", "values": "int"}},
                {"name": "url", "type": "string"}, {"name": "n", "type": "int"}]}))
        new = self.registry.register("other-value", json.dumps(
            {"type": "record", "name": "Click", "fields": [
                {"name": "n", "type": ["long", "null"]},
                {"name": "url", "type": ["null", "string"]}]}))
        messages = [
            b"\0" + old.to_bytes(4, "big") + avro_long(1) + avro_text("x") + avro_long(7) +
            avro_long(0) + avro_text("/old") + avro_long(-5),
            b"\0" + new.to_bytes(4, "big") + avro_long(0) + avro_long(1 << 40) + avro_long(1) +
            avro_text("/new"),
            b"\0" + new.to_bytes(4, "big") + avro_long(1) + avro_long(0), b"no magic byte",
            b"\0" + old.to_bytes(4, "big") + b"\x02"]
        self.send("other", messages)
        found = self.rows(self.topic("other", "url STRING, n BIGINT",
                                     {**self.avro(), "error-policy": "skip"}) +
                          "SELECT * FROM other;")
        if found != [{"url": "/old", "n": -5}, {"url": "/new", "n": 1 << 40},
                     {"url": None, "n": None}]:
            sys.exit(f"found {found}")
        self.fail(self.topic("other", "url STRING, n BIGINT", self.avro()) + "SELECT * FROM other;",
                  "malformed-record", "offset 3")
        print("messages of another writer: two versions of a schema, two bad ones skipped")

    def send(self, topic, messages):
        values = ", ".join(f"(X'{message.hex()}')" for message in messages)
        self.engine.succeed(
            table("raw_bytes", "bytes VARBINARY", {
                "connector": "kafka", "topic": topic, "format": "raw",
                "properties.bootstrap.servers": self.broker.address}) +
            f"INSERT INTO raw_bytes VALUES {values};", "--parallelism", "1")

    def changes(self):
        self.broker.create_topic("changes", 1)
        changes = self.topic("changes", "url STRING, n BIGINT",
                             self.avro(name="debezium-avro-confluent"))
        self.engine.succeed(changes + "INSERT INTO changes SELECT url, COUNT(*) FROM (VALUES "
                            "('/a'), ('/b'), ('/a')) AS t (url) GROUP BY url;",
                            "--parallelism", "1", "--set", "execution.runtime-mode=streaming")
        found = self.rows(changes + "SELECT url, SUM(n) AS n FROM changes GROUP BY url;")
        last = {row["url"]: row["n"] for row in found}
        if last != {"/a": 2, "/b": 1}:
            sys.exit(f"found {found}")
        schema = json.loads(self.registry.subjects["changes-value"][0])
        if [field["name"] for field in schema["fields"]] != ["before", "after", "op"]:
            sys.exit(f"schema: {schema}")
        number = self.registry.register("changes-value", json.dumps(schema)).to_bytes(4, "big")
        update = (avro_long(1) + avro_long(1) + avro_text("/a") + avro_long(1) + avro_long(2) +
                  avro_long(1) + avro_long(1) + avro_text("/a") + avro_long(1) + avro_long(9) +
                  avro_long(1) + avro_text("u"))
        self.send("changes", [b"\0" + number + update])
        found = self.rows(changes + "SELECT url, SUM(n) AS n FROM changes GROUP BY url;")
        if {row["url"]: row["n"] for row in found} != {"/a": 9, "/b": 1}:
            sys.exit(f"found {found}")
        print("changes: written, read back, and an update of Debezium's")

    def failures(self):
        select = "SELECT * FROM other;"
        self.fail(self.topic("other", "url STRING, n BIGINT", self.avro(password="wrong-word")) +
                  select, "service-refused", "401", "basic-auth.user-info")
        self.broker.create_topic("unknown", 1)
        self.send("unknown", [b"\0\0\0\x03\xe7\0"])
        self.fail(self.topic("unknown", "url STRING", {**self.avro(), "error-policy": "skip"}) +
                  "SELECT * FROM unknown;", "Schema not found", "/schemas/ids/999")
        self.registry.refuses = True
        self.fail(self.topic("unknown", "url STRING", self.avro()) +
                  "INSERT INTO unknown VALUES ('/a');", "service-refused", "incompatible")
        self.registry.refuses = False
        down = {**self.avro(), "avro-confluent.url":
                f"http://127.0.0.1:1,{self.registry.url}"}
        if len(self.rows(self.topic("other", "url STRING, n BIGINT",
                                    {**down, "error-policy": "skip"}) + select)) != 3:
            sys.exit("the second registry was not asked")
        self.fail(self.topic("other", "url STRING, n BIGINT", {
            **down, "avro-confluent.url": "http://127.0.0.1:1"}) + select, "service-unreachable")
        print("failures: told, without the password")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    arguments = parser.parse_args()
    if shutil.which("java") is None:
        print("java is missing: no broker can be run on this machine")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="tidegate-registry-") as name:
        folder = Path(name)
        broker = Broker(folder / "kafka", 34000 + os.getpid() % 900)
        try:
            test = Test(Engine(str(Path(arguments.engine).resolve()), folder), broker, Registry())
            test.there_and_back()
            test.another_writer()
            test.changes()
            test.failures()
        finally:
            broker.call("wipe")


if __name__ == "__main__":
    main()
