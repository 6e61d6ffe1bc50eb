#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The cases of bench/microbatch.cc in Spark: clicks.py CASE FOLDER REPETITIONS (see ./run).

CPU seconds are those of the JVM alone, while the query runs: neither its start nor Python counts.
"""

import glob
import json
import os
import shutil
import sys
import tempfile
import time

from pyspark.sql import SparkSession, functions as F

SCHEMA = "user_id BIGINT, url STRING, ts BIGINT"
ROWS_OF_A_SMALL_BATCH = 100
MASK = (1 << 64) - 1


class Spark:
    def __init__(self, work):
        jar = os.environ["TIDEGATE_SPARK_JAR"]
        settings = {
            "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
            "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": os.environ.get("TIDEGATE_SPARK_HEAP", "2g"),
            "spark.local.dir": work, "spark.log.level": "ERROR",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.shuffle.partitions": "2",
            "spark.sql.streaming.numRecentProgressUpdates": "10000",
            "spark.driver.extraClassPath": jar,
            "spark.hadoop.fs.file.impl": "LocalFiles$OfFileSystem",
            "spark.hadoop.fs.AbstractFileSystem.file.impl": "LocalFiles$OfContext",
        }
        builder = SparkSession.builder.master("local[2]").appName("tidegate-peer")
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()
        self.session.range(1).count()
        self.process = self.session._jvm.java.lang.ProcessHandle.current().pid()

    def cpu_s(self):
        with open(f"/proc/{self.process}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self):
        with open(f"/proc/{self.process}/status") as file:
            return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM"))

    def read(self, folder, files_per_batch):
        reader = self.session.readStream.schema(SCHEMA)
        if files_per_batch:
            reader = reader.option("maxFilesPerTrigger", files_per_batch)
        return reader.json(folder)


def windows(frame):
    return (frame.withColumn("t", F.timestamp_millis("ts")).withWatermark("t", "1 minute")
            .groupBy(F.window("t", "5 minutes"), "url").count()
            .select(F.unix_millis("window.start").alias("start"), "url", "count"))


def answer_of(folder):
    """The number of bench/microbatch.cc."""
    answer = 0
    for path in glob.glob(f"{folder}/*.json"):
        with open(path) as file:
            for row in map(json.loads, file):
                answer += (row["start"] * 0x9E3779B97F4A7C15 & MASK ^
                           int(row["url"].removeprefix("/page")) * 0x100000001B3 & MASK ^
                           row["count"] * 0xC2B2AE3D27D4EB4F & MASK)
    return answer & MASK


def show(**line):
    print(json.dumps({"bench": "microbatch", **line}, separators=(",", ":")), flush=True)


def catch_up(spark, case, folder, work):
    """One repetition of a query over all files of a folder."""
    frame = spark.read(folder, None if case == "available-now" else 1)
    if case in ("available-now", "file-by-file"):
        writer = windows(frame).writeStream.format("json").option("path", f"{work}/out")
    else:
        writer = frame.groupBy("url").count().writeStream.format("noop").outputMode(case)
    began, cpu = time.monotonic(), spark.cpu_s()
    query = writer.option("checkpointLocation", f"{work}/state").trigger(availableNow=True).start()
    query.awaitTermination()
    cpu, wall = spark.cpu_s() - cpu, time.monotonic() - began
    events = sum(progress["numInputRows"] for progress in query.recentProgress)
    answer = {"answer": f"{answer_of(work + '/out'):016x}"} if os.path.exists(f"{work}/out") else {}
    show(case=f"spark-{case}", events=events, cpu_s=round(cpu, 2), wall_s=round(wall, 2),
         events_per_cpu_s=round(events / cpu), rss_mib=round(spark.rss_mib()),
         batches=len(query.recentProgress), **answer)


def put_small_file(folder, number):
    part = f"{folder}/.part{number}"
    with open(part, "w") as out:
        for i in range(ROWS_OF_A_SMALL_BATCH):
            out.write(f'{{"user_id":{i},"url":"/page{i}","ts":{1_700_000_000_000 + i}}}\n')
    os.rename(part, f"{folder}/{100_000 + number}.json")


def small_batches(spark, batches, work):
    """The first quarter warms up. Event time stands still, so that no batch without data follows."""
    os.mkdir(f"{work}/in")
    query = (windows(spark.read(f"{work}/in", None)).writeStream.format("noop").outputMode("update")
             .option("checkpointLocation", f"{work}/state").start())
    first = batches // 4
    for number in range(batches):
        if number == first:
            cpu = spark.cpu_s()
        put_small_file(f"{work}/in", number)
        query.processAllAvailable()
    cpu_ms = (spark.cpu_s() - cpu) * 1e3 / (batches - first)
    took = [progress["durationMs"]["triggerExecution"] for progress in query.recentProgress
            if progress["numInputRows"] > 0][first:]
    query.stop()
    took.sort()
    show(case="spark-small-batch", batches=len(took), p50_ms=took[len(took) // 2],
         p99_ms=took[len(took) * 99 // 100], cpu_ms=round(cpu_ms, 1), rss_mib=round(spark.rss_mib()))


def main():
    case, folder, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="tidegate-spark-") as work:
        spark = Spark(work)
        for repetition in range(1 if case == "small-batch" else number):
            own = f"{work}/{repetition}"
            os.mkdir(own)
            if case == "small-batch":
                small_batches(spark, number, own)
            else:
                catch_up(spark, case, folder, own)
            shutil.rmtree(own)
        spark.session.stop()


if __name__ == "__main__":
    main()
