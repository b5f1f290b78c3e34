#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures dcmveil against a copy and two other tools, in one run, and prints tables.

scripts/bench builds, installs what is needed, and calls this. docs/performance.md says what is
measured and how to read it.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import compare
import judge
import measure
import paper
import sets
import tools

SOURCE = pathlib.Path(__file__).resolve().parents[1]
SHARED = pathlib.Path(os.environ.get("DCMVEIL_SHARED", SOURCE.parent / "shared"))


class Suite:
    """What all parts use, and the results that they fill."""

    def __init__(self, options, folder):
        self.options, self.source = options, SOURCE
        self.dcmveil = options.build / "dcmveil"
        self.rules = SOURCE / "bench" / "rules.yaml"
        self.timer = measure.Timer(options.build / "bench" / "timed", folder)
        self.key = folder / "bench.key"
        measure.Run([self.dcmveil, "keygen", self.key], folder)
        self.maker = Maker(options, folder)
        self.results = {"about": {}, "sets": {}, "runs": [], "notes": [], "skipped": []}
        self.tools = [tools.Copy(), *(tools.Dcmveil(self.dcmveil, self.rules, self.key, jobs) for jobs in (1, 2))]
        if self.Has("gdcmanon", "gdcmanon"):
            self.tools.append(tools.Gdcmanon(tools.Certificate(folder)))
        if self.Has("dcmodify", "dcmodify"):
            self.tools.append(tools.Dcmodify())

    def Say(self, line):
        if not self.options.quiet:
            print(line, file=sys.stderr, flush=True)

    def Skip(self, what, reason):
        print(f"skipped: {what}: {reason}", file=sys.stderr, flush=True)
        self.results["skipped"].append({"what": what, "reason": reason})

    def Note(self, tool, name, text):
        note = {"tool": tool, "set": name, "text": text}
        if note not in self.results["notes"]:
            self.results["notes"].append(note)

    def Has(self, program, what):
        if shutil.which(program):
            return True
        self.Skip(what, f"{program} is not installed")
        return False


def Maker(options, folder):
    """From make_perf.py if it was given or is there, else from samples that are made now."""
    script = options.make_perf or SHARED / "bench" / "make_perf.py"
    bases = options.bases or script.parent / "bases"
    if not options.own_samples and script.is_file() and bases.is_dir():
        return sets.Maker((script, bases), None)
    if options.make_perf:
        sys.exit(f"no {script}, or no bases at {bases}")
    samples = folder / "samples"
    measure.Run([options.build / "make_samples", samples], folder)
    return sets.Maker(None, samples)


def Places(options, folder):
    """The first is where everything but the comparison is measured."""
    found = []
    for name, parent in (("tmpfs", options.tmpfs), ("disk", options.disk)):
        if name in options.where:
            parent.mkdir(parents=True, exist_ok=True)
            own = pathlib.Path(tempfile.mkdtemp(prefix="dcmveil-bench-", dir=parent))
            found.append(compare.Place(name, own))
    return found


def About(suite, places):
    commit = subprocess.run(["git", "-C", SOURCE, "describe", "--always", "--dirty"], capture_output=True,
                            text=True, check=False).stdout.strip()
    return {"commit": commit or "unknown", "cores": os.cpu_count(), "processor": Processor(),
            "kernel": ".".join(platform.release().split(".")[:2]), "scale": suite.options.scale, "rounds": suite.options.rounds,
            "size_c": suite.options.size_c, "sets from": suite.maker.source, "load before": os.getloadavg()[0],
            "places": {place.name: FileSystem(place.folder) for place in places}}


def Processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def FileSystem(folder):
    """The type of the file system that is mounted over the folder."""
    mounts = [line.split()[1:3] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    above = [(len(point), kind) for point, kind in mounts if folder.resolve().is_relative_to(point)]
    return max(above)[1]


def Measure(options):
    with tempfile.TemporaryDirectory(prefix="dcmveil-bench-") as name:
        suite = Suite(options, pathlib.Path(name))
        places = Places(options, pathlib.Path(name))
        try:
            suite.results["about"] = About(suite, places)
            if "tools" in options.parts:
                for place in places:
                    compare.Compare(suite, place)
            for part in [part for part in judge.PARTS if part in options.parts]:
                suite.Say(f"measuring: {part}")
                own = places[0].folder / part
                own.mkdir()
                try:
                    suite.results[part] = judge.PARTS[part](suite, places[0], own)
                except measure.Failed as failure:
                    suite.Skip(part, str(failure))
                shutil.rmtree(own)
        finally:
            for place in places:
                shutil.rmtree(place.folder, ignore_errors=True)
    # As JSON has it: names of entries are text.
    return json.loads(json.dumps(suite.results))


def Words(known):
    def Split(text):
        words = text.split(",") if "," in text or text in known else list(text)
        wrong = [word for word in words if word not in known]
        if wrong:
            raise argparse.ArgumentTypeError(f"{wrong[0]} is none of {', '.join(known)}")
        return [word for word in known if word in words]
    return Split


def Options(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="of the sets' numbers of files [1]")
    parser.add_argument("--sets", type=Words(list(sets.FULL)), default=list(sets.FULL), help="some of ABCD [all]")
    parser.add_argument("--rounds", type=int, default=5, help="behind the warm-up [5]")
    parser.add_argument("--where", type=Words(["tmpfs", "disk"]), default=["tmpfs", "disk"])
    parser.add_argument("--parts", type=Words(["tools", *judge.PARTS]), default=["tools", *judge.PARTS],
                        help=f"some of tools,{','.join(judge.PARTS)} [all]")
    parser.add_argument("--quick", action="store_true",
                        help="a hundredth of the files, two rounds, tmpfs only, smaller multi-frames")
    parser.add_argument("--size-c", type=int, default=sets.SIZE_C, help="bytes of a multi-frame [200 MB]")
    parser.add_argument("--counted", type=int, default=120, help="files for callgrind and strace [120]")
    parser.add_argument("--make-perf", type=pathlib.Path, metavar="SCRIPT",
                        help="maker of the sets [bench/make_perf.py in the shared folder]")
    parser.add_argument("--bases", type=pathlib.Path, help="its base files [bases beside it]")
    parser.add_argument("--own-samples", action="store_true", help="sets from the project's own samples")
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build")
    parser.add_argument("--tmpfs", type=pathlib.Path, default=pathlib.Path("/dev/shm"), metavar="FOLDER")
    parser.add_argument("--disk", type=pathlib.Path, default=SOURCE / "build" / "bench-disk", metavar="FOLDER")
    parser.add_argument("--results", type=pathlib.Path, default=SOURCE / "build" / "bench.json",
                        help="what was measured, as JSON [build/bench.json]")
    parser.add_argument("--from", dest="earlier", type=pathlib.Path, metavar="FILE",
                        help="measure nothing: tables and plot of these results")
    parser.add_argument("--write-docs", action="store_true",
                        help="tables and plot into docs/performance.md and docs/performance.svg")
    parser.add_argument("--quiet", action="store_true", help="no line for each run")
    options = parser.parse_args(arguments)
    if options.quick:
        options.scale, options.rounds, options.where = 0.01, 2, ["tmpfs"]
        options.size_c, options.counted = 20_000_000, 24
    if min(options.rounds, options.counted - 1, options.scale) <= 0 or options.size_c < 100_000:
        parser.error("--rounds, --scale, --counted or --size-c is too small")
    return options


def Main(arguments=None):
    options = Options(arguments)
    if options.earlier:
        results = json.loads(options.earlier.read_text())
    else:
        results = Measure(options)
        options.results.write_text(json.dumps(results, indent=1) + "\n")
    text = paper.Tables(results)
    print(text)
    if options.write_docs:
        paper.WriteDocs(SOURCE / "docs", results)
    return 0


if __name__ == "__main__":
    sys.exit(Main())
