# SPDX-License-Identifier: Apache-2.0
"""What belongs together stays together: references, patients, intervals, registered UIDs."""
import collections
import datetime

import pydicom
from pydicom.uid import UID_dictionary

from support import CORPUS, CliTest, Main, NeedsCorpus

REFERENCE = "research-export.yaml"
CLASSES = {0x00080016, 0x00081150, 0x0008010C, 0x00080117, 0x00080118}


def Day(text):
    return datetime.datetime.strptime(str(text), "%Y%m%d").date()


def Moment(text):
    """A DT's local time, to the microsecond; its zone is left aside."""
    text = str(text).split("+")[0].split("-")[0]
    form = "%Y%m%d%H%M%S" + (".%f" if "." in text else "")
    return datetime.datetime.strptime(text, form)


def Uids(dataset, found=None):
    """Tag -> UIDs of all UI elements, at every depth."""
    found = collections.defaultdict(list) if found is None else found
    for tag in dataset.keys():
        try:
            element = dataset[tag]
        except (ValueError, TypeError, ArithmeticError):
            continue  # an odd number that pydicom refuses
        if element.VR == "SQ":
            for item in element.value:
                Uids(item, found)
        elif element.VR == "UI" and element.value:
            values = element.value if element.VM > 1 else [element.value]
            found[element.tag] += [str(v) for v in values]
    return found


