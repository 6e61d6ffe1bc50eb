#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The short version of campaign.py: some kills, and one planted bug that must be found."""

import os
import subprocess
import sys
from pathlib import Path

CAMPAIGN = [sys.executable, str(Path(__file__).with_name("campaign.py")), "--jobs", "2"]


def main():
    subprocess.run([*CAMPAIGN, "--kills", "15"], check=True)
    planted = subprocess.run([*CAMPAIGN, "--kills", "60", "--without", "commit-first"],
                             capture_output=True, text=True, env=os.environ)
    print(planted.stdout, end="")
    if planted.returncode == 0:
        sys.exit("a planted bug was not found")


if __name__ == "__main__":
    main()
