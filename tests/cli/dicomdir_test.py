# SPDX-License-Identifier: Apache-2.0
"""A DICOMDIR is never passed on; it is made anew of the files that were written."""
import subprocess

import pydicom

from support import CORPUS, CliTest, Main, NeedsCorpus, Walk


class DicomDir(CliTest):
    def Check(self, source):
        output = self.tmp / "out"
        self.Run("keep-all.yaml", source, output, "--dicomdir", expect=None)
        written = {line["output"] for line in self.ByInput(output).values()
                   if line["outcome"] == "written"}
        self.assertTrue(written)
        for name in written:
            self.assertRegex(name, r"^([A-Z0-9]{8}/){3}[A-Z0-9]{8}$")
        directory = pydicom.dcmread(output / "DICOMDIR")
        self.assertEqual("1.2.840.10008.1.3.10", directory.file_meta.MediaStorageSOPClassUID)
        listed = {}
        for record in directory.DirectoryRecordSequence:
            if "ReferencedFileID" not in record:
                continue
            name = "/".join(record.ReferencedFileID)
            data_set = pydicom.dcmread(output / name, stop_before_pixels=True)
            self.assertEqual(data_set.SOPInstanceUID, record.ReferencedSOPInstanceUIDInFile)
            listed[name] = record.DirectoryRecordType
        self.assertLessEqual(set(listed), written)
        # Nothing else lies there, not under another name either.
        self.assertEqual({name.encode() for name in written} | {b"DICOMDIR"}, set(Walk(output)))
        done = subprocess.run(["dcmdump", output / "DICOMDIR"], capture_output=True, check=True)
        return listed, done.stdout

    @staticmethod
    def FileIds(output):
        records = pydicom.dcmread(output / "DICOMDIR").DirectoryRecordSequence
        return [list(record.ReferencedFileID) for record in records if "ReferencedFileID" in record]

    def test_samples(self):
        listed, _ = self.Check(self.samples)
        self.assertIn("IMAGE", listed.values())
        self.assertIn("SR DOCUMENT", listed.values())
        self.assertIn("RT STRUCTURE SET", listed.values())

    @NeedsCorpus
    def test_corpus(self):
        listed, _ = self.Check(CORPUS)
        self.assertGreater(len(listed), 100)

    def test_again_and_wrong(self):
        output = self.tmp / "out"
        self.Run("keep-all.yaml", self.samples, output, "--dicomdir", expect=None)
        first = self.FileIds(output)
        self.Run("keep-all.yaml", self.samples, output, "--dicomdir", expect=None)
        self.assertEqual({"unchanged"}, {line["outcome"] for line in self.ByInput(output).values()
                                         if line["output"]})
        self.assertEqual(first, self.FileIds(output))
        result = self.Run("keep-all.yaml", self.samples, self.tmp / "other", "--dicomdir", "--layout",
                          "mirror", expect=2)
        self.assertIn(b"--dicomdir", result.stderr)
        self.assertFalse((self.tmp / "other").exists())


if __name__ == "__main__":
    Main()
