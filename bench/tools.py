# SPDX-License-Identifier: Apache-2.0
"""What is compared: a copy, dcmveil, gdcmanon, dcmodify.

A tool is prepared once for each set and readied before each run; neither is timed. It says how many
files its run takes, for gdcmanon refuses some.
"""
import json
import os
import shutil
import subprocess

import measure

# gdcmanon refuses instances that say that they were de-identified; many public files do.
MARKS = ["(0012,0062)", "(0012,0063)", "(0012,0064)"]


class Tool:
    name = ""

    def Prepare(self, data, folder):
        """`data` is the set, `folder` an empty folder on the same place. Raises Failed if the tool
        cannot do this set at all."""
        self.source, self.files, self.bytes, self.note = data.folder, len(data.paths), data.bytes, ""

    def Ready(self, out):
        pass

    def Command(self, out):
        raise NotImplementedError

    def Check(self, result, out):
        """Raises Failed unless the run did what it should; returns more to record."""
        if result["status"] != 0:
            raise measure.Failed(f"{self.name} ended with {result['status']}")
        made = CountFiles(out)
        if made != self.files:
            raise measure.Failed(f"{self.name} wrote {made} of {self.files} files")
        return {}


def CountFiles(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


class Copy(Tool):
    name = "cp -r"

    def Command(self, out):
        return ["cp", "-r", self.source, out]


class Dcmveil(Tool):
    def __init__(self, binary, rules, key, jobs):
        self.binary, self.rules, self.key, self.jobs = binary, rules, key, jobs
        self.name = f"dcmveil -j {jobs}"

    def Command(self, out):
        return [self.binary, "run", "--json", "-r", self.rules, "--key", self.key, "-i", self.source,
                "-o", out, "-j", str(self.jobs)]

    def Check(self, result, out):
        if result["status"] not in (0, 3):
            raise measure.Failed(f"{self.name} ended with {result['status']}")
        summary = Summary(result["log"])
        done = sum(summary[outcome] for outcome in ("written", "rejected", "quarantined", "failed"))
        if done != self.files or CountFiles(out) != summary["written"]:
            raise measure.Failed(f"{self.name} did {done} of {self.files} files")
        return {"written": summary["written"], "bytes_out": summary["bytes_out"]}


def Summary(log):
    """The summary of a run with --json, among warnings."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return json.loads(next(line for line in reversed(lines) if '"summary"' in line))


class Gdcmanon(Tool):
    """Stops at the first file that it refuses, so it gets a folder of those that it takes: which, is
    tried with one file of each base. Marks of an earlier de-identification are taken out for it."""
    name = "gdcmanon -e"

    def __init__(self, certificate):
        self.certificate = certificate

    def Base(self, source, out):
        return ["gdcmanon", "-e", "-c", self.certificate, "-i", source, "-o", out]

    def Prepare(self, data, folder):
        self.source = folder / "in"
        self.files, self.bytes = 0, 0
        takes, unmarked, refused = {}, [], 0
        for path, line in zip(data.paths, data.lines):
            base = line["base"]
            if base not in takes:
                takes[base] = self.Try(path, folder)
            if takes[base] == "refused":
                refused += 1
                continue
            target = self.source / path.relative_to(data.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if takes[base] == "unmarked":
                shutil.copyfile(path, target)
                unmarked.append(target)
            else:
                os.link(path, target)
            self.files, self.bytes = self.files + 1, self.bytes + int(line["bytes"])
        if not self.files:
            raise measure.Failed("gdcmanon refuses every file")
        Unmark(unmarked, folder)
        self.note = Note(refused, len(unmarked), len(data.paths))

    def Try(self, path, folder):
        """Whether it takes this file as it is, without its marks, or not."""
        copy, out = folder / "try", folder / "tried"
        shutil.copyfile(path, copy)
        answer = "refused"
        for attempt in ("as it is", "unmarked"):
            if attempt == "unmarked":
                Unmark([copy], folder)
            if self.Takes(copy, out, folder):
                answer = attempt
                break
        copy.unlink()
        out.unlink(missing_ok=True)
        return answer

    def Takes(self, source, out, folder):
        try:
            measure.Run(self.Base(source, out), folder)
        except measure.Failed:
            return False
        return out.exists()

    def Ready(self, out):
        out.mkdir()

    def Command(self, out):
        return [*self.Base(self.source, out), "-r"]


def Note(refused, unmarked, count):
    notes = []
    if refused:
        notes.append(f"refuses {refused} of {count}")
    if unmarked:
        notes.append(f"refuses {unmarked} of {count} unless marks of de-identification are taken out before")
    return "; ".join(notes)


def Walk(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def Unmark(paths, folder):
    erase = [word for mark in MARKS for word in ("-ea", mark)]
    for begin in range(0, len(paths), 500):
        measure.Run(["dcmodify", "-nb", "-imt", *erase, *paths[begin:begin + 500]], folder)


class Dcmodify(Tool):
    """Some edits in place, on a copy that is made before; the time is that of the edits alone."""
    name = "dcmodify"
    EDITS = ["-ma", "(0010,0010)=Anonymous", "-ma", "(0010,0020)=0001", "-ma", "(0008,0050)=1",
             "-ea", "(0008,0080)", "-ea", "(0008,0090)", "-ea", "(0010,0030)"]

    def Prepare(self, data, folder):
        super().Prepare(data, folder)
        self.names = folder / "names"

    def Ready(self, out):
        shutil.copytree(self.source, out)
        self.names.write_bytes(b"\0".join(os.fsencode(path) for path in Walk(out)))

    def Command(self, out):
        return ["xargs", "-0", "-a", self.names, "dcmodify", "-nb", "-imt", *self.EDITS]


def Certificate(folder):
    """A throw-away certificate for gdcmanon, whose key is never used."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=bench", "-keyout", folder / "certificate.key", "-out", folder / "certificate.pem"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder / "certificate.pem"
