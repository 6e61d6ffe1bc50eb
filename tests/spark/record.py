#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what Spark makes of cases: python record.py OUT CASE.json... (needs pyspark and Java).

Each case is written to the folder OUT with "batches", or with "error" when Spark refuses it.
"""

import datetime
import glob
import json
import os
import re
import shutil
import sys
import tempfile

from pyspark.sql import SparkSession, functions as F

EPOCH = datetime.datetime(1970, 1, 1)


def session():
    spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
             .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
             .config("spark.sql.shuffle.partitions", "1")
             .config("spark.sql.session.timeZone", "UTC").config("spark.log.level", "OFF").config("spark.ui.showConsoleProgress", "false")
             .config("spark.sql.streaming.numRecentProgressUpdates", "10000").getOrCreate())
    spark.range(1).count()
    return spark


def plain(value):
    if isinstance(value, datetime.datetime):
        return int((value - EPOCH) / datetime.timedelta(milliseconds=1))
    if isinstance(value, (list, tuple)) and not hasattr(value, "asDict"):
        return [plain(each) for each in value]
    if hasattr(value, "asDict"):
        return {key: plain(each) for key, each in zip(value.__fields__, value)}
    if isinstance(value, (datetime.date,)) or type(value).__name__ == "Decimal":
        return str(value)
    return value


def step(state, held, record):
    """A row is added to the variables of a group."""
    out = {}
    for name, kind in state.items():
        what, _, column = kind.partition(" ")
        value = record.get(column)
        if hasattr(value, "timestamp"):
            value = value.value // 1_000_000
        old = held[name] if held else None
        if what == "count":
            out[name] = (old or 0) + 1
        elif what == "sum":
            out[name] = (old or 0) + int(value)
        elif old is None or what == "last":
            out[name] = int(value)
        else:
            out[name] = {"max": max, "min": min}[what](old, int(value))
    return out


def output_of(op):
    return ", ".join(f"{name} " + ("BIGINT" if name in op["state"] else
                                   "BOOLEAN" if name == "timed_out" else "STRING")
                     for name in op["emit"])


class Sink:
    def __init__(self):
        self.rows = {}
        self.fails = False

    def __call__(self, frame, batch):
        rows = [plain(row) for row in frame.collect()]
        if self.fails:
            raise ValueError("the sink fails, as it was told to")
        self.rows[batch] = rows


class Recorder:
    def __init__(self, spark, case):
        self.spark, self.case = spark, dict(case)
        self.folder = tempfile.mkdtemp(prefix="spark-record-")
        self.files, self.query, self.sink, self.seen = {}, None, Sink(), set()
        self.batches, self.clock, self.hidden = [], 1_600_000_000, []

    def source(self, name, schema):
        path = os.path.join(self.folder, "in", name)
        os.makedirs(path, exist_ok=True)
        reader = self.spark.readStream.schema(schema)
        for key, value in (self.case.get("options") or {}).items():
            reader = reader.option(key, value)
        frame = reader.json(path)
        if "t" in frame.columns and "ts" not in frame.columns:
            frame = frame.withColumn("ts", F.timestamp_millis("t"))
        return frame

    def frame(self, ops):
        frame, grouped = None, None
        for op in ops:
            frame = getattr(self, "op_" + op["op"])(frame, op)
        return frame

    def op_source(self, _, op):
        return self.source(op["name"], op.get("schema") or self.case["schema"])

    def op_static(self, _, op):
        return self.spark.createDataFrame([tuple(row.values()) for row in op["rows"]],
                                          list(op["rows"][0]))

    def op_watermark(self, frame, op):
        return frame.withWatermark(op["col"], op["delay"])

    def op_select(self, frame, op):
        return frame.selectExpr(*op["exprs"])

    def op_filter(self, frame, op):
        return frame.where(op["cond"])

    def op_with_column(self, frame, op):
        return frame.withColumn(op["name"], F.expr(op["expr"]))

    def op_group(self, frame, op):
        return frame.groupBy(*[F.expr(by) for by in op["by"]]).agg(*[F.expr(a) for a in op["aggs"]])

    def op_dedup(self, frame, op):
        return frame.dropDuplicates(op["cols"]) if op.get("cols") else frame.dropDuplicates()

    def op_distinct(self, frame, op):
        return frame.distinct()

    def op_dedup_wm(self, frame, op):
        return frame.dropDuplicatesWithinWatermark(op["cols"])

    def op_join(self, frame, op):
        on = op.get("on")
        return frame.join(self.frame(op["right"]), F.expr(on) if isinstance(on, str) else on,
                          op.get("how", "inner"))

    def op_union(self, frame, op):
        return frame.union(self.frame(op["right"]))

    def op_intersect(self, frame, op):
        return frame.intersect(self.frame(op["right"]))

    def op_except(self, frame, op):
        return frame.exceptAll(self.frame(op["right"])) if op.get("all") else (
            frame.subtract(self.frame(op["right"])))

    def op_limit(self, frame, op):
        return frame.limit(op["n"])

    def op_sort(self, frame, op):
        return frame.orderBy(*[F.expr(by[:-5]).desc() if by.endswith(" desc") else F.expr(by)
                               for by in op["by"]])

    def op_group_state(self, frame, op):
        """The words of spark_sql.py's with_state()."""
        import pandas
        state, gap = op["state"], op.get("timeout")
        timeout_ms = int(gap.split()[0]) * 1000 if gap else None

        def update(key, frames, group):
            held = dict(zip(state, group.get)) if group.exists else None
            if group.hasTimedOut:
                row = {**dict(zip(op["by"], key)), **held, "timed_out": True}
                if op.get("clears", True):
                    group.remove()
                if op.get("emits", "both") != "rows":
                    yield pandas.DataFrame([row])[op["emit"]]
                return
            for frame in frames:
                for record in frame.to_dict("records"):
                    held = step(state, held, record)
            group.update(tuple(held.values()))
            if gap:
                group.setTimeoutTimestamp(int(held[op["from"]]) + timeout_ms)
            if op.get("emits", "both") != "timeouts":
                row = {**dict(zip(op["by"], key)), **held, "timed_out": False}
                yield pandas.DataFrame([row])[op["emit"]]

        return frame.groupBy(*op["by"]).applyInPandasWithState(
            update, output_of(op), ", ".join(f"{name} BIGINT" for name in state),
            self.case["mode"], "EventTimeTimeout" if gap else "NoTimeout")

    def op_state_processor(self, frame, op):
        import pandas
        from pyspark.sql.streaming import StatefulProcessor
        state, gap = op["state"], op.get("timeout")
        timeout_ms = int(gap.split()[0]) * 1000 if gap else None

        class Processor(StatefulProcessor):
            def init(self, handle):
                self.handle = handle
                self.held = handle.getValueState("held", ", ".join(f"{n} BIGINT" for n in state))

            def handleInputRows(self, key, rows, timers):
                held = dict(zip(state, self.held.get())) if self.held.exists() else None
                for frame in rows:
                    for record in frame.to_dict("records"):
                        held = step(state, held, record)
                self.held.update(tuple(held.values()))
                if gap:
                    for old in list(self.handle.listTimers()):
                        self.handle.deleteTimer(old)
                    self.handle.registerTimer(int(held[op["from"]]) + timeout_ms)
                if op.get("emits", "both") != "timeouts":
                    row = {**dict(zip(op["by"], key)), **held, "timed_out": False}
                    yield pandas.DataFrame([row])[op["emit"]]

            def handleExpiredTimer(self, key, timers, expired):
                held = dict(zip(state, self.held.get()))
                row = {**dict(zip(op["by"], key)), **held, "timed_out": True}
                if op.get("clears", True):
                    self.held.clear()
                if op.get("emits", "both") != "rows":
                    yield pandas.DataFrame([row])[op["emit"]]

            def close(self):
                pass

        return frame.groupBy(*op["by"]).transformWithStateInPandas(
            Processor(), output_of(op), self.case["mode"], "EventTime" if gap else "None")

    def write(self, source, rows):
        path = os.path.join(self.folder, "in", source)
        os.makedirs(path, exist_ok=True)
        self.files[source] = self.files.get(source, 0) + 1
        self.clock += 1
        hidden = os.path.join(path, f".{self.files[source]:06}")
        with open(hidden, "w") as out:
            for row in rows:
                out.write(json.dumps(row) + "\n")
        os.utime(hidden, (self.clock, self.clock))
        self.hidden.append((hidden, os.path.join(path, f"{self.files[source]:06}.json")))

    def show(self):
        """What was written appears at once, so that one batch finds all of it (nearly always)."""
        for hidden, path in self.hidden:
            os.rename(hidden, path)
        self.hidden = []

    def start(self):
        for name, value in (self.case.get("conf") or {}).items():
            self.spark.conf.set(name, value)
        frame = self.frame(self.case["pipeline"])
        kind = self.case.get("sink")
        writer = frame.writeStream.outputMode(self.case["mode"]).option(
            "checkpointLocation", os.path.join(self.folder, "checkpoint"))
        if kind:
            writer = writer.format(kind).option("path", os.path.join(self.folder, "out"))
            if kind == "memory":
                writer = writer.queryName("m")
        else:
            writer = writer.foreachBatch(self.sink)
        trigger = self.case.get("trigger")
        if trigger:
            writer = writer.trigger(**trigger)
        self.query, self.seen = writer.start(), set()

    def collect(self, step):
        for progress in self.query.recentProgress:
            progress = json.loads(progress.json)
            batch = progress["batchId"]
            if batch in self.seen or batch not in self.sink.rows and not self.case.get("sink"):
                continue
            self.seen.add(batch)
            made = {"step": step, "batch": batch, "input_rows": progress["numInputRows"]}
            if len(progress["sources"]) > 1:
                made["input_rows_by_source"] = [s["numInputRows"] for s in progress["sources"]]
            mark = progress.get("eventTime", {}).get("watermark")
            if mark:
                made["watermark"] = plain(datetime.datetime.fromisoformat(mark.rstrip("Z")))
            made["rows"] = self.sink.rows.pop(batch, [])
            state = [{"op": s["operatorName"], "total": s["numRowsTotal"],
                      "updated": s["numRowsUpdated"], "removed": s["numRowsRemoved"],
                      "dropped": s["numRowsDroppedByWatermark"]} for s in progress["stateOperators"]]
            if state:
                made["state"] = state
            if self.case.get("ordered"):
                made["ordered"] = True
            self.batches.append(made)

    def stop(self):
        if self.query:
            self.query.stop()
            self.query = None

    def run(self):
        ends = any(key in (self.case.get("trigger") or {}) for key in ("availableNow", "once"))
        for number, step in enumerate(self.case["steps"]):
            if step.get("stop"):
                self.stop()
            for key, log in (("delete_last_commits", "commits"), ("delete_last_offsets", "offsets")):
                if step.get(key):
                    logs = glob.glob(os.path.join(self.folder, "checkpoint", log, "[0-9]*"))
                    last = max(logs, key=lambda path: int(os.path.basename(path)))
                    os.remove(last)
                    crc = os.path.join(os.path.dirname(last), f".{os.path.basename(last)}.crc")
                    if os.path.exists(crc):
                        os.remove(crc)
            for key in ("pipeline", "mode", "options", "conf", "trigger"):
                if key in step:
                    self.case[key] = step[key]
            self.sink.fails = bool(step.get("fail_sink"))
            for source, rows in (step.get("add") or {}).items():
                self.write(source, rows)
            self.show()
            for source, files in (step.get("add_files") or {}).items():
                for rows in files:
                    self.write(source, rows)
            self.show()
            if step.get("start") is False:
                continue
            try:
                if self.query is None:
                    self.start()
                self.query.awaitTermination() if ends else self.query.processAllAvailable()
                self.collect(number)
                if ends:
                    self.stop()
            except Exception as failure:
                if not self.sink.fails:
                    raise
                self.collect(number)
                self.stop()

    def record(self):
        out = dict(self.case_as_given())
        for key in ("error", "batches"):
            out.pop(key, None)
        confs = set(self.case.get("conf") or {})
        try:
            self.run()
        except Exception as failure:
            out["error"] = describe(failure)
        finally:
            try:
                self.stop()
            except Exception:
                pass
            for name in confs | set(self.case.get("conf") or {}):
                self.spark.conf.unset(name)
            shutil.rmtree(self.folder, ignore_errors=True)
        if self.batches or "error" not in out:
            out["batches"] = self.batches
        out["spark"] = self.spark.version
        return out

    def case_as_given(self):
        return self.given

    given = None


def describe(failure):
    text = str(getattr(failure, "desc", None) or failure)
    name = re.search(r"\[([A-Z_][A-Z_0-9.]+)\]", text)
    kind = getattr(failure, "getCondition", lambda: None)() or getattr(
        failure, "getErrorClass", lambda: None)()
    return {"class": kind or (name.group(1) if name else type(failure).__name__),
            "message": text.split("\n")[0][:400], "full": text[:1500]}


def written(case):
    """One line a step and a batch."""
    lines = []
    for key, value in case.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            body = ",\n".join("  " + json.dumps(each) for each in value)
            lines.append(f' "{key}": [\n{body}\n ]')
        else:
            lines.append(f' "{key}": {json.dumps(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def main():
    spark = session()
    os.makedirs(sys.argv[1], exist_ok=True)
    for path in sys.argv[2:]:
        with open(path) as file:
            case = json.load(file)
        recorder = Recorder(spark, case)
        recorder.given = case
        made = recorder.record()
        with open(os.path.join(sys.argv[1], os.path.basename(path)), "w") as file:
            file.write(written(made))
        print(os.path.basename(path), len(made.get("batches", [])),
              made.get("error", {}).get("message", ""), flush=True)


if __name__ == "__main__":
    main()
