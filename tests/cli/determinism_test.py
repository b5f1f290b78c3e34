# SPDX-License-Identifier: Apache-2.0
"""Same key, same answer: in every run, order, shard and with any number of threads."""
import json
import os
import shutil
import time

import pydicom

from support import CORPUS, CliTest, Main, NeedsCorpus, Snapshot, Tree

RULE_SETS = ("research-export.yaml", "ai-training.yaml", "teaching-file.yaml",
             "microsoft-configuration.json", "keep-all.yaml")


class Determinism(CliTest):
    def Description(self, name):
        description = json.loads((self.State(self.tmp / name) / "run.json").read_text())
        del description["output"]
        return description

    def CheckRuns(self, source, rules):
        """-j 1, -j 8 twice, and a rerun."""
        for name, jobs in (("one", "1"), ("two", "8"), ("three", "8")):
            self.Run(rules, source, self.tmp / name, "-j", jobs)
        for name in ("two", "three"):
            self.ExpectSameTrees(self.tmp / "one", self.tmp / name)
            self.assertEqual(self.ManifestBytes(self.tmp / "one"), self.ManifestBytes(self.tmp / name))
            self.assertEqual(self.Description("one"), self.Description(name))
        first = self.ByInput(self.tmp / "two")
        before = Snapshot(self.tmp / "two")
        time.sleep(0.02)
        self.Run(rules, source, self.tmp / "two", "-j", "8")
        self.assertEqual(before, Snapshot(self.tmp / "two"), "a rerun leaves the tree as it is")
        for name, line in self.ByInput(self.tmp / "two").items():
            if first[name]["outcome"] == "written":
                self.assertEqual("unchanged", line.pop("outcome"))
                first[name].pop("outcome")
            self.assertEqual(first[name], line)
        for name in ("one", "two", "three"):
            shutil.rmtree(self.tmp / name)
            shutil.rmtree(self.State(self.tmp / name))

    def test_samples(self):
        for rules in RULE_SETS:
            with self.subTest(rules=rules):
                self.CheckRuns(self.samples, rules)

    @NeedsCorpus
    def test_corpus(self):
        self.CheckRuns(CORPUS, "research-export.yaml")
        self.CheckRuns(CORPUS, "keep-all.yaml")

    def test_the_key_comes_from_its_bytes(self):
        self.Run("research-export.yaml", self.samples, self.tmp / "one")
        copy = self.tmp / "copy.key"
        copy.write_bytes(self.key.read_bytes())
        copy.chmod(0o400)
        self.Run("research-export.yaml", self.samples, self.tmp / "two", key=copy)
        self.ExpectSameTrees(self.tmp / "one", self.tmp / "two")

    def test_another_key(self):
        self.Run("research-export.yaml", self.samples, self.tmp / "a")
        self.Run("research-export.yaml", self.samples, self.tmp / "b", key=self.other_key)
        one, other = self.ByInput(self.tmp / "a"), self.ByInput(self.tmp / "b")
        moved = same_day = 0
        for name, line in one.items():
            self.assertEqual(line["outcome"], other[name]["outcome"])
            if line["output"] is None:
                continue
            a = pydicom.dcmread(self.tmp / "a" / line["output"], stop_before_pixels=True)
            b = pydicom.dcmread(self.tmp / "b" / other[name]["output"], stop_before_pixels=True)
            for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
                            "FrameOfReferenceUID", "PatientID", "AccessionNumber"):
                if a.get(keyword):
                    self.assertNotEqual(a.get(keyword), b.get(keyword), (name, keyword))
            if a.get("StudyDate"):
                moved += 1
                same_day += a.StudyDate == b.StudyDate
            self.assertEqual(a.get("Manufacturer"), b.get("Manufacturer"))
        # Two keys may give one patient the same offset; not many.
        self.assertGreater(moved, 20)
        self.assertLess(same_day, moved / 4)

    def CheckShards(self, source, rules):
        """The input in two halves, its folders and names changed, gives the same instances."""
        self.Run(rules, source, self.tmp / "whole")
        halves = [self.tmp / "half0", self.tmp / "half1"]
        kept = {}
        for number, (file, output, line) in enumerate(self.Pairs(source, self.tmp / "whole")):
            target = halves[number % 2] / f"{(number * 7919) % 1009}" / f"{number}"
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, target) if file.stat().st_dev == target.parent.stat().st_dev \
                else shutil.copy(file, target)
            kept[os.fsencode(line["output"])] = output.read_bytes()
        for number, half in enumerate(halves):
            self.Run(rules, half, self.tmp / f"apart{number}", "-j", "1", expect=0)
            # ... and into one folder, as shards do.
            self.Run(rules, half, self.tmp / "together", "--state", self.tmp / f"state{number}",
                     expect=0)
        apart = Tree(self.tmp / "apart0")
        apart.update(Tree(self.tmp / "apart1"))
        self.assertEqual(kept, apart)
        self.assertEqual(kept, Tree(self.tmp / "together"))

    def test_shards_of_samples(self):
        self.CheckShards(self.samples, "research-export.yaml")

    def test_shards_of_samples_by_other_rules(self):
        self.CheckShards(self.samples, "ai-training.yaml")

    @NeedsCorpus
    def test_shards_of_corpus(self):
        self.CheckShards(CORPUS, "research-export.yaml")


if __name__ == "__main__":
    Main()
