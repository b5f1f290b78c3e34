# SPDX-License-Identifier: Apache-2.0
"""What the command says: help, errors, machine-readable output, and nothing that identifies."""
import json
import os
import re
import stat
import subprocess

import pydicom

from support import (CliTest, Command, DCMVEIL, Element, Environment, FindLeaks, KEY_A, Main, Part10,
                     Plain, ReadIdentifiers, RULES, Snapshot, SOURCE, Walk, WriteKey)

VERBS = ("run", "check", "explain", "actions", "keygen", "decrypt", "reidentify", "crosswalk",
         "import")
HEAD = "dcmveil: 1\nname: test\nprofile: none\n"


class Help(CliTest):
    def test_help_and_version(self):
        result = Command("--help")
        self.assertEqual(0, result.returncode)
        for verb in VERBS:
            self.assertIn(verb.encode(), result.stdout)
        result = Command("--version")
        self.assertEqual(0, result.returncode)
        self.assertRegex(result.stdout, rb"^dcmveil [0-9]+\.[0-9]+\.[0-9]+\n$")

    def test_what_it_was_built_on(self):
        for arguments in (("--version", "--json"), ("--json", "--version")):
            result = Command(*arguments)
            self.assertEqual((0, b""), (result.returncode, result.stderr))
            told = json.loads(result.stdout)
            self.assertEqual(b"dcmveil " + told["version"].encode() + b"\n", Command("--version").stdout)
            self.assertRegex(" ".join(told["compiler"].values()), r"^(GNU|Clang) [0-9]+\.[0-9.]+$")
            for library in told["libraries"]:
                self.assertRegex(library["version"], r"^(so\.)?[0-9]+(\.[0-9]+)+$", library["name"])
        # Which of them are there: what the documentation says.
        table = (SOURCE / "docs" / "dependencies.md").read_text().split("\n\n")
        rows = [row.split("|")[1].strip().rpartition(" ")[0] for part in table
                if part.startswith("| library") for row in part.splitlines()[2:]]
        names = {name for name in rows if not name.startswith(("GoogleTest", "glibc", "pybind11"))}
        self.assertEqual(names, {library["name"] for library in told["libraries"]})
        self.assertEqual(2, Command("--json").returncode)

    def test_help_of_verbs_tells_the_exit_status(self):
        for verb in VERBS:
            result = Command(verb, "--help")
            self.assertEqual(0, result.returncode, verb)
            self.assertEqual(b"", result.stderr, verb)
            self.assertIn(b"Exit status:", result.stdout, verb)
            for status in (b"0 ", b"1 ", b"2 ", b"3 ", b"130 "):
                self.assertIn(status, result.stdout.split(b"Exit status:")[1], verb)

    def test_a_verb_that_there_is_not(self):
        result = Command("rnu", "-r", "rules.yaml")
        self.assertEqual(2, result.returncode)
        self.assertIn(b"rnu: no such verb; did you mean run?", result.stderr)

    def test_an_option_that_there_is_not(self):
        """It is named, with what was meant, also where what it should have been is then missing."""
        for arguments, told in (
                (("run", "--ouput", "out", "-i", "in", "-r", "rules.yaml"),
                 "--ouput: no such option of run; did you mean --output?"),
                (("run", "--ouput=out", "-i", "in", "-r", "rules.yaml"),
                 "--ouput: no such option of run; did you mean --output?"),
                (("explain", "-r", "rules.yaml", "one.dcm", "--jsn"),
                 "--jsn: no such option of explain; did you mean --json?"),
                (("check", "-R", "rules.yaml"), "-R: no such option of check\n"),
                (("check", "--nothing-like-it"), "--nothing-like-it: no such option of check\n"),
                (("import", "ctp", "--compatible-hash", "a"),
                 "--compatible-hash: no such option of import ctp; did you mean --compatible-hashes?"),
                (("--verzion",), "--verzion: no such option; did you mean --version?"),
                (("proof", "mkae"), "mkae: no such verb of proof; did you mean make?"),
                (("run", "-r", "rules.yaml"), "is required")):
            result = Command(*arguments, cwd=self.tmp)
            self.assertEqual(2, result.returncode, arguments)
            self.assertEqual(b"", result.stdout)
            self.assertIn(told, result.stderr.decode())
            self.assertNotIn(b"=out", result.stderr, "names are told, values are not")

    def test_actions(self):
        result = Command("actions")
        self.assertEqual(0, result.returncode)
        for action in (b"keep", b"remove", b"date-shift", b"refresh-uid", b"encrypt"):
            self.assertRegex(result.stdout, b"(?m)^" + action + b"\\b")


