#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every #include in src/ and include/ against layers.txt, and the rules of the house.

usage: check_layers.py [ROOT]     prints file:line: what is wrong; exit 1 when anything is.
"""

import pathlib
import re
import sys

# Header prefix -> name of the package in layers.txt. The longest prefix counts.
PACKAGE_HEADERS = {
    "arrow/": "arrow",
    "arrow/flight/": "flight",
    "parquet/": "parquet",
    "fmt/": "fmt",
    "boost/": "boost",
    "simdjson": "simdjson",
    "pcre2": "pcre2",
    "openssl/": "openssl",
    "librdkafka/": "rdkafka",
    "rocksdb/": "rocksdb",
    "CLI/": "cli11",
    "curl": "curl",
    "histedit.h": "edit",
    "onnxruntime": "onnxruntime",
}

# Rules that layers.txt may not relax: module -> modules it never includes.
NEVER = {
    **{module: {"operators", "connectors", "functions"}
       for module in ("runtime", "epoch", "library", "microbatch", "cluster")},
    "sql": {"planner", "operators", "runtime"},
    "operators": {"runtime", "epoch", "library", "microbatch", "cluster"},
    "connectors": {"operators", "runtime", "epoch", "library", "microbatch", "cluster"},
}
# Packages that belong to certain places only.
ONLY_IN = {
    "rocksdb": ("state",),
    "rdkafka": ("kafka", "connectors/kafka", "library"),
    "flight": ("cluster",),
}

# The operating system is reached through base alone: what a simulation must be able to replace.
# (pattern, what, modules that may, whether *_test.cc may)
DOORS = [
    (r"\bstd::j?thread\b|\bstd::async\b|\bpthread_create\b", "threads", {"base", "runtime"}, True),
    (r"\bstd::this_thread::sleep|\b(?:nano|u)?sleep\s*\(", "sleeping", {"base", "runtime"}, False),
    (r"\b(?:system|steady|high_resolution|utc)_clock::now\b"
     r"|\bclock_gettime\s*\(|\bgettimeofday\s*\(|(?<![\w.>:])time\s*\(\s*(?:nullptr|NULL|0)\s*\)",
     "clocks", {"base"}, False),
    (r"\bstd::random_device\b|(?<![\w.>:])s?rand\s*\(", "randomness", {"base"}, False),
    (r"\bstd::(?:basic_)?[io]?fstream\b|#include <fstream>"
     r"|(?<![\w.>:])(?:std::)?fopen\s*\(|(?<![\w.>:])::open\s*\(", "files", {"base"}, True),
]

INCLUDE = re.compile(r'\s*#\s*include\s+[<"]([^>"]+)[>"]')


def read_layers(path):
    """Returns (modules in order, key -> modules, key -> packages)."""
    order, modules, packages = [], {}, {}
    for line in path.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, _, rest = line.partition(":")
        uses, _, libraries = rest.partition("|")
        key = key.strip()
        modules[key], packages[key] = set(uses.split()), set(libraries.split())
        if key not in ("all", "tests") and "/" not in key and "." not in key:
            order.append(key)
    return order, modules, packages


def without_comments(text):
    """The text with comments and literals (but for #include "...") blanked, line by line."""
    literal_or_comment = (
        r'R"(\w*)\(.*?\)\1"' r'|"(?:\\.|[^"\\\n])*"' r"|'(?:\\.|[^'\\\n])'"
        r"|//[^\n]*|/\*.*?\*/")

    def blank(match):
        if match.group(0).startswith('"') and is_include(text, match.start()):
            return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))

    return re.sub(literal_or_comment, blank, text, flags=re.S)


def is_include(text, position):
    line_start = text.rfind("\n", 0, position) + 1
    return text[line_start:position].lstrip().startswith("#")


def package_of(header):
    prefixes = [p for p in PACKAGE_HEADERS if header.startswith(p)]
    return PACKAGE_HEADERS[max(prefixes, key=len)] if prefixes else None


def check_file(root, path, order, modules, packages):
    relative = path.relative_to(root)
    parts = relative.parts
    public = parts[0] == "include"
    support = parts[0] == "tests"
    module = None if public else "tests" if support else parts[1]
    if module is not None and not support and module not in order:
        yield relative, 1, f"src/{module} is not a module of layers.txt"
        return
    is_test = path.name.endswith("_test.cc") or path.name.startswith("test_")
    keys = ["all"]
    if support:
        own = f"tests/{path.stem}"
        keys.append(own if own in modules else "tests")
    elif module:
        keys.append(module)
        keys += ["/".join(parts[1:i]) for i in range(3, len(parts))]
        if is_test:
            keys.append(f"{module}.test")
    may_include = {module}.union(*(modules.get(key, set()) for key in keys))
    may_use = set().union(*(packages.get(key, set()) for key in keys))

    for number, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            header = match.group(1)
            first = header.split("/")[0] if "/" in header else None
            if header.endswith("arrow/api.h") and path.suffix == ".h":
                yield relative, number, "headers include arrow/type_fwd.h, not arrow/api.h"
            if first in order:
                if public:
                    yield relative, number, f"a public header includes {header} of src/{first}"
                elif first not in may_include:
                    yield relative, number, (
                        f"{module} may not include {first} ({header}); layers.txt allows: "
                        f"{' '.join(m for m in order if m in may_include and m != module)}")
                elif first in NEVER.get(module, set()) and not is_test:
                    yield relative, number, f"{module} never includes {first} ({header})"
            package = package_of(header)
            if package and package not in may_use:
                yield relative, number, f"{header}: layers.txt does not give {package} to {'/'.join(parts[:-1])}"
            if package in ONLY_IN and not any(
                    "/".join(parts[1:]).startswith(place + "/") for place in ONLY_IN[package]):
                yield relative, number, f"{header}: {package} only in {', '.join(ONLY_IN[package])}"
        for pattern, what, allowed, in_tests in [] if support else DOORS:
            if module in allowed or (is_test and in_tests):
                continue
            if re.search(pattern, line):
                yield relative, number, (
                    f"{what} only through base ({'/'.join(sorted(allowed))} may): {line.strip()}")


def check_layers_file(order, modules, packages):
    for index, module in enumerate(order):
        for use in modules[module]:
            if use not in order[:index]:
                yield pathlib.Path("layers.txt"), 1, f"{module} names {use}, which is not above it"
            if use in NEVER.get(module, set()):
                yield pathlib.Path("layers.txt"), 1, f"{module} never includes {use}"
    for key in [*modules]:
        if re.split(r"[./]", key)[0] not in [*order, "all", "tests"]:
            yield pathlib.Path("layers.txt"), 1, f"{key} is not of a module"
        for package in packages[key]:
            if package not in PACKAGE_HEADERS.values():
                yield pathlib.Path("layers.txt"), 1, f"{key} names the unknown package {package}"


def check(root):
    order, modules, packages = read_layers(root / "layers.txt")
    yield from check_layers_file(order, modules, packages)
    for top in ("include", "src", "tests/support"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cc", ".inc"):
                yield from check_file(root, path, order, modules, packages)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    problems = list(check(root.resolve()))
    for path, line, text in problems:
        print(f"{path}:{line}: {text}")
    print(f"layers: {len(problems)} problem{'s' if len(problems) != 1 else ''}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
