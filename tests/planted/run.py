#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the planted corpus, runs dcmveil over it and judges what came out.

Usage: run.py DCMVEIL [--rules rules.yaml] [--patients 4] [--seed 1] [--work FOLDER] [more arguments of check.py]

The options are read from the rule file, so the judge asks for what the rules promise.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def options_of(rules):
    """The list behind `options:`; these files are simple enough to be read without a YAML library."""
    text = re.sub(r"#.*", "", rules.read_text(encoding="utf-8"))
    found = re.search(r"^options:\s*\[([^\]]*)\]", text, re.MULTILINE)
    return ",".join(word.strip() for word in found[1].split(",")) if found else ""


def judge(args, more, work):
    rules = HERE / args.rules
    plain = re.search(r"^profile:\s*basic\s*$", rules.read_text(encoding="utf-8"), re.MULTILINE)
    made = [sys.executable, "-B", HERE / "make.py", work / "corpus", "--patients", args.patients, "--seed", args.seed]
    subprocess.run([*map(str, made)] + (["--no-extras"] if plain else []), check=True)
    shutil.copy(rules, work / "rules.yaml")
    subprocess.run([args.dcmveil, "keygen", work / "planted.key"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = subprocess.run([args.dcmveil, "run", "-r", work / "rules.yaml", "-i", work / "corpus/files", "-o", work / "out"],
                          check=False, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        print(done.stdout, done.stderr, f"dcmveil ended with {done.returncode}")
        return 1
    command = [sys.executable, "-B", HERE / "check.py", work / "corpus/files", work / "out", work / "out.dcmveil/manifest.ndjson",
               work / "corpus/truth.json", "--options", options_of(rules), *more]
    return subprocess.run([*map(str, command)], check=False).returncode


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dcmveil")
    parser.add_argument("--rules", default="rules.yaml", help="a file beside this program, or a path")
    parser.add_argument("--patients", default="4")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--work", type=pathlib.Path, help="an empty or new folder that is left for inspection")
    args, more = parser.parse_known_args()
    if args.work:
        args.work.mkdir(parents=True, exist_ok=True)
        return judge(args, more, args.work)
    with tempfile.TemporaryDirectory() as folder:
        return judge(args, more, pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main())
