# SPDX-License-Identifier: Apache-2.0
"""Other people's readers accept what is written: DCMTK's dcmdump and pydicom."""
import concurrent.futures
import os
import shutil
import subprocess
import unittest

import pydicom

from support import (CORPUS, CliTest, DEFLATED, Inflated, Main, NeedsCorpus, Split)

RULE_SETS = ("research-export.yaml", "keep-all.yaml", "ai-training.yaml")
DCMDUMP = shutil.which("dcmdump")
# Sender's and receiver's titles, addresses and private data of the file meta information.
FORBIDDEN_META = (0x00020016, 0x00020017, 0x00020018, 0x00020026, 0x00020027, 0x00020028,
                  0x00020100, 0x00020102)


def Dump(file):
    result = subprocess.run([DCMDUMP, os.fspath(file)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, timeout=60)
    errors = [line for line in result.stderr.splitlines() if line.startswith(b"E:")]
    return None if result.returncode == 0 and not errors else (str(file), result.returncode, errors)


def InputSyntax(file):
    """The transfer syntax that a reader must take for an input, also for one without header."""
    dataset = pydicom.dcmread(file, force=True, stop_before_pixels=True)
    named = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if named:
        return str(named)
    if dataset.is_implicit_VR:
        return "1.2.840.10008.1.2"
    return "1.2.840.10008.1.2.1" if dataset.is_little_endian else "1.2.840.10008.1.2.2"


class SecondReader(CliTest):
    def CheckDataset(self, dataset, source, where):
        last = -1
        for tag in dataset.keys():
            self.assertGreater(int(tag), last, f"{where}: elements ascend")
            last = int(tag)
            self.assertNotIn(tag.group, (0x0000, 0x0002, 0x0004, 0xFFFE), where)
            self.assertNotEqual(0xFFFCFFFC, int(tag), where)
            self.assertNotEqual(0, tag.element, f"{where}: group length {tag}")
        for tag in dataset.keys():
            raw = dataset.get_item(tag).value
            try:
                element = dataset[tag]  # converts the value
            except (TypeError, ValueError, ArithmeticError):
                # A value that is no number, or too large: only if it was one before.
                self.assertIn(raw, source, f"{where}: {tag}")
                continue
            if element.VR == "SQ":
                for item in element.value:
                    self.CheckDataset(item, source, where)

    def CheckFile(self, source, output):
        data = output.read_bytes()
        where = str(source)
        self.assertEqual(bytes(128), data[:128], where)
        dataset = pydicom.dcmread(output, force=False)
        self.CheckDataset(dataset, Inflated(source.read_bytes()), where)
        syntax = InputSyntax(source)
        meta = dataset.file_meta
        self.assertEqual(str(dataset.SOPInstanceUID), str(meta.MediaStorageSOPInstanceUID), where)
        self.assertEqual(str(dataset.SOPClassUID), str(meta.MediaStorageSOPClassUID), where)
        self.assertEqual(syntax, str(meta.TransferSyntaxUID), where)
        self.assertEqual("2.25.214748394213307561120948261087725106913",
                         str(meta.ImplementationClassUID), where)
        self.assertRegex(meta.ImplementationVersionName, r"^DCMVEIL_[0-9.]+$", where)
        self.assertEqual(b"\0\1", meta.FileMetaInformationVersion, where)
        for tag in FORBIDDEN_META:
            self.assertNotIn(tag, meta, where)
        self.assertEqual([0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012,
                          0x00020013], [int(tag) for tag in meta.keys()], where)
        # The group length leads exactly to the data set.
        header = Split(data)[2]
        self.assertEqual(len(header) - 144, meta.FileMetaInformationGroupLength, where)
        if syntax == DEFLATED:
            self.assertEqual(0, len(data) % 2, where)

    def Check(self, folder, rules):
        output = self.tmp / rules
        self.Run(rules, folder, output)
        pairs = self.Pairs(folder, output)
        self.assertGreater(len(pairs), 10)
        for source, target, _ in pairs:
            self.CheckFile(source, target)
        if DCMDUMP:
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                refused = [r for r in pool.map(Dump, [t for _, t, _ in pairs]) if r]
            names = {str(target): str(source) for source, target, _ in pairs}
            self.assertEqual([], [(names[r[0]], *r) for r in refused])

    def test_samples(self):
        for rules in RULE_SETS:
            with self.subTest(rules=rules):
                self.Check(self.samples, rules)

    @NeedsCorpus
    def test_corpus(self):
        for rules in RULE_SETS[:2]:
            with self.subTest(rules=rules):
                self.Check(CORPUS, rules)

    @unittest.skipUnless(DCMDUMP, "no dcmdump (package dcmtk)")
    def test_dcmdump_can_refuse(self):
        self.assertIsNotNone(Dump(self.samples / "broken" / "ABGESCHNITTEN_truncated.dcm"))

    def test_headerless_inputs_get_a_header(self):
        output = self.tmp / "out"
        self.Run("research-export.yaml", self.samples / "formats", output, expect=0)
        for name in ("FORMATMANN_bare", "no_preamble"):
            line = self.ByInput(output)[name]
            self.assertEqual(b"DICM", (output / line["output"]).read_bytes()[128:132])

    def test_de_identification_is_marked(self):
        output = self.tmp / "out"
        self.Run("research-export.yaml", self.samples, output, expect=3)
        for _, target, _ in self.Pairs(self.samples, output):
            dataset = pydicom.dcmread(target)
            self.assertEqual("YES", dataset.PatientIdentityRemoved)
            self.assertIn("dcmveil", str(dataset.DeidentificationMethod))
        self.Run("keep-all.yaml", self.samples, self.tmp / "kept")
        for source, target, _ in self.Pairs(self.samples, self.tmp / "kept"):
            self.assertEqual("DeidentificationMethod" in pydicom.dcmread(source, force=True),
                             "DeidentificationMethod" in pydicom.dcmread(target))


if __name__ == "__main__":
    Main()
