#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each public header by itself, with g++ and clang++ as C++20 and, where it is C, with gcc and clang as C11.

Usage: headers_test.py INCLUDE_FOLDER
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror", "-fsyntax-only"]
C_HEADERS = {"dcmveil.h"}
# Names that only those headers may use which are about them.
THIRD_PARTY = ("dcmtk", "yaml-cpp", "re2/", "nlohmann", "tbb/", "oneapi", "openssl", "curl")


def Jobs(folder):
    for header in sorted((folder / "dcmveil").glob("*.h")):
        text = f'#include "dcmveil/{header.name}"\n#include "dcmveil/{header.name}"\n'
        for compiler in ("g++", "clang++"):
            yield [compiler, "-std=c++20", "-xc++", *WARNINGS, f"-I{folder}", "-"], text
        if header.name in C_HEADERS:
            for compiler in ("gcc", "clang"):
                yield [compiler, "-std=c11", "-xc", *WARNINGS, f"-I{folder}", "-"], text


def Compile(job):
    command, text = job
    result = subprocess.run(command, input=text, capture_output=True, text=True)
    return "" if result.returncode == 0 else " ".join(command) + "\n" + text + result.stderr


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    assert Compile((["g++", "-std=c++20", "-xc++", "-fsyntax-only", "-"], "std::string s;\n")), "finds nothing"
    jobs = list(Jobs(folder))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [problem for problem in pool.map(Compile, jobs) if problem]
    for header in (folder / "dcmveil").glob("*.h"):
        includes = [line for line in header.read_text(encoding="utf-8").splitlines() if line.startswith("#include")]
        problems += [f"{header.name}: {line}\n" for line in includes
                     if header.name != "dcmtk.h" and any(name in line for name in THIRD_PARTY)]
    print("".join(problems), end="")
    print(f"{len(jobs)} compilations, {len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
