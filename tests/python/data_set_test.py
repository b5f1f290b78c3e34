# SPDX-License-Identifier: Apache-2.0
"""pydicom data sets."""
import concurrent.futures
import copy
import io
import os
import shutil
import traceback
import warnings

import dcmveil
import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian,
                         ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless)
from support import KEEP_ALL, Main, Outcome, PythonTest, cli

CT = "TESTMANN_ERIKA_19580312/CT_Thorax_20240314/IM0001.dcm"
# What pydicom makes something else of than dcmveil, and what comes of that.
READ_OTHERWISE = {
    "DICOMDIR": {"outcome": "quarantined", "reason": "dicomdir"},
    "identifiers.txt": "(656D,4D09)",
    "broken/notes.dcm": "(7845,6F70)",
    "broken/trailing_text.dcm": "(6353,7768)",
    "broken/ABGESCHNITTEN_truncated.dcm": "(7FE0,0010)",
    "dirty/trailing_zeros.dcm": {"outcome": "quarantined", "reason": "malformed",
                                 "where": "(0000,0000)"},
}
RULES = """
dcmveil: 1
rules:
  - {tag: PatientID, action: redact}
  - {vr: PN, action: replace, with: {value: Nobody}}
  - {private: {creator: ACME 1, tag: "(0009,xx01)"}, action: keep}
  - {group: odd, action: remove}
otherwise: keep
guard: off
"""


def Saved(data_set):
    file = io.BytesIO()
    pydicom.dcmwrite(file, data_set)
    return file.getvalue()


def Seen(data_set):
    """All that a caller can see of a data set, so that one can tell whether it was changed."""
    elements = []
    for element in data_set:
        value = element.value
        if element.VR == "SQ":
            value = [Seen(item) for item in value]
        elements.append((element.tag, element.VR, repr(value), element.is_undefined_length))
    file_meta = getattr(data_set, "file_meta", None)
    return (elements, data_set.is_implicit_VR, data_set.is_little_endian,
            data_set.is_original_encoding, file_meta and Seen(file_meta))


def Values(data_set):
    """Of standard elements; those of private ones are read otherwise in implicit VR."""
    return [(element.tag, repr(element.value)) for element in data_set.iterall()
            if not element.tag.is_private and element.VR != "SQ"]


def Made(**more):
    """A data set that was never in a file."""
    data_set = Dataset()
    data_set.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    data_set.SOPInstanceUID = "1.2.826.0.1.3680043.10.999.77.5"
    data_set.PatientName = "Wirtmann^Wilma"
    data_set.PatientID = "HOST-0001"
    for keyword, value in more.items():
        setattr(data_set, keyword, value)
    return data_set


