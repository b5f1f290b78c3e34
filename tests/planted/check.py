#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Judges a run over the planted corpus by what its outputs hold, without any of the engine's code.

Usage: check.py IN OUT MANIFEST TRUTH [--options a,b,c] [--show-values] [--failures N] [--validate-every N] [--json FILE]

IN and OUT are folders, MANIFEST the run's manifest.ndjson, TRUTH make.py's truth.json. Exit 0 where the bar is met:
removal >= 99.9 %, retention >= 99.5 %, no identifier in any byte outside pixel data or in any name; 1 below it; 2 for
wrong arguments.
"""
import argparse
import collections
import json
import pathlib
import shutil
import sys

import annex_e
import reading
import statements
from judge import Judge

REMOVAL, RETENTION = 0.999, 0.995


class Score:
    def __init__(self):
        self.sides = {"removal": collections.Counter(), "retention": collections.Counter()}
        self.kinds = collections.defaultdict(collections.Counter)
        self.statements = collections.defaultdict(collections.Counter)
        self.failures = []
        self.leaks = []

    def element(self, file, check, statement, kind, verdicts):
        for side, ok in verdicts:
            self.sides[side][ok] += 1
            self.kinds[kind, side][ok] += 1
            self.statements[statement][ok] += 1
            if not ok:
                self.failures.append((statement, f"{kind}/{side}", check["p"], file, check))

    def whole(self, file, verdicts, what):
        for statement, ok in verdicts:
            self.statements[statement][bool(ok)] += 1
            if not ok:
                self.failures.append((statement, what, "", file, None))

    def share(self, side):
        counts = self.sides[side]
        total = sum(counts.values())
        return counts[True] / total if total else 0.0


def read_manifest(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line["input"]: line for line in map(json.loads, lines) if "input" in line}


def offset_verdicts(judge, score):
    """Statement 33: all dates of a patient move by the same number of days, and move."""
    for entries in judge.days.values():
        days = collections.Counter(n for _, _, n in entries).most_common(1)[0][0]
        for file, check, n in entries:
            score.element(file, check, 33, "same-offset", [("retention", n == days and n != 0)])


def check_file(args, file, line, judge, score, needles, together, number):
    source, target = args.input / file["input"], args.output / line["output"]
    before, after = reading.read(source), reading.read(target)
    for check in file["checks"]:
        score.element(file, check, *judge.judge(file, check, after))
    data = target.read_bytes()
    score.whole(file, statements.markers(before, after, judge.options), "markers")
    score.whole(file, statements.container(file, before, after, source.read_bytes(), data), "container")
    score.whole(file, statements.structure(after, judge.options), "structure")
    score.whole(file, statements.nothing_created(before, after), "created")
    score.whole(file, statements.pixels(file, after), "pixels")
    together.add(file, after)
    hits = needles.search(reading.searchable(target, after))
    hits |= {(f"path:{what}", value) for what, value in needles.search(line["output"].encode("utf-8"))}
    score.whole(file, [(25, not any("uid" in what for what, _ in hits)), (24, all("uid" in what for what, _ in hits))], "bytes")
    score.leaks += [(what, value, file, where(target, value)) for what, value in hits]
    # dciodvfy cannot read deflated files.
    if file["syntax"] != reading.DEFLATED and args.validate_every and number % args.validate_every == 0:
        score.whole(file, [(45, statements.messages(target) <= statements.messages(source))], "dciodvfy")
    return reading.text(reading.element(after, 0x00080018)) if 0x00080018 in after else None


def where(path, value):
    """Where an identifier still stands: the first element that shows it."""
    for item, depth in reading.walk(reading.read(path)):
        for tag in list(item.keys()):
            raw = item.get_item(tag)
            if isinstance(raw.value, bytes) and value in raw.value.hex():
                return f"{int(tag):08X} at depth {depth}"
            found = reading.element(item, tag)
            if not reading.is_sequence(found) and value.casefold() in reading.text(found).casefold():
                return f"{int(tag):08X} at depth {depth}"
    return "outside what a reader shows"


def report(args, score, outcomes, uncounted):
    print("outcomes:", ", ".join(f"{n} {name}" for name, n in sorted(outcomes.items())),
          f"({uncounted} may be quarantined and were: not counted)")
    for (kind, side), counts in sorted(score.kinds.items()):
        print(f"  {kind:16} {side:10} {counts[True]:6}/{sum(counts.values())}")
    print("statements of Annex E:")
    for statement, counts in sorted(score.statements.items()):
        mark = "" if not counts[False] else "  <--"
        print(f"  S{statement:02d}: {counts[True]}/{sum(counts.values())}{mark}")
    groups = collections.Counter((s, kind, path) for s, kind, path, _, _ in score.failures)
    print(f"failing checks: {len(score.failures)} in {len(groups)} places")
    for (statement, kind, path), n in groups.most_common(args.failures):
        example = next(f for f in score.failures if f[:3] == (statement, kind, path))
        line = f"  {n:5} S{statement:02d} {kind} {path}  e.g. file {file_number(example[3])}"
        if args.show_values and example[4]:
            line += f" {example[3] and example[3]['input']} was {example[4]['v']!r} not {example[4].get('not')} must {example[4].get('must')}"
        print(line)
    places = collections.Counter((what, place) for what, _, _, place in score.leaks)
    print(f"identifiers in bytes or names of outputs: {len(score.leaks)}")
    for (what, place), n in places.most_common(args.failures):
        example = next(leak for leak in score.leaks if (leak[0], leak[3]) == (what, place))
        line = f"  {n:5} {what}: {place}  e.g. file {file_number(example[2])}"
        print(line + (f" {example[1]!r}" if args.show_values else ""))
    print(f"removal {100 * score.share('removal'):.3f} % of {sum(score.sides['removal'].values())} (bar {100 * REMOVAL} %), "
          f"retention {100 * score.share('retention'):.3f} % of {sum(score.sides['retention'].values())} (bar {100 * RETENTION} %), "
          f"leaks {len(score.leaks)}")


def file_number(file):
    return "-" if file is None else f"{file['number']} ({file['patient']}, {file['sop_class'].removeprefix('1.2.840.10008.5.1.4.1.1.')})"


def parse():
    parser = argparse.ArgumentParser(description="Judges a run over the planted corpus.")
    for name in ("input", "output", "manifest", "truth"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--options", default="")
    parser.add_argument("--show-values", action="store_true", help="print planted values beside failures")
    parser.add_argument("--failures", type=int, default=60, help="how many kinds of failures to list")
    parser.add_argument("--validate-every", type=int, default=5, help="run dciodvfy on every n-th file; 0: never")
    parser.add_argument("--json", type=pathlib.Path)
    args = parser.parse_args()
    args.options = {option for option in args.options.split(",") if option}
    unknown = args.options - set(annex_e.METHOD_CODES)
    if unknown:
        parser.error(f"no such option: {', '.join(sorted(unknown))}")
    if not shutil.which("dciodvfy"):
        print("dciodvfy is not installed (package dicom3tools): statement 45 is not judged")
        args.validate_every = 0
    return args


def main():
    args = parse()
    truth = json.loads(args.truth.read_text(encoding="utf-8"))
    manifest = read_manifest(args.manifest)
    judge, score, together = Judge(args.options), Score(), statements.Together()
    dropped = set(judge.dropped) | ({"date"} if "retain-longitudinal-modified-dates" in args.options else set())
    needles = {code: reading.Needles(patient, dropped) for code, patient in truth["patients"].items()}
    outcomes, uncounted, instances = collections.Counter(), 0, {}
    for number, file in enumerate(truth["files"]):
        file["number"] = number
        line = manifest.get(file["input"])
        outcome = line["outcome"] if line else "not in the manifest"
        outcomes[outcome] += 1
        if outcome == "written":
            uid = check_file(args, file, line, judge, score, needles[file["patient"]], together, number)
            instances[file["sop"]] = uid
        elif outcome == "quarantined" and file["may_quarantine"]:
            uncounted += 1
        else:
            # Nothing left the house, so nothing leaked; but what should have been kept is lost.
            for check in file["checks"]:
                kind, statement = judge.expected(check)
                if kind in ("kept", "text", "shifted", "present", "time", "starts-with"):
                    score.element(file, check, statement, f"not-written-{kind}", [("retention", False)])
    offset_verdicts(judge, score)
    score.whole(None, together.verdicts(), "entities agree")
    score.whole(None, statements.uid_verdicts(judge.uids, instances, "retain-uids" in args.options), "uids agree")
    report(args, score, outcomes, uncounted)
    if args.json:
        args.json.write_text(json.dumps({"removal": score.share("removal"), "retention": score.share("retention"), "leaks": len(score.leaks),
                                         "statements": {f"S{s:02d}": [c[True], sum(c.values())] for s, c in sorted(score.statements.items())}}))
    good = score.share("removal") >= REMOVAL and score.share("retention") >= RETENTION and not score.leaks
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
