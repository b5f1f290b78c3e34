# SPDX-License-Identifier: Apache-2.0
"""Pixel data keeps every byte, and what a rule keeps stays as it is, at every depth."""
import collections
import io

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.filereader import read_sequence

from support import CORPUS, CliTest, Element, Main, NeedsCorpus, Part10, Plain

PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
BINARY = ("OB", "OD", "OF", "OL", "OV", "OW", "UN", "US", "SS", "UL", "SL", "FL", "FD", "AT", "SV",
          "UV")


# What pydicom reads otherwise than DCMTK and dcmveil, and why.
EXPLAINED = {
    # One tag twice: pydicom takes the last, DCMTK the first, and the other must go.
    ("dirty/illegal_groups.dcm", "(0010, 0010)"),
    # A VR of two spaces: pydicom stops there and misses what follows.
    ("fo-dicom+fo-dicom/Tests/FO-DICOM.Tests/Test Data/GH179A.dcm", None),
}


def Read(file):
    return pydicom.dcmread(file, force=True)


def Raw(dataset, tag):
    """(VR or None, bytes) as stored; a list of items for sequences."""
    element = dataset.get_item(tag)
    vr = element.VR
    if vr is None or vr == "UN":
        try:
            vr = dictionary_VR(tag)
        except KeyError:
            vr = vr or "UN"
    if vr == "SQ" or element.VR == "SQ":
        value = dataset[tag].value
        return "SQ", value if isinstance(value, (list, pydicom.sequence.Sequence)) else []
    value = element.value
    if isinstance(value, (list, pydicom.sequence.Sequence)) and not isinstance(value, (bytes, str)):
        return "SQ", value
    return element.VR, value


def IsDropped(tag):
    """What no output may hold, whatever the rules keep."""
    return (tag.element == 0 or tag.group in (0x0000, 0x0002, 0x0004, 0xFFFE) or
            tag.group in (0x0001, 0x0003, 0x0005, 0x0007, 0xFFFF) or int(tag) == 0xFFFCFFFC)


def IsEncapsulated(element):
    """For an element that pydicom has converted or not."""
    return getattr(element, "length", 0) == 0xFFFFFFFF or \
        getattr(element, "is_undefined_length", False)


class Pixels(CliTest):
    def CheckPixels(self, folder, rules):
        output = self.tmp / rules
        self.Run(rules, folder, output)
        counts = collections.Counter()
        for source, target, line in self.Pairs(folder, output):
            before, after = Read(source), Read(target)
            # The pixels that a reader finds; not those of icons, which rules may remove.
            for tag in PIXELS:
                self.assertEqual(tag in before, tag in after, (line["input"], hex(tag)))
                if tag not in before:
                    continue
                old, new = before.get_item(tag), after.get_item(tag)
                encapsulated = IsEncapsulated(old)  # then the value has the item tags too
                self.assertEqual(encapsulated, IsEncapsulated(new), line["input"])
                counts["encapsulated" if encapsulated else "native"] += 1
                expected = old.value or b""
                if len(expected) % 2 and not encapsulated:
                    expected += b"\0"
                self.assertTrue(expected == (new.value or b""), line["input"])
                if old.VR is not None and "vr-mended" not in line.get("notes", {}):
                    self.assertEqual(old.VR, new.VR, line["input"])
        return counts

    def test_samples(self):
        for rules in ("keep-all.yaml", "research-export.yaml", "ai-training.yaml"):
            counts = self.CheckPixels(self.samples, rules)
            self.assertGreater(counts["native"], 10)
            self.assertGreater(counts["encapsulated"], 0)

    @NeedsCorpus
    def test_corpus(self):
        for rules in ("keep-all.yaml", "research-export.yaml"):
            counts = self.CheckPixels(CORPUS, rules)
            self.assertGreater(counts["native"], 50)
            self.assertGreater(counts["encapsulated"], 10)


