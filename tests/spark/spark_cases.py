#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs cases of Spark Structured Streaming, as data, in micro-batches of Tidegate.

    spark_cases FOLDER [--json] [--jobs N] [--only ID] [--verbose]

Each case is a JSON file: a pipeline, what is put in front of it step by step, and the batches that
Spark made of that (id, watermark, rows), or what it refused. The pipeline becomes SQL (spark_sql.py)
and runs with watermark.rule=per-batch; the batches must be the same ones, with the same rows.

pass: as Spark; differs: not; unsupported: the case says something that the driver cannot say in SQL.
"""

import argparse
import collections
import concurrent.futures
import datetime
import glob
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from spark_sql import Refused, Translator, Unsupported  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = 120
EPOCH = datetime.datetime(1970, 1, 1)
MOMENT = re.compile(r"^-?\d{4,}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?$")

# Which of Spark's error classes (or words) an error of ours stands for.
CLASSES = [
    (r"without a watermark in its keys", "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"),
    (r"without an aggregation", "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"),
    (r"of sessions is not supported", "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"),
    (r"to files is not supported", "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE"),
    (r"a window over rows", "NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING"),
    (r"(BIGINT|STRING|INT).*(watermark|row-time|time attribute)|WATERMARK.*(BIGINT|TIMESTAMP)",
     "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE"),
]


class Failed(Exception):
    """The query ended with an error."""


class Query:
    """A process that runs one query; a new one for each start."""

    def __init__(self, options):
        program = os.environ.get("SPARK_QUERY") or os.path.join(HERE, "spark_query")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        for name, value in options.items():
            self.process.stdin.write(f"set {name} {value}\n".encode())

    def start(self, script):
        data = script.encode()
        return self.ask(f"start {len(data)}\n".encode() + data)

    def ask(self, command):
        if isinstance(command, str):
            command = command.encode() + b"\n"
        self.process.stdin.write(command)
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], TIMEOUT_S)[0]:
            self.close()
            raise Failed(f"no answer within {TIMEOUT_S} s")
        line = self.process.stdout.readline()
        if not line:
            raise Failed(f"the query's process ended with {self.process.wait()}")
        answer = json.loads(line)
        return answer.get("batches", []), answer.get("error")

    def close(self):
        self.process.kill()
        self.process.wait()


def moment_text(ms):
    return (EPOCH + datetime.timedelta(milliseconds=ms)).isoformat(sep=" ", timespec="milliseconds")


def moment_ms(text):
    text = text.rstrip("Z").replace("T", " ")
    main, _, fraction = text.partition(".")
    if main.count(":") == 1:
        main += ":00"
    moment = datetime.datetime.strptime(main, "%Y-%m-%d %H:%M:%S")
    return int((moment - EPOCH) / datetime.timedelta(seconds=1)) * 1000 + int((fraction + "000")[:3])


def plain(value):
    """A value of a result as the cases write it: times in ms."""
    if isinstance(value, str) and MOMENT.match(value):
        return moment_ms(value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def row_of(row, columns):
    out = {}
    for name, column in columns.items():
        if column.window:
            start, end = row.get(name + "__start"), row.get(name + "__end")
            out[name] = None if start is None else {"start": plain(start), "end": plain(end)}
        else:
            out[name] = plain(row.get(name))
    return out


def comparable(value):
    if isinstance(value, float):
        return round(value, 9) if value != int(value) else int(value)
    if isinstance(value, dict):
        return {key: comparable(each) for key, each in sorted(value.items())}
    if isinstance(value, list):
        return [comparable(each) for each in value]
    return value


def canonical(row):
    return json.dumps(comparable(row), sort_keys=True)


class Run:
    def __init__(self, case, folder):
        self.case = dict(case)
        self.folder = folder
        self.query = None
        self.files = collections.Counter()
        self.clock = 1_600_000_000
        self.batches = []  # (step, batch)
        self.columns = {}
        self.error = None

    def path(self, source):
        path = os.path.join(self.folder, "in", source)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, source, rows):
        self.files[source] += 1
        self.clock += 1
        path = os.path.join(self.path(source), f"{self.files[source]:06}.json")
        hidden = os.path.join(self.path(source), f".{self.files[source]:06}")
        with open(hidden, "w") as out:
            for row in rows:
                row = dict(row)
                if "t" in row and "ts" not in row:
                    row["ts"] = None if row["t"] is None else moment_text(row["t"])
                out.write(json.dumps(row) + "\n")
        os.utime(hidden, (self.clock, self.clock))
        os.rename(hidden, path)

    def options(self):
        case = self.case
        conf = {**(case.get("options") or {}), **(case.get("conf") or {})}
        out = {"checkpoint": os.path.join(self.folder, "checkpoint"),
               "output-mode": case.get("mode") or "append", "watermark.rule": "per-batch"}
        trigger = case.get("trigger") or {}
        if isinstance(trigger, str):
            trigger = {trigger: True}
        for name, value in trigger.items():
            low = name.lower().replace("_", "")
            if low == "availablenow":
                out["trigger"] = "available-now"
            elif low == "once":
                out["trigger"] = "once"
            elif low == "continuous":
                out["trigger"] = "continuous"
        for name, value in conf.items():
            low = name.lower()
            if low == "maxfilespertrigger":
                out["max-files"] = value
            elif low.endswith("nodatamicrobatches.enabled"):
                out["microbatch.no-data-batches"] = str(value).lower()
            elif low.endswith("multiplewatermarkpolicy"):
                out["watermark.policy"] = str(value).lower()
            elif low.endswith("session.timezone"):
                pass  # windows of days are aligned to UTC whatever the zone
            elif low == "trigger":
                pass
        sink = case.get("sink") or case.get("format")
        name = sink.get("format", sink.get("kind", "")) if isinstance(sink, dict) else str(sink or "")
        if any(word in name.lower() for word in ("file", "parquet", "json", "csv")):
            out["connector"] = "filesystem"
        return out

    def start(self, fails=False):
        translator = Translator(self.case)
        for ops in self.case["pipeline"]:
            if ops["op"].lower() == "source":
                self.path(ops.get("name", "in"))
        for source in self.case.get("sources", ["in"]):
            self.path(source)
        paths = collections.defaultdict(str)
        for source in set(self.case.get("sources", [])) | {"in"} | {f"static_{i}" for i in range(9)}:
            paths[source] = os.path.join(self.folder, "in", source)
        script, self.columns = translator.script(paths, 50)
        for name, (_, rows) in translator.statics.items():
            if not self.files[name]:
                self.write(name, rows)
        self.script = script
        options = self.options()
        if fails:
            options["failing-sink"] = "true"
        self.query = Query(options)
        self.ends_itself = options.get("trigger") in ("available-now", "once")
        self.take(*self.query.start(script))

    def take(self, batches, error):
        for batch in batches:
            batch["step"] = self.step
            batch["rows"] = [row_of(row, self.columns) for row in batch["rows"]]
            self.batches.append(batch)
        if error:
            self.stop()
            raise Failed(error)

    def process(self):
        if self.ends_itself:
            self.take(*self.query.ask("await"))
            self.stop()
        else:
            self.take(*self.query.ask("process"))

    def stop(self):
        if self.query is None:
            return
        query, self.query = self.query, None
        try:
            query.ask("stop")
        except (Failed, BrokenPipeError):
            pass
        query.close()

    def lose_commits(self, count):
        """The word that the newest batches have committed is not there."""
        root = os.path.join(self.folder, "checkpoint")
        commits = [path for path in glob.glob(os.path.join(root, "**", "commits", "*"), recursive=True)
                   if os.path.basename(path).isdigit()]
        if not commits:
            raise Unsupported("no log of commits")
        for path in sorted(commits, key=lambda path: int(os.path.basename(path)))[-count:]:
            os.remove(path)

    def steps(self):
        for self.step, step in enumerate(self.case.get("steps") or [{}]):
            if step.get("stop") or step.get("restart"):
                self.stop()
            lost = step.get("delete_last_commits") or step.get("delete_last_commit")
            if lost:
                self.lose_commits(1 if lost is True else int(lost))
            for key in ("pipeline", "mode", "options", "conf", "trigger"):
                if key in step:
                    self.stop()
                    self.case[key] = step[key]
            for source, rows in (step.get("add") or {}).items():
                self.write(source, rows)
            for source, files in (step.get("add_files") or {}).items():
                for rows in files:
                    self.write(source, rows)
            if step.get("stop") and step.get("start") is None and not step.get("add"):
                continue
            fails = [key for key in step if "fail" in key and step[key]]
            if fails:
                self.stop()
            if self.query is None and step.get("start") is not False:
                self.start(fails=bool(fails))
            try:
                if self.query is not None:
                    self.process()
            except Failed:
                if not fails:
                    raise

    def run(self):
        try:
            self.steps()
        except (Failed, Refused) as failure:
            self.error = str(failure)
        finally:
            self.stop()


def expected_error(case):
    for part in [case] + (case.get("steps") or []) + (case.get("batches") or []):
        for key, value in part.items():
            if re.search(r"error|refus|exception|expect_fail", key, re.I) and value:
                return value
    return True if not case.get("batches") else None


def class_of(message):
    for pattern, name in CLASSES:
        if re.search(pattern, message):
            return name
    return None


def judge_error(expected, message):
    if message is None:
        return "differs", "Spark refuses it, and it ran"
    text = json.dumps(expected)
    ours = class_of(message)
    known = [name for _, name in CLASSES if name in text]
    if ours and known and ours not in known:
        return "differs", f"Spark says {known[0]}, we mean {ours}: {message}"
    return "pass", message.split("\n")[0]


def judge_batches(case, run):
    expected = case["batches"]
    for i, want in enumerate(expected):
        if i >= len(run.batches):
            return f"batch {want['batch']} (step {want.get('step')}) is missing" + (
                f": {run.error}" if run.error else "")
        got = run.batches[i]
        where = f"batch {want['batch']} (step {want.get('step')})"
        if got["batch"] != want["batch"] or got["step"] != want.get("step", got["step"]):
            return f"{where}: batch {got['batch']} of step {got['step']} is there instead"
        # A batch that was only told to its sink once more has none.
        mark = want.get("watermark") if "watermark" in got else None
        if mark is not None and got["watermark"] != mark and not (mark == 0 and not got["watermark"]):
            return f"{where}: watermark {got['watermark']}, not {mark}"
        have = [canonical(row) for row in got["rows"]]
        wish = [canonical(row) for row in want.get("rows") or []]
        if not want.get("ordered"):
            have.sort()
            wish.sort()
        if have != wish:
            extra = list((collections.Counter(have) - collections.Counter(wish)).elements())
            gone = list((collections.Counter(wish) - collections.Counter(have)).elements())
            return f"{where}: too many {extra[:3]}, missing {gone[:3]}" if extra or gone else (
                f"{where}: in another order")
    if len(run.batches) > len(expected):
        more = run.batches[len(expected)]
        return f"batch {more['batch']} in step {more['step']} is one too many"
    if run.error:
        return f"ended with {run.error}"
    return None


def judge(path, verbose=False):
    with open(path) as file:
        case = json.load(file)
    name = case.get("id") or os.path.splitext(os.path.basename(path))[0]
    folder = tempfile.mkdtemp(prefix="spark-case-")
    run = None
    try:
        run = Run(case, folder)
        error = expected_error(case)
        try:
            run.run()
        except Unsupported as missing:
            return {"id": name, "result": "unsupported", "why": str(missing)}
        if error is not None:
            result, why = judge_error(error, run.error)
            return {"id": name, "result": result, "why": why}
        why = judge_batches(case, run)
        return {"id": name, "result": "differs" if why else "pass", "why": why or ""}
    except Exception as failure:  # a case in a form that is not known
        return {"id": name, "result": "unsupported", "why": f"{type(failure).__name__}: {failure}"}
    finally:
        if verbose and run is not None:
            print(getattr(run, "script", ""), file=sys.stderr)
            for batch in run.batches:
                print("  step", batch["step"], "batch", batch["batch"], "watermark",
                      batch.get("watermark"), batch["rows"], file=sys.stderr)
            print("  error:", run.error, file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--json", action="store_true", help="one JSON array on standard output")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--only", default="", help="cases whose id holds this")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    paths = sorted(path for path in glob.glob(os.path.join(arguments.folder, "*.json"))
                   if arguments.only in os.path.basename(path))
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(lambda path: judge(path, arguments.verbose), paths))
    if arguments.json:
        print(json.dumps(results))
    else:
        for result in results:
            print(f"{result['result']:12} {result['id']:40} {result['why']}")
        print(dict(collections.Counter(result["result"] for result in results)))
    return 0 if all(result["result"] == "pass" for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
