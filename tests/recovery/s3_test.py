#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints and savepoints on a real S3 server (moto), behind a proxy that fails and delays.

A job is killed in the middle and run again until it is done; what it publishes must be what the
input says. Then a savepoint to S3 and a job that goes on from it. Skipped (77) without moto_server.

    s3_test.py [--engine build/tidegate] [--seed N] [--rows N]
"""

import argparse
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from counted_clicks import TABLES, check, run, write_input

SECRET = "never-to-be-seen"
SETTINGS = """
SET 's3.endpoint' = '{endpoint}';
SET 's3.access-key' = 'test';
SET 's3.secret-key' = '""" + SECRET + """';
"""


def find_server():
    beside = Path(__file__).resolve().parents[2] / ".venv" / "bin" / "moto_server"
    for program in (str(beside), shutil.which("moto_server")):
        if program and os.path.exists(program):
            answer = subprocess.run([program, "--help"], capture_output=True)
            if answer.returncode == 0:
                return program
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Proxy(BaseHTTPRequestHandler):
    """Hands requests on; some it fails before, some after the server has carried them out."""
    protocol_version = "HTTP/1.1"
    server_at = ""
    rng = random.Random(0)
    lock = threading.Lock()
    trouble = 0.0
    counts = defaultdict(int)

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return b"".join(parts)

    def serve(self):
        body = self.body()
        with Proxy.lock:
            luck = Proxy.rng.random()
        kind = "ok"
        if luck < Proxy.trouble:
            kind = ("refused", "lost", "slow")[int(luck / Proxy.trouble * 3)]
        Proxy.counts[kind] += 1
        if kind == "refused":
            return self.answer(503, {}, b"")
        if kind == "slow":
            time.sleep(0.2)
        request = urllib.request.Request(
            Proxy.server_at + self.path, data=body if self.command in ("PUT", "POST") else None,
            method=self.command, headers={
                name: value for name, value in self.headers.items()
                if name.lower() not in ("expect", "transfer-encoding", "content-length")})
        try:
            with urllib.request.urlopen(request) as got:
                status, headers, content = got.status, got.headers, got.read()
        except urllib.error.HTTPError as failure:
            status, headers, content = failure.code, failure.headers, failure.read()
        if kind == "lost":
            self.close_connection = True
            self.connection.close()
            return None
        return self.answer(status, headers, content)

    def answer(self, status, headers, content):
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else len(content)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = serve

    def log_message(self, *arguments):
        pass


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that was killed


def run_job(engine, folder, script, *arguments, **more):
    says = run(engine, folder, script, *arguments, **more)
    if SECRET in (says or ""):
        sys.exit(f"it tells a secret: {says}")
    return says


def campaign(engine, folder, rng, rows, endpoint):
    truth = {}
    (folder / "in").mkdir()
    write_input(folder / "in" / "a.json", rng, 0, rows, truth)
    for name in ("whole", "killed", "kept"):
        (folder / f"{name}.sql").write_text(SETTINGS.format(endpoint=endpoint) + TABLES.format(out=f"out-{name}"))

    Proxy.trouble = 0.15
    begun = time.monotonic()
    run_job(engine, folder, "whole.sql", "--checkpoint-dir", "s3://bucket/whole", "--epoch-interval",
        "100ms", "--parallelism", "2")
    whole = time.monotonic() - begun
    check(folder / "out-whole", truth, "undisturbed")

    kills = 0
    durable = ["--checkpoint-dir", "s3://bucket/killed", "--epoch-interval", "50ms"]
    while run_job(engine, folder, "killed.sql", *durable, "--parallelism", str(1 + kills % 3),
              timeout=whole * rng.uniform(0.3, 0.7) * (1 + kills / 4)) is None:
        kills += 1
    check(folder / "out-killed", truth, f"after {kills} kills")
    run_job(engine, folder, "killed.sql", *durable)  # a job that has finished does nothing
    check(folder / "out-killed", truth, "after a run of the finished job")

    run_job(engine, folder, "kept.sql", "--stop-with-savepoint", "s3://bucket/kept", "--parallelism", "3")
    write_input(folder / "in" / "b.json", rng, rows, 2 * rows, truth)
    run_job(engine, folder, "kept.sql", "--restore", "s3://bucket/kept", "--parallelism", "2")
    check(folder / "out-kept", truth, "after a savepoint")
    print(f"{kills} kills, {len(truth)} windows: exact; requests: {dict(Proxy.counts)}")

    Proxy.trouble = 0.0
    says = run_job(engine, folder, "whole.sql", "--checkpoint-dir", "s3://no-such-bucket/job", code=1)
    if "no-such-bucket" not in says:
        sys.exit(f"the bucket is not named: {says}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine",
                        default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=100_000)
    arguments = parser.parse_args()
    program = find_server()
    if program is None:
        print("skipped: moto_server is not installed (pip install 'moto[s3,server]')")
        sys.exit(77)
    port = free_port()
    Proxy.server_at = f"http://127.0.0.1:{port}"
    Proxy.rng = random.Random(arguments.seed)
    server = subprocess.Popen([program, "-H", "127.0.0.1", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        bucket = urllib.request.Request(Proxy.server_at + "/bucket", method="PUT")
        for attempt in range(600):
            try:
                urllib.request.urlopen(bucket).close()
                break
            except (urllib.error.URLError, ConnectionError):
                if server.poll() is not None or attempt == 599:
                    sys.exit("moto_server does not come up")
                time.sleep(0.1)
        proxy = QuietServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        with tempfile.TemporaryDirectory(prefix="tidegate-s3-") as name:
            campaign(str(Path(arguments.engine).resolve()), Path(name),
                     random.Random(arguments.seed), arguments.rows,
                     f"http://127.0.0.1:{proxy.server_address[1]}")
        proxy.shutdown()
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
