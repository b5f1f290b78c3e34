#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Inputs and rule files made to use up memory, stack or time, or to lead out of the output folder."""
import os
import struct
import subprocess
import unittest

from support import (DCMVEIL, CliTest, Element, Environment, Main, Part10, Plain, Sanitized, Timeout,
                     Walk)

KEEP = "keep-all.yaml"
PROFILE = "ai-training.yaml"
MEGABYTE = 1 << 20
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
PRIVATE = Element(0x00290010, "LO", "ACME 1.2")


def Long(tag, vr, length):
    """The header of an element with a 32-bit length."""
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr.encode() + struct.pack("<HI", 0, length)


def Measured(arguments, timeout=120):
    """(exit status, standard error, largest memory in MB, seconds of processor)."""
    process = subprocess.Popen([os.fspath(DCMVEIL), *map(os.fspath, arguments)], env=Environment(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    stderr = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    return (process.returncode, stderr, usage.ru_maxrss / 1024,
            usage.ru_utime + usage.ru_stime)


@unittest.skipIf(Sanitized(), "sanitizers need memory of their own")
class Limits(CliTest):
    """Each is refused for its size before it is held in memory."""
    #: name -> (data set, bytes of zeros behind it)
    CASES = {
        "document": (Plain() + Long(0x00420011, "OB", 600 * MEGABYTE), 600 * MEGABYTE),
        "private": (Plain() + PRIVATE + Long(0x00291001, "UN", 600 * MEGABYTE), 600 * MEGABYTE),
        "many parts": (Plain() + PRIVATE + b"".join(
            Long(0x00291001 + i, "UN", 0) for i in range(100)) +
            Long(0x00420011, "OB", 4000 * MEGABYTE), 4000 * MEGABYTE),
        "text": (Plain() + Long(0x0040A160, "UT", 40 * MEGABYTE), 40 * MEGABYTE),
        "text as OB": (Plain() + Long(0x0040A160, "OB", 40 * MEGABYTE), 40 * MEGABYTE),
        "comments as UN": (Plain() + Long(0x00104000, "UN", 40 * MEGABYTE), 40 * MEGABYTE),
        "hidden items": (Plain() + PRIVATE + Long(0x00291001, "UN", 40 * MEGABYTE) +
                         ITEM, 40 * MEGABYTE - 8),
        "items": (Plain() + Long(0x00081110, "SQ", 8 * 4_100_000) + ITEM * 4_100_000, 0),
        "elements": (Plain() + Element(0x00280010, "US", b"\1\0") * 4_100_000, 0),
    }

    def test_too_large(self):
        for name, (body, zeros) in self.CASES.items():
            with self.subTest(name):
                file, output = self.tmp / "in.dcm", self.tmp / f"out {name}"
                file.write_bytes(Part10(body))
                os.truncate(file, file.stat().st_size + zeros)
                status, stderr, memory, seconds = Measured(
                    ["run", "-r", self.Arguments(KEEP, "", "")[2], "-i", file, "-o", output])
                self.assertEqual(3, status, stderr)
                line, = self.Manifest(output)
                self.assertEqual(("quarantined", "too-large"), (line["outcome"], line["reason"]), line)
                self.assertLess(memory, 400, "MB")
                self.assertLess(seconds, 60)

    def test_large_but_within_the_limits(self):
        """A million elements in a hundred thousand items, and a value of 100 MB, are well."""
        item = b"".join(Element(tag, "US", b"\1\0") for tag in range(0x00280010, 0x00280018))
        items = (struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item) * 100_000
        source, output = self.tmp / "in", self.tmp / "out"
        source.mkdir()
        uid = "1.2.826.0.1.3680043.10.999.81.2"
        (source / "items").write_bytes(Part10(
            Plain() + Long(0x00081110, "SQ", len(items)) + items))
        (source / "value").write_bytes(Part10(
            Plain(uid) + PRIVATE + Long(0x00291001, "UN", 100 * MEGABYTE), uid))
        os.truncate(source / "value", (source / "value").stat().st_size + 100 * MEGABYTE)
        status, stderr, memory, _ = Measured(
            ["run", "-r", self.Arguments(KEEP, "", "")[2], "-i", source, "-o", output, "-j", "1"])
        self.assertEqual(0, status, stderr)
        self.assertLess(memory, 1200, "MB")

    def test_meta_information_that_lies_about_its_length(self):
        """A VR that nobody knows has a long length to DCMTK, which would set all of it aside."""
        data = Part10(Plain())
        for name, meta in {
                "unknown VR": struct.pack("<HH", 2, 0x12) + b"UQ\x30\0" + struct.pack("<I", 0x7FFFFFF0),
                "implicit": struct.pack("<HHI", 2, 0x12, 0x7FFFFFF0)}.items():
            with self.subTest(name):
                file, output = self.tmp / f"{name}.dcm", self.tmp / f"out {name}"
                file.write_bytes(data[:132] + meta + bytes(5000) + data[132:])
                status, stderr, memory, _ = Measured(
                    ["run", "-r", self.Arguments(KEEP, "", "")[2], "-i", file, "-o", output])
                self.assertEqual(3, status, stderr)
                self.assertEqual("quarantined", self.Manifest(output)[0]["outcome"])
                self.assertLess(memory, 200, "MB")


class RuleBombs(CliTest):
    """Small rule files with large consequences are refused in little time and memory."""
    HEAD = "dcmveil: 1\nprofile: none\notherwise: keep\n"

    def Refused(self, text, *, memory_limit=600, seconds_limit=30, statuses=(2,)):
        file = self.tmp / "rules.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        status, stderr, memory, seconds = Measured(["check", "-r", file])
        self.assertIn(status, statuses, stderr[:500])
        self.assertEqual(status == 2, b"error" in stderr)
        if not Sanitized():
            self.assertLess(memory, memory_limit, "MB")
            self.assertLess(seconds, seconds_limit)
        return stderr

    def test_aliases_of_aliases(self):
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
        self.assertIn(b"too large", self.Refused("\n".join(lines)))

    def test_aliases_of_a_long_text(self):
        text = f"a: &a {'x' * MEGABYTE}\nb: [{', '.join(['*a'] * 5000)}]\n"
        self.assertIn(b"too large", self.Refused(text))

    def test_anchors_in_anchors(self):
        text = "a: " + "".join(f"&a{i} [" for i in range(400)) + ", ".join(["x"] * 20000) + "]" * 400
        self.assertIn(b"too large", self.Refused(text))

    def test_depth(self):
        for opening in ("[", "{a: ", "- ", "? "):
            self.Refused("a: " + opening * 100_000 if opening in "[{a: " else opening * 100_000)

    def test_many_keys_and_many_errors(self):
        self.Refused(self.HEAD + "rules: []\n" + "".join(f"k{i}: 1\n" for i in range(30_000)))
        self.Refused(self.HEAD + "rules: []\n" + "k: 1\n" * 30_000)

    def test_regular_expressions(self):
        """re2 takes linear time and refuses what would grow."""
        for pattern, statuses in (("((a{1,1000}){1,1000}){1,1000}", (2,)), ("[" * 100, (2,)),
                                  ("(" * 5000 + "a" + ")" * 5000, (0, 2)), ("(a|b?c*){900}", (0, 2))):
            self.Refused(self.HEAD + f"rules:\n  - {{tag: PatientID, action: edit, "
                         f"with: {{find: \"{pattern}\", replace: x}}}}\n", statuses=statuses)

    def test_a_long_file(self):
        self.Refused(self.HEAD + "# " + "x" * (17 * MEGABYTE) + "\nrules: []\n")

    def test_files_that_never_end_or_begin(self):
        """A rule file may name other files; a device or pipe is none."""
        os.mkfifo(self.tmp / "fifo")
        for file in ("/dev/zero", self.tmp / "fifo", self.tmp):
            for text in (f"dcmveil: 1\nprofile: {file}\nrules: []\n",
                         self.HEAD + f"rules:\n  - {{tag: StudyDescription, action: clean, "
                         f"with: {{keep-words: {file}}}}}\n",
                         self.HEAD + f"rules:\n  - {{tag: PatientID, action: pseudonym, "
                         f"with: {{table: {file}}}}}\n",
                         self.HEAD + f"key: {{file: {file}}}\nrules:\n  "
                         f"- {{tag: PatientID, action: pseudonym}}\n"):
                self.Refused(text)
        for file in ("/dev/zero", self.tmp):
            status, stderr, _, _ = Measured(["check", "-r", file])
            self.assertEqual(2, status, stderr)

    def test_a_pipe_that_the_user_names_is_read(self):
        read, write = os.pipe()
        os.write(write, (self.HEAD + "rules: []\n").encode())
        os.close(write)
        result = subprocess.run([os.fspath(DCMVEIL), "check", "-r", f"/dev/fd/{read}"],
                                pass_fds=(read,), stdin=subprocess.DEVNULL, capture_output=True,
                                env=Environment(), timeout=Timeout(60))
        os.close(read)
        self.assertEqual(0, result.returncode, result.stderr)


class Names(CliTest):
    VALUES = ("..", "../..", "/", "/etc", "a/../../b", "a\\..\\..\\b", ".", "...", ".hidden", "~root",
              "CON", "nul", "Com1.txt", "LPT9", "x.", "x. ", "a\0b", "\n", "-rf", "$(id)", "`id`",
              "%2e%2e%2f", "C:", "C:\\x", "x:y", "x" * 5000, "\x1b[2J", "\xff\xfe", "|x", "*", "?")
    DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{n}{i}" for n in ("COM", "LPT") for i in range(10))}

    def test_output_names_are_tame_on_any_system(self):
        source = self.tmp / "in"
        source.mkdir()
        for number, value in enumerate(self.VALUES):
            uid = f"1.2.826.0.1.3680043.10.999.80.{number + 10}"
            for place, (tag, vr) in enumerate(((0x00100020, "LO"), (0x0020000D, "UI"),
                                               (0x0020000E, "UI"), (0x00080018, "UI"))):
                body = Element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7")
                elements = {0x00080018: ("UI", f"{uid}.{place}"), 0x00100020: ("LO", "P"),
                            tag: (vr, value)}
                body += b"".join(Element(t, v, text) for t, (v, text) in sorted(elements.items()))
                (source / f"{number}-{place}").write_bytes(Part10(body, f"{uid}.{place}"))
        output = self.tmp / "out"
        outside = set(Walk(self.class_tmp))
        self.Run(KEEP, source, output)
        lines = self.ExpectConsistent(source, output)
        self.assertGreater(len([line for line in lines if line["output"]]), len(self.VALUES))
        for name in Walk(output):
            for part in name.split(b"/"):
                self.assertLessEqual(len(part), 255)
                self.assertRegex(part, rb"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")
                self.assertFalse(part.endswith(b"."), part)
                self.assertNotIn(part.split(b".")[0].decode().upper(), self.DEVICES)
        ours = tuple(os.fsencode(os.path.relpath(folder, self.class_tmp)) + b"/"
                     for folder in (output, self.State(output)))
        self.assertEqual(set(), {name for name in set(Walk(self.class_tmp)) - outside
                                 if not name.startswith(ours)})

    def test_state_is_for_its_owner_only(self):
        output = self.tmp / "out"
        old = os.umask(0)
        try:
            self.Run(KEEP, self.samples / "charsets", output)
        finally:
            os.umask(old)
        self.assertEqual(0o700, self.State(output).stat().st_mode & 0o777)
        for name in Walk(self.State(output)):
            if name != b"run.json":
                mode = os.stat(os.path.join(os.fsencode(self.State(output)), name)).st_mode
                self.assertEqual(0, mode & 0o077, name)


if __name__ == "__main__":
    Main()
