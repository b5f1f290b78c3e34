# SPDX-License-Identifier: Apache-2.0
"""Every input has one outcome, every output one input, and the exit status tells."""
import collections
import os
import shutil
import stat

from support import (CORPUS, CliTest, Command, Main, NeedsCorpus, RULES, Snapshot, Tree, Walk)

RULE_SETS = ("keep-all.yaml", "research-export.yaml", "ai-training.yaml", "teaching-file.yaml",
             "base.yaml", "site-overlay.yaml", "microsoft-configuration.json")
ERROR_CODES = RULES.parents[1] / "include" / "dcmveil" / "error_codes.def"


class EveryInput(CliTest):
    def Check(self, source, rules):
        before = Snapshot(source)
        output = self.tmp / "out"
        result = self.Run(rules, source, output)
        lines = self.ExpectConsistent(source, output)
        outcomes = collections.Counter(line["outcome"] for line in lines)
        left = outcomes["quarantined"] + outcomes["failed"]
        self.assertEqual(3 if left else 0, result.returncode)
        self.assertEqual(0, outcomes["failed"])
        self.assertEqual(0, outcomes["unchanged"])
        self.assertGreater(outcomes["written"], 0)
        codes = ERROR_CODES.read_text()
        for line in lines:
            if line["outcome"] == "quarantined":
                self.assertIn(f'"{line["reason"]}"', codes)
        self.assertEqual(before, Snapshot(source), "the input is never touched")
        state = self.State(output)
        self.assertEqual(0o700, stat.S_IMODE(state.stat().st_mode))
        self.assertEqual([b"journal", b"lock", b"manifest.ndjson", b"quarantine.ndjson", b"run.json"],
                         Walk(state))
        shutil.rmtree(output)
        shutil.rmtree(state)

    def test_samples(self):
        for rules in RULE_SETS:
            with self.subTest(rules=rules):
                self.Check(self.samples, rules)

    @NeedsCorpus
    def test_corpus(self):
        for rules in RULE_SETS:
            with self.subTest(rules=rules):
                self.Check(CORPUS, rules)

    def test_the_outcomes_of_the_samples(self):
        output = self.tmp / "out"
        self.Run("research-export.yaml", self.samples, output, expect=3)
        lines = self.ByInput(output)
        not_written = {name: line["reason"] for name, line in lines.items()
                       if line["outcome"] == "quarantined"}
        self.assertEqual({"DICOMDIR": "dicomdir", "broken/notes.dcm": "not-dicom",
                          "broken/ABGESCHNITTEN_truncated.dcm": "truncated",
                          "identifiers.txt": "not-dicom"},
                         {name: reason for name, reason in not_written.items()
                          if name != "broken/trailing_text.dcm"})
        self.assertEqual({"SC/BILDMANN_BERTHA_screenshot.dcm",
                          "TESTMANN_ERIKA_19580312/DOC/Arztbrief.dcm"},
                         {name for name, line in lines.items() if line["outcome"] == "rejected"})

    def test_one_file(self):
        source = self.samples / "US" / "SCHALLMEIER SONJA 20240611.dcm"
        self.Run("research-export.yaml", source, self.tmp / "folder", expect=0)
        self.Run("research-export.yaml", source, self.tmp / "name.dcm", expect=0)
        line, = self.Manifest(self.tmp / "folder")
        self.assertEqual("written", line["outcome"])
        self.assertEqual((self.tmp / "folder" / line["output"]).read_bytes(),
                         (self.tmp / "name.dcm").read_bytes())
        line, = self.Manifest(self.tmp / "name.dcm")
        self.assertEqual("name.dcm", line["output"])

    def test_an_empty_folder(self):
        (self.tmp / "in").mkdir()
        self.Run("keep-all.yaml", self.tmp / "in", self.tmp / "out", expect=0)
        self.assertEqual([], self.Manifest(self.tmp / "out"))
        self.assertEqual([], os.listdir(self.tmp / "out"))


