#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a run takes for each instance, measured on this machine, and what follows for a petabyte.

Usage: bench/scale.py measure [--build FOLDER] [--sets FOLDER]   writes bench/scale_figures.json
       bench/scale.py write                                     puts the tables into docs/scale.md
       bench/scale.py check                                     are they those of the figures?

`measure` counts system calls with strace, takes processor time from the kernel, and runs with a delay
in each metadata operation, as a file system behind a network has, in several processes and threads. --sets: a folder with sets A and B of make_perf.py; else the project's own samples.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SOURCE = pathlib.Path(__file__).resolve().parents[1]
FIGURES = SOURCE / "bench" / "scale_figures.json"
PAGE = SOURCE / "docs" / "scale.md"
RULES = SOURCE / "samples" / "rules" / "research-export.yaml"
sys.path.insert(0, str(SOURCE / "tests" / "cli"))

# Calls that name a file, or make, find or change one: a shared file system answers each over the
# network. What is done with an open file mostly is not.
DELAYED = ("openat", "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat",
           "mkdir", "mkdirat", "rmdir", "chmod", "fchmodat", "readlink", "readlinkat", "getdents64")
# These are as well, but newfstatat is also how glibc asks of an open file, and strace cannot delay
# the ones and not the others.
METADATA = (*DELAYED, "newfstatat", "stat", "lstat", "statx", "access")
WORK = ("openat", "rename", "renameat", "renameat2", "mkdir", "mkdirat")  # of workers
DELAY = 5000  # microseconds
# What is assumed, not measured: the archive, and what the model asks of file systems and services.
INSTANCES = 2_000_000_000
BYTES = 1e15
RATES = (20_000, 100_000, 500_000)       # metadata operations a second of a file system
STREAMS = (2, 20, 100)                   # GB a second, read and write together
SERVICE = (100, 1000)                    # requests a second before a service says 429
PER_STUDY = 200                          # instances
CORES = (16, 256, 1024)
SHARDS = (16, 256, 1024)


