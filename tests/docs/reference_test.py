#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reference pages are what the program says. With --update they are written."""

import os
import subprocess
import sys
from pathlib import Path

TOPICS = ["functions", "connectors", "errors"]


def main():
    engine = os.environ.get("TIDEGATE_BUILD", "build") + "/tidegate"
    folder = Path(__file__).resolve().parents[2] / "docs" / "reference"
    stale = []
    for topic in TOPICS:
        page = subprocess.run([engine, "reference", topic], capture_output=True, text=True,
                              check=True).stdout
        path = folder / f"{topic}.md"
        if path.exists() and path.read_text() == page:
            continue
        stale.append(topic)
        if "--update" in sys.argv:
            path.write_text(page)
    if stale and "--update" not in sys.argv:
        sys.exit(f"stale: {stale}; run tests/docs/reference_test.py --update")
    print("ok" if not stale else f"written: {stale}")


if __name__ == "__main__":
    main()
