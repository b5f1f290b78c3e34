#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The code in docs/library.md is code of tests/consumers/, which is built and run."""
import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = SOURCE / "docs" / "library.md"
FILES = {"cpp": ("cpp/main.cc", "cpp/with_dcmtk.cc"), "c": ("c/main.c",)}


def Flat(text):
    """Without what a formatter may change."""
    return " ".join(text.split())


def Problems(document):
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    sources = {language: [Flat((SOURCE / "tests/consumers" / name).read_text(encoding="utf-8")) for name in names]
               for language, names in FILES.items()}
    if not {"c", "cpp"} <= {language for language, _ in blocks}:
        return ["there is no code in the document"]
    # Of other languages only commands, which the test `docs` runs.
    return [f"not in tests/consumers/:\n{code}" for language, code in blocks
            if language in sources and not any(Flat(code) in source for source in sources[language])]


def main():
    document = DOCUMENT.read_text(encoding="utf-8")
    assert Problems(document.replace("ApplyToFile", "ApplyToFiel")), "finds nothing"
    problems = Problems(document)
    print("\n".join(problems))
    print(f"{len(problems)} problem(s)")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