class Retention(CliTest):
    def Same(self, old, new, where, notes, seen):
        """Compares two data sets as stored; `seen` counts what was compared and excused."""
        tags = [tag for tag in old.keys() if not IsDropped(tag)]
        if "trailing-bytes" in notes and PIXELS[2] in tags:
            # pydicom takes text behind the data set for elements.
            tags = tags[:tags.index(PIXELS[2]) + 1]
        lost = [str(t) for t in tags if t not in new]
        gained = [str(t) for t in new.keys() if t not in tags]
        if (where, None) in EXPLAINED:
            gained = []
        self.assertEqual(([], []), (lost, gained), where)
        for tag in tags:
            here = f"{where}/{tag}"
            (old_vr, a), (new_vr, b) = Raw(old, tag), Raw(new, tag)
            seen["elements"] += 1
            if new_vr == "SQ" and isinstance(a, bytes):
                # A private sequence of known length in implicit VR, that pydicom did not see.
                a = read_sequence(io.BytesIO(a), True, True, len(a), "iso8859")
                seen["found"] += 1
            if old_vr == "SQ" or new_vr == "SQ":
                self.assertEqual("SQ", new_vr, here)
                self.assertEqual(len(a), len(b), f"{here}: items")
                for number, (one, other) in enumerate(zip(a, b)):
                    self.Same(one, other, f"{here}[{number}]", notes, seen)
                continue
            if old_vr != new_vr and None not in (old_vr, new_vr):
                self.assertIn("vr-mended", notes, f"{here}: {old_vr} became {new_vr}")
                seen["vr-mended"] += 1
            a, b = a or b"", b or b""
            if a == b:
                continue
            if len(a) % 2 and a == b[:-1] and b[-1:] in b"\0 ":
                seen["padded"] += 1
                continue
            # What a text has behind a NUL is cut off; one NUL or space pads.
            cut = a.split(b"\0")[0]
            if b"\0" in a and b.rstrip(b" \0") == cut.rstrip(b" "):
                seen["nul"] += 1
                continue
            # More spaces at the end than one need not stay: no reader sees them.
            if old_vr not in BINARY and a.rstrip(b" ") == b.rstrip(b" ") and len(b) < len(a):
                seen["spaces"] += 1
                continue
            if (where, str(tag)) in EXPLAINED:
                continue
            self.fail(f"{here} {old_vr}: {len(a)} bytes {a[:60]!r} became {len(b)} {b[:60]!r}")

    def Check(self, folder):
        output = self.tmp / "kept"
        self.Run("keep-all.yaml", folder, output)
        seen = collections.Counter()
        problems = []
        for source, target, line in self.Pairs(folder, output):
            try:
                self.Same(Read(source), Read(target), line["input"], line.get("notes", {}), seen)
            except AssertionError as problem:
                problems.append(str(problem)[:700])
        self.assertEqual([], problems, "\n".join(problems))
        return seen

    def test_what_is_dropped_is_counted(self):
        self.Run("keep-all.yaml", self.samples / "dirty", self.tmp / "out", expect=0)
        notes = {name: line.get("notes", {}) for name, line in self.ByInput(self.tmp / "out").items()}
        self.assertEqual(4, notes["illegal_groups.dcm"].get("illegal-group"))
        self.assertEqual(1, notes["illegal_groups.dcm"].get("duplicate-element"), notes)
        self.assertIn("text-after-nul", notes["nul_text.dcm"])
        self.assertIn("trailing-bytes", notes["trailing_zeros.dcm"])
        self.assertIn("vr-mended", notes["un_encoded.dcm"])

    def test_odd_encodings(self):
        """What the corpus has and the samples have not."""
        source = self.tmp / "in"
        source.mkdir()
        (source / "number in another VR").write_bytes(Part10(
            Plain("1.2.3.4.1") + Element(0x00700062, "US", b"\1\0"), "1.2.3.4.1"))
        (source / "creator as UN").write_bytes(Part10(
            Plain("1.2.3.4.2") + Element(0x00110010, "UN", "HMC ") +
            Element(0x00111001, "LO", "x "), "1.2.3.4.2"))
        self.Run("keep-all.yaml", source, self.tmp / "out", expect=0)
        lines = self.ByInput(self.tmp / "out")
        with self.subTest("number in another VR"):
            written = Read(self.tmp / "out" / lines["number in another VR"]["output"])
            self.assertEqual(1, int(written[0x00700062].value or 0), "a kept number stays")
        with self.subTest("creator as UN"):
            written = Read(self.tmp / "out" / lines["creator as UN"]["output"])
            self.assertEqual("HMC", written[0x00110010].value)
            self.assertIn("vr-mended", lines["creator as UN"].get("notes", {}))

    def test_samples(self):
        seen = self.Check(self.samples)
        self.assertGreater(seen["elements"], 1500)
        self.assertLess(seen["padded"] + seen["nul"] + seen["vr-mended"], 40, seen)

    @NeedsCorpus
    def test_corpus(self):
        seen = self.Check(CORPUS)
        self.assertGreater(seen["elements"], 20000)
        self.assertLess(seen["padded"] + seen["nul"], seen["elements"] / 100, seen)


if __name__ == "__main__":
    Main()
