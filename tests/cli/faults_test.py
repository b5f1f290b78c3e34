# SPDX-License-Identifier: Apache-2.0
"""Odd files, full disks, hostile encodings: an outcome for each, never a crash, never half a file."""
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import unittest
import zlib

import pydicom

from support import (CliTest, Command, DCMVEIL, Element, Environment, Main, MakeCopies,
                     Part10, Plain, Sanitized, Snapshot, Timeout, Tree, Walk)

KEEP = "keep-all.yaml"
EXPORT = "research-export.yaml"


def Item(content, defined=True):
    if defined:
        return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content
    return struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + content + b"\xfe\xff\x0d\xe0\0\0\0\0"


class OddFiles(CliTest):
    def test_what_is_no_regular_file(self):
        source, outside = self.tmp / "in", self.tmp / "outside"
        shutil.copytree(self.samples / "charsets", source / "real")
        outside.mkdir()
        shutil.copy(self.samples / "formats" / "no_preamble", outside / "secret.dcm")
        os.mkfifo(source / "fifo.dcm")
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(os.fspath(source / "socket.dcm"))
        (source / "dangling.dcm").symlink_to("nowhere.dcm")
        (source / "out of the tree.dcm").symlink_to(outside / "secret.dcm")
        (source / "folder out of the tree").symlink_to(outside)
        (source / "loop").symlink_to(".")
        (source / "self").symlink_to("self")
        (source / "empty.dcm").touch()
        (source / "blank.dcm").write_bytes(bytes(1000))
        (source / "preamble.dcm").write_bytes(bytes(128) + b"DICM")
        with open(source / "sparse.dcm", "wb") as file:
            file.truncate(4 << 30)
        before = Snapshot(source)
        self.Run(EXPORT, source, self.tmp / "out", expect=3)
        lines = {line["input"]: (line["outcome"], line["reason"])
                 for line in self.ExpectConsistent(source, self.tmp / "out")}
        real = [name for name in lines if name.startswith("real/")]
        self.assertEqual(10, len(real))
        for name in real:
            self.assertEqual("written", lines.pop(name)[0])
        for name in ("dangling.dcm", "out of the tree.dcm", "folder out of the tree", "loop", "self"):
            self.assertEqual(("quarantined", "symbolic-link"), lines.pop(name), name)
        for name in ("fifo.dcm", "socket.dcm", "empty.dcm", "blank.dcm"):
            self.assertEqual(("quarantined", "not-dicom"), lines.pop(name), name)
        for name in ("sparse.dcm", "preamble.dcm"):
            self.assertEqual("quarantined", lines.pop(name)[0], name)
        self.assertEqual({}, lines)
        self.assertEqual(before, Snapshot(source))
        # ... and none of them stops the other verbs.
        result = Command("check", "-r", self.Arguments(EXPORT, "", "")[2], "--key", self.key,
                         "--sample", source)
        self.assertEqual(0, result.returncode)

    def test_link_within_the_tree(self):
        source = self.tmp / "in"
        shutil.copytree(self.samples / "charsets", source / "a")
        (source / "b").symlink_to("a/greek.dcm")
        (source / "z").symlink_to("a")
        self.Run(EXPORT, source, self.tmp / "out", expect=3)
        lines = {line["input"]: line for line in self.ExpectConsistent(source, self.tmp / "out")}
        self.assertEqual("same-output", lines["b"]["reason"])
        self.assertEqual("symbolic-link", lines["z"]["reason"])

    def test_one_odd_input(self):
        os.mkfifo(self.tmp / "fifo")
        (self.tmp / "empty").touch()
        for name in ("fifo", "empty"):
            result = self.Run(EXPORT, self.tmp / name, self.tmp / f"out {name}", timeout=20)
            self.assertIn(result.returncode, (2, 3), name)

    def test_names(self):
        """Names are bytes: blanks, newlines, quotes, what is no UTF-8, what looks like a flag."""
        source = os.path.join(os.fsencode(self.tmp), b"in")
        names = [b"with space.dcm", b"caf\xe8.dcm", "caf\ufffd.dcm".encode(), b"line\nbreak.dcm", b'quote"\\.dcm', b"-r", b"caf\xe9.dcm",
                 b"\xff\xfe", b"tab\t", b"sub dir\xff/x.dcm", "Ж".encode(), b"n" * 255,
                 b"\x1b[31mred", b"%s%n", b"*", b".hidden"]
        template = (self.samples / "formats" / "no_preamble").read_bytes()
        uid = b"1.2.826.0.1.3680043.10.999.4.8.1.1"
        self.assertIn(uid, template)
        for number, name in enumerate(names):
            path = os.path.join(source, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                # As long as before: ".1" gives way to two digits.
                file.write(template.replace(uid, uid[:-2] + b"%02d" % (number + 10)))
        output = self.tmp / "out"
        self.Run(EXPORT, os.fsdecode(source), output, "--layout", "{SOPInstanceUID}.dcm", expect=0)
        lines = self.Manifest(output)
        self.assertEqual(len(names), len(lines))
        self.assertEqual(len(names), len(Walk(output)))
        shown = sorted(name.decode("utf-8", "replace") for name in names)
        self.assertEqual(shown, sorted(line["input"] for line in lines))
        told = [bytes.fromhex(line["input_bytes"]) if "input_bytes" in line
                else line["input"].encode() for line in lines]
        self.assertEqual(sorted(names), sorted(told), "no two names look alike")
        for name in names:
            result = self.Run(EXPORT, os.path.join(source, name), os.fsencode(self.tmp) + b"/one.dcm")
            self.assertEqual(0, result.returncode, name)
            os.unlink(self.tmp / "one.dcm")
        self.Run(KEEP, os.fsdecode(source), self.tmp / "mirror", "--layout", "mirror", expect=0)
        self.assertEqual(sorted(names), Walk(self.tmp / "mirror"))
        for line in self.Manifest(self.tmp / "mirror"):
            self.assertEqual(line.get("input_bytes"), line.get("output_bytes"), line)

    def test_output_names_are_tame(self):
        """Values that try to lead out of the output folder."""
        source = self.tmp / "in"
        source.mkdir()
        for number, patient in enumerate(("../../evil", "..", ".", "/etc/passwd", "a/b", "a\\..\\b",
                                          "", "~", "\x01\x02", "x" * 64, "ü" * 20, "-rf")):
            uid = f"1.2.826.0.1.3680043.10.999.78.{number + 10}"
            (source / str(number)).write_bytes(Part10(
                Plain(uid, patient) + Element(0x0020000D, "UI", "../" * 3 + "x") +
                Element(0x0020000E, "UI", ".."), uid))
        before = Snapshot(self.class_tmp)
        self.Run(KEEP, source, self.tmp / "out")
        lines = self.ExpectConsistent(source, self.tmp / "out")
        for line in lines:
            if line["output"]:
                self.assertNotIn("..", line["output"].split("/"))
        after = Snapshot(self.class_tmp)
        here = os.fsencode(self.tmp.name) + b"/out"
        self.assertEqual({}, {n: after[n] for n in after
                              if not n.startswith(here) and n not in before})


class NoSpace(CliTest):
    def Check(self, output, whole, result):
        self.assertIn(result.returncode, (1, 3), result.stderr)
        expected = Tree(whole)
        for name, data in Tree(output).items():
            self.assertIn(name, expected)
            self.assertTrue(data == expected[name], f"{name} is not whole")
        lines = self.Manifest(output)
        failed = [line for line in lines if line["outcome"] == "failed"]
        self.assertNotEqual([], failed)
        for line in failed:
            self.assertEqual(("write-failed", None), (line["reason"], line["output"]))
        written = sorted(os.fsencode(line["output"]) for line in lines if line["output"])
        self.assertEqual(written, Walk(output))

    def test_file_size_limit(self):
        """Larger outputs fail, smaller ones are written; a rerun without the limit ends it."""
        whole, output = self.tmp / "whole", self.tmp / "out"
        self.Run(EXPORT, self.samples, whole)

        def Limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (17000, 17000))

        # The manifest of the samples is smaller than that limit only for a part of them.
        source = self.tmp / "in"
        shutil.copytree(self.samples / "US", source / "US")
        shutil.copytree(self.samples / "PET", source / "PET")
        shutil.copytree(self.samples / "formats", source / "formats")
        result = self.Run(EXPORT, source, output, preexec_fn=Limit)
        self.assertEqual(3, result.returncode)
        self.Check(output, whole, result)
        lines = self.ExpectConsistent(source, output)
        self.assertEqual(["US/SCHALLMEIER SONJA 20240611.dcm"],
                         [line["input"] for line in lines if line["outcome"] == "failed"])
        self.Run(EXPORT, source, output, expect=0)
        lines = self.ExpectConsistent(source, output)
        self.assertEqual(1, sum(line["outcome"] == "written" for line in lines))

    def test_limit_that_stops_the_manifest(self):
        whole, output = self.tmp / "whole", self.tmp / "out"
        source = MakeCopies(self.samples / "charsets" / "greek.dcm", self.tmp / "in", 60)
        self.Run(EXPORT, source, whole, expect=0)

        def Limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

        result = self.Run(EXPORT, source, output, preexec_fn=Limit)
        self.assertEqual(1, result.returncode)
        self.assertRegex(result.stderr, b"the (manifest|journal) cannot be written")
        expected = Tree(whole)
        for name, data in Tree(output).items():
            self.assertTrue(data == expected[name])
        self.Run(EXPORT, source, output, "-j", "8", expect=0)
        self.ExpectSameTrees(whole, output)
        self.ExpectConsistent(source, output)

    def test_full_disk(self):
        mount, whole = self.tmp / "disk", self.tmp / "whole"
        mount.mkdir()
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", mount],
                              capture_output=True)
        if made.returncode != 0:
            self.skipTest("no file system may be mounted here")
        try:
            self.Run(EXPORT, self.samples, whole)
            output = mount / "out"
            arguments = [EXPORT, self.samples, output, "--state", self.tmp / "out.dcmveil"]
            result = self.Run(*arguments)
            self.CheckFull(output, whole, result)
            # With more room the rerun ends with the same tree.
            subprocess.run(["mount", "-o", "remount,size=8m", mount], check=True)
            self.Run(*arguments, expect=3)
            self.ExpectSameTrees(whole, output)
        finally:
            subprocess.run(["umount", mount], check=True)

    def CheckFull(self, output, whole, result):
        self.assertEqual(1, result.returncode, result.stderr)
        self.assertIn(b"no room left", result.stderr)
        self.assertIn(b"write-failed", result.stdout)
        manifest = (self.tmp / "out.dcmveil" / "manifest.ndjson").read_text().splitlines()
        self.assertLess(len(manifest), len(self.Manifest(whole)), "it stopped")
        expected = Tree(whole)
        tree = Tree(output)
        self.assertLess(len(tree), len(expected))
        for name, data in tree.items():
            self.assertTrue(data == expected.get(name), f"{name} is not whole")

    def test_output_that_cannot_be_made(self):
        (self.tmp / "file").write_text("")
        result = self.Run(EXPORT, self.samples, self.tmp / "file" / "out")
        self.assertIn(result.returncode, (1, 2))
        result = self.Run(EXPORT, self.samples, "/proc/dcmveil", "--state", self.tmp / "state")
        self.assertIn(result.returncode, (1, 2))
        result = self.Run(EXPORT, self.samples, self.tmp / "out", "--state", "/proc/dcmveil")
        self.assertIn(result.returncode, (1, 2))
        self.assertEqual(b"", result.stdout, "nothing is said of inputs that nobody looked for")


