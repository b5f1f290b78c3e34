# SPDX-License-Identifier: Apache-2.0
"""No planted identifier leaves: not in any byte or name of the output, nor in what is printed."""
import json
import pathlib

from support import (CliTest, Command, Environment, FindLeaks, Inflated, KEY_A, Main, ReadIdentifiers,
                     RULES, Tree)

# (kind, text) of what a rule set keeps on purpose.
KEPT = {
    "research-export.yaml": set(),
    "teaching-file.yaml": set(),
    "ai-training.yaml": set(),
}
DATES = ("date", "birthdate")


class Leaks(CliTest):
    sample_arguments = ("--patients", 3)

    def Export(self, rules, *more):
        output = self.tmp / pathlib.Path(rules).stem
        result = self.Run(rules, self.samples, output, *more)
        return output, result

    def test_output_trees(self):
        identifiers = ReadIdentifiers(self.samples)
        self.assertGreater(len(identifiers), 1000)
        for rules, kept in KEPT.items():
            with self.subTest(rules=rules):
                output, _ = self.Export(rules)
                self.assertGreater(len(Tree(output)), 20)
                # A day shifted may be another patient's true day, so dates are looked for in the
                # output of their own file, the rest everywhere.
                self.ExpectNoLeak(output, [i for i in identifiers if i.kind not in DATES], kept)
                leaks = []
                for _, target, line in self.Pairs(self.samples, output):
                    own = [i for i in identifiers if i.file == line["input"]]
                    self.assertNotEqual([], own, line["input"])
                    blob = line["output"].encode() + b"\0" + Inflated(target.read_bytes())
                    leaks += FindLeaks({line["input"]: blob}, own)
                self.assertEqual([], [leak for leak in leaks if leak[1:] not in kept])

    def test_search_can_find(self):
        """keep-all keeps all, so each identifier that a second reader could see is found."""
        output, _ = self.Export("keep-all.yaml")
        identifiers = ReadIdentifiers(self.samples)
        for _, target, line in self.Pairs(self.samples, output):
            own = [i for i in identifiers if i.file == line["input"] and i.kind in ("uid", "id")]
            data = Inflated(target.read_bytes())
            found = {text for _, _, text in FindLeaks({"": data}, own)}
            self.assertEqual({i.text for i in own} - found, set(), line["input"])

    def test_state_and_messages(self):
        # Names of files (kind "path") may stand in "input" of the manifest, and only there.
        identifiers = ReadIdentifiers(self.samples)
        for rules in (*KEPT, "base.yaml", "site-overlay.yaml", "microsoft-configuration.json",
                      "keep-all.yaml"):
            for more in ((), ("--json",), ("--quiet",), ("--dry-run",), ("--dry-run", "--json")):
                with self.subTest(rules=rules, more=more):
                    output = self.tmp / "".join([rules, *more])
                    result = self.Run(rules, self.samples, output, *more)
                    blobs = {"stdout": result.stdout, "stderr": result.stderr}
                    if "--dry-run" not in more:
                        state = self.State(output)
                        blobs["run.json"] = (state / "run.json").read_bytes()
                        for number, line in enumerate(self.Manifest(output)):
                            blobs[f"line {number}"] = json.dumps(
                                {k: line.get(k) for k in ("reason", "where", "notes", "outcome")},
                                ensure_ascii=False).encode()
                    self.assertEqual([], FindLeaks(blobs, identifiers))

    def test_manifest_outputs(self):
        identifiers = [i for i in ReadIdentifiers(self.samples) if i.kind not in DATES]
        for rules in KEPT:
            output, _ = self.Export(rules)
            names = {line["input"]: (line["output"] or "").encode() for line in self.Manifest(output)}
            self.assertEqual([], FindLeaks(names, identifiers))

    def test_other_verbs_on_samples(self):
        """check --sample names attributes, never values; errors of explain do neither."""
        identifiers = ReadIdentifiers(self.samples)
        for rules in KEPT:
            result = Command("check", "-r", RULES / rules, "--sample", self.samples,
                             env=Environment(DCMVEIL_KEY=KEY_A))
            self.assertEqual(0, result.returncode)
            self.assertEqual([], FindLeaks({"check": result.stdout + result.stderr}, identifiers))
            for file in sorted(f for f in self.samples.rglob("*") if f.is_file()):
                result = Command("explain", "-r", RULES / rules, file,
                                 env=Environment(DCMVEIL_KEY=KEY_A))
                # The file's name is what the user typed; the rest must not tell.
                message = result.stderr.replace(bytes(file), b"")
                self.assertEqual([], FindLeaks({"explain": message}, identifiers))


if __name__ == "__main__":
    Main()
