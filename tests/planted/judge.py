# SPDX-License-Identifier: Apache-2.0
"""Judges one planted element: what stands in the output at its place, and is that what must stand there?

Each kind gives verdicts (side, ok); the side is "removal" or "retention".
"""
import datetime
import re
import xml.etree.ElementTree

from pydicom.dataset import Dataset

import annex_e
import reading

UID = re.compile(r"^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$")
DATE_TIME = re.compile(r"^(\d{8})(\d{0,6}(?:\.\d{1,6})?)([+-]\d{4})?$")
LEGAL = {
    "TM": re.compile(r"^([01]\d|2[0-3])([0-5]\d([0-5]\d|60)?(\.\d{1,6})?)?$"), "AS": re.compile(r"^\d{3}[DWMY]$"),
    "CS": re.compile(r"^[A-Z0-9_ ]{1,16}$"), "IS": re.compile(r"^ *[+-]?\d{1,12} *$"), "UI": UID,
    "DS": re.compile(r"^ *[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)? *$"), "AE": re.compile(r"^[\x20-\x7e]{1,16}$"),
}
LIMIT = {"LO": 64, "SH": 16, "UI": 64, "ST": 1024, "LT": 10240}
# Which texts an option lets through.
DROPPED = {"retain-institution-identity": {"institution"}, "retain-device-identity": {"device"}, "retain-uids": {"uid"},
           "retain-longitudinal-full-dates": {"date"}}


def calendar(value):
    """The date in front of a DA or DT value, or None."""
    match = DATE_TIME.match(value)
    if not match:
        return None
    try:
        return datetime.datetime.strptime(match[1], "%Y%m%d").date()
    except ValueError:
        return None


def legal(vr, value):
    for one in value.split("\\") if vr not in ("ST", "LT", "UT", "UR") else [value]:
        if len(one) > LIMIT.get(vr, 1 << 30):
            return False
        if vr in ("DA", "DT"):
            if vr == "DA" and len(one) != 8 or calendar(one[:8].ljust(8, "0") if vr == "DA" else one) is None:
                return False
        elif vr in LEGAL and not LEGAL[vr].match(one):
            return False
    return True


class Judge:
    def __init__(self, options):
        self.options = options
        self.dropped = set().union(*(DROPPED.get(option, set()) for option in options)) if options else set()
        self.table = annex_e.attributes()
        self.days = {}      # patient -> [(file, check, days between input and output)]
        self.uids = []      # (input UID, output UID, file, check)

    def chosen(self, condition):
        return all(annex_e.OPTIONS[name] in self.options for name in condition.split("+") if name)

    def expected(self, check):
        for condition, kind, statement in check["expect"]:
            if self.chosen(condition):
                return kind, statement
        raise AssertionError(f"nothing decides {check['p']}")

    def hidden(self, check):
        return [value for what, value in check.get("not", []) if what not in self.dropped]

    def vr(self, check):
        tag = re.findall(r"[0-9A-F]{8}", check["p"])
        row = self.table.get(int(tag[-1], 16)) if tag else None
        return row.vr.split("|")[0] if row else None

    def judge(self, file, check, output):
        """(statement, kind, [(side, ok)])."""
        kind, statement = self.expected(check)
        found = reading.at(output, check["p"])
        item = isinstance(found, Dataset)
        values = [] if found is None else list(reading.strings(found))
        same = found is not None and not item and not reading.is_sequence(found) and same_value(reading.text(found), check["v"])
        empty = found is not None and not item and reading.is_empty(found)
        leaks = any(hidden.casefold() in value.casefold() for hidden in self.hidden(check) for value in values)
        sequence = found is not None and not item and reading.is_sequence(found)
        removal, retention = None, None
        if kind == "removed":
            removal = found is None
        elif kind == "emptied":
            removal = found is not None and (empty or not same and not leaks)
        elif kind == "replaced":
            removal = found is not None and not empty and not same and not leaks and (
                sequence or item or legal(self.vr(check) or "LO", reading.text(found)))
        elif kind in ("gone", "lacks", "lacks-old-uids", "cleaned"):
            removal = not leaks and (kind.startswith("lacks") or not same or empty)
        elif kind == "uid":
            removal = found is not None and not same and legal("UI", reading.text(found)) and not empty
        elif kind == "text":
            removal = not leaks
            seen = " ".join(values).casefold()
            retention = all(re.search(rf"\b{re.escape(word.casefold())}\b", seen) for word in check["must"])
        elif kind == "kept":
            retention = same
        elif kind == "present":
            retention = found is not None and not empty
        elif kind == "time":
            retention = found is not None and LEGAL["TM"].match(reading.text(found)) is not None
        elif kind in ("shifted", "kept-or-shifted"):
            if kind == "kept-or-shifted" and same:
                retention = True
            else:
                removal = not same
                retention = self.shifted(file, check, found, empty)
        elif kind == "starts-with":
            retention = found is not None and reading.text(found).startswith(check["v"] + "\\")
        elif kind == "document":
            removal, retention = self.document(output, found, check)
        elif kind != "any":
            raise AssertionError(f"unknown kind {kind}")
        if self.vr(check) == "UI" and check["v"] and found is not None and not sequence and not item and not empty and kind in ("uid", "gone"):
            self.uids.append((check["v"], reading.text(found), file, check))
        verdicts = [(side, ok) for side, ok in (("removal", removal), ("retention", retention)) if ok is not None]
        return statement, kind, verdicts

    def shifted(self, file, check, found, empty):
        """A legal date of the same precision; whether by the patient's own number of days is asked at the end."""
        if found is None or empty:
            return False
        before, after = calendar(check["v"]), calendar(reading.text(found))
        if before is None or after is None or len(reading.text(found)) != len(check["v"]) or reading.text(found)[8:] != check["v"][8:]:
            return False
        self.days.setdefault(file["patient"], []).append((file, check, (after - before).days))
        return True

    @staticmethod
    def document(output, found, check):
        if found is None or not isinstance(found.value, bytes):
            return True, False
        data = found.value
        leaks = any(value.encode() in data for _, value in check["not"])
        length = reading.element(output, 0x00420015)
        right = length is None or len(data) - 1 <= length.value <= len(data)
        return not leaks, right and len(data) % 2 == 0 and opens(check["v"], data)


def opens(mime, data):
    if mime == "application/pdf":
        return data.startswith(b"%PDF-")
    try:
        xml.etree.ElementTree.fromstring(data.rstrip(b"\0 ").decode("utf-8"))
        return True
    except (xml.etree.ElementTree.ParseError, UnicodeDecodeError):
        return False


def same_value(found, given):
    if given is None:
        return False
    return [part.strip() for part in found.split("\\")] == [part.strip() for part in given.split("\\")]
