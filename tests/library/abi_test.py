#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The symbols that the shared library exports, against the checked-in list.

Usage: abi_test.py LIBRARY [--renew]

A symbol that is new is added with --renew. One that goes breaks programs that were built before: while the
soname is the same, C functions (dcmveil_...) must not go.
"""
import pathlib
import subprocess
import sys

LIST = pathlib.Path(__file__).resolve().parents[1] / "abi" / "symbols.txt"
HEAD = """\
# SPDX-License-Identifier: Apache-2.0
# Made by tests/library/abi_test.py build/library/libdcmveil.so --renew
"""


def Exported(library):
    """Symbols with their versions, readable."""
    lines = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", "-C", library],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    # Address, kind, name; constructors have two symbols with one readable name.
    return sorted({line.split(maxsplit=2)[2] for line in lines})


def Soname(library):
    text = subprocess.run(["readelf", "-d", library], check=True, capture_output=True, text=True).stdout
    return next(line.split("[")[1].rstrip("]") for line in text.splitlines() if "(SONAME)" in line)


def Compare(listed, exported):
    """What to say about the difference."""
    return ([f"gone: {name}" for name in listed if name not in exported] +
            [f"new: {name}" for name in exported if name not in listed])


def CheckSelf():
    assert Compare(["a", "b"], ["a", "b"]) == []
    assert Compare(["a", "b"], ["a"]) == ["gone: b"]
    assert Compare(["a"], ["a", "b"]) == ["new: b"]


def main():
    CheckSelf()
    library = sys.argv[1]
    exported = Exported(library)
    entries = [f"soname {Soname(library)}", *exported]
    if "--renew" in sys.argv[2:]:
        LIST.parent.mkdir(exist_ok=True)
        LIST.write_text(HEAD + "".join(f"{entry}\n" for entry in entries), encoding="utf-8")
        return 0
    listed = [line for line in LIST.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    problems = Compare(listed, entries)
    # Nothing of others, and nothing internal, whatever the list says.
    problems += [f"not ours: {name}" for name in exported
                 if not name.startswith(("dcmveil_", "dcmveil::", "typeinfo for dcmveil::", "vtable for dcmveil::",
                                         "typeinfo name for dcmveil::", "DCMVEIL_0"))]
    problems += [f"internal: {name}" for name in exported
                 if name.startswith(("dcmveil::engine::", "dcmveil::rules::", "dcmveil::pipeline::"))]
    for problem in problems:
        print(problem)
    print(f"{len(exported)} symbols, {len(problems)} problem(s)")
    if problems:
        print(f"if that is meant: {sys.argv[0]} {library} --renew")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