class References(CliTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.output = cls.class_tmp / "out"
        cls.Run(REFERENCE, cls.samples, cls.output, expect=3)
        cls.before, cls.after = {}, {}
        for source, target, line in cls.Pairs(cls.samples, cls.output):
            cls.before[line["input"]] = pydicom.dcmread(source, force=True)
            cls.after[line["input"]] = pydicom.dcmread(target)

    def Group(self, start):
        names = sorted(name for name in self.after if name.startswith(start))
        self.assertNotEqual([], names)
        return names

    def test_structure_set(self):
        name, = self.Group("TESTMANN_ERIKA_19580312/RS_")
        structures = self.after[name]
        images = {str(self.after[n].SOPInstanceUID): self.after[n]
                  for n in self.Group("TESTMANN_ERIKA_19580312/CT_Thorax_20240314")}
        frame, = structures.ReferencedFrameOfReferenceSequence
        self.assertEqual({str(frame.FrameOfReferenceUID)},
                         {str(image.FrameOfReferenceUID) for image in images.values()})
        seen = set()
        study, = frame.RTReferencedStudySequence
        for series in study.RTReferencedSeriesSequence:
            for image in series.ContourImageSequence:
                self.assertIn(str(image.ReferencedSOPInstanceUID), images)
                target = images[str(image.ReferencedSOPInstanceUID)]
                self.assertEqual(target.SeriesInstanceUID, series.SeriesInstanceUID)
                self.assertEqual(target.SOPClassUID, image.ReferencedSOPClassUID)
                seen.add(str(image.ReferencedSOPInstanceUID))
        self.assertEqual(set(images), seen)
        old = self.before[name]
        for new_contour, old_contour in zip(structures.ROIContourSequence, old.ROIContourSequence):
            for new_one, old_one in zip(new_contour.ContourSequence, old_contour.ContourSequence):
                self.assertEqual(old_one.ContourData, new_one.ContourData)
                for image in new_one.get("ContourImageSequence", []):
                    self.assertIn(str(image.ReferencedSOPInstanceUID), images)
        for roi in structures.StructureSetROISequence:
            self.assertEqual(frame.FrameOfReferenceUID, roi.ReferencedFrameOfReferenceUID)

    def test_every_uid_is_mapped_one_to_one(self):
        """At every place; and the graph of references is the input's."""
        self.CheckUids(self.before, self.after)

    def CheckUids(self, before, after):
        forward, backward = {}, {}
        compared = 0
        for name, old_set in before.items():
            old, new = Uids(old_set), Uids(after[name])
            for tag, new_values in new.items():
                if tag.group in (0x0002, 0x0012) or tag not in old:
                    continue
                if len(old[tag]) != len(new_values):
                    continue  # a sequence with such an element was removed by a rule
                for a, b in zip(old[tag], new_values):
                    compared += 1
                    self.assertEqual(b, forward.setdefault(a, b), (name, str(tag)))
                    self.assertEqual(a, backward.setdefault(b, a), (name, str(tag)))
                    if a in UID_dictionary:
                        self.assertEqual(a, b, (name, str(tag)))
                    elif tag in CLASSES and a == b:
                        continue  # a vendor's SOP class, a local coding scheme
                    elif not a.startswith("1.2.840.10008."):
                        self.assertNotEqual(a, b, (name, str(tag)))
                        self.assertRegex(b, r"^2\.25\.[1-9][0-9]{0,38}$")
        return compared

    @NeedsCorpus
    def test_every_uid_of_the_corpus(self):
        output = self.tmp / "out"
        self.Run(REFERENCE, CORPUS, output)
        before, after = {}, {}
        for source, target, line in self.Pairs(CORPUS, output):
            if line.get("notes"):
                continue  # what is no UID, or was mended, needs no second opinion here
            before[line["input"]] = pydicom.dcmread(source, force=True, stop_before_pixels=True)
            after[line["input"]] = pydicom.dcmread(target, stop_before_pixels=True)
        self.assertGreater(len(before), 150)
        self.assertGreater(self.CheckUids(before, after), 2000)

    def test_report_and_presentation_state(self):
        images = {str(self.after[n].SOPInstanceUID)
                  for n in self.Group("TESTMANN_ERIKA_19580312/CT_Thorax_20240314")}
        for start in ("TESTMANN_ERIKA_19580312/SR_", "TESTMANN_ERIKA_19580312/PR_"):
            name, = self.Group(start)
            referred = set(Uids(self.after[name])[pydicom.tag.Tag(0x00081155)])
            self.assertTrue(referred & images, name)

    def test_registered_uids(self):
        for name, old in self.before.items():
            new = self.after[name]
            self.assertEqual(old.SOPClassUID, new.SOPClassUID)
            if "TransferSyntaxUID" in getattr(old, "file_meta", {}):
                self.assertEqual(old.file_meta.TransferSyntaxUID, new.file_meta.TransferSyntaxUID)

    def test_one_patient_in_two_studies(self):
        first = [self.after[n] for n in self.Group("TESTMANN_ERIKA_19580312/CT_Thorax_20240314")]
        second = [self.after[n] for n in self.Group("TESTMANN_ERIKA_19580312/CT_Thorax_20240912")]
        self.assertEqual(1, len({str(d.PatientID) for d in first + second}))
        self.assertNotEqual(first[0].StudyInstanceUID, second[0].StudyInstanceUID)
        self.assertEqual(1, len({str(d.StudyInstanceUID) for d in first}))
        interval = Day("20240912") - Day("20240314")
        self.assertEqual(interval, Day(second[0].StudyDate) - Day(first[0].StudyDate))

    def test_offsets(self):
        """One offset a patient, for all of the dates of all instances; patients differ."""
        offsets = collections.defaultdict(set)
        pseudonyms = collections.defaultdict(set)
        for name, old in self.before.items():
            if "dirty/" in name or not old.get("PatientID"):
                continue
            new = self.after[name]
            pseudonyms[str(old.PatientID)].add(str(new.PatientID))
            for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate",
                            "InstanceCreationDate"):
                if old.get(keyword):
                    offsets[str(old.PatientID)].add(Day(new.get(keyword)) - Day(old.get(keyword)))
        self.assertGreater(len(offsets), 10)
        self.assertEqual({1}, {len(values) for values in offsets.values()}, offsets)
        self.assertEqual({1}, {len(values) for values in pseudonyms.values()})
        self.assertEqual(len(pseudonyms), len({v for s in pseudonyms.values() for v in s}))
        days = [next(iter(values)).days for values in offsets.values()]
        self.assertGreater(len(set(days)), len(days) // 2)
        for day in days:
            self.assertNotEqual(0, day)
            self.assertLessEqual(abs(day), 365)

    def test_patients_without_id_share_nothing(self):
        one, other = (self.after[n] for n in self.Group("dirty/no_patient_id"))
        self.assertNotEqual(one.StudyInstanceUID, other.StudyInstanceUID)

    def test_uptake_time_of_pet(self):
        name, = self.Group("PET/")
        old, new = self.before[name], self.after[name]
        a, = old.RadiopharmaceuticalInformationSequence
        b, = new.RadiopharmaceuticalInformationSequence
        for keyword in ("RadiopharmaceuticalStartTime", "RadionuclideTotalDose",
                        "RadionuclideHalfLife", "RadionuclidePositronFraction"):
            self.assertEqual(a.get(keyword), b.get(keyword), keyword)
        for keyword in ("SeriesTime", "AcquisitionTime", "DecayCorrection", "Units",
                        "PatientWeight", "FrameReferenceTime", "ActualFrameDuration"):
            self.assertEqual(old.get(keyword), new.get(keyword), keyword)
        start = "RadiopharmaceuticalStartDateTime"
        self.assertIn(start, a)

        def Uptake(dataset, drug):
            acquired = Moment(f"{dataset.AcquisitionDate}{dataset.AcquisitionTime}")
            return acquired - Moment(drug.get(start))

        self.assertEqual(Uptake(old, a), Uptake(new, b))
        zone = str(a.get(start))[14:]
        self.assertEqual(zone, str(b.get(start))[14:], "fraction and zone stay")


if __name__ == "__main__":
    Main()
