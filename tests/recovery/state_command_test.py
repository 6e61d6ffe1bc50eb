#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks into a savepoint and a checkpoint folder with `tidegate state`."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ENGINE = str(Path(os.environ.get("TIDEGATE_BUILD", "build")).resolve() / "tidegate")
JOB = """
CREATE TABLE clicks (url STRING, user_id INT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
WITH ('connector' = 'filesystem', 'path' = 'in', 'format' = 'json');
CREATE TABLE counts (ws TIMESTAMP(3), url STRING, user_id INT, n BIGINT, s BIGINT, a INT, l STRING)
WITH ('connector' = 'filesystem', 'path' = 'out', 'format' = 'json');
INSERT INTO counts
SELECT window_start, url, user_id, COUNT(*) AS n, SUM(user_id) AS s, AVG(user_id) AS a, LISTAGG(url) AS l
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY window_start, window_end, url, user_id;
"""

JOIN = JOB.split("CREATE TABLE counts")[0] + """
SELECT a.url, a.user_id FROM clicks AS a JOIN clicks AS b ON a.url = b.url;
"""


def tidegate(folder, *arguments, code=0):
    done = subprocess.run([ENGINE, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode != code:
        sys.exit(f"{arguments}: exit code {done.returncode}: {done.stderr}")
    return done.stdout if code == 0 else done.stderr


def rows(folder, *arguments):
    text = tidegate(folder, "state", *arguments, "--output", "json")
    return [json.loads(line) for line in text.splitlines()]


def expect(found, wanted, what):
    if found != wanted:
        sys.exit(f"{what}: {found} instead of {wanted}")


def main():
    with tempfile.TemporaryDirectory(prefix="tidegate-state-") as name:
        folder = Path(name)
        (folder / "in").mkdir()
        with open(folder / "in" / "a.json", "w") as out:
            for url, user, second in (("/a", 7, 1), ("/b", 7, 2), ("/a", 7, 3), ("/a", 7, 12)):
                out.write(json.dumps({"url": url, "user_id": user,
                                      "ts": f"2026-01-01 00:00:{second:02}.000"}) + "\n")
        (folder / "job.sql").write_text(JOB)
        tidegate(folder, "run", "job.sql", "--stop-with-savepoint", "saved", "--checkpoint-dir",
                 "epochs", "--parallelism", "2", "--progress", "none")
        for uri in ("saved", "epochs", "saved/1-insert-into_counts"):
            listed = rows(folder, "list", uri)
            checkpoint = [row for row in listed if "key_groups" in row]
            expect(len(checkpoint), 1, "checkpoints")
            expect(checkpoint[0]["finished"], False, "finished")
            splits = [row for row in listed if "split" in row]
            expect([(Path(row["split"]).name, row["state"]) for row in splits],
                   [("a.json", "ended")], "splits")
            times = {row["watermark"] for row in listed if "subtask" in row}
            if not any(time and time.startswith("2026-01-01 00:00:1") for time in times):
                sys.exit(f"watermarks: {times}")
            tables = [row["table_name"] for row in listed if row.get("row_count") == 1
                      and "table_name" in row]
            expect(len(tables), 1, "tables")
            # The window of the last row is open: counted under its key and the end of the window.
            query = (f"SELECT url, user_id, namespace_time, `COUNT(*)` AS n, `SUM(user_id)` AS s, "
                     f"`AVG(user_id)` AS a, `LISTAGG(url)` AS l FROM {tables[0]}")
            expect(rows(folder, "query", uri, query),
                   [{"url": "/a", "user_id": 7, "namespace_time": "2026-01-01 00:00:20",
                     "n": 1, "s": 7, "a": 7, "l": "/a"}], "query")
            shown = rows(folder, "show", uri, tables[0])
            expect(len(shown), 1, "shown rows")
            expect(rows(folder, "show", uri), shown, "all that is shown")
        (folder / "join.sql").write_text(JOIN)
        tidegate(folder, "run", "join.sql", "--stop-with-savepoint", "joined", "--progress", "none",
                 "--output", "json")
        stored = [{name: row[name] for name in ("url", "user_id") if name in row}
                  for row in rows(folder, "show", "joined")]
        expect(sorted(stored, key=str),
               sorted(3 * [{"url": "/a", "user_id": 7}] + [{"url": "/b", "user_id": 7}] +
                      [{"url": url} for url in ("/a", "/a", "/a", "/b")], key=str), "stored rows")
        said = tidegate(folder, "state", "show", "saved", "nobody", code=3)
        if "nobody" not in said:
            sys.exit(said)
        tidegate(folder, "state", "list", "nowhere", code=1)
        print("savepoint and checkpoint folder: as they are")


if __name__ == "__main__":
    main()
