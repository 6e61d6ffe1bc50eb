#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bounded queries, generated at random, answered by us and by DuckDB.

    duckdb_test.py [--engine build/tidegate] [--seed N] [--count N]

Needs the Python package duckdb; without it, it says so and exits with 77 (ctest: skipped). Queries
stay within what the two dialects share: no integer division, no average of integers.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

try:
    import duckdb
except ImportError:
    print("the Python package duckdb is missing")
    sys.exit(77)

# Small domains, so that keys meet, tie and are null.
COLUMNS = {"a": "INT", "b": "INT", "c": "BIGINT", "s": "STRING", "d": "DOUBLE"}
TABLES = ["t", "u", "v"]


def make_rows(rng, rows):
    value = {
        "a": lambda: rng.randint(0, 6),
        "b": lambda: rng.randint(-3, 20),
        "c": lambda: rng.choice([0, 1, 2, 10_000_000_000, -5]),
        "s": lambda: rng.choice(["", "x", "y", "xy", "Zed", "a b"]),
        "d": lambda: rng.choice([0.5, 1.25, -2.0, 100.0]),
    }
    return [{k: None if rng.random() < 0.15 else f() for k, f in value.items()}
            for _ in range(rows)]


class Generator:
    def __init__(self, rng):
        self.rng = rng

    def number(self, alias, depth=2):
        rng = self.rng
        choice = rng.randint(0, 6 if depth else 2)
        if choice <= 1:
            return f"{alias}.{rng.choice(['a', 'b', 'c'])}"
        if choice == 2:
            return str(rng.randint(-2, 9))
        if choice == 3:
            return (f"({self.number(alias, depth - 1)} {rng.choice(['+', '-', '*'])} "
                    f"{self.number(alias, depth - 1)})")
        if choice == 4:
            return f"COALESCE({self.number(alias, depth - 1)}, {rng.randint(0, 3)})"
        if choice == 5:
            return (f"CASE WHEN {self.condition(alias, depth - 1)} THEN "
                    f"{self.number(alias, depth - 1)} ELSE {self.number(alias, depth - 1)} END")
        return f"CHAR_LENGTH({alias}.s)" if rng.random() < 0.5 else f"ABS({alias}.b)"

    def condition(self, alias, depth=2):
        rng = self.rng
        choice = rng.randint(0, 8 if depth else 4)
        if choice <= 1:
            operator = rng.choice(["=", "<>", "<", "<=", ">", ">="])
            return f"{self.number(alias, 0)} {operator} {self.number(alias, 0)}"
        if choice == 2:
            return f"{alias}.{rng.choice(list(COLUMNS))} IS {rng.choice(['', 'NOT '])}NULL"
        if choice == 3:
            return f"{alias}.s LIKE '{rng.choice(['x%', '%y', '_', '%', 'Z_d'])}'"
        if choice == 4:
            values = ", ".join(str(rng.randint(0, 6)) for _ in range(3))
            return f"{alias}.a {rng.choice(['', 'NOT '])}IN ({values})"
        if choice == 5:
            return f"({self.condition(alias, depth - 1)} AND {self.condition(alias, depth - 1)})"
        if choice == 6:
            return f"({self.condition(alias, depth - 1)} OR {self.condition(alias, depth - 1)})"
        if choice == 7:
            return f"NOT ({self.condition(alias, depth - 1)})"
        return f"{alias}.b BETWEEN {rng.randint(-3, 5)} AND {rng.randint(5, 20)}"

    def subquery_condition(self, alias):
        rng, other = self.rng, rng_table(self.rng)
        where = self.condition("i", 1)
        choice = rng.randint(0, 5)
        if choice == 5:
            return (f"{alias}.b {rng.choice(['<', '<=', '>', '>='])} {rng.choice(['ANY', 'ALL'])} "
                    f"(SELECT i.a FROM {other} AS i WHERE {where})")
        if choice == 0:
            return f"{alias}.a IN (SELECT i.b FROM {other} AS i WHERE {where})"
        if choice == 1:
            return f"{alias}.a NOT IN (SELECT i.a FROM {other} AS i WHERE {where})"
        if choice == 2:
            return (f"{rng.choice(['', 'NOT '])}EXISTS (SELECT 1 FROM {other} AS i "
                    f"WHERE i.a = {alias}.a AND {where})")
        if choice == 3:
            return f"{alias}.b > (SELECT {self.aggregate('i')} FROM {other} AS i WHERE {where})"
        return (f"{alias}.b >= (SELECT {self.aggregate('i')} FROM {other} AS i "
                f"WHERE i.a = {alias}.a)")

    def aggregate(self, alias):
        rng = self.rng
        choice = rng.randint(0, 5)
        distinct = rng.choice(["", "DISTINCT "])
        if choice == 0:
            return "COUNT(*)"
        if choice == 1:
            return f"COUNT({distinct}{alias}.{rng.choice(list(COLUMNS))})"
        if choice == 2:
            return f"SUM({distinct}{alias}.{rng.choice(['a', 'b', 'c'])})"
        if choice == 3:
            return f"MIN({alias}.{rng.choice(['a', 'b', 'c'])})"
        if choice == 4:
            return f"SUM({alias}.b) FILTER (WHERE {self.condition(alias, 1)})"
        return f"MAX({alias}.b)"

    def relation(self):
        """FROM, and the alias whose columns are used."""
        rng = self.rng
        choice = rng.randint(0, 6)
        if choice <= 1:
            return f"{rng_table(rng)} AS x", ["x"]
        if choice <= 4:
            kind = rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "JOIN"])
            on = f"x.a = y.{rng.choice(['a', 'b'])}"
            # DuckDB cannot evaluate arbitrary conditions of full joins.
            if kind != "FULL JOIN" and rng.random() < 0.4:
                on += f" AND x.b {rng.choice(['<', '>', '<>'])} y.b"
            return f"{rng_table(rng)} AS x {kind} {rng_table(rng)} AS y ON {on}", ["x", "y"]
        if choice == 5:
            return (f"(SELECT a, b, c, s, d FROM {rng_table(rng)} WHERE {self.condition('t', 0)}"
                    .replace("t.", "") + ") AS x"), ["x"]
        return (f"(SELECT a, COUNT(*) AS b, CAST(SUM(c) AS BIGINT) AS c, MAX(s) AS s, MIN(d) AS d "
                f"FROM {rng_table(rng)} GROUP BY a) AS x"), ["x"]

    def select(self):
        rng = self.rng
        relation, aliases = self.relation()
        alias = rng.choice(aliases)
        where = ""
        if rng.random() < 0.6:
            parts = [self.condition(alias)]
            if rng.random() < 0.5:
                parts.append(self.subquery_condition(alias))
            where = " WHERE " + " AND ".join(parts)
        if rng.random() < 0.5:
            keys = rng.sample([f"{alias}.a", f"{alias}.s", f"{alias}.b"], rng.randint(0, 2))
            items = keys + [self.aggregate(alias) for _ in range(rng.randint(1, 3))]
            having = f" HAVING COUNT(*) > {rng.randint(0, 2)}" if keys and rng.random() < 0.4 else ""
            group = f" GROUP BY {', '.join(keys)}" if keys else ""
            names = [f"{v} AS c{i}" for i, v in enumerate(items)]
            return f"SELECT {', '.join(names)} FROM {relation}{where}{group}{having}", len(items)
        items = [self.number(alias) for _ in range(rng.randint(1, 2))]
        items += [f"{rng.choice(aliases)}.{rng.choice(list(COLUMNS))}"]
        names = [f"{v} AS c{i}" for i, v in enumerate(items)]
        distinct = rng.choice(["", "", "DISTINCT "])
        return f"SELECT {distinct}{', '.join(names)} FROM {relation}{where}", len(items)

    def query(self):
        rng = self.rng
        choice = rng.randint(0, 9)
        if choice <= 6:
            return self.select()[0]
        if choice == 7:
            left, right = (f"SELECT x.a, x.s FROM {rng_table(rng)} AS x WHERE "
                           f"{self.condition('x', 1)}" for _ in range(2))
            operator = rng.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL",
                                   "EXCEPT ALL"])
            return f"{left} {operator} {right}"
        if choice == 8:
            # All columns in the order, so that what is cut off does not depend on ties.
            return (f"SELECT a, b, c FROM {rng_table(rng)} AS x WHERE {self.condition('x', 1)} "
                    f"ORDER BY a {rng.choice(['ASC NULLS FIRST', 'DESC NULLS LAST'])}, "
                    f"b NULLS FIRST, c NULLS FIRST LIMIT {rng.randint(1, 8)}")
        return (f"SELECT a, b, c FROM (SELECT a, b, c, ROW_NUMBER() OVER (PARTITION BY a ORDER BY "
                f"b {rng.choice(['DESC NULLS LAST', 'ASC NULLS FIRST'])}, c NULLS FIRST) AS rn FROM "
                f"{rng_table(rng)}) AS r WHERE rn <= {rng.randint(1, 3)}")