class RuleErrors(CliTest):
    def Refused(self, *arguments, env=None):
        output = self.tmp / "refused"
        result = self.Run(*arguments, self.samples, output, env=env, expect=2)
        self.assertFalse(output.exists() or self.State(output).exists())
        return result.stderr.decode()

    def Rules(self, text, name="rules.yaml"):
        file = self.tmp / name
        file.write_text(text)
        return file

    def test_all_at_once_with_their_places(self):
        rules = self.Rules(HEAD + """rules:
  - tag: PatientNmae
    action: remove
  - tag: StudyDate
    action: dateshfit
  - tag: PatientID
    action: pseudonym
    with: {lenght: 10}
  - tag: StudyTime
    action: date-shift
  - tag: "(0010,001G)"
    action: remove
otherwise: maybe
""")
        for verb in ("run", "check", "explain"):
            arguments = {"run": ("-i", self.samples, "-o", self.tmp / "o"), "check": (),
                         "explain": (self.samples / "formats" / "no_preamble",)}[verb]
            result = Command(verb, "-r", rules, "--key", self.key, *arguments)
            self.assertEqual(2, result.returncode)
            lines = result.stderr.decode().splitlines()
            for place in ("5:10", "8:13", "11:12", "12:10", "14:10", "16:12"):
                found = [line for line in lines if line.startswith(f"{rules}:{place}: error: ")]
                self.assertEqual(1, len(found), (place, lines))
            self.assertFalse((self.tmp / "o").exists())

    def test_suggestions(self):
        for wrong, meant in (("tag: PatientNmae\n    action: remove", "PatientName"),
                             ("tag: StudyDate\n    action: dateshfit", "date"),
                             ("tag: PatientID\n    action: pseudonym\n    with: {lenght: 9}",
                              "length"),
                             ("tga: PatientID\n    action: remove", "tag")):
            message = self.Refused(self.Rules(HEAD + f"rules:\n  - {wrong}\notherwise: keep\n"))
            self.assertRegex(message, f"did you mean {meant}")

    def test_files(self):
        self.assertIn("no such rule file", self.Refused(self.tmp / "none.yaml"))
        self.assertIn("cannot be read", self.Refused(self.tmp))
        self.assertRegex(self.Refused(self.Rules("rules: [\n")), r":[0-9]+:[0-9]+: error")
        for text in ("", "- 1\n", "text\n", "dcmveil: 2\n", "\0\1\2", "&a [*a]\n"):
            self.assertIn("error", self.Refused(self.Rules(text)))
        binary = self.tmp / "binary.yaml"
        binary.write_bytes(bytes(range(256)))
        self.assertIn("error", self.Refused(binary))
        self.assertIn("error", self.Refused(self.samples / "formats" / "header_meta.dcm"))

    def test_state_folder_open_to_others(self):
        state = self.State(self.tmp / "out")
        for mode in (0o750, 0o705, 0o755):
            state.mkdir()
            state.chmod(mode)
            result = self.Run("research-export.yaml", self.samples, self.tmp / "out", expect=2)
            self.assertIn(b"must have mode 0700", result.stderr)
            self.assertEqual([], Walk(state), "nothing was touched")
            state.rmdir()

    def test_keys(self):
        arguments = lambda key: ("run", "-r", RULES / "research-export.yaml", "--key", key,
                                 "-i", self.samples, "-o", self.tmp / "out")
        readable = WriteKey(self.tmp / "readable.key")
        for mode in (0o644, 0o640, 0o604, 0o660):
            readable.chmod(mode)
            result = Command(*arguments(readable))
            self.assertEqual(2, result.returncode, oct(mode))
            self.assertIn(b"chmod 600", result.stderr)
        missing = Command(*arguments(self.tmp / "no.key"))
        self.assertEqual(2, missing.returncode)
        self.assertIn(b"keygen", missing.stderr)
        for number, text in enumerate(("", "abc", KEY_A[:-2], KEY_A + "00", "z" * 64)):
            bad = self.tmp / f"bad{number}.key"
            bad.write_text(text)
            bad.chmod(0o600)
            result = Command(*arguments(bad))
            self.assertEqual(2, result.returncode, text)
            if len(text) > 3:
                self.assertNotIn(text.encode(), result.stderr, "a key is never printed")
        result = Command("run", "-r", RULES / "teaching-file.yaml", "-i", self.samples, "-o",
                         self.tmp / "out")
        self.assertEqual(2, result.returncode)
        self.assertIn(b"DCMVEIL_KEY", result.stderr)
        self.assertFalse((self.tmp / "out").exists())

    def test_no_verb_prints_the_key(self):
        for verb in (("run", "-i", self.samples, "-o", self.tmp / "out"),
                     ("check", "--sample", self.samples)):
            result = Command(verb[0], "-r", RULES / "research-export.yaml", "--key", self.key,
                             *verb[1:])
            self.assertNotIn(KEY_A.encode(), result.stdout + result.stderr)
        for data in map(lambda n: (self.State(self.tmp / "out") / os.fsdecode(n)).read_bytes(),
                        Walk(self.State(self.tmp / "out"))):
            self.assertNotIn(KEY_A.encode(), data)


