#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changed scripts that go on from a savepoint: what `upgrade` says, what is kept, what is refused.

Each case runs an old script over half of the input with --stop-with-savepoint, asks `upgrade` about a
new script, and runs that over both halves with --restore, in both state stores and at another
parallelism.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ENGINE = str(Path(os.environ.get("TIDEGATE_BUILD", "build")).resolve() / "tidegate")
TABLES = """
CREATE TABLE clicks ({clicks}, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE users (u INT, name STRING, city STRING)
WITH ('connector' = 'filesystem', 'path' = 'users', 'format' = 'json');
CREATE TABLE result ({result}) WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'debezium-json');
"""
BEFORE = [(1, 5, 1), (2, 7, 2), (1, 9, 3), (None, 1, 4), (2, -3, 11)]
AFTER = [(1, 3_000_000_000, 12), (2, 100, 13), (3, 4, 14)]
NARROW, WIDE = "u INT, v INT", "u INT, v BIGINT"
WIDE_KEY = "u BIGINT, v BIGINT"


class Case:
    def __init__(self, name, old, new, rows, says=(), refused="", flags=()):
        self.name, self.old, self.new, self.rows = name, old, new, rows
        self.says, self.refused, self.flags = says, refused, flags


def script(clicks, result, query):
    return TABLES.format(clicks=clicks, result=result) + f"INSERT INTO result {query};\n"


def sums(types=NARROW, result="u INT, s INT", calls="SUM(v)"):
    return script(types, result, f"SELECT u, {calls} FROM clicks GROUP BY u")


def windows(types, calls, result):
    return script(types, f"u INT, {result}",
                  f"""SELECT u, {calls} FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts),
                  INTERVAL '10' SECOND)) GROUP BY u, window_start, window_end""")


def join(columns, result, types=NARROW):
    return script(types, f"v {types.split()[-1]}, {result}",
                  f"SELECT v, {columns} FROM clicks JOIN users ON clicks.u = users.u")


WIDE_SUMS = [[1, 3_000_000_014], [2, 104], [3, 4]]
CASES = [
    Case("the same", sums(calls="COUNT(*)"), sums(calls="COUNT(*)", result="u INT, n BIGINT"),
         [[1, 3], [2, 3], [3, 1]], says=["keep", "nothing is lost"]),
    Case("a wider sum", sums(), sums(WIDE, "u INT, s BIGINT"), WIDE_SUMS,
         says=["migrate", "SUM(v) INT is BIGINT"]),
    Case("a wider key", sums(), sums(WIDE_KEY, "u BIGINT, s BIGINT"), WIDE_SUMS,
         says=["migrate", "key u INT is BIGINT"]),
    Case("more aggregates", sums(),
         sums(WIDE, "u INT, s BIGINT, n BIGINT, m BIGINT", "SUM(v), COUNT(*), MAX(v)"),
         [[1, 3_000_000_014, 1, 3_000_000_000], [2, 104, 1, 100], [3, 4, 1, 4]],
         says=["migrate", "COUNT(*) BIGINT NOT NULL is new"]),
    Case("a wider maximum", sums(calls="MAX(v), AVG(v)", result="u INT, m INT, a INT"),
         sums(WIDE, "u INT, m BIGINT, a BIGINT", "MAX(v), AVG(v)"),
         [[1, 3_000_000_000, 1_000_000_004], [2, 100, 34], [3, 4, 4]],
         says=["migrate"]),
    Case("another order", sums(calls="SUM(v), COUNT(*)", result="u INT, s INT, n BIGINT"),
         sums(WIDE, "u INT, n BIGINT, s BIGINT", "COUNT(*), SUM(v)"),
         [[1, 3, 3_000_000_014], [2, 3, 104], [3, 1, 4]], says=["migrate"]),
    Case("a narrower sum", sums(WIDE, "u INT, s BIGINT"), sums(), [], says=["refuse"],
         refused="SUM(BIGINT)"),
    Case("another type", sums(), sums("u INT, v STRING", "u INT, s STRING", "MAX(v)"), [],
         says=["refuse"], refused="SUM(v)"),
    Case("an aggregate less", sums(calls="SUM(v), COUNT(*)", result="u INT, s INT, n BIGINT"),
         sums(WIDE, "u INT, s BIGINT"), WIDE_SUMS, says=["refuse"], refused="'COUNT(*)'",
         flags=["--allow-non-restored-state"]),
    Case("an open window", windows(NARROW, "SUM(v)", "s INT"),
         windows(WIDE, "SUM(v), MIN(v)", "s BIGINT, m BIGINT"),
         [[2, 97, 100], [1, 3_000_000_000, 3_000_000_000], [3, 4, 4]], says=["migrate"]),
    Case("a column more", join("name", "name STRING", WIDE),
         join("name, city", "name STRING, city STRING", WIDE),
         [[3_000_000_000, "ann", None], [100, "bob", None], [4, "cy", "C"]],
         says=["migrate", "city STRING is new"]),
    Case("a column for another", join("name", "name STRING"), join("city", "city STRING"), [],
         says=["refuse"], refused="'name'"),
    Case("a wider column", join("name", "name STRING"), join("name", "name STRING", WIDE),
         [[3_000_000_000, "ann"], [100, "bob"], [4, "cy"]], says=["migrate", "v INT is BIGINT"]),
    Case("best rows", script(WIDE, "u INT, v BIGINT", """SELECT u, v FROM (SELECT u, v, ROW_NUMBER()
         OVER (PARTITION BY u ORDER BY v DESC) AS n FROM clicks) WHERE n <= 2"""),
         script("u INT, v BIGINT, w INT", "u INT, v BIGINT, w INT", """SELECT u, v, w FROM (SELECT u, v, w,
         ROW_NUMBER() OVER (PARTITION BY u ORDER BY v DESC) AS n FROM clicks) WHERE n <= 2"""),
         None, says=["migrate", "w INT is new"]),
    Case("another query", sums(), script(NARROW, "v INT, n BIGINT",
                                         "SELECT v, COUNT(*) FROM clicks GROUP BY v"), [],
         says=["rebuild", "drop"], refused="Aggregate[keys=[u]]"),
]