class Hostile(CliTest):
    def One(self, data, name="x.dcm"):
        source = self.tmp / "in"
        source.mkdir(exist_ok=True)
        (source / name).write_bytes(data)
        return source

    def test_deep_nesting(self):
        """10,000 levels in each way that they can be written."""
        source = self.tmp / "in"
        source.mkdir()
        levels = 10000
        open_sq = Element(0x00081110, "SQ", b"")[:-4] + b"\xff\xff\xff\xff"
        open_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
        close = b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0"
        undefined = (open_sq + open_item) * levels + close * levels
        (source / "undefined").write_bytes(Part10(Plain() + undefined))
        (source / "unclosed").write_bytes(Part10(Plain() + (open_sq + open_item) * levels))
        defined = b""
        for _ in range(levels):
            defined = Element(0x00081110, "SQ", Item(defined))
        (source / "defined").write_bytes(Part10(Plain() + defined))
        implicit = struct.pack("<HHI", 0x0008, 0x1110, 0xFFFFFFFF) + open_item
        un = Element(0x00091001, "UN", b"")[:-4] + b"\xff\xff\xff\xff"
        (source / "unknown").write_bytes(Part10(
            Plain() + Element(0x00090010, "LO", "X") + un + open_item + implicit * levels +
            close * (levels + 1)))
        (source / "private implicit").write_bytes(Part10(
            b"".join(struct.pack("<HHI", t >> 16, t & 0xFFFF, len(v)) + v for t, v in (
                (0x00080016, b"1.2.840.10008.5.1.4.1.1.7\0"), (0x00080018, b"1.2.3.4\0"))) +
            (struct.pack("<HHI", 0x0009, 0x1001, 0xFFFFFFFF) + open_item) * levels + close * levels,
            syntax="1.2.840.10008.1.2"))
        for rules in (EXPORT, KEEP):
            output = self.tmp / f"out-{rules}"
            self.Run(rules, source, output, expect=3)
            for line in self.ExpectConsistent(source, output):
                self.assertEqual(("quarantined", "too-deep"), (line["outcome"], line["reason"]), line)
        for file in sorted(source.iterdir()):
            result = Command("explain", "-r", self.Arguments(EXPORT, "", "")[2], "--key", self.key, file)
            self.assertEqual(3, result.returncode)
            self.assertIn(b"too-deep", result.stderr)

    def test_moderate_nesting(self):
        content = Element(0x00100010, "PN", "Tiefmann^Theo")
        for _ in range(20):
            content = Element(0x00081110, "SQ", Item(content, defined=False))
        source = self.One(Part10(Plain() + content))
        self.Run(EXPORT, source, self.tmp / "out", expect=0)
        for data in Tree(self.tmp / "out").values():
            self.assertNotIn(b"Tiefmann", data)

    def test_lengths_that_lie(self):
        huge = struct.pack("<I", 0xFFFFFFF0)
        cases = {
            "long element": Plain() + Element(0x00420011, "OB", b"")[:-4] + huge + b"abc",
            "long pixels": Plain() + Element(0x7FE00010, "OW", b"")[:-4] + huge + bytes(100),
            "long item": Plain() + Element(0x00081110, "SQ", struct.pack("<HH", 0xFFFE, 0xE000) + huge),
            "long sequence": Plain() + Element(0x00081110, "SQ", b"")[:-4] + huge,
            "item longer than its sequence": Plain() + Element(
                0x00081110, "SQ", struct.pack("<HHI", 0xFFFE, 0xE000, 40)) + bytes(40),
            "element longer than its item": Plain() + Element(0x00081110, "SQ", Item(
                b"\x08\0\x50\0SH\xff\0abcd")) + Element(0x00100030, "DA", "20200101") * 40,
            "no items": Plain() + Element(0x00081110, "SQ", b"")[:-4] + b"\xff\xff\xff\xff",
            "fragments without end": Plain() + Element(0x7FE00010, "OB", b"")[:-4] +
            b"\xff\xff\xff\xff" + Item(b"") + Item(b"abcd"),
            "fragment too long": Plain() + Element(0x7FE00010, "OB", b"")[:-4] + b"\xff\xff\xff\xff" +
            Item(b"") + struct.pack("<HHI", 0xFFFE, 0xE000, 5000) + b"abcd",
            "half a header": Plain() + b"\x10\0",
            "delimiter": Plain() + b"\xfe\xff\x0d\xe0\0\0\0\0",
        }
        source = self.tmp / "in"
        source.mkdir()
        for name, body in cases.items():
            syntax = "1.2.840.10008.1.2.4.50" if "fragment" in name else "1.2.840.10008.1.2.1"
            (source / name).write_bytes(Part10(body, syntax=syntax))
        for rules in (EXPORT, KEEP):
            output = self.tmp / f"out-{rules}"
            self.Run(rules, source, output, expect=3)
            for line in self.ExpectConsistent(source, output):
                if line["input"] in ("half a header", "delimiter") and line["outcome"] == "written":
                    self.assertIn("trailing-bytes", line.get("notes", {}), line)
                    continue
                self.assertEqual("quarantined", line["outcome"], line)
                self.assertIn(line["reason"], ("truncated", "malformed", "unreadable-sequence"), line)

    def test_deflated(self):
        """Broken, empty and explosive streams."""
        deflated = "1.2.840.10008.1.2.1.99"

        def Deflate(data):
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            return packer.compress(data) + packer.flush()

        good = Deflate(Plain())
        source = self.tmp / "in"
        source.mkdir()
        for name, body in {"good": good, "cut": good[:len(good) // 2], "empty": b"",
                           "noise": bytes(range(255, 0, -1)),
                           "tail": good + b"GEHEIMNIS" * 3,
                           "zlib header": zlib.compress(Plain())}.items():
            (source / name).write_bytes(Part10(body, syntax=deflated))
        self.Run(EXPORT, source, self.tmp / "out", expect=3)
        for line in self.ExpectConsistent(source, self.tmp / "out"):
            if line["input"] not in ("good", "tail"):
                self.assertEqual("quarantined", line["outcome"], line)
        for data in Tree(self.tmp / "out").values():
            self.assertNotIn(b"GEHEIMNIS", data)

    def test_a_megabyte_of_one_number(self):
        """It is the Patient ID, and counts nowhere in a time: looked at once, not once a match."""
        rules = self.tmp / "rules.yaml"
        rules.write_text("dcmveil: 1\nname: test\nprofile: none\nrules:\n  - {tag: PatientID, action: redact}\n"
                         "  - {tag: StudyTime, action: keep}\n  - {vr: UI, action: refresh-uid}\notherwise: keep\n")
        implicit = b"".join(struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value for tag, value in (
            (0x00080016, b"1.2.840.10008.5.1.4.1.1.7\0"), (0x00080018, b"1.2.826.0.1.3680043.10.999.77.1\0"),
            (0x00080030, b"123456 " * 150000), (0x00080060, b"OT"), (0x00100020, b"123456"),
            (0x0020000D, b"1.2.826.0.1.3680043.10.999.77.2\0")))
        source = self.One(Part10(implicit, syntax="1.2.840.10008.1.2"))
        self.Run(rules, source, self.tmp / "out", timeout=Timeout(30), expect=0)

    def test_an_icon_of_many_segments(self):
        """Each holds the Patient ID as a part of a longer number: the icon is taken apart once."""
        rules = self.tmp / "rules.yaml"
        rules.write_text("dcmveil: 1\nname: test\nprofile: none\nrules:\n  - {tag: PatientID, action: redact}\n"
                         "  - {vr: UI, action: refresh-uid}\notherwise: keep\n")
        segment = b"\xff\xfe" + struct.pack(">H", 10) + b"15234567"
        jpeg = b"\xff\xd8" + segment * 100000 + b"\xff\xda\0\x02x\xff\xd9\0"
        icon = (Element(0x7FE00010, "OB", b"")[:-4] + b"\xff\xff\xff\xff" + Item(b"") + Item(jpeg) +
                b"\xfe\xff\xdd\xe0\0\0\0\0")
        source = self.One(Part10(Plain(patient_id="523456") + Element(0x00880200, "SQ", Item(icon)),
                                 syntax="1.2.840.10008.1.2.4.50"))
        self.Run(rules, source, self.tmp / "out", timeout=Timeout(30), expect=0)

    def test_a_million_items(self):
        items = b"".join(Item(Element(0x00081150, "UI", "1.2.3")) for _ in range(20000))
        source = self.One(Part10(Plain() + Element(0x00081110, "SQ", items)))
        self.Run(EXPORT, source, self.tmp / "out", expect=0)


class Memory(CliTest):
    @unittest.skipIf(Sanitized(), "sanitizers need memory of their own")
    def test_large_instances_pass_in_little_memory(self):
        """600 MB of native multi-frame pixels, more than one at a time."""
        if shutil.disk_usage(self.tmp).free < 3 << 30:
            self.skipTest("too little room for the outputs")
        source, output = self.tmp / "in", self.tmp / "out"
        source.mkdir()
        for number, frames in enumerate((600, 60)):
            uid = f"1.2.826.0.1.3680043.10.999.79.{number + 10}"
            size = frames * 1024 * 1024
            head = Part10(Plain(uid) + Element(0x00280002, "US", b"\1\0") +
                          Element(0x00280004, "CS", "MONOCHROME2") +
                          Element(0x00280008, "IS", str(frames)) +
                          Element(0x00280010, "US", struct.pack("<H", 1024)) +
                          Element(0x00280011, "US", struct.pack("<H", 1024)) +
                          Element(0x00280100, "US", b"\x08\0") +
                          Element(0x00280101, "US", b"\x08\0") +
                          Element(0x00280102, "US", b"\x07\0") +
                          Element(0x00280103, "US", b"\0\0") +
                          Element(0x7FE00010, "OW", b"")[:-4] + struct.pack("<I", size), uid)
            with open(source / str(number), "wb") as file:
                file.write(head)
                file.truncate(len(head) + size)
        process = subprocess.Popen(list(map(os.fspath, [DCMVEIL, *self.Arguments(
            EXPORT, source, output, "-j", "8")])), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=Environment())
        process.stdout.read()
        stderr = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(0, process.returncode, stderr)
        self.assertLess(usage.ru_maxrss, 200 * 1024, "kB")
        for line in self.ExpectConsistent(source, output):
            written = output / line["output"]
            dataset = pydicom.dcmread(written, stop_before_pixels=True)
            self.assertGreater(written.stat().st_size, dataset.NumberOfFrames * 1024 * 1024)


class Truncated(CliTest):
    FILES = ("TESTMANN_ERIKA_19580312/CT_Thorax_20240314/IM0001.dcm",
             "TESTMANN_ERIKA_19580312/RS_20240316/RS.dcm",
             "TESTMANN_ERIKA_19580312/SR_20240315/Befund Testmann.dcm",
             "US/SCHALLMEIER SONJA 20240611.dcm", "SC/sc_rle_0002",
             "PROBST_PAULA/MR_Enhanced/EMR_20240603.dcm", "PROBST_PAULA/MR_Kopf/PROBST.MR.0001.IMA",
             "formats/FORMATMANN_implicit.dcm", "formats/FORMATMANN_big_endian.dcm",
             "formats/FORMATMANN_deflated.dcm", "formats/FORMATMANN_bare", "formats/no_preamble",
             "formats/overlay_curve_icon.dcm", "dirty/un_encoded.dcm")
    CUTS = 40

    def test_cut_anywhere(self):
        source = self.tmp / "in"
        whole = {}
        for name in self.FILES:
            data = (self.samples / name).read_bytes()
            key = name.replace("/", "_").replace(" ", "_")
            whole[key] = pydicom.dcmread(self.samples / name, force=True)
            (source / key).mkdir(parents=True)
            for number in range(self.CUTS):
                # At both ends byte by byte, spread in between.
                length = len(data) - 1 - number if number < 10 else \
                    (len(data) - 11) * (number - 10) // (self.CUTS - 10)
                (source / key / f"{length:06}").write_bytes(data[:length])
        before = Snapshot(source)
        for rules in (EXPORT, KEEP):
            output = self.tmp / rules
            result = self.Run(rules, source, output, "--layout", "mirror", "-j", "8")
            self.assertEqual(3, result.returncode)
            lines = self.ExpectConsistent(source, output)
            self.assertEqual(len(self.FILES) * self.CUTS, len(lines))
            for line in lines:
                self.assertNotEqual("internal", line["reason"], line)
                if line["outcome"] != "written":
                    self.assertEqual("quarantined", line["outcome"])
                    continue
                # Cut exactly between two elements, so that nothing shows it; but never in pixels.
                dataset = pydicom.dcmread(output / line["output"])
                old = whole[line["input"].split("/")[0]]
                if "PixelData" in old and "PixelData" in dataset:
                    self.assertTrue(old.PixelData == dataset.PixelData, line)
                elif "PixelData" in old and "Rows" in dataset:
                    # Some archives hold images without pixels on purpose, so it is only counted.
                    self.assertEqual(1, line["notes"].get("no-pixel-data"), line)
        self.assertEqual(before, Snapshot(source))

    def test_explain_of_cut_files(self):
        data = (self.samples / self.FILES[5]).read_bytes()
        for length in range(0, len(data), len(data) // 25):
            (self.tmp / "cut").write_bytes(data[:length])
            result = Command("explain", "-r", self.Arguments(EXPORT, "", "")[2], "--key", self.key,
                             self.tmp / "cut")
            self.assertIn(result.returncode, (0, 3))

    def test_changed_bytes(self):
        """A byte in the header that is another one: any outcome but a crash."""
        source = self.tmp / "in"
        for name in self.FILES:
            data = bytearray((self.samples / name).read_bytes())
            folder = source / name.replace("/", "_")
            folder.mkdir(parents=True)
            for number in range(60):
                position = 132 + (number * 7919) % (min(len(data), 3000) - 132)
                changed = bytearray(data)
                changed[position] ^= (0xFF, 0x01, 0x80)[number % 3]
                (folder / str(number)).write_bytes(changed)
        self.Run(EXPORT, source, self.tmp / "out", "-j", "8", expect=3)
        for line in self.ExpectConsistent(source, self.tmp / "out"):
            self.assertNotEqual("internal", line["reason"], line)


if __name__ == "__main__":
    Main()
