# SPDX-License-Identifier: Apache-2.0
"""The sets that are measured: A large CT slices, B small files, C large multi-frames, D compressed.

Made by a given make_perf.py from its base files, or else from the project's own samples. Both write
OUT/<set>/... and OUT/MANIFEST-<set>.tsv (path, bytes, base, patient, study, series, sop).
"""
import csv
import hashlib
import os
import pathlib
import random
import subprocess
import sys

import instance

FULL = {"A": 4000, "B": 20000, "C": 20, "D": 4000}
WHAT = {"A": "CT slices, 512 KB each", "B": "small files", "C": "large multi-frames",
        "D": "compressed"}
SIZE_C = 200_000_000
MOST = {"A": 530_000, "B": 60_000, "D": 250_000}  # bytes of a file, for asking whether there is room
PER_STUDY, PER_SERIES = 200, 100
COLUMNS = ("path", "bytes", "base", "patient", "study", "series", "sop")
PIXELS, FRAMES, PER_FRAME = 0x7FE00010, 0x00280008, 0x52009230
US_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.3.1"
TRUE_COLOR_MULTI_FRAME = "1.2.840.10008.5.1.4.1.1.7.4"


def MostBytes(name, count, size_c=SIZE_C):
    """Of a set with so many files; of C the caller says how large they are."""
    return count * MOST.get(name, size_c)


class Set:
    """One set on one place: its folder, and a line for each file."""

    def __init__(self, out, name):
        self.name, self.folder = name, out / name
        with open(out / f"MANIFEST-{name}.tsv", encoding="utf-8", newline="") as lines:
            self.lines = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
        self.paths = [out / line["path"] for line in self.lines]
        self.bytes = sum(int(line["bytes"]) for line in self.lines)


class Maker:
    """Makes sets anywhere; `perf` is (make_perf.py, bases), or None for the project's own samples."""

    def __init__(self, perf, samples):
        self.perf, self.samples = perf, samples

    @property
    def source(self):
        return "make_perf.py" if self.perf else "the project's own samples"

    def Make(self, out, name, count, size_c=SIZE_C, per_study=PER_STUDY):
        out.mkdir(parents=True, exist_ok=True)
        if self.perf:
            script, bases = self.perf
            subprocess.run([sys.executable, "-B", script, "--out", out, "--sets", name,
                            f"--count-{name.lower()}", str(count), "--size-c", str(size_c),
                            "--per-study", str(per_study), "--bases", bases],
                           check=True, stdout=subprocess.DEVNULL)
        else:
            FromSamples(self.samples, out, name, count, size_c, per_study)
        return Set(out, name)


def Count(name, scale):
    return max(2, round(FULL[name] * scale))


def Link(source, out, count):
    """The first `count` files of a set as a set of its own, by hard links."""
    for line in source.lines[:count]:
        target = out / line["path"]
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source.folder.parent / line["path"], target)
    WriteManifest(out, source.name, source.lines[:count])
    return Set(out, source.name)


def WriteManifest(out, name, lines):
    with open(out / f"MANIFEST-{name}.tsv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, delimiter="\t", quoting=csv.QUOTE_NONE,
                                lineterminator="\n", quotechar=None)
        writer.writeheader()
        writer.writerows(lines)


# ------------------------------------------------------------------ from the project's own samples


