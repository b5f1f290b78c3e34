#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `strings` would find: no value that identifies somebody stands in anything that a run says or
leaves beside its output. The values are those of the inputs as pydicom reads them; names of input
and output files may stand in the state folder, and the review files of a report hold values by design.
"""
import json
import pathlib
import re

import pydicom

from support import (CORPUS, KEY_A, RULES, SOURCE, CliTest, Command, Environment, Inflated, Main,
                     NeedsCorpus)

RULE_SETS = sorted(f.name for f in RULES.iterdir() if f.suffix in {".yaml", ".json"})
MODES = ((), ("--json",), ("--quiet",), ("--dry-run", "--json"))
IDENTIFYING = {
    "PatientID", "PatientBirthDate", "OtherPatientIDs", "IssuerOfPatientID", "PatientAddress",
    "PatientTelephoneNumbers", "PatientMotherBirthName", "MilitaryRank", "MedicalRecordLocator",
    "AccessionNumber", "StudyID", "AdmissionID", "InstitutionName", "InstitutionAddress",
    "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber", "PatientComments",
    "RequestingService", "CurrentPatientLocation", "PatientInsurancePlanCodeSequence", "PatientReligiousPreference",
    "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID",
    "ReferencedSOPInstanceUID", "StudyDescription", "SeriesDescription", "ImageComments",
    "AdditionalPatientHistory", "EthnicGroup", "Occupation", "DeviceUID", "PerformedLocation",
}
SHORTEST = 4
#: A shorter number is also a tag's half, a count or a time.
SHORTEST_NUMBER = 6


def Values(folder):
    """The identifying values of all files below."""
    found = set()

    def Add(_, element):
        if element.VR != "PN" and element.keyword not in IDENTIFYING:
            return
        values = element.value if isinstance(element.value, pydicom.multival.MultiValue) else [element.value]
        for value in values:
            text = str(value).strip(" \0")
            parts = re.split(r"[\^=]", text) if element.VR == "PN" else [text]
            found.update(part.strip() for part in (text, *parts))

    for file in sorted(f for f in pathlib.Path(folder).rglob("*") if f.is_file()):
        try:
            pydicom.dcmread(file, force=True, stop_before_pixels=True).walk(Add)
        except Exception:  # noqa: BLE001  what pydicom cannot read has no value that it could tell
            continue
    return {value for value in found
            if len(value) >= (SHORTEST_NUMBER if value.isdigit() else SHORTEST)}


def OwnWords(rules):
    """Words of the program and the rule file: that they occur says nothing about an input."""
    text = "".join((SOURCE / "include/dcmveil" / name).read_text(encoding="utf-8")
                   for name in ("error_codes.def", "note_codes.def", "error.h"))
    for file in RULES.iterdir():
        text += file.name + "\n" + file.read_text(encoding="utf-8")
    return text + rules


def Pattern(values):
    """Finds any of them as a whole word, in whatever case."""
    words = sorted((re.escape(v) for v in values), key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(words) + r")(?!\w)", re.IGNORECASE)


class Strings(CliTest):
    def Said(self, rules, source, output, mode):
        """Name -> text of all that the run printed and left in its state folder."""
        result = self.Run(rules, source, output, *mode, timeout=300)
        self.assertIn(result.returncode, (0, 3), result.stderr)
        said = {"stdout": result.stdout, "stderr": result.stderr}
        state = self.State(output)
        paths = {str(output), str(source)}
        if state.exists():
            self.assertEqual(0o700, state.stat().st_mode & 0o777)
            for line in self.Manifest(output):
                paths.update(line[key] for key in ("input", "output", "input_bytes", "output_bytes")
                             if line.get(key))
            for file in sorted(f for f in state.rglob("*") if f.is_file()):
                if "review" not in file.name:
                    said[file.name] = file.read_bytes()
        # As they are, and as JSON writes them.
        paths |= {json.dumps(path)[1:-1] for path in paths}
        spellings = sorted((p.encode() for p in paths), key=len, reverse=True)
        texts = {}
        for name, data in said.items():
            if name == "manifest.ndjson":
                lines = [json.loads(line) for line in data.decode().splitlines()]
                data = "\n".join(json.dumps({k: v for k, v in line.items() if k not in (
                    "input", "output", "input_bytes", "output_bytes")}) for line in lines).encode()
            else:
                for spelling in spellings:
                    data = data.replace(spelling, b"")
            # Text in 16 bits would show without its zeros.
            texts[name] = data.decode("latin-1") + "\n" + data.replace(b"\0", b"").decode("latin-1")
        return texts

    def Check(self, source, modes):
        values = Values(source)
        self.assertGreater(len(values), 100, "there is something to find")
        for rules in RULE_SETS:
            own = OwnWords(rules).lower()
            pattern = Pattern({v for v in values if v.lower() not in own})
            for mode in modes:
                with self.subTest(rules=rules, mode=mode):
                    said = self.Said(rules, source, self.tmp / "".join([rules, *mode]), mode)
                    for name, text in said.items():
                        self.assertEqual(set(), set(pattern.findall(text)), name)

    def test_samples(self):
        self.Check(self.samples, MODES)

    @NeedsCorpus
    def test_corpus(self):
        self.Check(CORPUS, MODES[:2])

    def test_messages_of_other_verbs(self):
        values = Values(self.samples)
        for rules in RULE_SETS:
            pattern = Pattern({v for v in values if v.lower() not in OwnWords(rules).lower()})
            environment = Environment(DCMVEIL_KEY=KEY_A)
            check = Command("check", "-r", RULES / rules, "--sample", self.samples, env=environment)
            self.assertEqual(set(), set(pattern.findall(check.stderr.decode("utf-8", "replace"))))
            for file in sorted(f for f in self.samples.rglob("*") if f.is_file())[::7]:
                result = Command("explain", "-r", RULES / rules, file, env=environment)
                message = result.stderr.replace(bytes(file), b"").decode("utf-8", "replace")
                self.assertEqual(set(), set(pattern.findall(message)), file)

    def test_the_search_finds_what_there_is(self):
        """An output that keeps everything holds values, and so would a log."""
        output = self.tmp / "out"
        self.Run("keep-all.yaml", self.samples, output)
        values = Values(self.samples)
        pattern = Pattern(values)
        found = set()
        for _, target, _ in self.Pairs(self.samples, output):
            found |= set(pattern.findall(Inflated(target.read_bytes()).decode("latin-1")))
        self.assertGreater(len(found), len({v for v in values if v.isascii()}) // 2)


if __name__ == "__main__":
    Main()
