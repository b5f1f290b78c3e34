#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""That the suite makes its sets, runs, and writes tables and a plot: their structure, never a time."""
import contextlib
import io
import json
import os
import pathlib
import shutil
import tempfile
import unittest
import xml.etree.ElementTree

import pydicom

import instance
import judge
import measure
import paper
import rule_lists
import sets
import suite
import tools

BINARIES = pathlib.Path(os.environ.get("DCMVEIL_BINARY_DIR", suite.SOURCE / "build")).resolve()


class BenchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="dcmveil-bench-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.samples = cls.folder / "samples"
        measure.Run([BINARIES / "make_samples", cls.samples], cls.folder)

    def setUp(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(dir=self.folder))


class SetsTest(BenchTest):
    def Made(self, name, count, size_c=300_000):
        made = sets.Maker(None, self.samples).Make(self.tmp, name, count, size_c, per_study=4)
        self.assertEqual(count, len(made.paths))
        self.assertEqual(made.bytes, sum(path.stat().st_size for path in made.paths))
        read = [pydicom.dcmread(path) for path in made.paths]
        for one in read:
            self.assertEqual(one.SOPInstanceUID, one.file_meta.MediaStorageSOPInstanceUID)
            self.assertEqual(one.SOPClassUID, one.file_meta.MediaStorageSOPClassUID)
        self.assertEqual(count, len({one.SOPInstanceUID for one in read}))
        self.assertEqual((count + 3) // 4, len({one.StudyInstanceUID for one in read}))
        self.assertEqual(len({one.StudyInstanceUID for one in read}), len({one.PatientID for one in read}))
        return read

    def test_large_slices(self):
        for one in self.Made("A", 5):
            self.assertEqual("CT", one.Modality)
            self.assertEqual(512 * 512 * 2, len(one.PixelData))
            self.assertEqual((512, 512, 16), (one.Rows, one.Columns, one.BitsAllocated))

    def test_small_files_are_of_many_kinds(self):
        read = self.Made("B", 40)
        self.assertLess({"CT", "MR", "US", "PT", "SR", "RTSTRUCT"}, {one.Modality for one in read})
        self.assertLess(max(path.stat().st_size for path in self.tmp.rglob("*.dcm")), 42_000)

    def test_multi_frames_have_the_size_that_was_asked_for(self):
        for one in self.Made("C", 2):
            self.assertAlmostEqual(1, len(one.PixelData) / 300_000, delta=0.3)
            frame = one.Rows * one.Columns * one.SamplesPerPixel * one.BitsAllocated // 8
            self.assertEqual(int(one.NumberOfFrames) * frame, len(one.PixelData))
            groups = one.get("PerFrameFunctionalGroupsSequence")
            self.assertIn(len(groups) if groups else int(one.NumberOfFrames), (int(one.NumberOfFrames),))

    def test_compressed(self):
        for one in self.Made("D", 4):
            self.assertTrue(one.file_meta.TransferSyntaxUID.is_compressed)
            frames = pydicom.encaps.decode_data_sequence(one.PixelData)
            self.assertEqual(int(one.NumberOfFrames), len(frames))
            self.assertAlmostEqual(100_000, len(one.PixelData), delta=20_000)

    def test_the_same_again(self):
        maker = sets.Maker(None, self.samples)
        one, other = (maker.Make(self.tmp / name, "B", 30) for name in ("one", "other"))
        self.assertEqual([path.read_bytes() for path in one.paths], [path.read_bytes() for path in other.paths])

    def test_a_part_of_a_set(self):
        whole = sets.Maker(None, self.samples).Make(self.tmp / "whole", "B", 12)
        part = sets.Link(whole, self.tmp / "part", 5)
        self.assertEqual([path.read_bytes() for path in whole.paths[:5]], [path.read_bytes() for path in part.paths])

    def test_the_splicer_refuses_what_it_does_not_read(self):
        for name in ("broken/ABGESCHNITTEN_truncated.dcm", "broken/notes.dcm", "formats/FORMATMANN_big_endian.dcm",
                     "formats/FORMATMANN_deflated.dcm", "formats/no_preamble"):
            with self.subTest(name), self.assertRaises(instance.Unreadable):
                instance.Instance((self.samples / name).read_bytes())

    def test_the_splicer_gives_back_what_it_read(self):
        for name, read in sets.Readable(self.samples, ["charsets/*", "*/MR_*/*", "*/SR_*/*"]):
            self.assertEqual((self.samples / name).read_bytes(), read.Bytes(), name)


class RuleListsTest(BenchTest):
    def test_every_rule_can_be_reached(self):
        for count in (60, 600):
            path = rule_lists.Write(self.tmp / f"{count}.yaml", suite.SOURCE, count)
            self.assertEqual(count, path.read_text().count("\n  - "))
            log = measure.Run([BINARIES / "dcmveil", "check", "-r", path], self.tmp).read_text()
            self.assertIn("guard is off", log)
            self.assertNotIn("never reached", log)


class ParsersTest(unittest.TestCase):
    def test_callgrind(self):
        lines = ["fn=(1) main\n", "16 3\n", "cfn=(2) malloc\n", "calls=2 0\n", "16 90\n", "fn=(3) Work()\n",
                 "cfn=(2)\n", "calls=5 0\n", "+1 60\n", "cfn=(4) pthread_mutex_lock@@GLIBC_2.2.5\n", "calls=3 0\n", "* 1\n",
                 "cfn=(5) pthread_mutex_unlock@@GLIBC_2.2.5\n", "calls=3 0\n", "* 1\n",
                 "cfn=(6) pthread_rwlock_rdlock@@GLIBC_2.34\n", "calls=4 0\n", "* 1\n",
                 "cfn=(7) dcmveil::engine::Deidentify(dcmveil::engine::ParsedInstance&)\n", "calls=2 0\n", "* 400\n",
                 "cfn=(8) dcmveil::engine::clean::TextCleaner::Clean[abi:cxx11](char) const\n", "calls=2 0\n", "* 100\n",
                 "totals: 1234\n"]
        instructions, calls, spent = measure.ParseCallgrind(lines)
        self.assertEqual(1234, instructions)
        self.assertEqual(150, spent["malloc"])
        phases = measure.Phases(spent)
        self.assertEqual((300, 100, 0), tuple(phases[f"phase: {name}"] for name in (
            "deciding and acting", "cleaning text", "reading")))
        self.assertEqual(7, calls["malloc"])
        self.assertEqual(7, measure.Sum(calls, measure.LOCK))
        self.assertEqual(7, measure.Sum(calls, measure.ALLOCATION))

    def test_strace(self):
        text = ("% time     seconds  usecs/call     calls    errors syscall\n"
                "------ ----------- ----------- --------- --------- ------------------\n"
                " 43.01    0.000406           8        50           mprotect\n"
                "  8.16    0.000077           2        38         7 openat\n"
                "------ ----------- ----------- --------- --------- ------------------\n"
                "100.00    0.000944           1        88         7 total\n")
        self.assertEqual({"mprotect": 50, "openat": 38}, dict(measure.ParseStrace(text)))


class PaperTest(BenchTest):
    RUN = {"place": "tmpfs", "set": "A", "files": 10, "bytes": 5_000_000, "flush": 0, "memory": 30e6,
           "written": 10, "bytes_out": 4_000_000}

    def Results(self):
        runs = [{**self.RUN, "tool": tool, "round": turn, "wall": wall * turn, "user": wall / 2, "system": wall / 4}
                for turn in (1, 2, 3) for tool, wall in (("cp -r", 1), ("dcmveil -j 2", 1.5), ("gdcmanon -e", 6))]
        return {"about": {"scale": 1, "rounds": 3, "places": {"tmpfs": "tmpfs"}, "cores": 2, "processor": "one",
                          "kernel": "6", "sets from": "samples", "load before": 0.0, "commit": "none"},
                "sets": {"A": {"what": "slices", "files": 10, "bytes": 5_000_000}}, "runs": runs, "notes": [],
                "skipped": [{"what": "dcmodify", "reason": "it is not installed"}],
                "linear": {"few": 2000, "many": 20000, "wall": [9.5, 12, 9.6], "cpu": [8]}}

    def test_tables(self):
        text = paper.Tables(self.Results())
        self.assertIn("| A, tmpfs: wall time to that of `cp -r` | at most 1 | 1.50 (1.50–1.50) | **no** |", text)
        self.assertIn("| A, tmpfs: CPU time to that of `cp -r` | at most 2 | 1.50 (1.50–1.50) | yes |", text)
        self.assertIn("| A, tmpfs: times faster than `gdcmanon -e` | at least 2 | 4.00 (4.00–4.00) | yes |", text)
        self.assertIn("| 20,000 files to 2,000: wall time | 9 to 11 | 9.60 (9.50–12.0) | yes |", text)
        self.assertIn("| 20,000 files to 2,000: CPU time | 9 to 11 | 8.00 | **no** |", text)
        self.assertIn("Not measured: dcmodify (it is not installed)", text)
        for table in text.split("\n\n"):
            rows = [line for line in table.splitlines() if line.startswith("|")]
            self.assertLessEqual(len({row.count("|") for row in rows}), 1, table)

    def test_the_plot_is_svg_with_a_dot_for_each(self):
        root = xml.etree.ElementTree.fromstring(paper.Plot(self.Results()))
        dots = root.findall(".//{http://www.w3.org/2000/svg}circle")
        self.assertEqual(2, len(dots))
        self.assertLess(float(dots[0].get("cx")), float(dots[1].get("cx")), "gdcmanon stands further right")

    def test_the_page_keeps_what_is_written_by_hand(self):
        page = self.tmp / "performance.md"
        page.write_text(f"before\n\n{paper.BEGIN}\nold\n{paper.END}\n\nafter\n")
        paper.WriteDocs(self.tmp, self.Results())
        text = page.read_text()
        self.assertTrue(text.startswith(f"before\n\n{paper.BEGIN}\n") and text.endswith(f"\n{paper.END}\n\nafter\n"))
        self.assertNotIn("old", text)
        self.assertIn("### Tools compared", text)
        with self.assertRaises(ValueError):
            paper.Replaced("no markers", "new")

    def test_the_project_s_page_has_the_markers(self):
        text = (suite.SOURCE / "docs/performance.md").read_text()
        self.assertIn("new", paper.Replaced(text, "new"))


class EachTest(BenchTest):
    def test_what_a_file_takes_and_what_a_run(self):
        some = sets.Maker(None, self.samples).Make(self.tmp / "some", "B", 12)
        half = sets.Link(some, self.tmp / "half", 6)

        def How(command, _):
            files = sum(path.is_file() for path in command[2].rglob("*"))
            return {"instructions": 500 + 30 * files, "locks": 7 * files}
        each = judge.Each(How, tools.Copy(), some, half, self.tmp)
        self.assertEqual({"instructions": 30, "locks": 7, "startup": 500}, each)


class SuiteTest(BenchTest):
    def test_a_small_run(self):
        results, disk = self.tmp / "results.json", self.tmp / "disk"
        # Both places lie in the temporary folder: that it works is asked, not how fast.
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            suite.Main(["--own-samples", "--scale", "0.0005", "--rounds", "1", "--size-c", "200000", "--quiet",
                        "--parts", "tools,linear,memory,shards", "--build", str(BINARIES), "--results",
                        str(results), "--tmpfs", str(self.tmp), "--disk", str(disk)])
        found = json.loads(results.read_text())
        self.assertEqual(paper.Tables(found) + "\n", printed.getvalue())
        self.assertEqual({"A", "B", "C", "D"}, {line["set"] for line in found["memory"]})
        self.assertEqual(10, found["linear"]["many"] / found["linear"]["few"])
        self.assertEqual([], list(self.tmp.glob("dcmveil-bench-*")) + list(disk.iterdir()), "nothing is left")
        for place in ("tmpfs", "disk"):
            for name in "ABCD":
                self.LookAt(found, place, name)

    def LookAt(self, found, place, name):
        runs = {run["tool"]: run for run in found["runs"] if (run["place"], run["set"]) == (place, name)}
        # What is not installed is skipped, and says so.
        missing = {tool for tool in ("gdcmanon", "dcmodify") if not shutil.which(tool)}
        self.assertEqual(set(paper.TOOLS), set(runs) | {tool for tool in paper.TOOLS if tool.split()[0] in missing})
        for run in runs.values():
            self.assertGreater(run["wall"], 0)
            self.assertGreater(run["memory"], 500_000)
        self.assertEqual(runs["cp -r"]["files"], runs["dcmveil -j 2"]["written"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
