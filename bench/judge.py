# SPDX-License-Identifier: Apache-2.0
"""What else is held to a limit: cost per file for any number of files, cost of rules, memory, shards,
and what one file takes in instructions, locks, allocations and system calls. All on one place."""
import shutil
import statistics
import time

import compare
import measure
import rule_lists
import sets
import tools

MANY = 20_000
WORKERS = (1, 2, 4, 8)


def Veil(suite, jobs, rules=None):
    return tools.Dcmveil(suite.dcmveil, rules or suite.rules, suite.key, jobs)


def Turns(suite, place, contestants, out):
    """name -> the measures of each round, the warm-up left out."""
    found = {name: [] for name, _ in contestants}
    for turn in range(suite.options.rounds + 1):
        for name, tool in contestants:
            run = compare.Once(suite.timer, place, tool, out)
            if turn > 0:
                found[name].append(run)
    return found


def Ratios(found, one, other, of):
    return [of(a) / of(b) for a, b in zip(found[one], found[other])]


def Wall(run):
    return run["wall"]


def Cpu(run):
    return run["user"] + run["system"]


def Linear(suite, place, folder):
    """Set B against its first tenth."""
    count = max(20, round(MANY * suite.options.scale))
    many = suite.maker.Make(folder / "many", "B", count)
    few = sets.Link(many, folder / "few", count // 10)
    contestants = []
    for data in (few, many):
        tool = Veil(suite, 2)
        tool.Prepare(data, folder)
        contestants.append((len(data.paths), tool))
    found = Turns(suite, place, contestants, folder / "out")
    few, many = found
    return {"few": few, "many": many, "wall": Ratios(found, many, few, Wall), "cpu": Ratios(found, many, few, Cpu)}


def RuleCost(suite, place, folder):
    """60 rules against 600, on set B, with one worker: time, and instructions for each file."""
    data = suite.maker.Make(folder / "in", "B", sets.Count("B", suite.options.scale))
    contestants = []
    for count in (60, 600):
        rules = rule_lists.Write(folder / f"{count}.yaml", suite.source, count)
        tool = Veil(suite, 1, rules)
        tool.Prepare(data, folder)
        contestants.append((count, tool))
    found = Turns(suite, place, contestants, folder / "out")
    answer = {"wall": Ratios(found, 600, 60, Wall), "cpu": Ratios(found, 600, 60, Cpu)}
    if suite.Has("valgrind", "instructions for 60 and 600 rules"):
        some = sets.Link(data, folder / "some", min(len(data.paths), suite.options.counted))
        half = sets.Link(some, folder / "half", len(some.paths) // 2)
        for count, tool in contestants:
            answer[f"instructions {count}"] = Each(measure.Callgrind, tool, some, half, folder)["instructions"]
    return answer


def Memory(suite, place, folder):
    """Peak memory by set and workers; set B also a tenth of its files, C also of a tenth of the size."""
    lines = []
    for name in suite.options.sets:
        sizes = (suite.options.size_c // 10, suite.options.size_c) if name == "C" else (0,)
        for size in sizes:
            count = sets.Count(name, suite.options.scale)
            own = folder / f"{name}{size}"
            if not place.Room(sets.MostBytes(name, count, size)):
                suite.Skip(f"memory, set {name}", "not enough room")
                continue
            data = suite.maker.Make(own / "in", name, count, size)
            parts = [data]
            if name == "B":
                parts.insert(0, sets.Link(data, own / "few", max(1, count // 10)))
            lines += [Peaks(suite, place, part, own) for part in parts]
            shutil.rmtree(own)
    return lines


def Peaks(suite, place, data, folder):
    peaks = {}
    for jobs in WORKERS:
        tool = Veil(suite, jobs)
        tool.Prepare(data, folder)
        peaks[jobs] = max(compare.Once(suite.timer, place, tool, folder / "out")["memory"]
                          for _ in range(suite.options.rounds))
    return {"set": data.name, "files": len(data.paths), "bytes": data.bytes,
            "largest": max(int(line["bytes"]) for line in data.lines), "peaks": peaks}


def Shards(suite, place, folder):
    """Two shards at once, one thread each, against one run with one thread. Studies of 20 files, so
    that chance gives both shards much the same."""
    if b"--shard" not in measure.Run([suite.dcmveil, "run", "--help"], folder).read_bytes():
        suite.Skip("two shards at once", "this dcmveil has no run --shard")
        return {}
    data = suite.maker.Make(folder / "in", "B", sets.Count("B", suite.options.scale), per_study=20)
    one = Veil(suite, 1)
    one.Prepare(data, folder)
    ratios, shares = [], []
    for turn in range(suite.options.rounds + 1):
        single = compare.Once(suite.timer, place, one, folder / "out")["wall"]
        both, share = TwoShards(suite, one, folder)
        if turn > 0:
            ratios.append(both / single)
            shares.append(share)
    return {"files": len(data.paths), "wall": ratios, "larger share": statistics.median(shares)}


def TwoShards(suite, one, folder):
    """Seconds until both have ended, and the larger one's share of the files."""
    out = folder / "out"
    begin = time.monotonic()
    waits = [suite.timer.Start([*one.Command(out), "--shard", f"{number}/2", "--state",
                                folder / f"state{number}"], f"shard{number}") for number in (1, 2)]
    ends = [wait() for wait in waits]
    wall = time.monotonic() - begin
    written = [tools.Summary(end["log"])["written"] for end in ends]
    made = tools.CountFiles(out)
    for path in (out, folder / "state1", folder / "state2"):
        shutil.rmtree(path)
    if any(end["status"] not in (0, 3) for end in ends) or sum(written) != made or made == 0:
        raise measure.Failed(f"shards wrote {written} files, {made} are there")
    return wall, max(written) / made


def Counts(suite, place, folder):
    """For each set what a file takes, and what a run takes beside; with one worker."""
    answer = {}
    for name in suite.options.sets:
        own = folder / name
        count = 8 if name == "C" else suite.options.counted
        if not place.Room(sets.MostBytes(name, count, suite.options.size_c)):
            suite.Skip(f"counts, set {name}", "not enough room")
            continue
        some = suite.maker.Make(own / "in", name, count, suite.options.size_c)
        half = sets.Link(some, own / "half", count // 2)
        tool = Veil(suite, 1)
        answer[name] = {"files": count}
        if suite.Has("valgrind", f"instructions, set {name}"):
            answer[name].update(Each(measure.Callgrind, tool, some, half, own))
        if suite.Has("strace", f"system calls, set {name}"):
            answer[name]["calls"] = Each(measure.Strace, tool, some, half, own)
        shutil.rmtree(own)
    return answer


def Each(how, tool, some, half, folder):
    """What each file of a set takes: of a run with all, less one with the first half, divided by the
    other half. What is loaded at the start, or when a file first needs it, is in both and falls out:
    it is what is left of the run with half."""
    few, many = (Counted(how, tool, data, folder) for data in (half, some))
    more = len(some.paths) - len(half.paths)
    each = {name: (many[name] - few.get(name, 0)) / more for name in many}
    if "instructions" in few:
        each["startup"] = few["instructions"] - each["instructions"] * len(half.paths)
    return each


def Counted(how, tool, data, folder):
    tool.Prepare(data, folder)
    out = folder / "out"
    try:
        return how(tool.Command(out), folder)
    finally:
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(f"{out}.dcmveil", ignore_errors=True)


PARTS = {"counts": Counts, "linear": Linear, "rules": RuleCost, "memory": Memory, "shards": Shards}
