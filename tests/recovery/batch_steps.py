# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every step of a micro-batch, for campaign.py: the same command goes on, and in the end
there are the same batches with the same rows, nothing lost and nothing twice.

A run is killed at the n-th pass of a failpoint of its step, every third one again while it goes on.
What it publishes is compared batch by batch (a published file says its epoch) with what an undisturbed
run gave, and that with the truth; so are the files that each batch was planned with.
"""

import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from batch_kill_test import batches
from campaign import JOBS, Case, Input, Wrong, published, visible

FILES = 5  # a batch each
# The steps in their order, and the failpoints that stand for each.
STEPS = {
    "plan record": ["microbatch.before-offsets", "microbatch.after-offsets"],
    "run": ["source.poll", "epoch.source-barrier"],
    "prepare next": ["microbatch.prepare-next"],
    "delta": ["epoch.seal"],
    "committable": ["file-sink.create", "file-sink.before-sync", "file-sink.prepare"],
    "epoch record": ["microbatch.before-record", "checkpoint.before-data",
                     "checkpoint.before-manifest", "checkpoint.after-manifest"],
    "sink by batch id": ["epoch.before-publish", "file-sink.before-rename",
                         "file-sink.after-rename"],
    "sink once more": ["epoch.restored.publish"],
    "commit record": ["microbatch.before-commits", "microbatch.after-commits"],
    "base apply": ["state.base.apply", "state.base.applied",
                   "epoch.published"],
    "cleanup": ["blob.remove"],
    "any file": ["file.before-sync", "file.before-rename", "file.after-rename"],
}


def by_batch(job, folder):
    """What each epoch published; of changes, what the table is behind it."""
    epochs = {}
    for path in visible(folder):
        epochs.setdefault(int(path.name.split("-")[1]), []).append(path)
    if job == "totals":
        seen = Counter()
        for epoch in sorted(epochs):
            seen.update(published_files(job, epochs[epoch]))  # += would drop what is below zero
            epochs[epoch] = +seen
        return epochs
    return {epoch: published_files(job, paths) for epoch, paths in epochs.items()}


def published_files(job, paths):
    with tempfile.TemporaryDirectory() as name:
        for number, path in enumerate(paths):
            parent = Path(name) / path.parent.name
            parent.mkdir(exist_ok=True)
            (parent / f"{number:06}").symlink_to(path)
        return published(job, Path(name), folds=False)


class Steps:
    def __init__(self, arguments, folder):
        self.arguments, self.folder = arguments, folder
        self.engine = str(Path(arguments.engine).resolve())
        self.input = Input(folder / "in", arguments.rows, arguments.seed, FILES)
        self.wanted = {job: self.undisturbed(job) for job in sorted(JOBS)}
        self.kills = Counter()
        self.wrong = []

    def undisturbed(self, job):
        run = Run(self, f"undisturbed {job}", "plan record", job, self.folder / job)
        run.make_folder()
        if run.go("") != 0:
            sys.exit(f"{job}, undisturbed: {run.errors}")
        run.case.check(run.folder, f"{job}, undisturbed")
        return by_batch(job, run.folder / "out"), batches(run.folder)

    def play(self, number):
        if self.wrong:
            return
        names = list(STEPS)
        step = names[number % len(names)]
        rng = random.Random(f"{self.arguments.seed}/{number}")
        # Those that have state; those that publish something of each batch.
        jobs = {"delta": ["totals", "windows"], "base apply": ["totals", "windows"],
                "sink once more": ["totals", "copies"]}.get(step, sorted(JOBS))
        run = Run(self, number, step, rng.choice(jobs), self.folder / f"run-{number}")
        point = STEPS[step][number // len(names) % len(STEPS[step])]
        try:
            run.play(point)
            self.kills[step] += run.kills
            shutil.rmtree(run.folder)
        except (Wrong, SystemExit) as wrong:
            self.wrong.append(f"run {number} ({run.job}, {step}, {point}): {wrong}\n  " +
                              "\n  ".join(run.case.log))

    def run(self):
        with ThreadPoolExecutor(self.arguments.jobs) as pool:
            list(pool.map(self.play, range(self.arguments.batch_steps)))
        return not self.wrong


class Run:
    """One query, killed at a step of one of its batches."""

    def __init__(self, steps, number, step, job, folder):
        self.steps, self.step, self.job, self.folder = steps, step, job, folder
        self.rng = random.Random(f"{steps.arguments.seed}/{number}/{job}")
        self.kills = 0
        # Only what starts the program and says what went wrong is of use here.
        self.case = Case.__new__(Case)
        self.case.campaign, self.case.job, self.case.log = steps, job, []
        self.case.in_batches = True
        self.case.command = self.command
        self.errors = ""

    def command(self):
        retained = 1 if self.step == "cleanup" else 1_000
        command = [self.steps.engine, "run", "job.sql", "--progress", "none", "--mode", "micro-batch",
                   "--max-files-per-trigger", "1", "--checkpoint-dir", "epochs",
                   "--parallelism", str(self.rng.randint(1, 3)),
                   "--set", f"microbatch.retained-batches={retained}",
                   "--set", "runtime.max-batch-rows=256"]
        if self.step == "base apply" or self.rng.random() < 0.3:
            command += ["--state", "rocksdb", "--state-dir", "state", "--memory", "256KiB"]
        return command

    def make_folder(self):
        self.folder.mkdir()
        (self.folder / "in").symlink_to(self.steps.folder / "in")
        (self.folder / "out").mkdir()
        (self.folder / "job.sql").write_text(JOBS[self.job])

    def go(self, fault):
        code = self.case.run(self.folder, fault)
        self.errors = self.case.errors
        return code

    def killed_at(self, point, hits):
        """Begins anew until it is killed there."""
        for hit in hits:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.make_folder()
            if point == "epoch.restored.publish":
                self.go(f"checkpoint.after-manifest=kill@{hit}")
                hit = 1
            if self.go(f"{point}=kill@{hit}") < 0:
                self.kills += 1
                return True
        return False

    def play(self, point):
        if not self.killed_at(point, [self.rng.randint(1, FILES), 1]):
            raise Wrong("the run never comes to this step")
        while self.rng.random() < 0.3:
            again = self.rng.choice([p for points in STEPS.values() for p in points])
            if self.go(f"{again}=kill@{self.rng.randint(1, 3)}") == 0:
                break
            self.kills += 1
        for what in ("at the end", "after a run of the finished query"):
            if self.go("") != 0:
                raise Wrong(f"does not go on: {self.errors}")
            self.check(what)

    def check(self, what):
        self.case.check(self.folder, what)
        rows, plans = self.steps.wanted[self.job]
        if by_batch(self.job, self.folder / "out") != rows:
            raise Wrong(f"{what}: rows are in other batches")
        if self.step != "cleanup" and batches(self.folder) != plans:
            raise Wrong(f"{what}: the batches are others")


def run_steps(arguments):
    with tempfile.TemporaryDirectory(prefix="tidegate-steps-") as name:
        steps = Steps(arguments, Path(name))
        begun = time.monotonic()
        exact = steps.run()
        for wrong in steps.wrong:
            print(wrong, file=sys.stderr)
        for step in STEPS:
            print(f"{step:18} {steps.kills[step]:5} kills")
        print(f"{arguments.batch_steps} runs, {sum(steps.kills.values())} kills in "
              f"{time.monotonic() - begun:.0f} s: {'exact' if exact else 'WRONG'}")
        return exact