class NoValues(CliTest):
    """Messages name codes and tags; a hostile file cannot smuggle its text into them."""

    def test_errors_on_samples(self):
        rules = self.tmp / "rules.yaml"
        (self.tmp / "table.csv").write_text("original,pseudonym\nnobody,N1\n")
        rules.write_text(HEAD + """rules:
  - tag: PatientID
    action: pseudonym
    with: {table: table.csv}
  - tag: "0008,xxxx"
    action: replace
    with: {value: "Ж long text that fits in hardly any value representation of DICOM, 64"}
otherwise: keep
""")
        self.Quarantines(rules, self.samples)
        rules.write_text(HEAD + """rules:
  - tag: "(0008,10xx)"
    action: replace
    with: {value: "Ж"}
otherwise: keep
""")
        self.Quarantines(rules, self.samples)

    def Quarantines(self, rules, folder, extra=()):
        output = self.tmp / f"out{len(os.listdir(self.tmp))}"
        result = self.Run(rules, folder, output, expect=3)
        identifiers = ReadIdentifiers(self.samples)
        blobs = {"stdout": result.stdout, "stderr": result.stderr}
        for number, line in enumerate(self.Manifest(output)):
            blobs[str(number)] = json.dumps([line["reason"], line.get("where"), line.get("notes")],
                                            ensure_ascii=False).encode()
        self.assertEqual([], FindLeaks(blobs, identifiers))
        for name, data in blobs.items():
            for text in extra:
                self.assertNotIn(text, data, name)
        return self.Manifest(output)

    def test_hostile_files(self):
        hostile = self.tmp / "hostile"
        hostile.mkdir()
        secret = b"GEHEIMNIS"
        creator = Element(0x00110010, "LO", "GEHEIMNIS MUELLER")
        files = {
            "creator": Part10(Plain() + creator + Element(0x00111001, "US", b"\1\0")),
            "creator in item": Part10(Plain() + Element(0x00081110, "SQ", b"\xfe\xff\0\xe0" + (
                len(creator) + 10).to_bytes(4, "little") + creator +
                Element(0x00111001, "US", b"\1\0"))),
            "charset": Part10(Plain().replace(b"ISO_IR 100", b"GEHEIMNIS ")),
            "class": Part10(Plain(sop_class="GEHEIMNIS.1")),
            "instance": Part10(Plain(uid="GEHEIMNIS^1")),
            "syntax": Part10(Plain(), syntax="1.2.GEHEIMNIS"),
            "class in meta": Part10(Plain(), sop_class="GEHEIMNIS"),
            "odd tail": Part10(Plain() + b"GEHEIMNIS GEHEIMNIS"),
            "text": b"GEHEIMNIS " * 100,
            "escape": Part10(Plain(patient_id="\x1b]0;GEHEIMNIS\x07")),
            "us": Part10(Plain() + Element(0x00280010, "US", "GEHEIMNIS")),
            "sq": Part10(Plain() + Element(0x00081110, "SQ", "GEHEIMNIS GEHEIMNIS.")),
        }
        for name, data in files.items():
            (hostile / name).write_bytes(data)
        rules = self.tmp / "odd.yaml"
        rules.write_text(HEAD + """rules:
  - group: odd
    action: replace
    with: {value: Anonymous}
otherwise: keep
""")
        lines = self.Quarantines(rules, hostile, (secret, secret.lower()))
        self.assertEqual(len(files), len(lines))
        lines = self.Quarantines(RULES / "research-export.yaml", hostile, (secret, secret.lower()))
        for line in lines:
            self.assertNotIn("GEHEIMNIS", line["output"] or "")
            self.assertNotIn("internal", line["reason"] or "")
        for file in sorted(hostile.iterdir()):
            result = Command("explain", "-r", rules, file)
            self.assertIn(result.returncode, (0, 3))
            self.assertNotIn(secret, result.stderr)
            self.assertNotIn(b"\x1b]", result.stdout, "a value cannot draw on the terminal")


