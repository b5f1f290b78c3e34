# SPDX-License-Identifier: Apache-2.0
"""What basic+ does with codes that look like something else: of published schemes, and of a site's own."""
import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from support import CliTest, Main

RULES = "dcmveil: 1\nprofile: basic+\nkey: {file: a.key}\nguard: off\n"
# scheme, code, and what becomes of both; the patient's ID is 121071, the institution Ottersberg's.
CODES = [
    ("DCM", "121071", "DCM", "121071"),
    ("SCT", "121071", "SCT", "121071"),
    ("LN", "121071", "LN", "121071"),
    ("UCUM", "121071", "UCUM", "121071"),
    ("99LOCAL", "121071", "99LOCAL", "REMOVED"),
    ("99LOCAL", "T-1", "99LOCAL", "T-1"),
    ("99LOCAL", "X-121071", "99LOCAL", "REMOVED"),
    ("99_OTTERSBERG_X", "T-1", "REMOVED", "T-1"),
    ("SCPECG", "5.10.2.1-5", "SCPECG", "5.10.2.1-5"),
    ("99LOCAL", "5.10.2.5-5", "99LOCAL", "5.10.2.5-5"),
]


class Codes(CliTest):
    def test_codes(self):
        source = self.tmp / "in"
        source.mkdir()
        template = next(p for p in sorted(self.samples.rglob("CT_*/*")) if p.is_file())
        dataset = pydicom.dcmread(template)
        dataset.PatientID = "121071"
        dataset.InstitutionName = "Ottersberg"
        items = []
        for scheme, code, _, _ in CODES:
            item = Dataset()
            item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code, scheme, "Finding"
            items.append(item)
        dataset.AnatomicRegionSequence = Sequence(items)
        # The scheme of the item around it is not that of a code inside.
        outer, inner = Dataset(), Dataset()
        outer.CodeValue, outer.CodingSchemeDesignator, outer.CodeMeaning = "121071", "DCM", "Finding"
        inner.CodeValue, inner.CodingSchemeDesignator, inner.CodeMeaning = "121071", "99LOCAL", "Finding"
        outer.EquivalentCodeSequence = Sequence([inner])
        dataset.AnatomicRegionSequence.append(outer)
        dataset.save_as(source / "a.dcm")
        rules = self.tmp / "rules.yaml"
        rules.write_text(RULES)
        self.Run(rules, source, self.tmp / "out", expect=0)
        after = pydicom.dcmread(next(p for p in (self.tmp / "out").rglob("*") if p.is_file()))
        *items, outer = after.AnatomicRegionSequence
        self.assertEqual([(scheme, code) for _, _, scheme, code in CODES],
                         [(item.CodingSchemeDesignator, item.CodeValue) for item in items])
        self.assertEqual({"Finding"}, {item.CodeMeaning for item in items})
        self.assertEqual("121071", outer.CodeValue)
        self.assertEqual("REMOVED", outer.EquivalentCodeSequence[0].CodeValue)


if __name__ == "__main__":
    Main()
