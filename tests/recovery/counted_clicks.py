# SPDX-License-Identifier: Apache-2.0
"""The job that the tests of this folder kill: clicks per key in windows of 10 seconds, from files to
files; what it must publish, and what it has."""

import json
import subprocess
import sys

TABLES = """
CREATE TABLE clicks (k INT, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE counts (ws TIMESTAMP(3), k INT, n BIGINT, s BIGINT)
WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = 'json');
INSERT INTO counts
SELECT window_start, k, COUNT(*), SUM(v)
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, k;
"""


def time_text(ms):
    return f"2026-01-01 {ms // 3600000:02}:{ms // 60000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def write_input(path, rng, begin, end, truth):
    """Rows [begin, end), a millisecond apart; adds to `truth`: {(window start, key): [count, sum]}."""
    with open(path, "w") as out:
        for i in range(begin, end):
            key, ts = rng.randint(0, 50), time_text(i)
            out.write(json.dumps({"k": key, "v": i, "ts": ts}) + "\n")
            entry = truth.setdefault((ts[:18] + "0", key), [0, 0])
            entry[0] += 1
            entry[1] += i


def check(folder, truth, what):
    """Ends the test unless the files of `folder` say the truth, each window once."""
    found = {}
    for path in folder.glob("[!.]*"):
        for line in path.read_text().splitlines():
            row = json.loads(line)
            key = (row["ws"][:19], row["k"])
            if key in found:
                sys.exit(f"{what}: twice: {key}")
            found[key] = [row["n"], row["s"]]
    if found != truth:
        wrong = [k for k in set(found) | set(truth) if found.get(k) != truth.get(k)]
        sys.exit(f"{what}: {len(wrong)} of {len(truth)} windows are wrong, for example "
                 f"{[(k, found.get(k), truth.get(k)) for k in sorted(wrong)[:3]]}")


def run(engine, folder, script, *arguments, timeout=None, code=0):
    """What the run has said on stderr; None: killed with SIGKILL after `timeout` seconds."""
    process = subprocess.Popen([engine, "run", script, "--progress", "none", *arguments],
                               cwd=folder, stderr=subprocess.PIPE, text=True)
    try:
        _, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode != code:
        sys.exit(f"{script} {arguments}: exit code {process.returncode}: {errors}")
    return errors
