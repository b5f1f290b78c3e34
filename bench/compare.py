# SPDX-License-Identifier: Apache-2.0
"""The tools in turn, set by set and place by place, for several rounds, so that what drifts meets all
of them. The first round warms up and does not count: on tmpfs the first to write fresh memory pays
for it, and inputs are in the page cache from then on."""
import os
import shutil
import time

import measure
import sets


class Place:
    """Where inputs and outputs lie: a folder of its own on tmpfs or on a disk."""

    def __init__(self, name, folder):
        self.name, self.folder = name, folder

    @property
    def is_disk(self):
        return self.name == "disk"

    def Room(self, size):
        """Whether inputs, those that gdcmanon gets, and one output fit, with something to spare."""
        return shutil.disk_usage(self.folder).free > 3.5 * size


def Compare(suite, place):
    """Appends to suite.results["runs"]."""
    for name in suite.options.sets:
        folder = place.folder / name
        folder.mkdir()
        try:
            CompareSet(suite, place, name, folder)
        finally:
            shutil.rmtree(folder)


def CompareSet(suite, place, name, folder):
    size_c = suite.options.size_c
    count = sets.Count(name, suite.options.scale)
    if not place.Room(sets.MostBytes(name, count, size_c)):
        suite.Skip(f"set {name} on {place.name}", "not enough room")
        return
    data = suite.maker.Make(folder / "in", name, count, size_c)
    suite.results["sets"][name] = {"what": sets.WHAT[name], "files": len(data.paths), "bytes": data.bytes}
    ready = Prepared(suite, place, data, folder)
    for turn in range(suite.options.rounds + 1):
        for tool in list(ready):
            try:
                run = Once(suite.timer, place, tool, folder / "out")
            except measure.Failed as failure:
                suite.Skip(f"{tool.name}, set {name} on {place.name}", str(failure))
                ready.remove(tool)
                continue
            suite.Say(f"{place.name} {name} {'warm-up' if turn == 0 else turn}: {tool.name} {run['wall']:.2f} s")
            if turn > 0:
                suite.results["runs"].append({"place": place.name, "set": name, "round": turn, **run})


def Prepared(suite, place, data, folder):
    ready = []
    for number, tool in enumerate(suite.tools):
        own = folder / f"tool{number}"
        own.mkdir()
        try:
            tool.Prepare(data, own)
        except (measure.Failed, FileNotFoundError) as failure:
            suite.Skip(f"{tool.name}, set {data.name} on {place.name}", str(failure))
            continue
        ready.append(tool)
        if tool.note:
            suite.Note(tool.name, data.name, tool.note)
    return ready


def Once(timer, place, tool, out):
    """One run; its outputs are gone when it returns. On a disk nothing waits to be written when the
    clock starts; what the run leaves in the page cache is flushed afterwards, and timed apart."""
    try:
        tool.Ready(out)
        if place.is_disk:
            os.sync()
        result = timer.Time(tool.Command(out))
        flush = Flush() if place.is_disk else 0
        more = tool.Check(result, out)
    finally:
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(f"{out}.dcmveil", ignore_errors=True)
    return {"tool": tool.name, "files": tool.files, "bytes": tool.bytes, "flush": flush,
            **{name: result[name] for name in ("wall", "user", "system", "memory")}, **more}


def Flush():
    begin = time.monotonic()
    os.sync()
    return time.monotonic() - begin
