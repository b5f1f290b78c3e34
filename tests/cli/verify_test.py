# SPDX-License-Identifier: Apache-2.0
"""`dcmveil verify` finds what is put into a clean output, and nothing in a clean one."""
import json
import os
import shutil
import struct
import unittest

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from support import (CORPUS, CliTest, Command, Main, NeedsCorpus, RULES, Sanitized, Walk)

RULE = "research-export.yaml"
CREATOR = "DCMVEIL TEST"


class Verify(CliTest):
    sample_arguments = ("--patients", 2)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.clean = cls.class_tmp / "clean"
        cls.Run(RULE, cls.samples, cls.clean, expect=3)
        cls.lines = cls.Manifest(cls.clean)

    def setUp(self):
        super().setUp()
        # A copy to be broken: verify takes the run's state, and the output from where it is told.
        self.output = self.tmp / "out"
        shutil.copytree(self.clean, self.output)

    def Verify(self, *more, expect, state=None, output=None):
        result = Command("verify", "--state", state or self.State(self.clean), "-o", output or self.output,
                         "--json", *more)
        self.assertEqual(expect, result.returncode, result.stdout[-3000:] + result.stderr[-2000:])
        return json.loads(result.stdout)

    def File(self, start):
        """(input, output) of the first instance whose input's name starts so."""
        for line in self.lines:
            if line["input"].startswith(start) and line["output"]:
                return self.samples / line["input"], self.output / line["output"]
        self.fail(f"no output of {start}")

    def Change(self, start, change):
        source, target = self.File(start)
        dataset = pydicom.dcmread(target)
        original = pydicom.dcmread(source, force=True)
        change(dataset, original)
        dataset.save_as(target, write_like_original=True)
        return target

    def ExpectFound(self, check, kind=None, where=None):
        report = self.Verify(expect=4)
        self.assertEqual("found", report["result"])
        found = [f for f in report["findings"]
                 if f["check"] == check and kind in (None, f["kind"]) and (where is None or where in f["where"])]
        self.assertNotEqual([], found, f"no {check} {kind} {where} in {report['findings'][:20]}")
        return report

    # ---- nothing is found in what is clean ----

    def test_clean(self):
        for rules in (RULE, "ai-training.yaml", "teaching-file.yaml", "base.yaml", "keep-all.yaml"):
            with self.subTest(rules=rules):
                output = self.tmp / rules
                self.Run(rules, self.samples, output)
                report = self.Verify(expect=0, state=self.State(output), output=output)
                self.assertEqual("clean", report["result"])
                self.assertEqual([], report["findings"])
                self.assertGreater(report["outputs"], 20)
                self.assertEqual({"not-dicom"}, set(report["inputs_not_looked_at"]))
                self.assertEqual(len(Walk(self.samples)),
                                 report["inputs"] + report["inputs_not_looked_at"]["not-dicom"])
                stored = json.loads((self.State(output) / "verify.json").read_text())
                self.assertEqual("clean", stored["result"])

    @NeedsCorpus
    @unittest.skipIf(Sanitized(), "too slow with sanitizers")
    def test_clean_corpus(self):
        for rules in (RULE, "ai-training.yaml", "teaching-file.yaml", "keep-all.yaml"):
            with self.subTest(rules=rules):
                output = self.tmp / rules
                self.Run(rules, CORPUS, output, timeout=600)
                report = self.Verify(expect=0, state=self.State(output), output=output)
                self.assertEqual([], report["findings"])
                self.assertGreater(report["outputs"], 200 if rules == RULE else 50)

    def test_rules_flag_and_service(self):
        report = self.Verify("-r", RULES / RULE, expect=0)
        self.assertFalse([text for text in report["not_checked"] if "--rules" in text], report)
        result = Command("verify", "-i", self.samples, "-o", "https://archive.example/dicom-web")
        self.assertEqual(2, result.returncode)
        self.assertIn(b"needs --state", result.stderr)
        self.assertEqual(2, Command("verify").returncode)
        self.assertEqual(1, Command("verify", "--state", self.tmp / "nowhere").returncode)

    def test_unknown_rules_take_the_strict_side(self):
        output = self.tmp / "kept"
        self.Run("keep-all.yaml", self.samples, output)
        description = self.State(output) / "run.json"
        content = json.loads(description.read_text())
        del content["expectations"]
        description.write_text(json.dumps(content))
        report = self.Verify(expect=4, state=self.State(output), output=output)
        self.assertNotEqual([], report["not_checked"])
        for check in ("leak", "marker"):
            self.assertGreater(report["counts"][check], 20)
        kinds = {f["kind"] for f in report["findings"]}
        self.assertLessEqual({"patient-name", "person-name", "id", "accession-number", "birth-date", "address",
                              "telephone", "institution", "uid"}, kinds)

    # ---- leaks ----

    def Places(self):
        """Name, input, and what puts bytes of a text there."""

        def attribute(keyword):
            return lambda d, text: setattr(d, keyword, text)

        def private(vr):
            def put(d, text):
                block = d.private_block(0x0099, CREATOR, create=True)
                block.add_new(0x10, vr, text.encode() + b"\0" * (len(text.encode()) % 2)
                              if vr in ("OB", "UN") else text)
            return put

        def nested(d, text):
            inner, middle, outer = Dataset(), Dataset(), Dataset()
            inner.TextValue = text
            middle.ContentSequence = Sequence([inner])
            outer.ContentSequence = Sequence([Dataset(), middle])
            d.AcquisitionContextSequence = Sequence([outer])

        def utf16(codec):
            def put(d, text):
                block = d.private_block(0x0099, CREATOR, create=True)
                block.add_new(0x11, "OB", b"\1\2\xff\0" + text.encode(codec) + b"\0\0\3\4")
            return put

        def between_binary(d, text):
            block = d.private_block(0x0099, CREATOR, create=True)
            noise = bytes(range(128, 160)) * 40
            value = noise + b"\0comment=<" + text.encode("latin-1") + b">;\0" + noise
            block.add_new(0x12, "OW", value + b"\0" * (len(value) % 2))

        def meta(d, text):
            d.file_meta.PrivateInformationCreatorUID = "1.2.3"
            d.file_meta.PrivateInformation = text.encode() + b"\0" * (len(text.encode()) % 2)

        def preamble(d, text):
            d.preamble = text.encode("latin-1")[:100].ljust(128, b"\0")

        def document(d, text):
            value = b"%PDF-1.4\n/Author (" + text.encode("latin-1") + b")\n%%EOF"
            d.EncapsulatedDocument = value + b"\0" * (len(value) % 2)

        def padding(d, text):
            value = text.encode()
            d.add_new(0xFFFCFFFC, "OB", value + b"\0" * (len(value) % 2))

        def overlay(d, text):
            d.add_new(0x60003000, "OW", text.encode() + b"\0" * (len(text.encode()) % 2))

        def behind_frames(d, text):
            d.PixelData += text.encode() + b"\0" * (len(text.encode()) % 2)

        places = {name: attribute(name) for name in
                  ("StudyDescription", "ImageComments", "PatientComments", "DeviceDescription")}
        places |= {"private LO": private("LO"), "private OB": private("OB"), "private UN": private("UN"),
                   "nested": nested, "UTF-16LE": utf16("utf-16-le"), "UTF-16BE": utf16("utf-16-be"),
                   "between binary values": between_binary, "file meta": meta, "preamble": preamble,
                   "document": document, "padding": padding, "overlay": overlay, "behind the frames": behind_frames}
        return places

    def test_planted_leaks(self):
        start = "TESTMANN_ERIKA_19580312/CT_Thorax_20240314"
        source, target = self.File(start)
        original = pydicom.dcmread(source)
        clean = target.read_bytes()
        birth = str(original.PatientBirthDate)
        physician = str(original.ReferringPhysicianName).split("^")
        texts = {
            "patient-name": str(original.PatientName).replace("^", ", ").upper(),
            "id": f"MRN{original.PatientID}",  # behind letters only its number can be told
            "accession-number": f"order {original.AccessionNumber}.",
            "birth-date": f"born {birth[6:]}.{birth[4:6]}.{birth[:4]}",
            "person-name": f"seen by dr {physician[1].lower()} {physician[0].lower()}",
            "institution": str(original.InstitutionName).replace(" ", "_"),
            "uid": f"see {original.SOPInstanceUID}",
        }
        for place, put in self.Places().items():
            for kind, text in texts.items():
                if place in ("StudyDescription", "private LO", "DeviceDescription") and len(text) > 64:
                    text = text[-64:]
                if place == "preamble" and len(text) > 100:
                    continue
                with self.subTest(place=place, kind=kind):
                    self.Change(start, lambda d, _, put=put, text=text: put(d, text))
                    report = self.ExpectFound("leak", kind)
                    for value in (original.PatientID, original.AccessionNumber, birth, physician[0],
                                  original.SOPInstanceUID, str(original.PatientName).split("^")[0]):
                        self.assertNotIn(str(value).lower(), json.dumps(report).lower())
                    target.write_bytes(clean)
        self.Verify(expect=0)

    def test_leak_in_spellings(self):
        start = "TESTMANN_ERIKA_19580312/CT_Thorax_20240314"
        source, target = self.File(start)
        original = pydicom.dcmread(source)
        clean = target.read_bytes()
        birth = str(original.PatientBirthDate)
        year, month, day = birth[:4], birth[4:6], birth[6:]
        family, given = str(original.PatientName).split("^")[:2]
        for text in (f"{given} {family}", f"{family}{given}", f"{given.upper()}_{family.upper()}", family,
                     f"x/{family}/y", year + month + day, f"{year}-{month}-{day}", f"{int(day)}.{int(month)}.{year}",
                     f"{month}/{day}/{year}", f"12 MAR {year}" if (month, day) == ("03", "12") else birth,
                     f"{birth}101500"):
            with self.subTest(text=text):
                self.Change(start, lambda d, _, text=text: setattr(d, "ImageComments", text))
                self.ExpectFound("leak", where="(0020,4000)")
                target.write_bytes(clean)

    def test_leak_in_character_sets(self):
        """Names that are no ASCII, as their file has them and as Unicode."""
        for start in ("charsets/", "Müller"):
            for line in self.lines:
                if not line["input"].startswith(start) or not line["output"]:
                    continue
                original = pydicom.dcmread(self.samples / line["input"], force=True)
                raw = original.get_item(0x00100010).value
                raw = raw if isinstance(raw, bytes) else str(raw).encode()
                target = self.output / line["output"]
                clean = target.read_bytes()
                original.decode()
                text = str(original.PatientName).split("=")[0].replace("^", " ")
                for value in (raw, text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be")):
                    with self.subTest(input=line["input"], value=value):
                        dataset = pydicom.dcmread(target)
                        block = dataset.private_block(0x0099, CREATOR, create=True)
                        block.add_new(0x10, "OB", value + b"\0" * (len(value) % 2))
                        dataset.save_as(target)
                        self.ExpectFound("leak", "patient-name", where="(0099,1010)")
                        target.write_bytes(clean)

    def test_leak_in_compressed_frame(self):
        shutil.rmtree(self.output)
        self.Run("base.yaml", self.samples, self.output)
        name = next(line for line in self.Manifest(self.output)
                    if line["output"] and self.IsJpeg(self.output / line["output"]))
        target = self.output / name["output"]
        original = pydicom.dcmread(self.samples / name["input"])
        dataset = pydicom.dcmread(target)
        frames = dataset.PixelData
        at = frames.index(b"\xff\xd8")
        comment = str(original.PatientName).replace("^", " ").encode("latin-1", "replace")
        comment += b" " * (len(comment) % 2)
        segment = b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment
        length = struct.unpack_from("<I", frames, at - 4)[0]
        dataset.PixelData = (frames[:at - 4] + struct.pack("<I", length + len(segment)) + frames[at:at + 2] +
                             segment + frames[at + 2:])
        dataset.save_as(target)
        report = self.Verify(expect=4, state=self.State(self.output))
        self.assertEqual({("leak", "patient-name", "(7FE0,0010), beside the frames"),
                          ("pixels", "differ from the input's", "(7FE0,0010)")},
                         {(f["check"], f["kind"], f["where"]) for f in report["findings"]})

    @staticmethod
    def IsJpeg(file):
        dataset = pydicom.dcmread(file)
        return "PixelData" in dataset and b"\xff\xd8" in dataset.PixelData[:64]

    def test_leak_in_deflated(self):
        start = next(line["input"] for line in self.lines if line["output"] and "eflate" in line["input"])
        source, target = self.File(start)
        original = pydicom.dcmread(source)
        dataset = pydicom.dcmread(target)
        dataset.ImageComments = "patient " + str(original.PatientName).replace("^", " ")
        dataset.save_as(target)
        self.ExpectFound("leak", "patient-name", where="(0020,4000)")

    def test_leak_in_names(self):
        source, target = self.File("TESTMANN_ERIKA_19580312/CT_Thorax_20240314")
        original = pydicom.dcmread(source)
        family = str(original.PatientName).split("^")[0]
        for change in (lambda n: n.replace("RES-", family + "_"), lambda n: n.replace(".dcm", "-" + family + ".dcm")):
            output, state = self.tmp / "renamed", self.tmp / "renamed.dcmveil"
            shutil.copytree(self.output, output)
            shutil.copytree(self.State(self.clean), state)
            old = str(target.relative_to(self.output))
            new = change(old)
            (output / new).parent.mkdir(parents=True, exist_ok=True)
            (output / old).rename(output / new)
            manifest = state / "manifest.ndjson"
            manifest.write_text(manifest.read_text().replace(json.dumps(old), json.dumps(new)))
            report = self.Verify(expect=4, state=state, output=output)
            self.assertIn("leak-in-name", report["counts"])
            self.assertNotIn(family.lower(), json.dumps(report).lower())
            shutil.rmtree(output)
            shutil.rmtree(state)

    def test_leak_of_another_patient(self):
        other = pydicom.dcmread(next(self.samples / line["input"] for line in self.lines
                                     if line["input"].startswith("Müller") and line["output"]))
        for kind, text in (("uid", str(other.StudyInstanceUID)), ("id", str(other.PatientID)),
                           ("patient-name", str(other.PatientName).replace("^", " "))):
            with self.subTest(kind=kind):
                target = self.Change("TESTMANN_ERIKA_19580312/CT_Thorax_20240314",
                                     lambda d, _, text=text: setattr(d, "ImageComments", text))
                self.ExpectFound("leak", kind)
                self.assertTrue(target.exists())

    def test_unchanged(self):
        def change(d, original):
            d.StudyID = original.StudyID
        self.Change("TESTMANN_ERIKA_19580312/CT_Thorax_20240314", change)
        report = self.Verify(expect=4)
        self.assertTrue({"unchanged", "leak"} & set(report["counts"]), report)

    # ---- everything else that must hold ----

    CT = "TESTMANN_ERIKA_19580312/CT_Thorax_20240314"

    def Broken(self, check, change, start=CT, **more):
        target = self.Change(start, lambda d, _: change(d))
        report = self.ExpectFound(check, **more)
        self.assertEqual({check}, set(report["counts"]), report["findings"])
        return target

    def test_markers(self):
        self.Broken("marker", lambda d: d.__delattr__("PatientIdentityRemoved"), where="(0012,0062)")

    def test_marker_no(self):
        self.Broken("marker", lambda d: setattr(d, "PatientIdentityRemoved", "NO"), where="(0012,0062)")

    def test_marker_method(self):
        self.Broken("marker", lambda d: setattr(d, "DeidentificationMethod", ""), where="(0012,0063)")

    def test_marker_codes(self):
        self.Broken("marker", lambda d: d.__delattr__("DeidentificationMethodCodeSequence"), where="(0012,0064)")

    def SetSop(self, uid):
        def change(d):
            d.SOPInstanceUID = uid
            d.file_meta.MediaStorageSOPInstanceUID = uid
        return change

    def test_duplicate_uid(self):
        other = self.File("PROBST_PAULA/MR_")[1]
        uid = pydicom.dcmread(other).SOPInstanceUID
        self.Change("US", lambda d, _: self.SetSop(uid)(d))
        self.ExpectFound("duplicate-uid")

    def test_references(self):
        """The structure set refers to the CT: either end may be the broken one."""
        def change(d):
            d.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[0].RTReferencedSeriesSequence[
                0].ContourImageSequence[0].ReferencedSOPInstanceUID = "2.25.1234567890123456789"
        self.Broken("reference", change, start="TESTMANN_ERIKA_19580312/RS_")

    def test_reference_target(self):
        self.Change(self.CT, lambda d, _: self.SetSop("2.25.1234567890123456789")(d))
        self.ExpectFound("reference")

    def test_reference_where_items_went(self):
        def change(d):
            contours = d.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence[
                0].RTReferencedSeriesSequence[0].ContourImageSequence
            del contours[-1]
            contours[0].ReferencedSOPInstanceUID = "2.25.1234567890123456789"
        self.Broken("reference", change, start="TESTMANN_ERIKA_19580312/RS_", kind="names no instance of the output")

    def test_meta_uid(self):
        self.Broken("reference", lambda d: setattr(d.file_meta, "MediaStorageSOPInstanceUID", "2.25.99"),
                    where="(0002,0003)")

    def test_frame_of_reference(self):
        self.Change(self.CT, lambda d, _: setattr(d, "FrameOfReferenceUID", "2.25.1234567890123456789"))
        report = self.ExpectFound("reference", where="(0020,0052)")
        self.assertEqual({"reference", "entity"}, set(report["counts"]))

    def test_frames_merged(self):
        frame = pydicom.dcmread(self.File("PROBST_PAULA/MR_")[1]).FrameOfReferenceUID
        for line in self.lines:
            if line["input"].startswith(self.CT) and line["output"]:
                dataset = pydicom.dcmread(self.output / line["output"])
                dataset.FrameOfReferenceUID = frame
                dataset.save_as(self.output / line["output"])
        self.ExpectFound("reference", "two became one")

    def test_entities(self):
        self.Broken("entity", lambda d: setattr(d, "PatientSex", "O" if d.PatientSex != "O" else "M"),
                    where="(0010,0040)")

    def test_entity_study(self):
        self.Broken("entity", lambda d: setattr(d, "StudyTime", "235911"), where="(0008,0030)")

    def test_dates(self):
        def change(d):
            d.AcquisitionDate = "20200229"
        self.Broken("dates", change, where="(0008,0022)")

    def test_pixels(self):
        def change(d):
            d.PixelData = b"\1" + d.PixelData[1:]
        target = self.Broken("pixels", change, kind="differ from the input's")
        self.assertTrue(target.exists())

    def test_pixels_gone(self):
        self.Broken("pixels", lambda d: d.__delattr__("PixelData"), kind="are gone")

    def test_folder(self):
        target = self.File(self.CT)[1]
        (target.parent / "notes.txt").write_text("nothing")
        report = self.ExpectFound("not-in-manifest")
        self.assertEqual({"not-in-manifest": 1}, report["counts"])
        (target.parent / "notes.txt").unlink()
        (self.output / ".dcmveil-1").mkdir()
        self.ExpectFound("not-in-manifest", "an empty folder")
        (self.output / ".dcmveil-1").rmdir()
        os.symlink("/etc/hostname", self.output / "link")
        self.ExpectFound("not-in-manifest")
        (self.output / "link").unlink()
        self.Verify(expect=0)
        target.unlink()
        self.ExpectFound("missing")

    def test_truncated(self):
        target = self.File(self.CT)[1]
        target.write_bytes(target.read_bytes()[:-100])
        self.ExpectFound("unreadable")

    def test_missing_input(self):
        samples = self.tmp / "samples"
        shutil.copytree(self.samples, samples)
        shutil.rmtree(samples / "US")
        result = Command("verify", "--state", self.State(self.clean), "-o", self.output, "-i", samples, "--json")
        self.assertEqual(1, result.returncode)
        report = json.loads(result.stdout)
        self.assertEqual("could-not-go-on", report["result"])
        gone = sorted(line["input"] for line in self.lines if line["input"].startswith("US/"))
        self.assertEqual(gone[:10], report["missing_inputs"])
        text = Command("verify", "--state", self.State(self.clean), "-o", self.output, "-i", samples)
        self.assertIn(gone[0], text.stdout.decode())

    def test_inputs_that_the_run_could_not_read(self):
        source, output = self.tmp / "in", self.tmp / "odd"
        shutil.copytree(self.samples / "PET", source)
        (source / "link").symlink_to("/nowhere")
        (source / "text").write_bytes(b"no data set")
        os.mkfifo(source / "fifo")
        if os.geteuid() != 0:
            (source / "secret").write_bytes(b"x")
            (source / "secret").chmod(0)
        (source / "cut").write_bytes(next(source.rglob("*.dcm")).read_bytes()[:-100])
        self.Run(RULE, source, output, expect=3)
        lines = self.ByInput(output)
        self.assertEqual("truncated", lines["cut"]["reason"])
        report = self.Verify(expect=0, state=self.State(output), output=output)
        self.assertEqual("clean", report["result"])
        odd = {"not-dicom": 2, "symbolic-link": 1}
        if os.geteuid() != 0:
            odd["read-failed"] = 1
        self.assertEqual(odd, report["inputs_not_looked_at"])
        self.assertEqual(len(lines) - sum(odd.values()), report["inputs"])
        self.assertEqual([], report["missing_inputs"])
        text = Command("verify", "--state", self.State(output)).stdout.decode()
        self.assertIn(f"inputs not looked at: {sum(odd.values())} (not-dicom 2", text)
        proof = self.tmp / "proof.json"
        self.assertEqual(0, Command("proof", "make", "--state", self.State(output), "-o", proof).returncode)
        self.assertEqual(odd, json.loads(proof.read_text())["proof"]["verify"]["inputs_not_looked_at"])
        self.assertEqual(0, Command("proof", "check", proof, "--output", output).returncode)
        # What was read, and was quarantined then, must still be there.
        (source / "cut").unlink()
        report = self.Verify(expect=1, state=self.State(output), output=output)
        self.assertEqual(["cut"], report["missing_inputs"])

    def test_default_state_and_text(self):
        result = Command("verify", "-i", self.samples, "-o", self.clean)
        self.assertEqual(0, result.returncode, result.stdout + result.stderr)
        self.assertIn(b"nothing found", result.stdout)
        self.assertEqual(b"", Command("verify", "-q", "-i", self.samples, "-o", self.clean).stdout)

    def test_dicomdir_is_looked_at(self):
        output = self.tmp / "set"
        self.Run(RULE, self.samples, output, "--dicomdir")
        self.Verify(expect=0, state=self.State(output), output=output)

    def test_layout_mirror_tells_names(self):
        output = self.tmp / "mirror"
        self.Run(RULE, self.samples, output, "--layout", "mirror")
        report = self.Verify(expect=4, state=self.State(output), output=output)
        self.assertEqual({"leak-in-name"}, set(report["counts"]))
        self.assertNotIn("testmann", json.dumps(report["findings"]).lower())


if __name__ == "__main__":
    Main()
