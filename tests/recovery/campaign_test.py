#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The short version of campaign.py: some kills, at each step of a micro-batch, and each planted bug
must be found."""

import subprocess
import sys
from pathlib import Path

CAMPAIGN = [sys.executable, str(Path(__file__).with_name("campaign.py")), "--jobs", "2"]


def main():
    subprocess.run([*CAMPAIGN, "--kills", "15"], check=True)
    subprocess.run([*CAMPAIGN, "--kills", "60", "--planted"], check=True)
    # Each failpoint of each step of a micro-batch once, or nearly so.
    subprocess.run([*CAMPAIGN, "--batch-steps", "48", "--rows", "3000"], check=True)


if __name__ == "__main__":
    main()