class DataSets(PythonTest):
    def ExpectAsBytes(self, engine, folder, otherwise):
        """A data set gives what the bytes give that it was read from, and is as before."""
        same = 0
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            name = path.relative_to(folder).as_posix()
            data_set = pydicom.dcmread(path, force=True)
            try:
                got = Outcome(engine.apply, data_set)
            except dcmveil.EncodeError as error:
                got = error.where
            if name in otherwise:
                self.assertEqual(otherwise[name], got, name)
                continue
            wanted = Outcome(engine.apply, path.read_bytes())
            if isinstance(got, dict):
                self.assertEqual(wanted, got, name)
                continue
            self.assertIs(FileDataset, type(got))
            self.assertTrue(Saved(pydicom.dcmread(io.BytesIO(wanted))) == Saved(got), name)
            if not name.startswith("dirty/"):  # which pydicom cannot show
                self.assertEqual(Seen(pydicom.dcmread(path, force=True)), Seen(data_set), name)
            same += 1
        return same

    def test_samples(self):
        self.assertGreater(self.ExpectAsBytes(self.engine, self.samples, READ_OTHERWISE), 45)

    @cli.NeedsCorpus
    def test_corpus(self):
        """Real files: what is passed on of a data set is what is passed on of its file."""
        same, other = 0, []
        for path in sorted(cli.CORPUS.rglob("*")):
            if not path.is_file():
                continue
            wanted = Outcome(self.engine.apply, path.read_bytes())
            try:
                got = Outcome(self.engine.apply, pydicom.dcmread(path, force=True))
            except (dcmveil.EncodeError, OSError):
                continue  # pydicom cannot read or cannot write it
            if isinstance(got, dict):
                continue
            if isinstance(wanted, bytes) and len(wanted) < 50_000_000:
                alone = pydicom.dcmread(io.BytesIO(wanted))
                if list(alone.keys()) == list(got.keys()):
                    same += 1
                    continue
            other.append(path.name)
        self.assertGreater(same, 400)
        # pydicom adds the end that this one lacks.
        self.assertEqual(["GH1339.dcm"], other)

    def test_report(self):
        data_set = pydicom.dcmread(self.samples / CT)
        clean, report = self.engine.apply_with_report(data_set)
        self.assertEqual((clean.PatientID, clean.StudyInstanceUID, clean.SOPInstanceUID),
                         (report.patient_id, report.study_instance_uid, report.sop_instance_uid))
        self.assertEqual(clean.file_meta.MediaStorageSOPInstanceUID, report.sop_instance_uid)
        self.assertTrue((data_set.pixel_array == clean.pixel_array).all())

    def test_rejected(self):
        with self.assertRaises(dcmveil.Rejected):
            self.engine.apply(pydicom.dcmread(
                self.samples / "SC/BILDMANN_BERTHA_screenshot.dcm"))

    def test_result_stands_alone(self):
        """It does not hold the bytes that it was read from, and can be copied without a warning."""
        clean = self.engine.apply(pydicom.dcmread(self.samples / CT))
        self.assertIsNone(clean.filename)
        clean.save_as(self.tmp / "clean.dcm", write_like_original=False)
        self.assertEqual(clean, pydicom.dcmread(self.tmp / "clean.dcm"))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertEqual(clean, copy.deepcopy(clean))

    def test_threads(self):
        data_set = pydicom.dcmread(self.samples / CT)
        wanted = Saved(self.engine.apply(data_set))
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for clean in pool.map(self.engine.apply, [data_set] * 100):
                self.assertTrue(wanted == Saved(clean))

    def test_deferred(self):
        path = self.tmp / "a.dcm"
        shutil.copy(self.samples / CT, path)
        wanted = Saved(self.engine.apply(pydicom.dcmread(path)))
        deferred = pydicom.dcmread(path, defer_size=16)
        self.assertIsNone(pydicom.dcmread(path, defer_size=16)._dict[0x7FE00010].value)
        self.assertTrue(wanted == Saved(self.engine.apply(deferred)))
        lost = pydicom.dcmread(path, defer_size=16)
        os.unlink(path)
        with self.assertRaises(dcmveil.EncodeError) as caught:
            self.engine.apply(lost)
        self.assertEqual("OSError", caught.exception.kind)