class ExitStatus(CliTest):
    def test_rejected_only(self):
        source = self.samples / "TESTMANN_ERIKA_19580312" / "DOC"
        self.Run("research-export.yaml", source, self.tmp / "out", expect=0)
        line, = self.ExpectConsistent(source, self.tmp / "out")
        self.assertEqual("rejected", line["outcome"])

    def test_written_only(self):
        self.Run("research-export.yaml", self.samples / "charsets", self.tmp / "out", expect=0)

    def test_quarantined(self):
        self.Run("research-export.yaml", self.samples / "broken", self.tmp / "out", expect=3)


class Usage(CliTest):
    def Refused(self, *arguments):
        before = Snapshot(self.tmp)
        result = Command(*arguments)
        self.assertEqual(2, result.returncode, result.stderr)
        self.assertNotEqual(b"", result.stderr)
        self.assertEqual(before, Snapshot(self.tmp), "nothing is created")

    def test_refused(self):
        source = self.tmp / "in"
        shutil.copytree(self.samples / "charsets", source)
        outer = self.tmp / "outer"
        (outer / "in").mkdir(parents=True)
        (self.tmp / "link").symlink_to(source)
        (self.tmp / "plain").write_text("a file")
        out = self.tmp / "out"
        rules = RULES / "research-export.yaml"
        keyed = ["--key", self.key]

        def arguments(a, b, *more):
            return ["run", "-r", rules, *keyed, "-i", a, "-o", b, *more]

        cases = {
            "no verb": [],
            "unknown verb": ["export"],
            "missing rules file": ["run", "-r", self.tmp / "no.yaml", "-i", source, "-o", out],
            "no rules": ["run", "-i", source, "-o", out],
            "no input": ["run", "-r", rules, "-o", out],
            "no output": ["run", "-r", rules, "-i", source],
            "missing input": arguments(self.tmp / "none", out),
            "output is the input": arguments(source, source),
            "output inside input": arguments(source, source / "sub" / "out"),
            "output inside input through a link": arguments(source, self.tmp / "link" / "out"),
            "input inside output": arguments(outer / "in", outer),
            "input through a link inside output": arguments(self.tmp / "link", self.tmp),
            "state inside output": arguments(source, out, "--state", out / "state"),
            "state is output": arguments(source, out, "--state", out),
            "state inside input": arguments(source, out, "--state", source / "state"),
            "output is a file": arguments(source, self.tmp / "plain"),
            "output file is the input file": arguments(source / "greek.dcm", source / "greek.dcm"),
            "unknown layout field": arguments(source, out, "--layout", "{PatientName}/{SOPInstanceUID}"),
            "open layout": arguments(source, out, "--layout", "{SOPInstanceUID"),
            "layout without instance": arguments(source, out, "--layout", "{PatientID}.dcm"),
            "layout that climbs": arguments(source, out, "--layout", "../{SOPInstanceUID}"),
            "layout that climbs later": arguments(source, out, "--layout", "a/../../{SOPInstanceUID}"),
            "absolute layout": arguments(source, out, "--layout", "/tmp/{SOPInstanceUID}"),
            "unknown flag": arguments(source, out, "--recursive"),
            "no jobs": arguments(source, out, "-j", "0"),
            "jobs that are no number": arguments(source, out, "-j", "many"),
            "extra word": arguments(source, out, "extra"),
        }
        for name, case in cases.items():
            with self.subTest(name):
                self.Refused(*case)


