# SPDX-License-Identifier: Apache-2.0
"""An instance in the making: its elements, and beside each planted one what must become of it.

A check is {p: path, v: the value that went in, not: [[what, text]] that must go, must: words that must stay,
expect: [[options, kind, statement]]}; the first entry whose options are all chosen decides. `kind` is one of those
in judge.py; `statement` is the number in the list of statements (README.md).
"""
import annex_e
from wire import Element

ATTRIBUTES = annex_e.attributes()
# Removing these breaks some IODs, so a de-identifier may keep a dummy whatever the table says.
TYPE_1_SOMEWHERE = {0x00080054, 0x00400009, 0x00401001, 0x0040100A, 0x00700082, 0x00700083, 0x00102297, 0x00102299,
                    0x00181078, 0x300A0216}
PHRASES = [("CT chest with contrast", ["CT", "chest", "contrast"]), ("MR brain T2 axial", ["MR", "brain", "axial"]),
           ("abdomen pelvis", ["abdomen", "pelvis"]), ("knee left", ["knee", "left"]),
           ("spine sagittal", ["spine", "sagittal"]), ("follow-up liver lesion", ["liver", "lesion"]),
           ("heart stress perfusion", ["heart", "perfusion"]), ("thorax native", ["thorax"])]
OPTION_STATEMENT = {"private": 38, "uids": 30, "device": 36, "institution": 37, "patient": 35, "full": 32,
                    "modified": 33, "descriptors": 40, "structured": 41, "graphics": 42}
BASIC_STATEMENT = {"removed": 11, "emptied": 12, "replaced": 13, "gone": 15, "uid": 25}


def bits(patient, study):
    """What people type behind a description: (what, the part that must not stay, as it is written)."""
    day, birth = patient.study_dates[study], patient.birth
    return [("person", patient.family, patient.spoken_name()), ("id", patient.mrn, f"MRN {patient.mrn}"),
            ("person", patient.physicians[0], f"Dr. {patient.physicians[0]}"),
            ("id", patient.accessions[study], f"Acc {patient.accessions[study]}"),
            ("institution", patient.hospital, f"at {patient.hospital}"), ("id", patient.phone, f"tel {patient.phone}"),
            ("birth", birth.strftime("%d.%m.%Y"), f"born {birth.strftime('%d.%m.%Y')}"),
            ("date", day.strftime("%d.%m.%Y"), f"on {day.strftime('%d.%m.%Y')}"),
            ("person", patient.stranger, f"seen by {patient.stranger}"), ("id", patient.email, patient.email),
            ("person", patient.family, patient.family.upper()), ("id", patient.street.split()[0], patient.street)]


def shown_value(value):
    """The value as the judge compares it."""
    if isinstance(value, bytes):
        return value.decode("latin-1").rstrip("\0 ")
    return value if isinstance(value, str) else "\\".join(str(v) for v in value)


