# SPDX-License-Identifier: Apache-2.0
"""A run that was killed at any instant goes on: the same tree, the same manifest, nothing twice."""
import json
import os
import random
import shutil
import signal
import subprocess
import time
import unittest

from support import (CORPUS, CliTest, Command, DCMVEIL, Environment, Main, NeedsCorpus, Sanitized, Timeout,
                     Tree, Walk)

RULES = "research-export.yaml"
KILLS = int(os.environ.get("DCMVEIL_KILLS", "10" if Sanitized() else "30"))

# Quarantines what has no character set for that name.
UNWRITABLE = ("dcmveil: 1\nname: retry\nguard: off\nrules:\n"
              "  - tag: PatientName\n    action: replace\n    with: {value: Ж}\n"
              "  - tag: PatientID\n    action: pseudonym\n"
              "otherwise: keep\n")


class Resume(CliTest):
    def Lines(self, output):
        return (self.State(output) / "journal").read_bytes().splitlines(keepends=True)

    def Seconds(self, *arguments):
        begin = time.monotonic()
        self.Run(*arguments)
        return time.monotonic() - begin

    def KillAt(self, moment, *arguments):
        """False if the run came to its end before."""
        process = subprocess.Popen([os.fspath(a) for a in [DCMVEIL, *self.Arguments(*arguments)]],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env=Environment())
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(Timeout(60))
        return process.returncode == -signal.SIGKILL

    def CheckKills(self, source, seed):
        """Kills at random instants, several in a row, until a run comes to its end."""
        chance = random.Random(seed)
        whole = self.tmp / "whole"
        seconds = self.Seconds(RULES, source, whole, "-j", "2")
        tree, manifest = Tree(whole), self.ManifestBytes(whole)
        kills = tries = 0
        while kills < KILLS:
            tries += 1
            output = self.tmp / f"out{tries}"
            for _ in range(chance.randrange(1, 6)):
                if not self.KillAt(chance.uniform(0, seconds), RULES, source, output,
                                   "-j", chance.choice("1248")):
                    break
                kills += 1
                for name, data in Tree(output).items() if output.exists() else ():
                    if not name.startswith(b".dcmveil-"):
                        self.assertTrue(data == tree[name], name)
            self.Run(RULES, source, output, "-j", "2")
            self.assertEqual(sorted(tree), Walk(output), "no file lost, none left over")
            self.assertTrue(tree == Tree(output))
            if manifest != self.ManifestBytes(output):
                # A run that came to its end between two kills makes the next one a rerun.
                old = [json.loads(line) for line in manifest.splitlines()]
                new = self.Manifest(output)
                self.assertEqual([{**line, "outcome": "unchanged"} if line["output"] else line
                                  for line in old], new)
                self.assertTrue(any(b'"end"' in line for line in self.Lines(output)[:-1]))
            shutil.rmtree(output)
            shutil.rmtree(self.State(output))
        print(f"{kills} kills in {tries} rounds over {len(manifest.splitlines())} inputs")

    def test_samples(self):
        self.CheckKills(self.samples, 1)

    @NeedsCorpus
    @unittest.skipIf(Sanitized(), "takes too long with a sanitizer")
    def test_corpus(self):
        self.CheckKills(CORPUS, 2)

    def test_what_is_done_is_not_read_again(self):
        output = self.tmp / "out"
        source = shutil.copytree(self.samples / "charsets", self.tmp / "in")
        self.Run(RULES, source, output, expect=0)
        first = self.Lines(output)
        tree = Tree(output)
        result = json.loads(self.Run(RULES, source, output, "--json",
                                     expect=0).stdout.splitlines()[-1])
        self.assertEqual(len(tree), result["recalled"])
        self.assertEqual(len(tree), result["unchanged"])
        self.assertEqual(len(first) + 2, len(self.Lines(output)), "only that it began and ended")
        self.assertTrue(tree == Tree(output))
        # A new input, one that changed, and an output that was taken away.
        os.utime(source / "greek.dcm")
        (output / next(iter(tree)).decode()).unlink()
        shutil.copy(self.samples / "formats" / "no_preamble", source / "new")
        result = json.loads(self.Run(RULES, source, output, "--json").stdout.splitlines()[-1])
        self.assertGreaterEqual(result["recalled"], len(tree) - 2)
        self.assertTrue(tree.items() <= Tree(output).items())

    def test_the_journal_holds_no_input_name(self):
        output = self.tmp / "out"
        source = self.tmp / "in"
        source.mkdir()
        shutil.copy(self.samples / "charsets" / "greek.dcm", source / "Wirtmann_Wilma")
        self.Run(RULES, source, output, expect=0)
        self.assertNotIn(b"Wirtmann", b"".join(self.Lines(output)))

    def test_a_journal_that_was_not_written_whole(self):
        source = self.samples / "charsets"
        whole = self.tmp / "whole"
        self.Run(RULES, source, whole, expect=0)
        lines = self.Lines(whole)
        middle = len(lines) // 2
        journals = {
            "cut": b"".join(lines[:middle]) + lines[middle][:20],
            "no line feed": b"".join(lines[:middle]) + lines[middle][:-1],
            "zeros": b"".join(lines[:middle]) + bytes(4096),
            "a bit": b"".join(lines[:middle]) + lines[middle].replace(b'"', b"'", 1)
                     + b"".join(lines[middle + 1:]),
            "first line": b"x" + b"".join(lines),
            "empty": b"",
        }
        for name, journal in journals.items():
            with self.subTest(name):
                output = self.tmp / name
                shutil.copytree(whole, output)
                shutil.copytree(self.State(whole), self.State(output))
                (self.State(output) / "journal").write_bytes(journal)
                result = self.Run(RULES, source, output, expect=0)
                self.assertEqual(name != "empty", b"not whole" in result.stdout)
                self.assertTrue(Tree(whole) == Tree(output))
                self.assertEqual(len(self.Manifest(whole)), len(self.Manifest(output)))
                # And the journal is sound again.
                again = self.Run(RULES, source, output, expect=0)
                self.assertNotIn(b"not whole", again.stdout)
                self.assertIn(f"{len(lines) - 2} unchanged".encode(), again.stdout)

    def test_other_rules_or_another_key(self):
        source, output = self.samples / "charsets", self.tmp / "out"
        self.Run(RULES, source, output, expect=0)
        tree, lines = Tree(output), self.Lines(output)
        for arguments, key, word in (((RULES,), self.other_key, b"another key"),
                                     (("teaching-file.yaml",), None, b"other rules")):
            result = self.Run(*arguments, source, output, key=key, expect=2)
            self.assertIn(word, result.stderr)
            self.assertEqual(lines, self.Lines(output), "nothing was touched")
        self.Run("teaching-file.yaml", source, output, "--accept-changes")
        self.assertTrue(tree.items() <= Tree(output).items(), "nothing was overwritten")
        # From now on the output belongs to these rules.
        self.assertIn(b"other rules", self.Run(RULES, source, output, expect=2).stderr)

    def test_retry_quarantined(self):
        source, output = self.tmp / "in", self.tmp / "out"
        shutil.copytree(self.samples / "charsets", source)
        rules = self.tmp / "rules.yaml"
        rules.write_text(UNWRITABLE)
        self.Run(rules, source, output, expect=3)
        quarantined = [line for line in self.Manifest(output) if line["outcome"] == "quarantined"]
        self.assertTrue(quarantined)
        listed = [json.loads(line) for line in
                  (self.State(output) / "quarantine.ndjson").read_text().splitlines()]
        self.assertEqual([(line["input"], line["reason"]) for line in quarantined],
                         [(line["input"], line["reason"]) for line in listed])
        run = json.loads((self.State(output) / "run.json").read_text())
        self.assertEqual({run["rules_hash"]}, {line["rules_hash"] for line in listed})
        # The same rules: they stay where they are, and are not processed again.
        result = json.loads(self.Run(rules, source, output, "--json", expect=3).stdout.splitlines()[-1])
        self.assertEqual(len(self.Manifest(output)), result["recalled"])
        rules.write_text(UNWRITABLE.replace("Ж", "X"))
        self.Run(rules, source, output, expect=2)
        self.Run(rules, source, output, "--retry-quarantined", expect=0)
        by_input = self.ByInput(output)
        self.assertEqual({"written"}, {by_input[line["input"]]["outcome"] for line in quarantined})
        self.assertEqual(len(by_input) - len(quarantined),
                         sum(line["outcome"] == "unchanged" for line in by_input.values()))
        self.assertIn(b"another key", self.Run(rules, source, output, "--retry-quarantined",
                                               key=self.other_key, expect=2).stderr)

    def test_outputs_of_earlier_rules_are_told(self):
        """Rules that were mended do not mend what they had made, and nothing says that they did."""
        source, output, report = self.tmp / "in", self.tmp / "out", self.tmp / "report"
        shutil.copytree(self.samples / "charsets", source)
        rules = self.tmp / "rules.yaml"
        rules.write_text(UNWRITABLE)
        self.Run(rules, source, output, "--report", report, expect=3)
        first = json.loads((self.State(output) / "run.json").read_text())
        old = first["rules_hash"]
        self.assertNotIn("rule_sets", first)
        self.assertNotIn("rule_sets", json.loads((report / "report.json").read_text()))
        before = sum(line["output"] is not None for line in self.Manifest(output))
        self.assertGreater(before, 0)
        rules.write_text(UNWRITABLE.replace("Ж", "X").replace("otherwise",
                                                         "  - tag: PatientSex\n    action: remove\notherwise"))
        retry = ["--report", report, "--retry-quarantined"]
        told = self.Run(rules, source, output, *retry, expect=0).stdout.decode()
        self.CheckRuleSets(output, report, told, old, before)
        # Nor does a run that has nothing to do.
        told = self.Run(rules, source, output, "--report", report, expect=0).stdout.decode()
        self.CheckRuleSets(output, report, told, old, before)
        summary = json.loads(self.Run(rules, source, output, "--json", expect=0).stdout.splitlines()[-1])
        self.assertEqual([before], [row["outputs"] for row in summary["rule_sets"]
                                    if row["rules_hash"] == old])
        # What is made again is of the new rules.
        for line in self.Manifest(output):
            if line["output"] is not None:
                (output / line["output"]).unlink()
        told = self.Run(rules, source, output, "--report", report, expect=0).stdout.decode()
        self.assertNotIn("earlier rules", told)
        self.assertNotIn("rule_sets", json.loads((self.State(output) / "run.json").read_text()))
        self.assertFalse([line for line in self.Manifest(output) if "decided_by" in line])

    def CheckRuleSets(self, output, report, told, old, before):
        lines = [line for line in self.Manifest(output) if line["output"] is not None]
        run = json.loads((self.State(output) / "run.json").read_text())
        self.assertNotEqual(old, run["rules_hash"])
        expected = [
            {"rules_hash": run["rules_hash"], "edition": None, "outputs": len(lines) - before},
            {"rules_hash": old, "edition": None, "outputs": before}]
        self.assertEqual([{"rules_hash": old, "edition": None}] * before,
                         [line["decided_by"] for line in lines if "decided_by" in line])
        self.assertEqual(expected, run["rule_sets"])
        self.assertEqual(expected, json.loads((report / "report.json").read_text())["rule_sets"])
        self.assertIn(old, (report / "report.html").read_text())
        self.assertIn(f"{before}  outputs were made by earlier rules", told)
        self.assertIn(old[:12], told)
        state = ["--state", self.State(output)]
        verify = json.loads(Command("verify", *state, "--json").stdout)
        self.assertIn("earlier rules", " ".join(verify["not_checked"]))
        proof = self.tmp / "proof.json"
        self.assertEqual(0, Command("proof", "make", *state, "-o", proof).returncode)
        self.assertEqual(expected, json.loads(proof.read_text())["proof"]["rule_sets"])
        self.assertIn(b"earlier rules", Command("proof", "check", proof).stdout)

    def test_quarantined_by_earlier_rules(self):
        """An interrupted retry leaves some of them with what the earlier rules said."""
        source, output = self.tmp / "in", self.tmp / "out"
        shutil.copytree(self.samples / "charsets", source)
        (source / "zz").write_bytes(b"no data set")
        rules = self.tmp / "rules.yaml"
        text = "dcmveil: 1\nname: a\nguard: off\nrules:\n  - tag: PatientSex\n    action: remove\notherwise: keep\n"
        rules.write_text(text)
        self.Run(rules, source, output, expect=3)
        old = json.loads((self.State(output) / "run.json").read_text())["rules_hash"]
        rules.write_text(text.replace("PatientSex", "PatientAge"))
        self.Run(rules, source, output, "--retry-quarantined", expect=3)
        # As if it had been killed before the last input.
        lines = self.Lines(output)
        (self.State(output) / "journal").write_bytes(b"".join(lines[:-2]))
        self.Run(rules, source, output, expect=3)
        listed = json.loads((self.State(output) / "quarantine.ndjson").read_text())
        self.assertEqual(("zz", old), (listed["input"], listed["rules_hash"]))

    def test_copies_of_quarantined_inputs_only_when_asked(self):
        source, output, folder = self.samples / "broken", self.tmp / "out", self.tmp / "q" / "r"
        self.Run(RULES, source, output, "--copy-quarantined", folder)
        self.assertEqual(0o700, folder.stat().st_mode & 0o777)
        expected = {os.fsencode(line["input"]): (source / line["input"]).read_bytes()
                    for line in self.Manifest(output) if line["outcome"] == "quarantined"}
        self.assertTrue(expected)
        self.assertTrue(expected == Tree(folder))
        folder.chmod(0o755)
        self.assertIn(b"0700", self.Run(RULES, source, self.tmp / "other", "--copy-quarantined",
                                        folder, expect=1).stderr)

    def test_a_copy_never_replaces_other_bytes(self):
        source, output, folder = self.tmp / "in", self.tmp / "out", self.tmp / "q"
        shutil.copytree(self.samples / "broken", source)
        self.Run(RULES, source, output, "--copy-quarantined", folder)
        before = Tree(folder)
        name = os.fsdecode(sorted(before)[0])
        again = json.loads(self.Run(RULES, source, output, "--copy-quarantined", folder,
                                    "--json").stdout.splitlines()[-1])
        self.assertEqual(0, again["not_copied"], "what is copied already is well")
        self.assertEqual(before, Tree(folder))
        (source / name).write_bytes(b"another")
        told = self.Run(RULES, source, output, "--copy-quarantined", folder)
        self.assertIn(b"1  not copied", told.stdout)
        self.assertEqual(3, told.returncode)
        again = json.loads(self.Run(RULES, source, self.tmp / "out2", "--copy-quarantined", folder,
                                    "--json").stdout.splitlines()[-1])
        self.assertEqual(1, again["not_copied"])
        self.assertEqual(before, Tree(folder))

    def test_another_layout(self):
        """What was written under other names does not count."""
        source, output = self.samples / "charsets", self.tmp / "out"
        self.Run(RULES, source, output, expect=0)
        first = Tree(output)
        self.Run(RULES, source, output, "--layout", "flat/{SOPInstanceUID}.dcm", expect=0)
        lines = self.Manifest(output)
        self.assertEqual({"written"}, {line["outcome"] for line in lines})
        self.assertTrue(all(line["output"].startswith("flat/") for line in lines))
        self.assertEqual(2 * len(first), len(Tree(output)))

    def test_durable(self):
        source = self.samples / "charsets"
        self.Run(RULES, source, self.tmp / "fast", expect=0)
        self.Run(RULES, source, self.tmp / "safe", "--durable", expect=0)
        self.ExpectSameTrees(self.tmp / "fast", self.tmp / "safe")


if __name__ == "__main__":
    Main()