class Keygen(CliTest):
    def test_keygen(self):
        file = self.tmp / "new.key"
        result = Command("keygen", file)
        self.assertEqual(0, result.returncode)
        self.assertEqual(0o600, stat.S_IMODE(file.stat().st_mode))
        text = file.read_text()
        secret = re.search("^[0-9a-f]{64}$", text, re.M).group()
        self.assertNotIn(secret, result.stdout.decode())
        key_id = re.search(rb"key ([0-9a-f]{16})", result.stdout).group(1)
        again = Command("keygen", file)
        self.assertEqual(2, again.returncode)
        self.assertEqual(text, file.read_text(), "a key is never overwritten")
        check = Command("check", "-r", RULES / "research-export.yaml", "--key", file)
        self.assertIn(key_id, check.stdout)
        self.assertEqual(0, Command("keygen", self.tmp / "other.key").returncode)
        self.assertNotEqual(text, (self.tmp / "other.key").read_text())
        # umask does not widen it, and a link is not written through.
        (self.tmp / "link").symlink_to(self.tmp / "elsewhere")
        self.assertEqual(2, Command("keygen", self.tmp / "link").returncode)
        self.assertFalse((self.tmp / "elsewhere").exists())
        self.assertEqual(1, Command("keygen", self.tmp / "none" / "x.key").returncode)


