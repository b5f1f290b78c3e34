# SPDX-License-Identifier: Apache-2.0
"""Measuring one command: time and memory, instructions and calls (callgrind), system calls (strace)."""
import collections
import json
import os
import re
import subprocess

ENVIRONMENT = {**os.environ, "LC_ALL": "C"}
# What counts as taking a lock. Spin locks of oneTBB and the locks inside malloc and stdio have no
# function to count.
LOCK = re.compile(r"_*pthread_(mutex_(try|timed|clock)?lock|rwlock_(try|timed|clock)?(rd|wr)lock|spin_(try)?lock)\b")
ALLOCATION = re.compile(r"(malloc|calloc|realloc|aligned_alloc|memalign|posix_memalign)$")

# The parts of a file's way, by the function whose calls are that part.
PHASES = {
    "reading": re.compile(r"dcmveil::engine::ReadInstance\("),
    "collecting identifiers": re.compile(r"dcmveil::engine::CollectIdentifiers\("),
    "deciding and acting": re.compile(r"dcmveil::engine::Deidentify\("),
    "cleaning text": re.compile(r"dcmveil::engine::clean::TextCleaner::Clean\b"),
    "the guard": re.compile(r"dcmveil::engine::guard::Look\("),
    "encoding": re.compile(r"dcmveil::engine::EncodeParts\("),
    "staging the output": re.compile(r"dcmveil::pipeline::FolderSink::(Stage|Begin|Commit)\b"),
    "manifest and journal": re.compile(r"dcmveil::\(anonymous namespace\)::Runner::Finish\("),
}
# Parts whose instructions are also in another one's.
INSIDE = {"deciding and acting": ("collecting identifiers", "cleaning text")}


class Failed(Exception):
    """A command did not do what was to be measured; says which, and how it ended."""


def Run(command, folder, allowed=(0,)):
    """Runs a command whose time does not matter; `folder` takes its output."""
    log = folder / "log"
    with open(log, "wb") as out:
        status = subprocess.run(list(map(os.fspath, command)), stdin=subprocess.DEVNULL, stdout=out,
                                stderr=subprocess.STDOUT, env=ENVIRONMENT, check=False).returncode
    if status not in allowed:
        raise Failed(f"{os.path.basename(os.fspath(command[0]))} ended with {status}")
    return log


class Timer:
    """`binary` is bench/timed."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder

    def Start(self, command, name="timed"):
        """Begins; what is returned is called to wait for the end and get the measures."""
        result, log = self.folder / f"{name}.json", self.folder / f"{name}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen([self.binary, result, *map(os.fspath, command)],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                       env=ENVIRONMENT)

        def Wait():
            if process.wait() != 0:
                raise Failed(f"timed ended with {process.returncode}")
            return {**json.loads(result.read_text()), "log": log}
        return Wait

    def Time(self, command):
        return self.Start(command)()


def Callgrind(command, folder):
    """Instructions of a run, in all and by phase, lock acquisitions and allocations."""
    out = folder / "callgrind.out"
    Run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command], folder, (0, 3))
    with open(out, encoding="utf-8", errors="replace") as lines:
        instructions, calls, spent = ParseCallgrind(lines)
    out.unlink()
    return {"instructions": instructions, "locks": Sum(calls, LOCK), "allocations": Sum(calls, ALLOCATION),
            **Phases(spent)}


def Phases(spent):
    """Instructions of each phase, without those of the phases inside it."""
    phases = {f"phase: {phase}": sum(count for name, count in spent.items() if pattern.match(name))
              for phase, pattern in PHASES.items()}
    for outer, inner in INSIDE.items():
        phases[f"phase: {outer}"] -= sum(phases[f"phase: {phase}"] for phase in inner)
    return phases


def Sum(calls, pattern):
    return sum(count for name, count in calls.items() if pattern.match(name.split("@")[0].split("'")[0]))


def ParseCallgrind(lines):
    """Instructions in all; how often each function was called; and what those calls took, with all
    that they called. Names are written once, with a number that stands for them from then on."""
    names, calls, spent, called, instructions, of_call = {}, collections.Counter(), collections.Counter(), None, 0, False
    for line in lines:
        if of_call:
            spent[called] += int(line.split()[1])
            of_call = False
            continue
        match = re.match(r"(c?fn)=\((\d+)\)(?: (.*))?", line)
        if match:
            kind, number, name = match.groups()
            if name:
                names[number] = name.rstrip("\n")
            if kind == "cfn":
                called = number
        elif line.startswith("calls="):
            calls[called] += int(line[6:].split()[0])
            of_call = True
        elif line.startswith(("summary:", "totals:")):
            instructions = int(line.split()[1])
    return instructions, *({names[number]: count for number, count in counter.items()} for counter in (calls, spent))


def Strace(command, folder):
    """System calls of a run, by name."""
    out = folder / "strace.out"
    Run(["strace", "-c", "-f", "-o", out, *command], folder, (0, 3))
    return ParseStrace(out.read_text())


def ParseStrace(text):
    calls = collections.Counter()
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdigit() and words[-1] != "total":
            calls[words[-1]] += int(words[3])
    return calls
