# SPDX-License-Identifier: Apache-2.0
"""What the statements of PS3.15 Annex E need: the tables as facts, data sets as pydicom has them.

The tables are rules/profiles/*.csv. How a code is to be carried out is worked out here once more,
without the engine's code.
"""
import csv
import warnings

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.datadict import dictionary_VR
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from support import SOURCE

warnings.simplefilter("ignore")
PROFILES = SOURCE / "rules" / "profiles"
MODIFIED, FULL = "retain-longitudinal-modified-dates", "retain-longitudinal-full-dates"
RETIRED_SCHEMES = ("SRT", "SNM3", "99SDM")
MARKERS = {0x00120062, 0x00120063, 0x00120064, 0x00280303}
CODE_VALUE, CODE_SCHEME, CODE_MEANING = 0x00080100, 0x00080102, 0x00080104
CONTENT_VALUES = {0x0040A120, 0x0040A121, 0x0040A122, 0x0040A123, 0x0040A124, 0x0040A160,
                  0x0040A168, 0x0040A300, 0x00081199}
# UIDs that say what something is, not which one (PS3.6 and PS3.3).
STRUCTURAL = {0x00080016, 0x0008001A, 0x0008001B, 0x00081150, 0x0008115A, 0x0008010C, 0x0008010D,
              0x00080117, 0x00080118, 0x00020002, 0x00020010, 0x00020012, 0x00041510, 0x00041512}


def Rows(name):
    with open(PROFILES / name, encoding="utf-8", newline="") as file:
        lines = [line.rstrip("\n") for line in file if not line.startswith("#")]
    columns = lines[0].split(",")
    return [dict(zip(columns, line.split(",", len(columns) - 1))) for line in lines[1:]]


def OptionCodes(text):
    return dict(part.split("=") for part in text.split())


class Row:
    def __init__(self, row):
        self.keyword, self.vrs = row["keyword"], set(row["vr"].split())
        self.code, self.options = row["code"], OptionCodes(row["options"])


class Tables:
    def __init__(self):
        self.basic = {int(r["tag"], 16): Row(r) for r in Rows("basic.csv")
                      if r["tag"] != "odd" and "x" not in r["tag"]}
        self.plus = {int(r["tag"], 16): Row(r) for r in Rows("plus.csv") if "x" not in r["tag"]}
        self.methods = {r["option"]: (r["code"], r["meaning"]) for r in Rows("method-codes.csv")}
        self.safe = {(int(r["group"], 16), r["creator"], int(r["element"], 16)): r["vr"]
                     for r in Rows("safe-private.csv")}
        iods = {r["id"]: r["sop_classes"].split() for r in Rows("iods.csv")}
        self.known = {uid for uids in iods.values() for uid in uids}
        self.types, self.conflicts = self._Types("iod-types.csv", iods), self._Types(
            "type-conflicts.csv", iods)
        retired = {r["code"]: r["retired"] for r in Rows("retired-codes.csv")}
        self.content = {}
        for r in Rows("sr-content.csv"):
            entry = (r["action"], OptionCodes(r["options"]))
            self.content[r["code"], r["scheme"], r["value_type"]] = entry
            if r["scheme"] == "SCT":
                for scheme in RETIRED_SCHEMES:
                    self.content[retired[r["code"]], scheme, r["value_type"]] = entry

    @staticmethod
    def _Types(name, iods):
        types = {}
        for r in Rows(name):
            place = (int(r["tag"], 16), int(r["parent"], 16) if r["parent"] else None)
            classes = {uid for iod in r["iods"].split() for uid in iods[iod]}
            types.setdefault(place, []).append((int(r["type"]), classes))
        return types

    def TypeOf(self, tag, parent, sop_class):
        """1, 2, 3 or None where the IOD or the place is not known."""
        if parent is None and sop_class not in self.known:
            return None
        default = None
        for kind, classes in self.types.get((tag, parent), ()):
            if sop_class in classes:
                return kind
            if not classes:
                default = kind
        return default

    def Required(self, tag, parent, sop_class):
        """Whether an IOD needs what the table removes, so that a dummy may stay (E.1.1 item 2)."""
        return any(not classes or sop_class in classes
                   for place in ((tag, parent), (tag, None))
                   for _, classes in self.conflicts.get(place, ()))


def Effective(options, codes):
    """(option, code) that speaks; dates of devices follow the dates, as is the default."""
    speaking = {o: c for o, c in codes.items() if o in options}
    if speaking.get(MODIFIED) == "C":
        return MODIFIED, "C"
    for wanted in "KC":
        for option, code in speaking.items():
            if code == wanted:
                return option, code
    return None, None


# ---- Data sets ---------------------------------------------------------------------------------


def Read(path):
    return pydicom.dcmread(path, force=True)


def Get(data_set, tag):
    """The element decoded, or raw where its value is too odd to be decoded; None where absent."""
    if tag not in data_set:
        return None
    try:
        element = data_set[tag]
        Text(element)
        return element
    except Exception:  # pydicom raises whatever its converters raise
        return data_set.get_item(tag)


def IsSequence(element):
    return isinstance(element.value, Sequence)


def Text(element):
    """All values as one text; of a sequence its number of items."""
    value = element.value
    if value is None:
        return ""
    if isinstance(value, Sequence):
        return str(len(value))
    if isinstance(value, bytes):
        return value.decode("latin-1").rstrip("\0 ")
    if isinstance(value, (MultiValue, list)):
        return "\\".join(str(v) for v in value)
    return str(value).strip("\0 ")


def TextAt(data_set, tag):
    element = Get(data_set, tag)
    return "" if element is None else Text(element)


def Raw(data_set, tag):
    """Bytes where the element was not decoded yet, else what pydicom made of them."""
    element = data_set.get_item(tag)
    return element.value


def IsEmpty(element):
    return len(element.value) == 0 if IsSequence(element) else Text(element) == ""


def Tags(data_set):
    return [int(tag) for tag in data_set.keys()]


def Walk(data_set, path=()):
    """(path, data set or item), parents first."""
    yield path, data_set
    for tag in Tags(data_set):
        element = Get(data_set, tag)
        if element is not None and not isinstance(element, RawDataElement) and IsSequence(element):
            for index, item in enumerate(element.value):
                yield from Walk(item, path + ((tag, index),))


def Elements(data_set):
    for path, item in Walk(data_set):
        for tag in Tags(item):
            yield path, item, tag, Get(item, tag)


def Creator(item, tag):
    block = (tag & 0xFFFF0000) | ((tag >> 8) & 0xFF)
    return TextAt(item, block).strip() if 0x10 <= (tag >> 8) & 0xFF else ""


def IsPrivate(tag):
    return (tag >> 16) % 2 == 1


def Vr(tag):
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def Concept(item):
    """(code, scheme, value type) of a content item; None for other items."""
    value_type = TextAt(item, 0x0040A040)
    name = Get(item, 0x0040A043)
    if not value_type or name is None or not IsSequence(name) or not name.value:
        return None
    code = name.value[0]
    return TextAt(code, CODE_VALUE).strip(), TextAt(code, CODE_SCHEME).strip(), value_type.strip()