def rng_table(rng):
    return rng.choice(TABLES)


def normal(value):
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return f"{float(value):.9g}"
    return str(value)


def ours(engine, ddl, query, parallelism):
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(ddl + query + ";\n")
        script.flush()
        return subprocess.run([engine, "run", script.name, "--output", "json", "--progress", "none",
                               "--parallelism", str(parallelism)],
                              capture_output=True, text=True, timeout=60)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", default=os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="tidegate-duckdb-") as folder:
        connection = duckdb.connect()
        ddl = ""
        types = ", ".join(f"{n} {t}" for n, t in COLUMNS.items())
        for table in TABLES:
            path = Path(folder) / f"{table}.json"
            rows = make_rows(rng, rng.randint(10, 30))
            path.write_text("".join(json.dumps(r) + "\n" for r in rows))
            connection.execute(f"CREATE TABLE {table} ({types.replace('STRING', 'VARCHAR')})")
            for row in rows:
                connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?)", list(row.values()))
            ddl += (f"CREATE TABLE {table} ({types}) WITH ('connector' = 'filesystem', "
                    f"'path' = '{path}', 'format' = 'json');\n")
        generator = Generator(rng)
        cases = []
        while len(cases) < arguments.count:
            query = generator.query()
            try:
                cases.append((query, connection.execute(query).fetchall()))
            except duckdb.Error:
                continue  # overflow, or something that only DuckDB cannot do
        refused, wrong = Counter(), 0
        with ThreadPoolExecutor() as pool:
            done = pool.map(lambda c: ours(arguments.engine, ddl, c[0], 1 + len(c[0]) % 2), cases)
            for (query, expected), result in zip(cases, done):
                if result.returncode == 3 and "not-supported" in result.stderr:
                    refused[result.stderr.splitlines()[0][:150]] += 1
                    continue
                got = []
                if result.returncode == 0:
                    got = [tuple(map(normal, json.loads(l).values()))
                           for l in result.stdout.splitlines()]
                want = [tuple(map(normal, r)) for r in expected]
                if result.returncode == 0 and Counter(got) == Counter(want):
                    continue
                wrong += 1
                print(f"-- {query}\n   {len(got)} rows instead of {len(want)}; "
                      f"+ {list((Counter(got) - Counter(want)).items())[:3]} "
                      f"- {list((Counter(want) - Counter(got)).items())[:3]} "
                      f"{result.stderr.strip()[:400]}")
        for reason, count in refused.most_common():
            print(f"refused {count}: {reason}")
        print(f"{len(cases)} queries, {sum(refused.values())} refused, {wrong} wrong "
              f"(seed {arguments.seed})")
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
