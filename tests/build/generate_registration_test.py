#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs cmake/generate_registration.cmake on small folders and looks at what comes out."""

import pathlib
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "cmake" / "generate_registration.cmake"
CLASSES = {"function": "FunctionRegistry", "format": "FormatRegistry",
           "connector": "ConnectorRegistry"}


def generate(what, sources):
    """Returns (exit code, generated text or error)."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in sources.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text + "\n")
        (root / "list").write_text("".join(f"{root / name}\n" for name in sources))
        done = subprocess.run(
            ["cmake", f"-DLIST={root}/list", f"-DOUTPUT={root}/out.cc", f"-DMODULE={what}s",
             f"-DWHAT={what}", f"-DCLASS={CLASSES[what]}", "-P", SCRIPT],
            capture_output=True, text=True, check=False)
        output = (root / "out.cc").read_text() if done.returncode == 0 else done.stderr
        return done.returncode, " ".join(output.split())


class GenerateRegistrationTest(unittest.TestCase):

    def test_every_file_that_defines_one_is_called(self):
        code, output = generate("function", {
            "abs.cc": "void register_function_abs(FunctionRegistry& registry) {",
            "text.cc": "int unrelated;",
            "upper.cc": "void register_function_upper(FunctionRegistry& registry) {"})
        self.assertEqual(code, 0)
        self.assertIn("{ register_function_abs(registry); register_function_upper(registry); }",
                      output)

    def test_no_source_gives_an_empty_function(self):
        code, output = generate("format", {})
        self.assertEqual(code, 0)
        self.assertIn("void register_all_formats(FormatRegistry&) {}", output.replace("{ }", "{}"))

    def test_a_connector_is_named_after_its_folder(self):
        code, output = generate("connector", {
            "kafka/source.cc": "void register_connector_kafka(ConnectorRegistry& registry) {",
            "kafka/sink.cc": "void register_connector_kafka(ConnectorRegistry& registry);"})
        self.assertEqual(code, 0)
        self.assertEqual(output.count("register_connector_kafka(registry);"), 1)

    def test_another_name_fails(self):
        code, output = generate("function", {
            "abs.cc": "void register_function_absolute(FunctionRegistry& registry) {"})
        self.assertNotEqual(code, 0)
        self.assertIn("should be called register_function_abs", output)

    def test_another_signature_fails(self):
        code, output = generate("function", {"abs.cc": "void register_function_abs(Registry& r) {"})
        self.assertNotEqual(code, 0)
        self.assertIn("FunctionRegistry& registry", output)

    def test_defined_twice_fails(self):
        text = "void register_connector_kafka(ConnectorRegistry& registry) {"
        code, output = generate("connector", {"kafka/a.cc": text, "kafka/b.cc": text})
        self.assertNotEqual(code, 0)
        self.assertIn("defined twice", output)


if __name__ == "__main__":
    unittest.main()