class NeverOverwritten(CliTest):
    def test_a_different_file_stays(self):
        source, output = self.samples / "charsets", self.tmp / "out"
        self.Run("research-export.yaml", source, output, expect=0)
        lines = self.Manifest(output)
        changed = lines[0]["output"]
        (output / changed).write_bytes(b"somebody else's")
        before = Snapshot(output)
        result = self.Run("research-export.yaml", source, output, expect=3)
        self.assertEqual(b"somebody else's", (output / changed).read_bytes())
        after = {line["input"]: line for line in self.Manifest(output)}
        line = after.pop(lines[0]["input"])
        self.assertEqual(("quarantined", "output-exists", None),
                         (line["outcome"], line["reason"], line["output"]))
        self.assertEqual({"unchanged"}, {line["outcome"] for line in after.values()})
        self.assertEqual(before, Snapshot(output), "the tree is untouched")
        self.assertIn(b"output-exists", result.stdout)

    def test_a_longer_or_shorter_file_is_different(self):
        source, output = self.samples / "charsets", self.tmp / "out"
        for change in (lambda data: data + b"\0", lambda data: data[:-1], lambda data: b"",
                       lambda data: data[:-1] + bytes([data[-1] ^ 1])):
            self.Run("research-export.yaml", source, output, expect=0)
            line = self.Manifest(output)[-1]
            bytes_now = change((output / line["output"]).read_bytes())
            (output / line["output"]).write_bytes(bytes_now)
            self.Run("research-export.yaml", source, output, expect=3)
            self.assertEqual(bytes_now, (output / line["output"]).read_bytes())
            self.assertEqual("output-exists", self.Manifest(output)[-1]["reason"])
            shutil.rmtree(output)

    def test_a_folder_or_dangling_link_in_the_way(self):
        source, output = self.samples / "charsets" / "greek.dcm", self.tmp / "out"
        self.Run("research-export.yaml", source, output, expect=0)
        target = output / self.Manifest(output)[0]["output"]
        target.unlink()
        target.mkdir()
        self.Run("research-export.yaml", source, output, expect=3)
        self.assertEqual("output-exists", self.Manifest(output)[0]["reason"])
        target.rmdir()
        target.symlink_to(self.tmp / "elsewhere")
        self.Run("research-export.yaml", source, output, expect=3)
        self.assertTrue(target.is_symlink())
        self.assertFalse((self.tmp / "elsewhere").exists(), "nothing is written through a link")

    def test_files_of_others_stay(self):
        output = self.tmp / "out"
        output.mkdir()
        (output / "README").write_text("mine")
        self.Run("research-export.yaml", self.samples / "charsets", output, expect=0)
        self.assertEqual("mine", (output / "README").read_text())

    def test_two_inputs_with_one_name(self):
        source = self.tmp / "in"
        for folder in ("b", "a", "c/d"):
            shutil.copytree(self.samples / "charsets", source / folder)
        trees = []
        for jobs in ("1", "8", "8", "8"):
            output = self.tmp / f"out{len(trees)}"
            self.Run("research-export.yaml", source, output, "-j", jobs, expect=3)
            lines = self.ExpectConsistent(source, output)
            for line in lines:
                first = line["input"].startswith("a/")
                self.assertEqual("written" if first else "quarantined", line["outcome"])
                self.assertEqual(None if first else "same-output", line["reason"])
            trees.append((Tree(output), self.ManifestBytes(output)))
        for other in trees[1:]:
            self.assertEqual(trees[0], other)
        # A rerun keeps the answer: the first is unchanged, the others are not mistaken for it.
        self.Run("research-export.yaml", source, self.tmp / "out0", "-j", "8", expect=3)
        self.assertEqual({"a": "unchanged", "b": "quarantined", "c": "quarantined"},
                         {line["input"][0]: line["outcome"]
                          for line in self.Manifest(self.tmp / "out0")})

    def test_rerun_at_once(self):
        """However soon the next run starts, its predecessor's files are known as such."""
        source = self.samples / "formats" / "no_preamble"
        for attempt in range(30):
            output = self.tmp / f"o{attempt}"
            self.Run("keep-all.yaml", source, output, expect=0)
            self.Run("keep-all.yaml", source, output, expect=0)
            self.assertEqual("unchanged", self.Manifest(output)[0]["outcome"])

    def test_layouts(self):
        for layout in ("{SOPInstanceUID}", "x/{SOPInstanceUID}.dcm",
                       "{StudyInstanceUID}/{SOPInstanceUID}"):
            output = self.tmp / str(len(layout))
            self.Run("research-export.yaml", self.samples, output, "--layout", layout, expect=3)
            self.ExpectConsistent(self.samples, output)
        output = self.tmp / "mirror"
        result = self.Run("research-export.yaml", self.samples, output, "--layout", "mirror",
                          expect=3)
        self.assertIn(b"warning", result.stderr)
        for line in self.ExpectConsistent(self.samples, output):
            if line["output"]:
                self.assertEqual(line["input"], line["output"])


if __name__ == "__main__":
    Main()
