#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what no compiler does: licence lines, file names, and links in the documents.

usage: check_sources.py [ROOT]     prints file:line: what is wrong; exit 1 when anything is.
"""

import pathlib
import re
import subprocess
import sys

SPDX = "SPDX-License-Identifier: Apache-2.0"
SOURCE_SUFFIXES = {".h", ".cc", ".inc", ".py", ".cmake", ".sh", ".java"}
SOURCE_NAMES = {"CMakeLists.txt", "Makefile", "layers.txt"}
# A name that says nothing about what is inside; such files grow without end.
EMPTY_NAMES = re.compile(r"(^|_)(util|utils|helper|helpers|common|misc|manager|impl)(_|\.|$)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# `src/x/y.cc` in backticks counts as a link too, when it starts with a folder of the project.
CODE_PATH = re.compile(
    r"`((?:src|include|tests|bench|examples|docs|tools|cmake)/[\w./-]*|[\w-]+\.(?:md|txt))`")


def files_of(root):
    """The files that git knows or would add; without git, everything outside hidden folders."""
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, check=False)
    if listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*")
                 if not re.search(r"(^|/)(\.git|\.venv|build[^/]*)/", str(path.relative_to(root)))]
    return [root / name for name in sorted(names) if (root / name).is_file()]


def is_source(path):
    if path.suffix in SOURCE_SUFFIXES or path.name in SOURCE_NAMES:
        return True
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def check_licence(root, path):
    head = path.read_text(errors="replace").splitlines()[:3]
    if not any(SPDX in line for line in head):
        yield path.relative_to(root), 1, f"the first lines lack {SPDX}"


def check_name(root, path):
    if EMPTY_NAMES.search(path.name):
        yield path.relative_to(root), 1, "a file is named after what is in it"


def check_links(root, path):
    fenced = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if fenced:
            continue
        # What stands in back quotes is code; a link's text may hold some.
        for target in LINK.findall(re.sub(r"`[^`]*`", "code", line)):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (path.parent / target.split("#")[0]).exists():
                yield path.relative_to(root), number, f"the link {target} leads nowhere"
        for target in CODE_PATH.findall(line):
            # A path may be relative to the document, as in a folder's own README.
            if not (root / target).exists() and not (path.parent / target).exists():
                yield path.relative_to(root), number, f"{target} is not there"


def check(root):
    for path in files_of(root):
        if is_source(path):
            yield from check_licence(root, path)
        yield from check_name(root, path)
        # The records of decisions tell what was, so their paths may be gone.
        if path.suffix == ".md" and "adr" not in path.parts:
            yield from check_links(root, path)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    problems = list(check(root.resolve()))
    for path, line, text in problems:
        print(f"{path}:{line}: {text}")
    print(f"sources: {len(problems)} problem{'s' if len(problems) != 1 else ''}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
