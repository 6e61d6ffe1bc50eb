#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of check_sources.py on small trees."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_sources

LICENCE = "// " + check_sources.SPDX + "\n"


class CheckSourcesTest(unittest.TestCase):

    def problems(self, files):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
            return [f"{p}:{n}: {t}" for p, n, t in check_sources.check(root)]

    def test_clean_tree(self):
        self.assertEqual(self.problems({
            "src/a/a.cc": LICENCE,
            "tools/run": "#!/bin/sh\n# " + check_sources.SPDX + "\n",
            "docs/a.md": "[x](../src/a/a.cc#L1) [y](https://example.org) `src/a/` `tools/run`\n"
                         "```\n[z](nowhere)\n```\n",
            "data.json": "{}"}), [])

    def test_licence(self):
        self.assertIn("lack", self.problems({"src/a.cc": "int a;\n"})[0])
        self.assertIn("lack", self.problems({"tools/run": "#!/bin/sh\n"})[0])

    def test_empty_name(self):
        for name in ("src/string_util.h", "src/common.cc", "src/helpers.cc"):
            self.assertIn("named after", self.problems({name: LICENCE})[0])
        self.assertEqual(self.problems({"src/commonality.cc": LICENCE}), [])

    def test_links(self):
        self.assertIn("README.md:2: the link gone.md", self.problems({"README.md": "\n[x](gone.md)"})[0])
        self.assertIn("src/gone/ is not there", self.problems({"README.md": "`src/gone/`"})[0])
        self.assertEqual(self.problems({"docs/adr/0001-x.md": "`src/gone/`"}), [])


if __name__ == "__main__":
    unittest.main()