def FromSamples(samples, out, name, count, size_c, per_study):
    bases = BASES[name](samples, size_c)
    lines = []
    for number in range(count):
        base, template = bases[number % len(bases)]
        study, series = number // per_study, number // min(per_study, PER_SERIES)
        line = {"base": base, "patient": f"BENCH-{name}-{study:06}", "study": Uid(name, "study", study),
                "series": Uid(name, "series", series), "sop": Uid(name, "sop", number),
                "path": f"{name}/st{study:05}/se{series:05}/{number:06}.dcm"}
        data = Renamed(template, line, number)
        path = out / line["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        lines.append({**line, "bytes": len(data)})
    WriteManifest(out, name, lines)


def Uid(*names):
    digest = hashlib.sha256("|".join(map(str, names)).encode()).digest()
    return f"2.25.{10**37 + int.from_bytes(digest, 'big') % (9 * 10**37)}"


def Renamed(template, line, number):
    """The template as another instance of another patient."""
    template.Set(0x00020003, b"UI", line["sop"])
    template.Set(0x00080018, b"UI", line["sop"])
    template.Set(0x00100010, b"PN", "Bench^" + line["patient"][6:])
    template.Set(0x00100020, b"LO", line["patient"])
    template.Set(0x0020000D, b"UI", line["study"])
    template.Set(0x0020000E, b"UI", line["series"])
    template.Set(0x00200013, b"IS", str(number % PER_SERIES + 1))
    return template.Bytes()


def Readable(samples, patterns):
    """(name, Instance) of the samples below that the splicer reads and that are instances."""
    found = []
    for path in sorted(p for pattern in patterns for p in samples.glob(pattern) if p.is_file()):
        try:
            read = instance.Instance(path.read_bytes())
        except instance.Unreadable:
            continue
        if read.Text(0x00080018):
            found.append((path.relative_to(samples).as_posix(), read))
    if not found:
        sys.exit(f"no usable samples below {samples}")
    return found


def Noise(size):
    return random.Random(size).randbytes(size)


def LargeSlices(samples, _):
    bases = Readable(samples, ["*/CT_*/*"])
    for _, read in bases:
        read.SetUs(0x00280010, 512)
        read.SetUs(0x00280011, 512)
        read.Set(PIXELS, b"OW", Noise(512 * 512 * 2))
    return bases


def SmallFiles(samples, _):
    return Readable(samples, ["charsets/*", "PET/*", "US/*", "*/CT_*/*", "*/MR_*/*", "*/SR_*/*",
                              "*/PR_*/*", "*/RS_*/*"])


def MultiFrames(samples, size):
    """An ultrasound as a loop, and an enhanced MR with larger frames and its items repeated."""
    bases = Readable(samples, ["US/*", "PROBST_PAULA/MR_Enhanced/*"])
    for _, read in bases:
        if PER_FRAME in read.parts:
            RepeatFrames(read, size)
        else:
            RepeatPixels(read, size)
    return bases


def RepeatFrames(read, size):
    side = max(32, min(512, int((size / 8) ** 0.5)))
    items = read.Items(PER_FRAME)
    frame = Noise(side * side * 2)
    frames = max(1, size // (len(frame) + len(items[0])))
    read.SetUs(0x00280010, side)
    read.SetUs(0x00280011, side)
    read.Set(FRAMES, b"IS", str(frames))
    read.SetItems(PER_FRAME, b"SQ", [items[number % len(items)] for number in range(frames)])
    read.Set(PIXELS, b"OW", frame * frames)


def RepeatPixels(read, size):
    frame = read.Value(PIXELS)
    frames = max(1, size // len(frame))
    SetSopClass(read, US_MULTI_FRAME)
    read.Set(FRAMES, b"IS", str(frames))
    read.Set(PIXELS, b"OB", frame * frames)


def SetSopClass(read, sop_class):
    read.Set(0x00020002, b"UI", sop_class)
    read.Set(0x00080016, b"UI", sop_class)


def Compressed(samples, _):
    """JPEG and RLE, the frame repeated up to about 100 KB."""
    bases = Readable(samples, ["SC/*"])
    for _, read in bases:
        table, *fragments = read.Items(PIXELS)
        frames = max(1, 100_000 // sum(map(len, fragments)))
        SetSopClass(read, TRUE_COLOR_MULTI_FRAME)
        read.Set(FRAMES, b"IS", str(frames))
        read.SetItems(PIXELS, b"OB", [table[:4] + bytes(4)] + fragments * frames)
    return bases


BASES = {"A": LargeSlices, "B": SmallFiles, "C": MultiFrames, "D": Compressed}