class Bench:
    def __init__(self, build, sets):
        import support
        self.dcmveil = pathlib.Path(build).resolve() / "dcmveil"
        self.sets = sets and pathlib.Path(sets)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="scale-", dir="/dev/shm"))
        self.key = support.WriteKey(self.folder / "key")
        self.samples = support.MakeSamples(self.folder / "samples")
        self.support = support
        self.runs = 0

    def Inputs(self, name, count):
        """A folder with so many instances."""
        folder = self.folder / f"{name}-{count}"
        if folder.exists():
            return folder
        if self.sets:
            files = sorted(f for f in (self.sets / name).rglob("*") if f.is_file())[:count]
            if len(files) < count:
                sys.exit(f"{self.sets / name} has less than {count} files")
            folder.mkdir()
            for file in files:
                to = folder / file.relative_to(self.sets / name)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, to)
            return folder
        template = self.samples / "PROBST_PAULA" / "MR_Kopf" / "PROBST.MR.0001.IMA"
        studies = count // 10
        self.support.MakeStudies(template, folder, studies, 10)
        for number, file in enumerate(sorted(folder.iterdir())):
            to = folder / f"st{number % studies:05}"
            to.mkdir(exist_ok=True)
            file.rename(to / file.name)
        if name == "A":
            for file in folder.rglob("0*"):
                with open(file, "ab") as stream:  # behind the data set stands (FFFC,FFFC), padding
                    stream.write(b"\xfc\xff\xfc\xffOB\0\0" + (1 << 19).to_bytes(4, "little") +
                                 bytes(1 << 19))
        return folder

    def Command(self, inputs, *more, jobs=1):
        self.runs += 1
        output = self.folder / f"out{self.runs}"
        return output, [self.dcmveil, "run", "-r", RULES, "--key", self.key, "-i", inputs, "-o", output,
                        "-j", str(jobs), "-q", *more]

    def Clean(self, output):
        shutil.rmtree(output, ignore_errors=True)
        shutil.rmtree(f"{output}.dcmveil", ignore_errors=True)

    def Time(self, inputs, *more):
        """The best of three: seconds, and processor seconds."""
        best = None
        for _ in range(3):
            output, command = self.Command(inputs, *more)
            before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            self.Check(subprocess.run(command))
            seconds = time.monotonic() - begin
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            processor = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
            best = min(best or (9e9, 9e9), (processor, seconds))
            self.Clean(output)
        return best[1], best[0]

    @staticmethod
    def Check(result):
        if result.returncode not in (0, 3):
            sys.exit(f"{result.args[0]} ended with {result.returncode}")

    def Calls(self, inputs, *more):
        """How often each system call is made."""
        output, command = self.Command(inputs, *more)
        log = self.folder / "strace"
        self.Check(subprocess.run(["strace", "-f", "-o", log, *command]))
        self.Clean(output)
        calls = {}
        for line in log.read_text(errors="replace").splitlines():
            call = re.match(r"\d+ +(\w+)\(", line)
            if call is None:
                continue
            of_open_file = call[1] == "newfstatat" and "AT_EMPTY_PATH" in line
            name = "fstat" if of_open_file else call[1]
            calls[name] = calls.get(name, 0) + 1
        return calls

    def CallsOfOne(self, name, *more):
        """System calls that one more instance takes."""
        few, many = 200, 1000
        one, other = (self.Calls(self.Inputs(name, n), *more) for n in (few, many))
        slope = {call: (other.get(call, 0) - one.get(call, 0)) / (many - few) for call in other}
        return {call: round(number, 2) for call, number in sorted(slope.items()) if number >= 0.005}

    def TimeOfOne(self, name, *more, few=200, many=1000):
        """Microseconds and processor microseconds that one more instance takes."""
        one, other = (self.Time(self.Inputs(name, n), *more) for n in (few, many))
        return [round(1e6 * (b - a) / (many - few), 1) for a, b in zip(one, other)]

    def Delayed(self, inputs, jobs, shards, by):
        """Seconds, if each metadata operation takes so much longer."""
        output, _ = self.Command(inputs)
        calls = ",".join(DELAYED)
        seconds = []

        def Go(number):
            command = self.Command(inputs, jobs=jobs)[1]
            command[command.index("-o") + 1] = output
            if shards > 1:
                command += ["--shard", f"{number}/{shards}", "--shard-by", by]
            command = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", f"--trace={calls}",
                       f"--inject={calls}:delay_exit={DELAY}", *command]
            begin = time.monotonic()
            self.Check(subprocess.run(command))
            seconds.append(time.monotonic() - begin)

        with concurrent.futures.ThreadPoolExecutor(shards) as pool:
            list(pool.map(Go, range(1, shards + 1)))
        self.Clean(output)
        return max(seconds)

    def Measure(self):
        nobody = ("--shard", "1/1000000")
        figures = {
            "version": subprocess.run([self.dcmveil, "--version"], stdout=subprocess.PIPE,
                                      check=True).stdout.decode().strip(),
            "inputs": "real headers (sets A and B)" if self.sets else "the project's samples",
            "processors": os.cpu_count(),
            "calls": self.CallsOfOne("A"),
            "calls_of_small": self.CallsOfOne("B"),
            "calls_of_others_by_study": self.CallsOfOne("A", *nobody),
            "calls_of_others_by_path": self.CallsOfOne("A", *nobody, "--shard-by", "path"),
            "microseconds": {}, "delay_microseconds": DELAY, "delayed": [],
        }
        for what, name, more in (("large", "A", ()), ("small", "B", ()),
                                 ("other_by_study", "A", nobody),
                                 ("other_by_path", "A", (*nobody, "--shard-by", "path"))):
            figures["microseconds"][what] = self.TimeOfOne(name, *more)
        few, many = 100, 1000
        for shards, jobs, by in ((1, 1, ""), (1, 2, ""), (1, 4, ""), (1, 8, ""), (1, 16, ""),
                                 (1, 32, ""),
                                 (2, 4, "path:1"), (4, 4, "path:1"), (8, 4, "path:1"),
                                 (4, 4, "study")):
            one, other = (self.Delayed(self.Inputs("B", n), jobs, shards, by) for n in (few, many))
            figures["delayed"].append({"shards": shards, "by": by, "jobs": jobs,
                                       "instances_per_second": round((many - few) / (other - one))})
        return figures


def Sum(calls, names):
    return sum(number for call, number in calls.items() if call in names)


def Metadata(calls):
    return Sum(calls, METADATA)


def Row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def Number(value, digits=2):
    """Two significant digits are all that a model has."""
    return f"{float(f'{value:.{digits - 1}e}'):,g}"


def Hours(seconds):
    hours = seconds / 3600
    return f"{Number(hours / 24)} days" if hours > 72 else f"{Number(hours)} h"


