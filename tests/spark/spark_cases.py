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
from spark_judge import error_in, is_error_key, judge_run  # noqa: E402
from spark_sql import Refused, Translator, Unsupported, is_pipeline  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT_S = 120
EPOCH = datetime.datetime(1970, 1, 1)
MOMENT = re.compile(r"^-?\d{4,}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?$")

OPTIONS = {"maxfilespertrigger", "latestfirst", "path", "checkpointlocation", "filenameonly"}
CONFS = (r"nodatamicrobatches\.enabled|multiplewatermarkpolicy|session\.timezone|shuffle\.partitions|"
         r"allowmultiple|statestore\.\w+|minbatchestoretain|pollingdelay|ansi\.enabled|"
         r"adaptive\.|stateformatversion|forcedeletetempcheckpoint|checkpoint\.|rocksdb|metricsenabled")
STEPS = {"add", "add_files", "stop", "start", "restart", "pipeline", "mode", "options", "conf",
         "trigger", "rule", "note", "comment", "why", "what", "error", "await", "sources", "schema"}


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


def dict_of(value):
    return value if isinstance(value, dict) else {}


def delayed(ops, delay):
    """The pipeline with another delay of its watermarks."""
    return [{**op, **({"delay": delay} if "delay" in op else {}),
             **({"right": delayed(op["right"], delay)} if is_pipeline(op.get("right")) else {})}
            for op in ops]


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
        self.errors = {}  # by step
        # The number of a batch whose sink fails when it comes for the first time.
        self.fails_once = next((value for key, value in {**case, **dict_of(case.get("sink"))}.items()
                                if "fail" in key and not is_error_key(key) and value), None)

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
        if any("offset" in key for step in case.get("steps") or [] for key in step):
            out["state.checkpoints.num-retained"] = "2"
            out["state.checkpoints.allow-older"] = "true"
        trigger = case.get("trigger") or {}
        if isinstance(trigger, str):
            trigger = {trigger: True}
        for name, value in trigger.items():
            low = re.sub(r"[_-]", "", name.lower())
            if low in ("availablenow", "once", "continuous"):
                out["trigger"] = "available-now" if low == "availablenow" else low
            elif low not in ("processingtime", "interval"):
                raise Unsupported(f"trigger {name}")
        for name, value in conf.items():
            low = name.lower()
            if low == "maxfilespertrigger":
                out["max-files"] = value
            elif low.endswith("nodatamicrobatches.enabled"):
                out["microbatch.no-data-batches"] = str(value).lower()
            elif low.endswith("multiplewatermarkpolicy"):
                out["watermark.policy"] = str(value).lower()
            elif low == "latestfirst" and str(value).lower() != "false":
                raise Unsupported(f"option {name}")
            elif low not in OPTIONS and not re.search(CONFS, low):
                raise Unsupported(f"option or setting {name}")
        sink = case.get("sink") or case.get("format")
        name = sink.get("format", sink.get("kind", "")) if isinstance(sink, dict) else str(sink or "")
        if any(word in name.lower() for word in ("file", "parquet", "json", "csv")):
            out["connector"] = "filesystem"
        return out

    def start(self, fails=None):
        translator = Translator(self.case)
        for ops in self.case["pipeline"]:
            if ops["op"].lower() == "source":
                self.path(ops.get("name", "in"))
        for source in self.case.get("sources", ["in"]):
            self.path(source)
        paths = collections.defaultdict(str)
        for source in set(self.case.get("sources", [])) | {"in"} | {f"static_{i}" for i in range(9)}:
            paths[source] = os.path.join(self.folder, "in", source)
        # Only process() looks for new files, so that those of a step come together.
        script, self.columns = translator.script(paths, 3_600_000)
        for name, (_, rows) in translator.statics.items():
            if not self.files[name]:
                self.write(name, rows)
        self.script = script
        options = self.options()
        if fails is not None:
            # In the batch of this number, or as soon as there is a row.
            options["failing-sink"] = "true" if fails is True or not isinstance(fails, int) else fails
        if translator.state_function:
            options["state-function"] = json.dumps(translator.state_function)
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

    def lose(self, log, count):
        """The newest files of a log ("commits": the word that a batch has committed) are not there."""
        root = os.path.join(self.folder, "checkpoint")
        found = [path for path in glob.glob(os.path.join(root, "**", log, "*"), recursive=True)
                 if os.path.basename(path).isdigit()]
        if not found:
            raise Unsupported(f"no log of {log}")
        for path in sorted(found, key=lambda path: int(os.path.basename(path)))[-count:]:
            os.remove(path)
        if log == "offsets":
            # Nothing is to be known of the batch: here its record says most.
            records = glob.glob(os.path.join(root, "**", "manifest-*"), recursive=True)
            for path in sorted(records)[-count:]:
                os.remove(path)

    def lose_state(self):
        """All but the logs of batches is gone."""
        root = os.path.join(self.folder, "checkpoint")
        for path in glob.glob(os.path.join(root, "*")):
            if os.path.basename(path) == "batches":
                continue
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)

    def change(self, step):
        """What is lost or said anew before a start."""
        for key, value in step.items():
            loses = re.match(r"(delete|remove|lose|drop)_", key)
            if loses and value:
                count = 1 if value is True else int(value) if isinstance(value, int) else 1
                if "commit" in key or "offset" in key:
                    for log in ("commits", "offsets"):
                        if log[:-1] in key:
                            self.lose(log, count)
                elif "state" in key:
                    self.lose_state()
                else:
                    raise Unsupported(f"step {key}")
            elif key == "delay" or key.endswith("_delay"):
                self.stop()
                self.case["pipeline"] = delayed(self.case["pipeline"], value)
            elif is_pipeline(value) and all("op" in op for op in value):
                self.stop()
                self.case["pipeline"] = value
            elif isinstance(value, str) and is_pipeline(self.case.get(value)):
                self.stop()
                self.case["pipeline"] = self.case[value]
            elif isinstance(value, dict) and key not in ("add", "add_files", "options", "conf",
                                                         "trigger") and not is_error_key(key):
                unknown = set(value) - {"pipeline", "mode", "options", "conf", "trigger", "sink"}
                if unknown:
                    raise Unsupported(f"step {key}: {', '.join(sorted(unknown))}")
                self.stop()
                self.case.update(value)
            elif key in ("pipeline", "mode", "options", "conf", "trigger"):
                self.stop()
                self.case[key] = value
            elif key not in STEPS and not re.search(r"fail", key) and not is_error_key(key) and value:
                raise Unsupported(f"step {key}")

    def steps(self):
        steps = self.case.get("steps") or [{}]
        for self.step, step in enumerate(steps):
            if step.get("stop") or step.get("restart"):
                self.stop()
            self.change(step)
            for source, rows in (step.get("add") or {}).items():
                self.write(source, rows)
            for source, files in (step.get("add_files") or {}).items():
                for rows in files:
                    self.write(source, rows)
            if step.get("stop") and step.get("start") is None and not step.get("add"):
                continue
            fails = next((value for key, value in step.items()
                          if "fail" in key and not is_error_key(key) and value), None)
            if fails is not None:
                self.stop()
            try:
                if self.query is None and step.get("start") is not False:
                    self.start(fails if fails is not None else self.fails_once)
                if self.query is not None:
                    self.process()
            except (Failed, Refused) as failure:
                self.errors[self.step] = str(failure)
                if fails is None and self.fails_once is None and error_in(step) is None:
                    raise
                self.fails_once = None

    def run(self):
        try:
            self.steps()
        except (Failed, Refused) as failure:
            self.error = str(failure)
        finally:
            self.stop()


def judge(path, verbose=False):
    with open(path) as file:
        case = json.load(file)
    name = case.get("id") or os.path.splitext(os.path.basename(path))[0]
    folder = tempfile.mkdtemp(prefix="spark-case-")
    run = None
    try:
        run = Run(case, folder)
        try:
            run.run()
        except Unsupported as missing:
            return {"id": name, "result": "unsupported", "why": str(missing)}
        result, why = judge_run(case, run)
        return {"id": name, "result": result, "why": why}
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
