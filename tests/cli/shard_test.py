# SPDX-License-Identifier: Apache-2.0
"""Runs in shards and dcmveil merge, as users give the commands."""
import json
import os
import re
import shutil
import stat
import unittest

from support import (CORPUS, CliTest, Command, Environment, Main, NeedsCorpus, Tree)

RULES = "research-export.yaml"
SCHEDULERS = ("SLURM_ARRAY", "JOB_COMPLETION", "AWS_BATCH")


def Bare(**more):
    """An environment without a scheduler's variables, but for those given."""
    environment = {name: value for name, value in Environment().items()
                   if not name.startswith(SCHEDULERS)}
    return {**environment, **more}


class Shards(CliTest):
    def Shard(self, source, output, shard, *more, **options):
        options.setdefault("env", Bare())
        return self.Run(RULES, source, output, "--shard", shard, *more, **options)

    def Merge(self, output, *more, expect=None):
        result = Command("merge", "--state", self.State(output), *more)
        if expect is not None:
            self.assertEqual(expect, result.returncode, result.stderr)
        return result

    def Report(self, folder):
        report = json.loads((folder / "report.json").read_text())
        text = json.dumps(report)
        # Time passes differently, and the names of the folders.
        return re.sub(r'"(seconds|began|output|pace)": ("[^"]*"|[0-9.e+-]+|\{[^}]*\}|\[[^\]]*\])', "", text)

    def CheckWhole(self, source, count, by):
        single, output = self.tmp / "single", self.tmp / f"out{count}"
        if not single.exists():
            self.Run(RULES, source, single, "--report", self.tmp / "r-single")
            Command("verify", "--state", self.State(single), "-q")
        for index in range(count, 0, -1):
            self.Shard(source, output, f"{index}/{count}", "--shard-by", by,
                       "--report", self.tmp / f"r{count}")
        merged = self.Merge(output)
        self.assertIn(merged.returncode, (0, 3), merged.stderr)
        self.assertEqual(self.ManifestBytes(single), self.ManifestBytes(output))
        self.assertEqual((self.State(single) / "quarantine.ndjson").read_bytes(),
                         (self.State(output) / "quarantine.ndjson").read_bytes())
        self.ExpectSameTrees(single, output)
        self.ExpectConsistent(source, output)
        found = Command("verify", "--state", self.State(output), "--json")
        self.assertEqual(json.loads((self.State(single) / "verify.json").read_text())["counts"],
                         json.loads(found.stdout)["counts"])
        for state in (single, output):
            result = Command("proof", "make", "--state", self.State(state), "-o",
                             self.tmp / f"{state.name}.proof")
            self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual((self.tmp / "single.proof").read_bytes(),
                         (self.tmp / f"{output.name}.proof").read_bytes())
        checked = Command("proof", "check", self.tmp / f"{output.name}.proof", "--output", output)
        self.assertIn(b"byte for byte", checked.stdout)
        for state in (single, output):
            result = Command("report", "--state", self.State(state), "--report",
                             self.tmp / f"{state.name}.report")
            self.assertEqual(0, result.returncode, result.stderr)
        self.assertEqual(self.Report(self.tmp / "single.report"),
                         self.Report(self.tmp / f"{output.name}.report"))

    def test_samples(self):
        for count in (1, 2, 5):
            self.CheckWhole(self.samples, count, "study")

    @NeedsCorpus
    def test_corpus(self):
        self.CheckWhole(CORPUS, 4, "study")

    def test_samples_by_path(self):
        # No instance of the samples lies in two folders.
        self.CheckWhole(self.samples, 3, "path")
        self.CheckWhole(self.samples, 4, "path:1")

    def test_outputs_of_earlier_rules(self):
        """The merged state tells of them what a single run would tell."""
        single, output, rules = self.tmp / "single", self.tmp / "out", self.tmp / "rules.yaml"
        text = ("dcmveil: 1\nname: two\nguard: off\nrules:\n"
                "  - tag: PatientName\n    action: replace\n    with: {value: Ж}\n"
                "  - tag: PatientID\n    action: pseudonym\notherwise: keep\n")
        for name, more in (("Ж", []), ("X", ["--retry-quarantined"])):
            rules.write_text(text.replace("Ж", name))
            self.Run(rules, self.samples, single, "--report", self.tmp / "r", *more)
            for shard in ("1/2", "2/2"):
                self.Run(rules, self.samples, output, "--shard", shard, "--report", self.tmp / "rs",
                         *more, env=Bare())
        merged = self.Merge(output)
        self.assertIn(b"outputs were made by earlier rules", merged.stdout)
        self.assertEqual(self.ManifestBytes(single), self.ManifestBytes(output))
        self.assertEqual((self.State(single) / "quarantine.ndjson").read_bytes(),
                         (self.State(output) / "quarantine.ndjson").read_bytes())
        told = []
        for folder in (single, output):
            state, report, proof = self.State(folder), self.tmp / f"{folder.name}.r", self.tmp / "proof"
            self.assertEqual(0, Command("report", "--state", state, "--report", report).returncode)
            self.assertEqual(0, Command("proof", "make", "--state", state, "-o", proof).returncode)
            told += [json.loads(proof.read_text())["proof"]["rule_sets"],
                     json.loads((report / "report.json").read_text())["rule_sets"],
                     json.loads((state / "run.json").read_text())["rule_sets"]]
        self.assertEqual(2, len(told[0]))
        self.assertTrue(all(row["outputs"] > 0 for row in told[0]))
        self.assertEqual([told[0]] * len(told), told)
        # Parts that are added up by `report` come to the same.
        states = sum((["--state", folder] for folder in sorted(self.State(output).glob("shard-*"))), [])
        self.assertEqual(0, Command("report", *states, "--report", self.tmp / "sum").returncode)
        self.assertEqual(told[0], json.loads((self.tmp / "sum" / "report.json").read_text())["rule_sets"])

    def test_what_shard_and_shard_by_take(self):
        for wrong in ("", "0/4", "5/4", "01/4", "4", "1/4/4", "+1/4", "1 /4", "x", "AUTO"):
            result = self.Shard(self.samples, self.tmp / "out", wrong, expect=2)
            self.assertRegex(result.stderr, b"--shard")
        for wrong in ("", "uid", "path:0", "path:", "path:-1"):
            result = self.Shard(self.samples, self.tmp / "out", "1/4", "--shard-by", wrong, expect=2)
            self.assertIn(b"--shard-by takes", result.stderr)
        self.Run(RULES, self.samples, self.tmp / "out", "--shard-by", "path", expect=2)
        result = self.Shard(self.samples, self.tmp / "out", "1/2", "--dicomdir", expect=2)
        self.assertIn(b"DICOMDIR", result.stderr)
        self.assertFalse(self.State(self.tmp / "out").exists(), "nothing was touched")
        self.assertFalse((self.tmp / "out").exists())

    def test_auto(self):
        output = self.tmp / "out"
        result = self.Shard(self.samples, output, "auto", expect=2)
        for name in (b"SLURM_ARRAY_TASK_ID", b"JOB_COMPLETION_INDEX", b"JOB_COMPLETIONS",
                     b"AWS_BATCH_JOB_ARRAY_INDEX", b"AWS_BATCH_JOB_ARRAY_SIZE"):
            self.assertIn(name, result.stderr)
        result = self.Shard(self.samples, output, "auto", expect=2, env=Bare(
            JOB_COMPLETION_INDEX="0", JOB_COMPLETIONS="3", AWS_BATCH_JOB_ARRAY_INDEX="1",
            AWS_BATCH_JOB_ARRAY_SIZE="3"))
        self.assertIn(b"JOB_COMPLETION_INDEX and AWS_BATCH_JOB_ARRAY_INDEX name different shards",
                      result.stderr)
        self.assertFalse(self.State(output).exists())
        self.Shard(self.samples, output, "auto",
                   env=Bare(JOB_COMPLETION_INDEX="0", JOB_COMPLETIONS="3"))
        self.Shard(self.samples, output, "auto",
                   env=Bare(AWS_BATCH_JOB_ARRAY_INDEX="1", AWS_BATCH_JOB_ARRAY_SIZE="3"))
        self.Shard(self.samples, output, "auto", env=Bare(
            SLURM_ARRAY_TASK_ID="12", SLURM_ARRAY_TASK_COUNT="3", SLURM_ARRAY_TASK_MIN="10",
            SLURM_ARRAY_TASK_MAX="12", SLURM_ARRAY_TASK_STEP="1"))
        self.Run(RULES, self.samples, self.tmp / "single")
        self.Merge(output)
        self.assertEqual(self.ManifestBytes(self.tmp / "single"), self.ManifestBytes(output))

    def test_a_shard_goes_on_by_its_own_journal(self):
        output = self.tmp / "out"
        self.Shard(self.samples, output, "2/3")
        state = self.State(output) / "shard-2-of-3"
        self.assertEqual(0o700, stat.S_IMODE(os.stat(self.State(output)).st_mode))
        self.assertEqual(0o700, stat.S_IMODE(os.stat(state).st_mode))
        tree = Tree(output)
        journal = state / "journal"
        lines = journal.read_bytes().splitlines(keepends=True)
        # Killed when half was done: no more lines, and the rest not there.
        journal.write_bytes(b"".join(lines[:len(lines) // 2]))
        for line in lines[len(lines) // 2:-1]:
            name = json.loads(line[9:]).get("output")
            if name is not None:
                (output / name).unlink()
        result = json.loads(self.Shard(self.samples, output, "2/3", "--json").stdout.splitlines()[-1])
        self.assertEqual(len(lines) // 2 - 1, result["recalled"])
        self.assertEqual(0, result["unchanged"])
        self.assertTrue(tree == Tree(output))
        again = json.loads(self.Shard(self.samples, output, "2/3", "--json").stdout.splitlines()[-1])
        self.assertEqual(len(tree), again["unchanged"])

    def test_another_n_in_the_same_state(self):
        output = self.tmp / "out"
        self.Shard(self.samples, output, "1/3")
        result = self.Shard(self.samples, output, "2/4", expect=2)
        self.assertIn(b"has shards of 3, not of 4", result.stderr)
        self.assertIn(b"by study, not by path",
                      self.Shard(self.samples, output, "2/3", "--shard-by", "path", expect=2).stderr)
        self.assertIn(b"run in 3 shards", self.Run(RULES, self.samples, output, expect=2).stderr)
        self.assertEqual(["shard-1-of-3"], os.listdir(self.State(output)))

    def test_state_report_and_crosswalk_of_shards_are_apart(self):
        base = self.tmp / "state"
        for index in (1, 2):
            self.Shard(self.samples, self.tmp / "out", f"{index}/2", "--state", base, "--report",
                       self.tmp / "report")
        self.assertEqual(["shard-1-of-2", "shard-2-of-2"], sorted(os.listdir(base)))
        self.assertEqual(["shard-1-of-2", "shard-2-of-2"], sorted(os.listdir(self.tmp / "report")))
        dry = self.Shard(self.samples, self.tmp / "dry", "1/2", "--dry-run", "--report",
                         self.tmp / "dry-report")
        self.assertIn(dry.returncode, (0, 3))
        self.assertEqual(["shard-1-of-2"], os.listdir(self.tmp / "dry-report"))
        self.assertFalse(self.State(self.tmp / "dry").exists())

    def test_merge_refuses_what_is_not_one_run(self):
        output = self.tmp / "out"
        self.assertIn(b"no shards", self.Merge(output, expect=2).stderr)
        self.Shard(self.samples, output, "1/3")
        self.Shard(self.samples, output, "3/3")
        self.assertIn(b"of 3 shards missing: 2", self.Merge(output, expect=2).stderr)
        self.assertFalse((self.State(output) / "manifest.ndjson").exists())
        partly = self.Merge(output, "--incomplete", expect=3)
        self.assertIn(b"this is not the whole run", partly.stdout)
        # The missing one with another key, or other rules: refused by merge.
        self.Shard(self.samples, self.tmp / "other", "2/3", key=self.other_key)
        shutil.copytree(self.State(self.tmp / "other") / "shard-2-of-3",
                        self.State(output) / "shard-2-of-3")
        self.assertIn(b"their keys differ", self.Merge(output, expect=2).stderr)
        shutil.rmtree(self.State(output) / "shard-2-of-3")
        self.Run("ai-training.yaml", self.samples, self.tmp / "third", "--shard", "2/3", env=Bare())
        shutil.copytree(self.State(self.tmp / "third") / "shard-2-of-3",
                        self.State(output) / "shard-2-of-3")
        self.assertIn(b"their rules differ", self.Merge(output, expect=2).stderr)
        shutil.rmtree(self.State(output) / "shard-2-of-3")
        self.Shard(self.samples, output, "2/3")
        # The same one twice, from two places.
        shutil.copytree(self.State(output) / "shard-1-of-3", self.tmp / "twice")
        parts = [self.State(output) / f"shard-{i}-of-3" for i in (1, 2, 3)]
        result = self.Merge(output, *parts, self.tmp / "twice", expect=2)
        self.assertIn(b"shard 1 is there twice", result.stderr)
        self.Merge(output, *parts, expect=3)
        self.Run(RULES, self.samples, self.tmp / "single")
        self.assertEqual(self.ManifestBytes(self.tmp / "single"), self.ManifestBytes(output))
        self.assertIn(b"a run of its own", Command("merge", "--state", self.State(self.tmp / "single"),
                                                   *parts).stderr)

    def test_verify_of_one_shard_leaves_the_others_alone(self):
        output = self.tmp / "out"
        for index in (1, 2):
            self.Shard(self.samples, output, f"{index}/2")
        result = Command("verify", "--state", self.State(output) / "shard-1-of-2", "--json")
        report = json.loads(result.stdout)
        self.assertNotIn("not-in-manifest", report["counts"])
        self.assertTrue(any("one shard" in text for text in report["not_checked"]))

    def test_merged_hashes_are_of_the_merged_manifest_only(self):
        output = self.tmp / "out"
        for index in (1, 2):
            self.Shard(self.samples, output, f"{index}/2", "--report", self.tmp / "report")
        self.Merge(output)
        self.assertTrue((self.State(output) / "hashes.ndjson").exists())
        # An output that somebody changed since: the proof says what the shard had written.
        victim = next(output / line["output"] for line in self.Manifest(output) if line["output"])
        victim.write_bytes(victim.read_bytes() + b"\0\0")
        self.assertEqual(0, Command("proof", "make", "--state", self.State(output), "-o",
                                    self.tmp / "proof").returncode)
        self.assertEqual(4, Command("proof", "check", self.tmp / "proof", "--output",
                                    output).returncode)
        # Without them all is read again.
        (self.State(output) / "hashes.ndjson").unlink()
        Command("proof", "make", "--state", self.State(output), "-o", self.tmp / "proof")
        self.assertEqual(0, Command("proof", "check", self.tmp / "proof", "--output",
                                    output).returncode)


if __name__ == "__main__":
    Main()