class Explain(CliTest):
    def Explain(self, file, *more, rules="research-export.yaml"):
        return Command("explain", "-r", RULES / rules, "--key", self.key, self.samples / file, *more)

    FILE = "TESTMANN_ERIKA_19580312/CT_Thorax_20240314/IM0001.dcm"

    def test_text(self):
        result = self.Explain(self.FILE)
        self.assertEqual(0, result.returncode)
        text = result.stdout.decode()
        self.assertRegex(text, r"\(0010,0020\) PatientID +LO +pseudonym +research-export.yaml:[0-9]+"
                               r" +ZZ-4711-0815 -> RES-")
        self.assertRegex(text, r"PatientAddress .*-> removed")
        self.assertRegex(text, r"PatientName .*-> \(empty\)")
        changes = self.Explain(self.FILE, "--changes").stdout.decode()
        self.assertLess(len(changes), len(text))
        self.assertNotIn("Rows", changes)
        self.assertIn("PatientID", changes)

    def test_says_what_run_does(self):
        output = self.tmp / "out"
        self.Run("research-export.yaml", self.samples / self.FILE, output, expect=0)
        line, = self.Manifest(output)
        written = pydicom.dcmread(output / line["output"])
        rows = [json.loads(row) for row in self.Explain(self.FILE, "--json").stdout.splitlines()]
        self.assertGreater(len(rows), 50)
        for row in rows:
            self.assertEqual({"path", "keyword", "vr", "action", "decided_by", "before", "after",
                              "removed"}, set(row))
            if "." in row["path"] or "[" in row["path"] or not row["keyword"]:
                continue
            self.assertEqual(row["removed"], row["keyword"] not in written, row)
            self.assertEqual(row["removed"], row["after"] is None)
        after = {row["keyword"]: row["after"] for row in rows}
        for keyword in ("PatientID", "StudyDate", "SOPInstanceUID", "StudyInstanceUID", "PatientAge",
                        "AccessionNumber", "Manufacturer"):
            self.assertEqual(str(written.get(keyword)), after[keyword], keyword)

    def test_a_sequence_stands_in_front_of_its_items(self):
        report = "TESTMANN_ERIKA_19580312/SR_20240315/Befund Testmann.dcm"
        result = self.Explain(report, "--json")
        seen = set()
        nested = 0
        for line in result.stdout.splitlines():
            path = json.loads(line)["path"]
            if "]." in path:
                nested += 1
                self.assertIn(path[:path.rindex("].")].rpartition("[")[0], seen)
            seen.add(path)
        self.assertGreater(nested, 10)

    def test_json_of_every_sample(self):
        for rules in ("research-export.yaml", "ai-training.yaml"):
            for name in map(os.fsdecode, Walk(self.samples)):
                with self.subTest(name, rules=rules):
                    result = self.Explain(name, "--json", rules=rules)
                    for line in result.stdout.splitlines():
                        self.assertIsInstance(json.loads(line), dict)

    def test_broken_files(self):
        for name in ("broken/notes.dcm", "broken/ABGESCHNITTEN_truncated.dcm", "DICOMDIR"):
            result = self.Explain(name)
            self.assertEqual(3, result.returncode, name)
            self.assertIn(b"would be quarantined", result.stderr)
        self.assertEqual(2, self.Explain("no such file").returncode)
        self.assertIn(self.Explain("formats").returncode, (2, 3))

    def test_rejected(self):
        result = self.Explain("TESTMANN_ERIKA_19580312/DOC/Arztbrief.dcm")
        self.assertEqual(0, result.returncode)
        self.assertIn(b"would be rejected", result.stdout)

    def test_writes_nothing(self):
        before = Snapshot(self.class_tmp)
        self.Explain(self.FILE)
        self.assertEqual(before, Snapshot(self.class_tmp))


class Check(CliTest):
    def test_sample_rules(self):
        for rules in sorted(RULES.glob("*.yaml")):
            before = Snapshot(self.class_tmp)
            result = Command("check", "-r", rules, "--key", self.key)
            self.assertEqual(0, result.returncode, (rules, result.stderr))
            self.assertEqual(before, Snapshot(self.class_tmp))

    def test_coverage(self):
        result = Command("check", "-r", RULES / "research-export.yaml", "--key", self.key,
                         "--sample", self.samples)
        self.assertEqual(0, result.returncode)
        text = result.stdout.decode()
        self.assertRegex(text, r"(?m)^60 files, [0-9]+ elements")
        self.assertRegex(text, r"\(0008,0060\) Modality CS: keep +[0-9]+")
        self.assertNotIn("PatientID", text[text.index("60 files, "):])
        self.assertEqual(2, Command("check", "-r", RULES / "keep-all.yaml", "--sample",
                                    self.tmp / "none").returncode)


