# SPDX-License-Identifier: Apache-2.0
"""Scripts of other tools: translated, checked, and run on the samples."""
import hashlib

import pydicom

from support import CliTest, Command, Main, WriteKey

SCRIPT = """<?xml version="1.0" encoding="UTF-8"?>
<script>
  <p t="SITE">S7</p>
  <p t="ROOT">1.2.3.4</p>
  <p t="DAYS">-1000</p>
  <e en="T" t="00080018" n="SOPInstanceUID">@hashuid(@ROOT,this)</e>
  <e en="T" t="00080020" n="StudyDate">@incrementdate(this,@DAYS)</e>
  <e en="T" t="00080050" n="AccessionNumber">@hash(this,16)</e>
  <e en="T" t="00080080" n="InstitutionName">@param(@SITE)</e>
  <e en="T" t="00080090" n="ReferringPhysicianName">@empty()</e>
  <e en="T" t="00081030" n="StudyDescription">@if(Modality,equals,"MR"){Magnet}{@truncate(this,2)}</e>
  <e en="T" t="00081155" n="ReferencedSOPInstanceUID">@hashuid(@ROOT,this)</e>
  <e en="T" t="00100010" n="PatientName">@param(@SITE)-@hash(this,8)</e>
  <e en="T" t="00100020" n="PatientID">@hashptid(@SITE,this,12)</e>
  <e en="T" t="00100030" n="PatientBirthDate">@modifydate(this,*,1,1)</e>
  <e en="T" t="00120010" n="ClinicalTrialSponsorName">@always()ACME</e>
  <e en="T" t="0020000D" n="StudyInstanceUID">@hashuid(@ROOT,this)</e>
  <e en="T" t="0020000E" n="SeriesInstanceUID">@hashuid(@ROOT,this)</e>
  <e en="T" t="00080060" n="Modality">@if(this,equals,"OT"){@quarantine()}{@keep()}</e>
  <e en="T" t="00080016" n="SOPClassUID">@keep()</e>
  <e en="T" t="00081110" n="ReferencedStudySequence">@keep()</e>
  <r en="T" t="privategroups">x</r>
  <r en="T" t="unspecifiedelements">x</r>
  <r en="T" t="overlays">x</r>
</script>
"""

# Samples whose values another reader may take for something else.
ODD = ("broken", "charsets", "dirty", "formats")


def Md5(text):
    return str(int.from_bytes(hashlib.md5(text.encode(), usedforsecurity=False).digest(), "big"))


def Uid(uid):
    return ("1.2.3.4." + Md5(uid))[:64]