class Encodings(PythonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.engine = dcmveil.Engine.from_text(RULES)
        cls.keep = dcmveil.Engine(KEEP_ALL)

    def test_made_in_memory(self):
        data_set = Made(Rows=2)
        before = Seen(data_set)
        clean = self.engine.apply(data_set)
        self.assertEqual(before, Seen(data_set))
        self.assertEqual(ExplicitVRLittleEndian, clean.file_meta.TransferSyntaxUID)
        self.assertEqual(("Nobody", "", 2), (clean.PatientName, clean.PatientID, clean.Rows))

    def test_flags_instead_of_a_syntax(self):
        for implicit, little, wanted in ((True, True, ImplicitVRLittleEndian),
                                         (False, True, ExplicitVRLittleEndian),
                                         (False, False, ExplicitVRBigEndian)):
            data_set = Made(Rows=515)
            data_set.is_implicit_VR, data_set.is_little_endian = implicit, little
            clean = self.engine.apply(data_set)
            self.assertEqual((wanted, 515), (clean.file_meta.TransferSyntaxUID, clean.Rows))

    def test_file_meta_decides(self):
        for syntax in (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian,
                       DeflatedExplicitVRLittleEndian):
            data_set = Made(Rows=515)
            data_set.is_implicit_VR, data_set.is_little_endian = False, True
            data_set.file_meta = FileMetaDataset()
            data_set.file_meta.TransferSyntaxUID = syntax
            clean = self.engine.apply(data_set)
            self.assertEqual((syntax, 515), (clean.file_meta.TransferSyntaxUID, clean.Rows))

    def test_other_syntax_than_that_of_the_file(self):
        """What was read is encoded anew, at every depth."""
        for name in (CT, "PROBST_PAULA"):
            for path in sorted((self.samples / name).rglob("*")) or [self.samples / name]:
                if not path.is_file():
                    continue
                wanted = self.keep.apply(pydicom.dcmread(path))
                for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian):
                    data_set = pydicom.dcmread(path)
                    if data_set.file_meta.TransferSyntaxUID.is_compressed:
                        continue
                    data_set.file_meta.TransferSyntaxUID = syntax
                    clean = self.keep.apply(data_set)
                    self.assertEqual(syntax, clean.file_meta.TransferSyntaxUID)
                    self.assertEqual(Values(wanted), Values(clean))

    def test_depth_and_private(self):
        inner = Dataset()
        inner.PersonName = "Wirtmann^Wilma"
        outer = Dataset()
        outer.ReferencedPatientAliasSequence = Sequence([inner])
        data_set = Made(RequestAttributesSequence=[outer])
        block = data_set.private_block(0x0009, "ACME 1", create=True)
        block.add_new(0x01, "LO", "stays")
        block.add_new(0x02, "PN", "Wirtmann^Wilma")
        before = Seen(data_set)
        clean = self.engine.apply(data_set)
        self.assertEqual(before, Seen(data_set))
        item = clean.RequestAttributesSequence[0].ReferencedPatientAliasSequence[0]
        self.assertEqual("Nobody", item.PersonName)
        kept = clean.private_block(0x0009, "ACME 1")
        self.assertEqual("stays", kept[0x01].value)
        self.assertNotIn(0x02, kept)
        self.assertNotIn("Wirtmann", str(clean))

    def test_ambiguous_vr(self):
        data_set = Made(PixelRepresentation=1, SmallestImagePixelValue=-3)
        data_set["SmallestImagePixelValue"].VR = "US or SS"
        before = Seen(data_set)
        clean = self.engine.apply(data_set)
        self.assertEqual(before, Seen(data_set))
        self.assertEqual(("SS", -3), (clean["SmallestImagePixelValue"].VR,
                                      clean.SmallestImagePixelValue))

    def test_character_set(self):
        for charset, text in (("ISO_IR 192", "Größe 中"), ("ISO_IR 100", "Größe"),
                              ("ISO_IR 144", "Размер")):
            clean = self.engine.apply(Made(SpecificCharacterSet=charset, StudyDescription=text))
            self.assertEqual(text, clean.StudyDescription)

    def test_other_character_set_than_that_of_the_file(self):
        item = Dataset()
        item.StudyDescription = "Größe"
        made = Made(SpecificCharacterSet="ISO_IR 100", StudyDescription="Größe",
                    ReferencedStudySequence=[item])
        data_set = pydicom.dcmread(io.BytesIO(Saved(self.engine.apply(made))))
        data_set.SpecificCharacterSet = "ISO_IR 192"
        clean = self.engine.apply(data_set)
        self.assertEqual("Größe", clean.StudyDescription)
        self.assertEqual("Größe", clean.ReferencedStudySequence[0].StudyDescription)
        self.assertIn("Größe".encode(), Saved(clean))

    def test_values_keep_their_bytes(self):
        """Of items, too: pydicom alone would write numbers its own way."""
        item = b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + cli.Element(0x00181074, "DS", " 0.9700 ")
        sequence = (b"\x54\x00\x16\x00SQ\0\0\xff\xff\xff\xff" + item +
                    b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0")
        data = cli.Part10(cli.Plain() + sequence)
        clean = self.keep.apply(pydicom.dcmread(io.BytesIO(data)))
        self.assertEqual(b" 0.9700 ", clean[0x00540016].value[0].get_item(0x00181074).value)

    def test_compressed(self):
        path = self.samples / "SC" / "sc_rle_0002"
        data_set = pydicom.dcmread(path)
        self.assertEqual(RLELossless, data_set.file_meta.TransferSyntaxUID)
        clean = self.keep.apply(data_set)
        self.assertEqual(data_set.PixelData, clean.PixelData)
        data_set.file_meta = FileMetaDataset()
        with self.assertRaises(dcmveil.EncodeError) as caught:
            self.keep.apply(data_set)
        self.assertEqual("(7FE0,0010)", caught.exception.where)

    def test_decompressed(self):
        data_set = pydicom.dcmread(self.samples / "SC" / "sc_rle_0002")
        data_set.decompress()
        clean = self.keep.apply(data_set)
        self.assertEqual(ExplicitVRLittleEndian, clean.file_meta.TransferSyntaxUID)
        self.assertTrue((data_set.pixel_array == clean.pixel_array).all())

    def test_syntax_that_pydicom_does_not_know(self):
        data = cli.Part10(cli.Plain() + cli.Element(0x7FE00010, "OB", b"")[:-4] +
                          b"\xff\xff\xff\xff\xfe\xff\x00\xe0\0\0\0\0\xfe\xff\x00\xe0\2\0\0\0ab"
                          b"\xfe\xff\xdd\xe0\0\0\0\0", syntax="1.2.840.10008.1.2.4.201")
        clean = self.keep.apply(pydicom.dcmread(io.BytesIO(data)))
        self.assertEqual("1.2.840.10008.1.2.4.201", clean.file_meta.TransferSyntaxUID)
        self.assertEqual(pydicom.dcmread(io.BytesIO(data)).PixelData, clean.PixelData)

    def test_private_syntax(self):
        data_set = Made()
        data_set.file_meta = FileMetaDataset()
        data_set.file_meta.TransferSyntaxUID = "1.2.3.4"
        with self.assertRaises(dcmveil.Quarantined) as caught:
            self.engine.apply(data_set)
        self.assertEqual("unsupported-transfer-syntax", caught.exception.code)

    def test_what_pydicom_cannot_write(self):
        data_set = Made()
        data_set.add(DataElement(0x00280010, "US", "Wirtmann^Wilma"))
        with self.assertRaises(dcmveil.EncodeError) as caught:
            self.engine.apply(data_set)
        self.assertEqual(("(0028,0010)", "OSError"), (caught.exception.where, caught.exception.kind))
        self.assertIsNone(caught.exception.__context__)
        shown = "".join(traceback.format_exception(caught.exception))
        self.assertNotIn("Wirtmann", shown)
        self.assertIn("pydicom cannot write the data set: OSError at (0028,0010)", shown)

    def test_value_that_was_cut_off(self):
        data = cli.Part10(cli.Plain() + cli.Element(0x7FE00010, "OW", bytes(100)))[:-10]
        with self.assertRaises(dcmveil.EncodeError) as caught:
            self.keep.apply(pydicom.dcmread(io.BytesIO(data)))
        self.assertEqual("(7FE0,0010)", caught.exception.where)

    def test_no_identity(self):
        data_set = Made()
        del data_set.SOPInstanceUID
        with self.assertRaises(dcmveil.Quarantined) as caught:
            self.engine.apply(data_set)
        self.assertEqual("no-sop-instance-uid", caught.exception.code)


if __name__ == "__main__":
    Main()