class Instance:
    def __init__(self, patient, study, modality, sop_class, series, number, extras=True):
        self.patient, self.study, self.modality, self.sop_class = patient, study, modality, sop_class
        self.extras = extras
        self.study_uid = patient.uid(study + 1)
        self.series_uid = patient.uid(study + 1, series)
        self.uid = patient.uid(study + 1, series, number)
        self.series, self.number = series, number
        self.elements, self.checks = [], []
        self.meta, self.preamble, self.tail = [], b"", b""
        self.pixels, self.may_quarantine = None, False
        self.counter = patient.number * 7 + series * 3 + number

    def count(self):
        self.counter += 1
        return self.counter

    def check(self, path, value, expect, must_not=(), must=()):
        entry = {"p": path, "v": value, "expect": expect}
        if must_not:
            entry["not"] = [list(pair) for pair in must_not]
        if must:
            entry["must"] = list(must)
        self.checks.append(entry)

    def has(self, tag):
        return any(e.tag == tag for e in self.elements)

    # ---- the values of rows of table E.1-1 ----
    def value_for(self, row, tag, owner=None):
        """(value, what must not stay, words to stay) for a row, legal for its VR."""
        p, n = self.patient, self.count()
        vr = row.vr.split("|")[0]
        day = p.day(self.study)
        kept = "K" in row.options.values()
        if kept and vr in ("LO", "LT", "ST", "UT", "UC", "SH", "AE"):
            # What an option may keep holds nothing that the other options would have to take out.
            if "institution" in row.options:
                return f"{p.hospital} {n}"[:16 if vr == "SH" else 64], (), ()
            return (p.serial if "device" in row.options else "PLAIN") + f" {n % 100}", (), ()
        if "descriptors" in row.options and vr in ("LO", "LT", "ST", "UT", "UC"):
            phrase, words = PHRASES[n % len(PHRASES)]
            what, hidden, written = bits(p, self.study)[n % 12]
            if vr == "LO" and len(phrase) + len(written) > 62:
                phrase, words = "CT", ["CT"]
            return f"{phrase} {written}", [(what, hidden)], words
        if vr in ("LO", "LT", "ST", "UT", "UC"):
            what, hidden, _ = [b for b in bits(p, self.study) if b[0] in ("person", "id", "institution")][n % 9]
            return f"{hidden} {n}", [(what, hidden)], ()
        if vr == "SH":
            return (p.mrn, p.accessions[self.study], p.order, p.admission)[n % 4], (), ()
        if vr == "PN":
            name = (p.physicians + [p.family])[n % 5] + "^" + p.given
            return name, [("person", name.split("^")[0])], ()
        if vr == "SQ":
            hidden = p.physicians[n % 4]
            uid = p.uid(9, n)
            item = [Element(0x00080100, "SH", f"{n}"), Element(0x00080102, "SH", "99LOCAL"),
                    Element(0x00080104, "LO", "chest" if kept else f"chest {p.family}"),
                    Element(0x0040A123, "PN", hidden + "^" + p.given), Element(0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.2"),
                    Element(0x00081155, "UI", uid)]
            return [item], [("person", hidden), ("uid", uid)] + ([] if kept else [("person", p.family)]), ()
        values = {"AE": p.ae, "AS": f"{p.age:03d}Y", "CS": f"PLANTED {n}", "DA": day, "DS": f"{n}.25", "IS": str(n),
                  "DT": day + f"{8 + n % 12:02d}3015.{n % 1000:03d}" + ("", "+0100", "-0530")[n % 3],
                  "TM": f"{8 + n % 12:02d}{n % 60:02d}17", "UI": p.uid(8, n), "UR": f"https://{p.email.split('@')[1]}/{p.mrn}",
                  "US": [n % 60000], "UN": f"{p.mrn} {n}".encode(), "OB": f"{p.mrn} {n}".encode(),
                  "OW": f"{p.mrn} {n} ".encode()[:12]}
        if vr == "UI" and "device" in row.options:
            return f"1.2.826.0.1.3680043.8.{n}", (), ()
        if tag == 0x00080201:
            return "+0130", (), ()
        if tag == 0x00102203:
            return "ALTERED", (), ()
        # What an option keeps to the byte must not hold what every option has to remove.
        if vr == "UR" and row.options:
            return f"https://terms.example/sex/{n}", (), ()
        if vr == "OB" and row.options:
            return f"{n}".encode(), (), ()
        return values[vr], (), ()

    def expectation(self, row, tag, misused, has_words=False, basic_kind=None):
        """The list of [options, kind, statement] for a row at a place that its IOD does (not) define."""
        vr, out = row.vr.split("|")[0], []
        if tag in (0x00400555, 0x00400610, 0x0040A730, 0x0040B020, 0x00700001):
            graphics = tag == 0x00700001
            return [["graphics", "cleaned", 42], ["", "gone", 13]] if graphics else [["structured", "cleaned", 41], ["", "gone", 20]]
        if "full" in row.options and "device" in row.options:
            out.append(["full", "kept", 32])
            out.append(["modified+device", "kept-or-shifted", 36])
        for option, code in row.options.items():
            if code == "K" and tag >> 16 == 0x0004:
                continue  # E.1.1 item 9 has no exception for this group
            if code == "K":
                kind = "cleaned" if vr == "SQ" else "kept"
            elif option == "modified":
                kind = {"DA": "shifted", "DT": "shifted", "TM": "time"}.get(vr, "gone")
            elif option == "descriptors":
                kind = "text" if has_words else "cleaned"
            else:
                kind = "cleaned"
            out.append([option, kind, OPTION_STATEMENT[option]])
        kind = {"X": "removed", "Z": "emptied", "D": "replaced", "U": "uid"}.get(row.basic, "gone")
        if tag == 0x006A0003:
            kind = "replaced"
        if basic_kind:
            kind = basic_kind
        elif tag in TYPE_1_SOMEWHERE or misused and kind in ("emptied", "replaced", "uid"):
            kind = "gone"
        out.append(["", kind, 15 if basic_kind else BASIC_STATEMENT[kind]])
        return out

    def plant(self, tag, value=None, misused=False, into=None, prefix="", basic_kind=None, wire_vr=None, must_not=(),
              must=()):
        """Puts an attribute of the table into the data set (or `into` an item at path `prefix`) with its check."""
        row = ATTRIBUTES[tag]
        if value is None:
            value, must_not, must = self.value_for(row, tag)
        vr = row.vr.split("|")[0]
        target = self.elements if into is None else into
        if any(e.tag == tag for e in target):
            return
        target.append(Element(tag, vr, value, wire_vr=wire_vr))
        expect = self.expectation(row, tag, misused, bool(must), basic_kind)
        shown = None if vr == "SQ" else value if isinstance(value, str) else shown_value(value)
        self.check(f"{prefix}{tag:08X}", shown, expect, must_not, must)
        if vr == "SQ":
            for e in value[0] if value else ():
                if e.vr == "UI" and e.tag == 0x00081155:
                    self.check(f"{prefix}{tag:08X}", e.value, [["uids", "any", 30], ["", "lacks", 25]], [("uid", e.value)])

    def keep(self, tag, vr, value, statement=46, into=None, prefix="", wire_vr=None):
        """An attribute that every rule set of the standard keeps."""
        target = self.elements if into is None else into
        target.append(Element(tag, vr, value, wire_vr=wire_vr))
        if not isinstance(value, bytes):
            self.check(f"{prefix}{tag:08X}", shown_value(value), [["", "kept", statement]])

    def sequence(self, tag, items, into=None, **kwargs):
        (self.elements if into is None else into).append(Element(tag, "SQ", items, **kwargs))

    def reference(self, into, prefix, sop_class, uid):
        """Referenced SOP Class UID and Referenced SOP Instance UID (0008,1155)."""
        self.keep(0x00081150, "UI", sop_class, 28, into, prefix)
        self.plant(0x00081155, uid, into=into, prefix=prefix)


# Sequences that no table names, from the outside in: what is planted in them must be found at depths 1 to 4.
NESTS = [[0x00540016], [0x52009229, 0x00209071], [0x00081115, 0x00089121, 0x0040A170],
         [0x52009230, 0x00189114, 0x00189542, 0x00409096], [0x00400260, 0x00081115], [0x00540410, 0x00540414, 0x00540412]]
for nest in NESTS:
    for sequence_tag in nest:
        if sequence_tag in ATTRIBUTES:
            raise AssertionError(f"{sequence_tag:08X} is in the table")


def plant_rows(instance, rows, nested_rows, which_nest):
    """A slice of the table at the top level, another one nested."""
    for tag in rows:
        if tag >> 16 not in (0x0000, 0x0002):
            instance.plant(tag, misused=True)
    chain = [tag for tag in NESTS[which_nest % len(NESTS)]]
    if instance.has(chain[0]):
        chain = NESTS[0] if not instance.has(NESTS[0][0]) else NESTS[4]
        if instance.has(chain[0]):
            return
    inner, prefix = [], "".join(f"{tag:08X}[0]/" for tag in chain)
    instance.keep(0x00080070 if chain[-1] != 0x00540016 else 0x00180031, "LO", "Made-up Maker", 46, inner, prefix)
    for tag in nested_rows:
        # Command and file meta groups cannot be told from a file's own inside an item by every reader.
        if tag >> 16 not in (0x0000, 0x0002):
            instance.plant(tag, misused=True, into=inner, prefix=prefix)
    for depth, tag in reversed(list(enumerate(chain))):
        inner = [Element(tag, "SQ", [inner], undefined=(depth + which_nest) % 2 == 0)]
    instance.elements += inner
