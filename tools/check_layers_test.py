#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of check_layers.py on small trees: each planted fault is found, and nothing else."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_layers

LAYERS = """# comment
all : | fmt arrow
base :
types : base
state : base types | rocksdb
dataflow : base types
operators : base types dataflow
operators.test : state
connectors : base types dataflow
connectors/kafka : | rdkafka
runtime : base types dataflow
tests : base types state dataflow
tests/rows : base types
"""


class CheckLayersTest(unittest.TestCase):

    def problems(self, layers=LAYERS, **files):
        """The messages for a tree; keyword a__b_cc stands for the file src/a/b.cc."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "layers.txt").write_text(layers)
            for name, text in files.items():
                stem, _, suffix = name.rpartition("_")
                top = ("include" if stem.startswith("tidegate__") else
                       "" if stem.startswith("tests__") else "src")
                path = root / top / (stem.replace("__", "/") + "." + suffix)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return [f"{p}:{n}: {t}" for p, n, t in check_layers.check(root)]

    def assert_one(self, expected, problems):
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(expected, problems[0])

    def test_clean_tree(self):
        self.assertEqual(self.problems(
            types__a_cc='#include <fmt/format.h>\n#include "base/b.h"\n#include "types/a.h"\n'
                        '#include "tidegate/status.h"\n',
            connectors__kafka__k_cc="#include <librdkafka/rdkafka.h>\n",
            state__s_cc="#include <rocksdb/db.h>\n",
            base__c_cc="auto t = std::chrono::steady_clock::now();\n",
            runtime__t_cc="std::thread t;\n"), [])

    def test_upward_include(self):
        self.assert_one("src/base/a.cc:2: base may not include types",
                        self.problems(base__a_cc='\n#include "types/x.h"\n'))

    def test_public_header_includes_private(self):
        self.assert_one("a public header includes base/x.h",
                        self.problems(tidegate__a_h='#include "base/x.h"\n'))

    def test_test_may_include_more(self):
        self.assertEqual(self.problems(operators__a_test_cc='#include "state/x.h"\n'), [])
        self.assert_one("operators may not include state",
                        self.problems(operators__a_cc='#include "state/x.h"\n'))

    def test_rule_cannot_be_relaxed(self):
        self.assert_one("runtime never includes operators", self.problems(
            LAYERS.replace("runtime : base", "runtime : operators base")))

    def test_line_names_lower_modules_only(self):
        self.assert_one("types names state, which is not above it", self.problems(
            LAYERS.replace("types : base\n", "types : base state\n")))

    def test_package_in_wrong_place(self):
        found = self.problems(connectors__file__k_cc="#include <librdkafka/rdkafka.h>\n")
        self.assertEqual(len(found), 2, found)
        self.assertIn("rdkafka only in kafka, connectors/kafka", found[1])

    def test_arrow_api_in_header(self):
        self.assert_one("not arrow/api.h", self.problems(types__a_h="#include <arrow/api.h>\n"))

    def test_doors(self):
        for text, what in (("std::thread t;", "threads"),
                           ("auto t = std::chrono::system_clock::now();", "clocks"),
                           ("std::random_device d;", "randomness"),
                           ("std::this_thread::sleep_for(1s);", "sleeping"),
                           ("std::ifstream f(path);", "files"),
                           ("int fd = ::open(path, 0);", "files")):
            with self.subTest(text):
                self.assert_one(what + " only through base",
                                self.problems(types__a_cc=text + "\n"))

    def test_comments_and_literals_do_not_count(self):
        self.assertEqual(self.problems(types__a_cc=(
            '// std::thread, #include "state/x.h"\n/* std::random_device\n std::thread */\n'
            'auto s = "std::thread"; auto r = R"(std::ifstream " )"; char c = \'"\';\n')), [])
        self.assert_one("a.cc:2", self.problems(types__a_cc='char c = \'"\'; // "\nstd::thread t;\n'))

    def test_names_that_look_like_doors(self):
        self.assertEqual(self.problems(
            types__a_cc="source.open(context); open(context); file->time(0); operator_open();\n"), [])

    def test_support_of_tests(self):
        self.assertEqual(self.problems(
            tests__support__harness_cc='#include "dataflow/a.h"\n#include "tests/support/rows.h"\n'), [])
        self.assert_one("tests may not include operators",
                        self.problems(tests__support__harness_cc='#include "operators/a.h"\n'))
        self.assert_one("tests may not include dataflow",
                        self.problems(tests__support__rows_cc='#include "dataflow/a.h"\n'))

    def test_unknown_module(self):
        self.assert_one("src/extra is not a module", self.problems(extra__a_cc="\n"))


if __name__ == "__main__":
    unittest.main()