class Import(CliTest):
    def Import(self, text, *arguments, tool="ctp", expect=0):
        script = self.tmp / "script.xml"
        script.write_text(text)
        result = Command("import", tool, script, *arguments)
        self.assertEqual(expect, result.returncode, result.stderr)
        rules = self.tmp / "rules.yaml"
        rules.write_bytes(result.stdout)
        return rules, result.stderr.decode()

    def Outputs(self, rules):
        """(before, after) of each well-made sample with an output."""
        output = self.tmp / "out"
        self.Run(rules, self.samples, output, expect=3)
        pairs = [(pydicom.dcmread(before), pydicom.dcmread(after))
                 for before, after, _ in self.Pairs(self.samples, output)
                 if before.relative_to(self.samples).parts[0] not in ODD]
        self.assertGreater(len(pairs), 10)
        rejected = [line["input"] for line in self.Manifest(output)
                    if line["outcome"] == "rejected"]
        self.assertTrue(any("screenshot" in name for name in rejected), rejected)
        return pairs

    def ExpectCommon(self, before, after):
        self.assertNotEqual("OT", after.Modality)
        self.assertEqual("ACME", after.ClinicalTrialSponsorName)
        self.assertEqual([], [element.tag for element in after.iterall() if element.tag.is_private])
        self.assertFalse(after.get("ReferringPhysicianName"))
        self.assertNotIn("StudyTime", after)
        if before.get("InstitutionName"):
            self.assertEqual("S7", after.InstitutionName)
        if before.get("StudyDescription"):
            self.assertEqual("Magnet" if before.Modality == "MR" else before.StudyDescription[:2].strip(),
                             after.StudyDescription)
        if len(before.get("PatientBirthDate") or "") == 8 and before.PatientBirthDate.isdigit():
            self.assertIn(after.PatientBirthDate, (before.PatientBirthDate[:4] + "0101", ""))

    def test_a_script_runs_on_the_samples(self):
        rules, said = self.Import(SCRIPT)
        self.assertIn("dcmveil keygen project.key", said)
        self.assertIn("script.xml:7:1: note: StudyDate: each patient's dates move", said)
        WriteKey(self.tmp / "project.key")
        self.assertEqual(0, Command("check", "-r", rules).returncode)
        uids = {}
        for before, after in self.Outputs(rules):
            self.ExpectCommon(before, after)
            self.assertTrue(after.SOPInstanceUID.startswith("2.25."))
            uids.setdefault(before.StudyInstanceUID, set()).add(after.StudyInstanceUID)
            if before.get("PatientID"):
                self.assertRegex(after.PatientID, "^[0-9A-HJKMNP-TV-Z]{12}$")
                self.assertRegex(str(after.PatientName), "^(S7-[0-9A-HJKMNP-TV-Z]{10})?$")
        self.assertTrue(all(len(new) == 1 for new in uids.values()))

    def test_pseudonyms_given_out_before_stay(self):
        rules, said = self.Import(SCRIPT, "--compatible-hashes")
        self.assertIn("whoever guesses a value can test the guess", said)
        WriteKey(self.tmp / "project.key")
        referenced = 0
        for before, after in self.Outputs(rules):
            self.ExpectCommon(before, after)
            for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
                self.assertEqual(Uid(before[keyword].value), after[keyword].value)
            self.assertEqual(Md5("[S7]" + before.PatientID.strip())[:12], after.PatientID)
            for old, new in zip(before.get("ReferencedStudySequence", []),
                                after.get("ReferencedStudySequence", [])):
                self.assertEqual(Uid(old.ReferencedSOPInstanceUID), new.ReferencedSOPInstanceUID)
                referenced += 1
        self.assertGreater(referenced, 0)

    def test_what_is_replaced_is_said_and_counts(self):
        rules, said = self.Import(SCRIPT.replace("@empty()", "@call(Plugin,this,\"hunter2\")"),
                                  expect=3)
        self.assertIn("script.xml:10:1: warning: ReferringPhysicianName: @call cannot be translated; "
                      "remove stands in its place", said)
        self.assertIn("dcmveil: 1 part of the file could not be translated", said)
        self.assertIn("{tag: ReferringPhysicianName, action: remove}", rules.read_text())

    def test_a_key_in_the_script_is_not_told(self):
        text = SCRIPT.replace("@empty()", "@encrypt(this,\"hunter2\")")
        rules, said = self.Import(text, expect=3)
        self.assertNotIn("hunter2", said + rules.read_text())

    def Rejected(self, rules):
        """The instances of the samples: what was rejected, and all that were not quarantined."""
        WriteKey(self.tmp / "project.key")
        output = self.tmp / "out"
        self.Run(rules, self.samples, output, expect=3)
        rejected, others = [], []
        for line in self.Manifest(output):
            path = self.samples / line["input"]
            if line["outcome"] == "rejected":
                rejected.append(pydicom.dcmread(path, force=True))
            elif line["reason"] == "identifier-left" or line["outcome"] == "written":
                others.append(pydicom.dcmread(path, force=True))
        self.assertGreater(len(rejected), 3)
        self.assertGreater(len(others), 3)
        return rejected, others

    def test_a_filter_of_ctp_rejects_what_it_does_not_let_pass(self):
        # A missing element is an empty text, and several values are one text.
        text = ('Modality.equals("CT") * !ImageType.startsWith("DERIVED") // no reconstructions\n'
                '+ StationName.equals("") * !Manufacturer.contains("none") * Rows.isGreaterThan("0")\n'
                '+ ImageType.equals("ORIGINAL\\PRIMARY")\n')
        rules, _ = self.Import(text)

        def Passes(dataset):
            kinds = "\\".join([dataset.get("ImageType")] if isinstance(dataset.get("ImageType"), str)
                              else dataset.get("ImageType") or [])
            return (dataset.get("Modality") == "CT" and not kinds.startswith("DERIVED")
                    or not (dataset.get("StationName") or "").strip() and int(dataset.get("Rows") or 0) > 0
                    or kinds == "ORIGINAL\\PRIMARY")

        rejected, others = self.Rejected(rules)
        self.assertEqual([], [dataset.filename for dataset in rejected if Passes(dataset)])
        self.assertEqual([], [dataset.filename for dataset in others if not Passes(dataset)])

    def test_images_that_a_pixel_script_would_blank_are_rejected(self):
        rules, said = self.Import('CT {Modality.equals("CT")} (0,0,512,110)\n', expect=3)
        self.assertIn("script.xml:1:1: warning: Modality.equals(\"CT\"): pixels cannot be cleaned", said)
        rejected, others = self.Rejected(rules)
        # What stands behind a NUL is no part of a text.
        self.assertEqual({"CT"}, {dataset.Modality.split("\0")[0] for dataset in rejected})
        self.assertEqual([], [dataset.filename for dataset in others
                              if dataset.get("Modality") == "CT" and "PixelData" in dataset])

    def test_a_recipe_of_deid_runs_on_the_samples(self):
        rules, said = self.Import("""FORMAT dicom
%fields names
FIELD endswith:Name
%header
ADD ClinicalTrialProtocolID ACME
REPLACE fields:names Nobody
REPLACE select:VR:UI deid_func:pydicom_uuid
REPLACE PatientID var:id
JITTER select:VR:DA 31
BLANK contains:Physician
REMOVE startswith:Institution
REMOVE select:VR:TM
REMOVE contains:Address|Telephone|Comments|BirthName|Mother|Accession|OtherPatient|Description
KEEP StudyDescription
%filter blacklist
LABEL not these
contains Modality OT|SR
+ notcontains SOPClassUID 9999
""", tool="deid", expect=3)
        self.assertIn("script.xml:8:1: warning: PatientID: the value is not in the recipe", said)
        WriteKey(self.tmp / "project.key")
        self.assertEqual(0, Command("check", "-r", rules).returncode)
        moved = 0
        for before, after in self.Outputs(rules):
            self.assertNotIn(after.Modality, ("OT", "SR"))
            self.assertEqual("ACME", after.ClinicalTrialProtocolID)
            self.assertEqual("Nobody", str(after.PatientName))
            self.assertNotEqual(before.SOPInstanceUID, after.SOPInstanceUID)
            self.assertEqual(before.get("StudyDescription"), after.get("StudyDescription"))
            for element in after.iterall():
                self.assertFalse(element.tag.is_private)
                self.assertNotEqual("TM", element.VR)
                # A list protects nothing from what is removed.
                self.assertFalse(element.keyword.startswith("Institution"), element.keyword)
                if "Physician" in element.keyword and element.VR != "PN":
                    self.assertTrue(element.is_empty, element.keyword)
            if before.get("StudyDate") and after.get("StudyDate"):
                moved += before.StudyDate != after.StudyDate
        self.assertGreater(moved, 10)

    def test_all_but_what_a_recipe_keeps_goes(self):
        rules, _ = self.Import("""FORMAT dicom
%header
REMOVE ALL
KEEP SamplesPerPixel
KEEP PhotometricInterpretation
KEEP PlanarConfiguration
KEEP NumberOfFrames
KEEP Rows
KEEP Columns
KEEP BitsAllocated
KEEP BitsStored
KEEP HighBit
KEEP PixelRepresentation
KEEP Modality
KEEP SOPClassUID
REPLACE SOPInstanceUID deid_func:pydicom_uuid
REPLACE StudyInstanceUID deid_func:pydicom_uuid
REPLACE SeriesInstanceUID deid_func:pydicom_uuid
REPLACE PatientName Nobody
""", tool="deid")
        WriteKey(self.tmp / "project.key")
        output = self.tmp / "out"
        self.Run(rules, self.samples, output, expect=3)
        kept = {"Modality", "SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID",
                "PatientName", "PixelData", "PatientIdentityRemoved", "DeidentificationMethod",
                "SpecificCharacterSet", "LongitudinalTemporalInformationModified",
                # What says how the instance was de-identified before.
                "DeidentificationMethodCodeSequence"}
        pairs = self.Pairs(self.samples, output)
        self.assertGreater(len(pairs), 10)
        for _, after, _ in pairs:
            for element in pydicom.dcmread(after):
                self.assertTrue(element.keyword in kept or element.tag.group == 0x0028, element.tag)

    def test_a_request_to_orthanc_runs_on_the_samples(self):
        rules, _ = self.Import('{"Replace": {"PatientName": "Nobody"}, "Keep": ["StudyDescription"],'
                               ' "Remove": ["Manufacturer"], "KeepPrivateTags": false}', tool="orthanc")
        self.ExpectProfile(rules, "Nobody")

    def test_a_dictionary_of_kitware_runs_on_the_samples(self):
        rules, _ = self.Import('{"(0x0010, 0x0010)": {"action": "replace_with_value",'
                               ' "value": "Nobody"}, "(0x0008, 0x1030)": "keep",'
                               ' "(0x0008, 0x0070)": "delete"}', tool="kitware")
        self.ExpectProfile(rules, "Nobody")

    def ExpectProfile(self, rules, name):
        WriteKey(self.tmp / "project.key")
        output = self.tmp / "out"
        source = self.samples / "TESTMANN_ERIKA_19580312" / "CT_Thorax_20240314"
        self.Run(rules, source, output, expect=0)
        pairs = self.Pairs(source, output)
        self.assertGreater(len(pairs), 1)
        for before, after, _ in pairs:
            before, after = pydicom.dcmread(before), pydicom.dcmread(after)
            self.assertEqual(name, after.PatientName)
            self.assertEqual(before.StudyDescription, after.StudyDescription)
            self.assertIn("Manufacturer", before)
            self.assertNotIn("Manufacturer", after)
            self.assertNotIn("InstitutionName", after)
            self.assertNotEqual(before.SOPInstanceUID, after.SOPInstanceUID)
            self.assertEqual("YES", after.PatientIdentityRemoved)

    def test_errors(self):
        for text in ("", "<script>", "no script", SCRIPT.replace("<script>", "<!DOCTYPE a><script>")):
            rules, said = self.Import(text, expect=2)
            self.assertEqual(b"", rules.read_bytes())
            self.assertIn("script.xml", said)
        for text in ("", "REMOVE PatientName", "FORMAT nifti", "FORMAT dicom\n%header\nREPLACE PatientName"):
            rules, said = self.Import(text, tool="deid", expect=2)
            self.assertEqual(b"", rules.read_bytes())
            self.assertIn("script.xml", said)
        rules, said = self.Import('Modality.equals("CT")\n* (Modality.equals("MR")', expect=2)
        self.assertIn("script.xml:2:1: error: a ( without its )", said)
        self.assertEqual(2, Command("import", "ctp", self.tmp / "none.xml").returncode)
        self.assertEqual(2, Command("import", "ctp", self.tmp).returncode)
        self.assertEqual(2, Command("import").returncode)
        self.assertEqual(2, Command("import", "something", self.tmp / "script.xml").returncode)

    def test_help(self):
        for arguments in (("import",), ("import", "ctp"), ("import", "deid"), ("import", "orthanc"), ("import", "kitware")):
            result = Command(*arguments, "--help")
            self.assertEqual(0, result.returncode)
            for status in (b"0 ", b"1 ", b"2 ", b"3 "):
                self.assertIn(status, result.stdout.split(b"Exit status:")[1])


if __name__ == "__main__":
    Main()