def Tables(figures):
    calls, others = figures["calls"], figures["calls_of_others_by_study"]
    time_of = figures["microseconds"]
    metadata, peek = Metadata(calls), Metadata(others)
    large, small = time_of["large"][1], time_of["small"][1]
    lines = [f"Measured with {figures['version']} on {figures['processors']} processors and a file "
             f"system in memory; inputs: {figures['inputs']}.", "",
             Row("one more instance takes", "processor time", "system calls", "of these metadata"),
             Row("---", "--:", "--:", "--:"),
             Row("own, 0.5 MB", f"{large:.0f} µs", f"{sum(calls.values()):.1f}", f"{metadata:.1f}"),
             Row("own, 9 to 42 KB, ten in a folder", f"{small:.0f} µs",
                 f"{sum(figures['calls_of_small'].values()):.1f}",
                 f"{Metadata(figures['calls_of_small']):.1f}"),
             Row("of another shard, by study", f"{time_of['other_by_study'][1]:.1f} µs",
                 f"{sum(others.values()):.1f}", f"{peek:.1f}"),
             Row("of another shard, by path", f"{time_of['other_by_path'][1]:.1f} µs",
                 f"{sum(figures['calls_of_others_by_path'].values()):.2f}",
                 f"{Metadata(figures['calls_of_others_by_path']):.2f}"),
             "", "The metadata operations of an own instance: " +
             ", ".join(f"{call} {number:g}" for call, number in calls.items() if call in METADATA) +
             ".", ""]
    delay = figures["delay_microseconds"] / 1e6
    lines += [f"With {delay * 1000:g} ms more in each metadata operation but `stat`, of small files; "
              "computed: what the threads can do if they never wait for the listing of folders:", "",
              Row("shards", "threads of each (`-j`)", "instances a second, measured", "computed"),
              Row("---", "--:", "--:", "--:")]
    for row in figures["delayed"]:
        shards = row["shards"]
        waits = Sum(figures["calls_of_small"], WORK)
        if row["by"] == "study":
            waits += (shards - 1) * Sum(others, WORK)
        most = shards * row["jobs"] / (waits * delay)
        lines.append(Row(f"{shards} by {row['by']}" if shards > 1 else "1", row["jobs"],
                         f"{row['instances_per_second']:,}", Number(most, 3)))
    lines += ["", "Folders are listed one after the other, here one for ten instances: that is why many threads fall "
              "below what is computed, and shards by study, which list all of them, fall far below."]
    core_hours = INSTANCES * large / 1e6 / 3600
    lines += ["", f"Computed for {INSTANCES / 1e9:g} billion instances of "
              f"{BYTES / INSTANCES / 1000:g} KB:", "",
              Row("what", "how much"), Row("---", "--:"),
              Row("core-hours of the run", Number(core_hours)),
              Row("on " + ", ".join(map(str, CORES)) + " cores, if nothing else were slower",
                  ", ".join(Hours(core_hours * 3600 / cores) for cores in CORES)),
              Row("core-hours more for looking into others' files, by study, with "
                  + ", ".join(map(str, SHARDS)) + " shards",
                  ", ".join(Number(INSTANCES * (n - 1) * time_of["other_by_study"][1] / 1e6 / 3600)
                            for n in SHARDS)),
              Row("core-hours more for listing others' names, by path, with "
                  + ", ".join(map(str, SHARDS)) + " shards",
                  ", ".join(Number(INSTANCES * (n - 1) * time_of["other_by_path"][1] / 1e6 / 3600)
                            for n in SHARDS)),
              Row("metadata operations", f"{Number(INSTANCES * metadata / 1e9)} billion"),
              Row("at " + ", ".join(f"{rate:,}" for rate in RATES) + " of them a second",
                  ", ".join(Hours(INSTANCES * metadata / rate) for rate in RATES)),
              Row("the same with by study and 16 shards",
                  ", ".join(Hours(INSTANCES * (metadata + 15 * peek) / rate) for rate in RATES)),
              Row("reading and writing at " + ", ".join(map(str, STREAMS)) + " GB/s",
                  ", ".join(Hours(2 * BYTES / rate / 1e9) for rate in STREAMS)),
              Row("a service as source, instance by instance, at "
                  + ", ".join(f"{rate:,}" for rate in SERVICE) + " requests a second",
                  ", ".join(Hours(INSTANCES / rate) for rate in SERVICE)),
              Row(f"the same study by study, {PER_STUDY} instances each",
                  ", ".join(Hours(INSTANCES / PER_STUDY / rate) for rate in SERVICE)),
              Row("manifests", f"{Number(INSTANCES * 300 / 1e9)} GB"),
              Row("memory of merge, at 8 bytes an output", f"{Number(INSTANCES * 8 / 1e9)} GB")]
    return "\n".join(lines)


BEGIN, END = "<!-- figures: bench/scale.py write -->", "<!-- end of figures -->"


def Page():
    text = PAGE.read_text(encoding="utf-8")
    begin, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    tables = Tables(json.loads(FIGURES.read_text(encoding="utf-8")))
    return text, text[:begin] + "\n\n" + tables + "\n\n" + text[end:]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("measure", "write", "check"))
    parser.add_argument("--build", default=SOURCE / "build")
    parser.add_argument("--sets")
    arguments = parser.parse_args()
    if arguments.what == "measure":
        os.environ["DCMVEIL_BINARY_DIR"] = str(arguments.build)
        bench = Bench(arguments.build, arguments.sets)
        try:
            figures = bench.Measure()
        finally:
            shutil.rmtree(bench.folder, ignore_errors=True)
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        print(Tables(figures))
        return 0
    old, new = Page()
    if arguments.what == "write":
        PAGE.write_text(new, encoding="utf-8")
    elif old != new:
        print("the tables of docs/scale.md are not those of bench/scale_figures.json; "
              "bench/scale.py write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