class Decrypt(CliTest):
    def test_round_trip(self):
        rules = self.tmp / "encrypt.yaml"
        rules.write_text(HEAD + """rules:
  - tag: [PatientID, PatientComments, PatientName]
    action: encrypt
otherwise: keep
""")
        source = self.samples / "TESTMANN_ERIKA_19580312/CT_Thorax_20240314/IM0001.dcm"
        self.Run(rules, source, self.tmp / "out.dcm", expect=0)
        before, after = pydicom.dcmread(source), pydicom.dcmread(self.tmp / "out.dcm")
        values = [str(after.PatientID), str(after.PatientComments), str(after.PatientName)]
        plain = [str(before.PatientID), str(before.PatientComments), str(before.PatientName)]
        for value in values:
            self.assertRegex(value, r"^dv1\.")
        result = Command("decrypt", "--key", self.key, *values)
        self.assertEqual(plain, result.stdout.decode().splitlines())
        self.assertEqual(0, result.returncode)
        result = Command("decrypt", "--key", self.key, input="\n".join(values).encode() + b"\n")
        self.assertEqual(plain, result.stdout.decode().splitlines())
        # With another key, or cut or changed: nothing, and an error.
        for key, value in ((self.other_key, values[0]), (self.key, values[0][:-2]),
                           (self.key, values[0][:-4] + "AAAA"), (self.key, "plain text"),
                           (self.key, "dv1."), (self.key, "dv1.%%%")):
            result = Command("decrypt", "--key", key, value)
            self.assertEqual(1, result.returncode, value)
            self.assertEqual(b"\n", result.stdout)
            self.assertNotIn(value.encode(), result.stderr)
        self.assertEqual(2, Command("decrypt", values[0]).returncode)

    def test_microsoft(self):
        source = self.samples / "TESTMANN_ERIKA_19580312/CT_Thorax_20240314/IM0001.dcm"
        self.Run("microsoft-configuration.json", source, self.tmp / "out.dcm", expect=0)
        value = str(pydicom.dcmread(self.tmp / "out.dcm").SeriesDescription)
        self.assertNotIn("CT Serie", value)
        (self.tmp / "ms.key").write_text("sample-key-sixteen-times-two-32!\n")
        (self.tmp / "ms.key").chmod(0o600)
        result = Command("decrypt", "--microsoft-key-file", self.tmp / "ms.key", value)
        self.assertEqual((0, b"CT Serie 1\n"), (result.returncode, result.stdout))


class Output(CliTest):
    def test_dry_run(self):
        before = Snapshot(self.class_tmp)
        result = self.Run("research-export.yaml", self.samples, self.tmp / "out", "--dry-run",
                          expect=3)
        self.assertEqual(before, Snapshot(self.class_tmp))
        real = self.Run("research-export.yaml", self.samples, self.tmp / "out", expect=3)
        number = re.match(rb"([0-9]+) would be written, (.*) \(", result.stdout)
        self.assertEqual(number.groups(),
                         re.match(rb"([0-9]+) written, (.*) \(", real.stdout).groups())

    def test_json(self):
        for more in ((), ("--dry-run",), ("--quiet",)):
            result = self.Run("research-export.yaml", self.samples, self.tmp / "out", "--json", *more)
            lines = [json.loads(line) for line in result.stdout.splitlines()]
            for line in lines:
                self.assertIn(line["message_type"], ("status", "summary"))
            self.assertEqual(1, sum(line["message_type"] == "summary" for line in lines))
            summary = lines[-1]
            self.assertEqual(3, summary["exit_code"])
            self.assertEqual(len(Walk(self.samples)),
                             sum(summary[o] for o in ("written", "unchanged", "rejected",
                                                      "quarantined", "failed")))
            self.assertEqual(b"", result.stderr)

    def test_json_whatever_the_folder_is_called(self):
        """Paths are bytes; JSON is UTF-8."""
        for name in (b"plain", b"with space\n", b"latin\xff1"):
            output = os.path.join(os.fsencode(self.tmp), name)
            result = self.Run("research-export.yaml", self.samples / "US", output, "--json")
            self.assertEqual(0, result.returncode, (name, result.stderr))
            self.assertEqual(1, json.loads(result.stdout.splitlines()[-1])["written"])

    def test_quiet(self):
        for rules in ("research-export.yaml", "keep-all.yaml"):
            result = self.Run(rules, self.samples, self.tmp / rules, "--quiet")
            self.assertEqual((b"", b""), (result.stdout, result.stderr))
        result = self.Run("research-export.yaml", self.tmp / "none", self.tmp / "out", "--quiet",
                          expect=2)
        self.assertNotEqual(b"", result.stderr, "errors are told even so")

    def test_closed_pipe(self):
        """Nobody reads the summary: the work is done all the same."""
        output = self.tmp / "out"
        read, write = os.pipe()
        os.close(read)
        process = subprocess.run([DCMVEIL, *self.Arguments("research-export.yaml", self.samples,
                                                           output)], stdout=write,
                                 stderr=subprocess.PIPE, env=Environment(), timeout=300)
        os.close(write)
        self.assertNotEqual(0, process.returncode)
        self.ExpectConsistent(self.samples, output)


if __name__ == "__main__":
    Main()