def write(path, rows):
    path.parent.mkdir(exist_ok=True)
    with open(path, "w") as out:
        for u, v, second in rows:
            out.write(json.dumps({"u": u, "v": v, "ts": f"2026-01-01 00:00:{second:02}"}) + "\n")


def run(folder, *arguments, failpoints=""):
    return subprocess.run([ENGINE, *arguments], cwd=folder, capture_output=True, text=True,
                          env=dict(os.environ, TIDEGATE_FAILPOINTS=failpoints))


def rows_in(folder):
    """The rows that the changes in the folder come to."""
    rows = Counter()
    for path in sorted(folder.glob("[!.]*")):
        for line in path.read_text().splitlines():
            change = json.loads(line)
            for image, step in (("before", -1), ("after", 1)):
                if change[image] is not None:
                    rows[json.dumps(list(change[image].values()))] += step
    return rows


def play(case, number):
    with tempfile.TemporaryDirectory(prefix="tidegate-upgrade-") as name:
        folder = Path(name)
        write(folder / "in" / "a.json", BEFORE)
        (folder / "users").mkdir()
        with open(folder / "users" / "a.json", "w") as out:
            for u, who in ((1, "ann"), (2, "bob")):
                out.write(json.dumps({"u": u, "name": who, "city": who[0].upper()}) + "\n")
        (folder / "old.sql").write_text(case.old)
        (folder / "new.sql").write_text(case.new)
        old = ["run", "old.sql", "--progress", "none", "--stop-with-savepoint", "saved",
               "--parallelism", str(1 + number % 3)]
        done = run(folder, *old)
        if done.returncode != 0:
            sys.exit(f"{case.name}: the old script: {done.stderr}")
        write(folder / "in" / "b.json", AFTER)
        with open(folder / "users" / "b.json", "w") as out:
            out.write(json.dumps({"u": 3, "name": "cy", "city": "C"}) + "\n")
        page = run(folder, "upgrade", "old.sql", "new.sql", "--savepoint", "saved")
        missing = [what for what in case.says if what not in page.stdout]
        if page.returncode != 0 or missing:
            sys.exit(f"{case.name}: upgrade lacks {missing}: {page.stdout}{page.stderr}")
        new = ["run", "new.sql", "--progress", "none", "--restore", "saved", "--parallelism",
               str(1 + (number + 1) % 3), "--state", ("memory", "rocksdb")[number % 2]]
        if case.refused:
            done = run(folder, *new)
            if done.returncode == 0 or case.refused not in done.stderr:
                sys.exit(f"{case.name}: {done.returncode}, not refused: {done.stderr}")
            if not case.flags:
                return
        (folder / "out").rename(folder / "out-before")
        # By way of a checkpoint that holds rows of both schemas, a crash, and another savepoint.
        new += [*case.flags, "--checkpoint-dir", "epochs", "--epoch-interval", "1h", "--set",
                "runtime.epoch-rows=1", "--set", "runtime.max-batch-rows=1"]
        crashed = run(folder, *new, failpoints="epoch.published=exit@2")
        if crashed.returncode != 1:
            sys.exit(f"{case.name}: the new script does not crash: {crashed.stderr}")
        for command in (new + ["--stop-with-savepoint", "again"],
                        ["run", "new.sql", "--progress", "none", "--restore", "again"]):
            done = run(folder, *command)
            if done.returncode != 0:
                sys.exit(f"{case.name}: {command}: {done.stderr}")
        if case.rows is not None:
            got = {row for row, n in rows_in(folder / "out").items() if n > 0}
            wanted = {json.dumps(row) for row in case.rows}
            if got != wanted:
                sys.exit(f"{case.name}: {sorted(got)} instead of {sorted(wanted)}")


def main():
    only = sys.argv[1:]
    for number, case in enumerate(CASES):
        if not only or any(part in case.name for part in only):
            play(case, number)
    print(f"{len(CASES)} upgrades: kept, migrated or refused, as they should be")


if __name__ == "__main__":
    main()
