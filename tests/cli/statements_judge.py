# SPDX-License-Identifier: Apache-2.0
"""Judges outputs beside their inputs by the statements of Annex E, one set of options at a time.

Everything that can be said of one pair of files is said in one pass; what needs all files is
collected. The tests ask for the verdicts by number.
"""
import collections
import datetime
import os
import re
import struct

import annex_e as e
from support import Inflated, Split

DUMMIES = {"REMOVED", "20000101", "20000101000000", "000000", "030Y", "UNKNOWN", "0", "2.25.0",
           "urn:removed", "COERCE", "O"}
LEVELS = {
    "patient": (0x00100010, 0x00100020, 0x00100030, 0x00100040),
    "study": (0x0020000D, 0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00200010, 0x00081030),
    "series": (0x0020000E, 0x00080060, 0x00200011, 0x0008103E, 0x00080021, 0x00080031, 0x00200052),
}
PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
UID_FORM = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")


def FileMeta(data):
    """Tag -> bytes of the file meta information, and the real length of it."""
    meta, position, found = Split(data)[2], 132, {}
    while position + 8 <= len(meta):
        group, element = struct.unpack_from("<HH", meta, position)
        if meta[position + 4:position + 6] in (b"OB", b"UN"):
            length, start = struct.unpack_from("<I", meta, position + 8)[0], position + 12
        else:
            length, start = struct.unpack_from("<H", meta, position + 6)[0], position + 8
        found[group << 16 | element] = meta[start:start + length]
        position = start + length
    return found, len(meta)


def Norm(uid):
    """Without padding, and without what hides behind a NUL."""
    return uid.strip("\0 ").split("\0")[0]


class Judge:
    def __init__(self, tables, plus, options):
        self.tables, self.plus, self.options = tables, plus, set(options)
        self.failures = collections.defaultdict(list)
        self.counts = collections.Counter()
        self.uids = {}                                   # old -> new
        self.instance_uids = set()                       # of inputs
        self.kept_uids = set()                           # those that an option keeps
        self.groups = collections.defaultdict(lambda: collections.defaultdict(set))
        self.offsets = collections.defaultdict(set)
        self.texts = {}                                  # output's name -> UID-like texts in it
        self.references = []
        self.ids = {}

    def Say(self, number, holds, what=""):
        self.counts[number] += 1
        if not holds:
            self.failures[number].append(what)

    def Has(self, *options):
        return any(option in self.options for option in options)

    # ---- One pair ------------------------------------------------------------------------------

    def Pair(self, source, target, name):
        self.name = name
        before, after = e.Read(source), e.Read(target)
        data, raw_before = target.read_bytes(), source.read_bytes()
        self.sop_class = e.TextAt(before, 0x00080016)
        self.Container(before, after, data, raw_before)
        self.Markers(before, after)
        # Who has no ID is known by the study.
        self.patient = (e.TextAt(before, 0x00100020), e.TextAt(before, 0x00100021))
        if not self.patient[0]:
            self.patient = ("", e.TextAt(before, 0x0020000D))
        self.Items(before, after, None, ())
        self.Everywhere(before, after)
        self.Uids(before, after)
        self.Image(before, after, data, raw_before)
        self.Document(before, after)
        self.Protected(before, after)
        self.Together(before, after)
        body = data
        for tag in PIXELS:
            if tag in after:
                body = body.replace(bytes(after[tag].value or b""), b"")
        self.texts[name] = set(re.findall(rb"[0-9.]{10,64}", os.fsencode(str(target)) + Inflated(body)))

    def Where(self, path, tag=None):
        steps = [f"{t:08X}[{i}]" for t, i in path] + ([f"{tag:08X}"] if tag is not None else [])
        return f"{self.name} {'/'.join(steps)}"

    def Container(self, before, after, data, raw_before):
        meta, end = FileMeta(data)
        self.Say(7, data[:128] == bytes(128), self.name + " preamble")
        forbidden = {0x00020016, 0x00020017, 0x00020018, 0x00020026, 0x00020027, 0x00020028,
                     0x00020100, 0x00020102}
        self.Say(7, not forbidden & set(meta), self.name + " file meta")
        self.Say(7, b"DCMVEIL" in meta[0x00020013].upper(), self.name + " version name")
        old = str(before.file_meta.get("ImplementationClassUID", "")) if hasattr(before, "file_meta") else ""
        self.Say(7, Norm(meta[0x00020012].decode()) != old or b"DCMVEIL" in raw_before[:1000].upper(),
                 self.name + " implementation")
        self.Say(7, struct.unpack("<I", meta[0x00020000])[0] == end - 144, self.name + " length")
        self.Say(8, Norm(meta[0x00020003].decode()) == e.TextAt(after, 0x00080018) and
                 Norm(meta[0x00020002].decode()) == e.TextAt(after, 0x00080016), self.name)
        self.Say(9, e.TextAt(after, 0x00080016) != "1.2.840.10008.1.3.10", self.name + " DICOMDIR")
        for path, item in e.Walk(after):
            tags = e.Tags(item)
            self.Say(9, not any(t >> 16 in (0, 4) for t in tags), self.Where(path))
            self.Say(10, tags == sorted(tags) and 0xFFFCFFFC not in tags and
                     not any(t & 0xFFFF == 0 for t in tags), self.Where(path))
            self.Say(10, not any(getattr(item.get_item(t), "length", 0) not in (None, 0xFFFFFFFF) and
                                 getattr(item.get_item(t), "length", 0) % 2 for t in tags),
                     self.Where(path) + " odd length")

    def Markers(self, before, after):
        self.Say(1, e.TextAt(after, 0x00120062) == "YES", self.name)

        def codes(data_set):
            element = e.Get(data_set, 0x00120064)
            if element is None or not e.IsSequence(element):
                return []
            return [tuple(e.TextAt(i, t) for t in (e.CODE_VALUE, e.CODE_SCHEME, e.CODE_MEANING))
                    for i in element.value]
        old, new = codes(before), codes(after)
        own = [(code, "DCM", meaning) for option, (code, meaning) in self.tables.methods.items()
               if option == "basic" or option in self.options]
        self.Say(2, len(new) == len(set(new)) or len(old) != len(set(old)), self.name + " twice")
        self.Say(2, {c[0] for c in new} == {c[0] for c in own} | {c[0] for c in old}, self.name)
        self.Say(2, all(c in new for c in own if c[0] not in {o[0] for o in old}), self.name)
        self.Say(3, [c[0] for c in new[:len(old)]] == [c[0] for c in old], self.name + " codes")
        methods = [e.TextAt(d, 0x00120063).split("\\") for d in (before, after)]
        earlier = [m for m in methods[0] if m and len(m) <= 64]
        self.Say(3, methods[1][:len(earlier)] == earlier, self.name + " method")
        self.Say(2, any(methods[1]), self.name + " method text")
        self.Say(4, all(len(m) <= 64 for m in methods[1]), self.name)
        expected = ("UNMODIFIED" if e.FULL in self.options else
                    "MODIFIED" if e.MODIFIED in self.options else "REMOVED")
        self.Say(5, e.TextAt(after, 0x00280303) == expected, self.name)
        for tag in (0x00280301, 0x00280302):
            self.Say(6, e.TextAt(before, tag) == e.TextAt(after, tag), self.name)

    # ---- The table -----------------------------------------------------------------------------

    def Items(self, before, after, parent, path, content=False):
        """Two data sets or items that belong together, element by element."""
        created = set(e.Tags(after)) - set(e.Tags(before))
        self.Say(14, not created - (e.MARKERS if not path else set()),
                 self.Where(path) + " " + " ".join(f"{t:08X}" for t in created))
        concept = e.Concept(before) if self.Has("clean-structured-content") and path else None
        for tag in e.Tags(before):
            if e.IsPrivate(tag):
                self.PrivateElement(before, after, tag, path)
                continue
            if tag & 0xFFFF == 0 or tag >> 16 in (0, 2, 4) or tag == 0xFFFCFFFC:
                continue
            old = e.Get(before, tag)
            new = e.Get(after, tag)
            if concept is not None and tag in e.CONTENT_VALUES:
                self.ContentValue(concept, old, new, self.Where(path, tag))
                continue
            row = self.tables.basic.get(tag)
            if row is not None and tag not in e.MARKERS:
                self.Table(row, tag, old, new, parent, self.Where(path, tag))
            self.Descend(tag, old, new, path)

    def Descend(self, tag, old, new, path):
        if new is None or not hasattr(new, "VR") or not e.IsSequence(new) or not e.IsSequence(old):
            return
        items = list(old.value)
        if self.Has("clean-structured-content"):
            items = [i for i in items if not self.Drops(e.Concept(i))]
        if tag == 0x00120064 or self.Replaced(tag):
            return
        row = self.tables.basic.get(tag)
        option = e.Effective(self.options, row.options)[0] if row is not None else None
        if row is not None and option is None and row.code != "K" and not new.value:
            return
        self.Say(44, len(items) == len(new.value), self.Where(path, tag) + " items")
        for index, (one, other) in enumerate(zip(items, new.value)):
            self.Items(one, other, tag, path + ((tag, index),))

    def Replaced(self, tag):
        row = self.tables.basic.get(tag)
        if row is None:
            return False
        option, _ = e.Effective(self.options, row.options)
        return option is None and "D" in row.code.split("/") and tag != 0x00081111

    def Content(self, concept):
        entry = self.tables.content.get(concept) if concept else None
        return (None, None, None) if entry is None else (entry[0], *e.Effective(self.options, entry[1]))

    def Drops(self, concept):
        action, option, _ = self.Content(concept)
        return action == "X" and option is None

    def ContentValue(self, concept, old, new, where):
        action, option, code = self.Content(concept)
        if action is None:
            if concept[2] in ("PNAME", "DATE", "TIME", "DATETIME", "UIDREF"):
                self.ByValueType(concept[2], old, new, where)
            return
        if e.IsSequence(old):
            self.Say(41, new is not None, where + " reference lost")
        elif code == "K":
            self.kept_uids.add(e.Text(old))
            self.Say(41, new is not None and e.Text(new) == e.Text(old), where + " K")
        elif not e.IsEmpty(old) and e.Text(old) not in DUMMIES:
            if option == e.MODIFIED and concept[2] == "TIME":
                self.Say(41, e.Text(new) == e.Text(old), where + " time")
            elif option is not None and option != e.MODIFIED:
                self.Say(41, self.CleanedFrom(e.Text(old), e.Text(new)), where + " C")
            else:
                self.Say(41, new is not None and e.Text(new) not in ("", e.Text(old)), where + " D")

    def ByValueType(self, kind, old, new, where):
        if e.IsEmpty(old):
            return
        if kind in ("DATE", "DATETIME", "TIME") and self.Has(e.FULL):
            return
        if kind == "TIME" and self.Has(e.MODIFIED):
            return
        if kind == "UIDREF" and e.Text(old).startswith("1.2.840.10008."):
            return
        changed = new is not None and e.Text(new) != e.Text(old) or e.Text(old) in DUMMIES
        self.Say(41, changed, where + " " + kind)

    @staticmethod
    def CleanedFrom(old, new):
        """Whether nothing but words of the old text is left."""
        words = re.findall(r"[^\W_]+", old)
        return all(word in words or word in DUMMIES for word in re.findall(r"[^\W_]+", new))

    def Table(self, row, tag, old, new, parent, where):
        option, code = e.Effective(self.options, row.options)
        if option is not None and self.ByOption(row, tag, option, code, old, new, where):
            return
        codes = row.code.split("/")
        if len(codes) > 1:
            self.Compound(codes, tag, old, new, parent, where)
        elif codes[0] == "X":
            required = self.tables.Required(tag, parent, self.sop_class)
            gone = new is None or required and self.Dummy(old, new)
            number = 19 if tag in (0x00880200, 0x04000561, 0xFFFAFFFA, 0x00101100) else 11
            self.Say(number, gone, where)
            self.Say(11, gone, where)
        elif codes[0] == "Z":
            self.Say(12, new is not None and (e.IsEmpty(new) or self.Dummy(old, new)), where)
        elif codes[0] == "D":
            if tag == 0x0040A730:
                self.Tree(old, new, where)
            self.Say(13, new is not None and not e.IsEmpty(new) and
                     (self.Dummy(old, new) or tag == 0x00081111), where)
        # U is judged over all files.

    @staticmethod
    def Dummy(old, new):
        if e.IsSequence(new):
            return True
        return e.Text(new) != e.Text(old) or e.Text(new) in DUMMIES or e.IsEmpty(old) or (
            isinstance(new.value, bytes) and not new.value.strip(b"\0"))

    def Compound(self, codes, tag, old, new, parent, where):
        kind = self.tables.TypeOf(tag, parent, self.sop_class)
        if kind is None:                 # unknown IOD: the strongest alternative
            kind = {"D": 1, "Z": 2, "U*": 2}[codes[-1]]
            # No place in items that the tables do not name is known to want an empty sequence.
            if parent is not None and codes[-1] == "Z" and e.Vr(tag) == "SQ":
                kind = 3
        if tag == 0x00100020:
            must = kind == 1 or not e.IsEmpty(old)
            self.Say(16 if parent else 15, new is not None and self.Dummy(old, new) and
                     not (must and e.IsEmpty(new)), where)
            return
        if kind == 3 and "X" in codes:
            self.Say(15, new is None, where + " type 3")
        elif kind == 1:
            self.Say(15, new is not None and (not e.IsEmpty(new) or e.IsSequence(old) and e.IsEmpty(old))
                     and ("U*" in codes or self.Dummy(old, new)), where + " type 1")
        else:
            self.Say(15, new is not None and (e.IsEmpty(new) or "U*" in codes or self.Dummy(old, new)),
                     where + " type 2")

    OPTION_STATEMENT = {
        "retain-longitudinal-full-dates": 32, "retain-longitudinal-modified-dates": 33,
        "retain-patient-characteristics": 35, "retain-device-identity": 36,
        "retain-institution-identity": 37, "retain-uids": 30, "clean-descriptors": 40,
        "clean-structured-content": 41, "clean-graphics": 42}

    def ByOption(self, row, tag, option, code, old, new, where):
        """Judges what an option says; False where its code cannot be carried out on the VR."""
        number = self.OPTION_STATEMENT[option]
        if row.vrs == {"SQ"}:
            self.Say(44 if code == "K" else number, new is not None, where + " sequence lost")
            return True
        if code == "K":
            same = new is not None and e.Text(new) == e.Text(old).split("\0")[0]
            # Free characteristics lose identifiers.
            if option == "retain-patient-characteristics" and row.vrs & {"LO", "LT", "SH", "ST", "UT", "UR"}:
                same = new is not None and self.CleanedFrom(e.Text(old), e.Text(new))
            self.Say(number, same, where)
            return True
        if option == e.MODIFIED:
            if row.vrs <= {"DA", "DT"}:
                self.Shifted(old, new, where)
                return True
            if row.vrs <= {"TM"}:
                same = new is not None and e.Text(new).split("\\") == e.Text(old).split("\\")
                self.Say(33, same, where + " time")
                self.Say(34, same, where + " time")
                return True
            # Time zones, and time stamps in bytes: never as they were.
            return False
        if option == "retain-device-identity":
            self.Say(36, new is not None and (e.IsEmpty(old) or e.Text(new) != e.Text(old)), where)
            return True
        if not row.vrs & {"LO", "LT", "SH", "ST", "UC", "UT"}:
            return False
        self.Say(number, new is not None and self.CleanedFrom(e.Text(old), e.Text(new)), where)
        return True

    def Shifted(self, old, new, where):
        if new is None:
            self.Say(33, False, where + " lost")
            return
        for one, other in zip(e.Text(old).split("\\"), e.Text(new).split("\\")):
            days = []
            for text in (one, other):
                try:
                    if not re.fullmatch(r"[0-9]{8}([0-9.+-].*)?", text):
                        raise ValueError
                    days.append(datetime.date(int(text[:4]), int(text[4:6]), int(text[6:8])))
                except ValueError:
                    days.append(None)
            if days[0] is None:          # impossible or partial: must not stay as it was
                self.Say(33, one == "" or other != one or len(one) < 8, where + " odd date")
                continue
            if days[1] is None:
                self.Say(33, other in ("", "20000101"), where + " no date")
                continue
            if one[8:9] == "-":          # a range, of queries
                continue
            self.Say(33, one[8:] == other[8:], where + " precision")
            self.Say(34, one[8:] == other[8:], where + " precision")
            # Who has neither ID nor study cannot be found again in another file.
            if days[0].year > 1900 and any(self.patient):
                self.offsets[self.patient].add((days[1] - days[0]).days)

    def Tree(self, old, new, where):
        if new is None or not hasattr(new, "VR") or not e.IsSequence(new) or not e.IsSequence(old):
            self.Say(20, False, where)
            return
        self.Say(20, bool(len(new.value)) == bool(len(old.value)), where + " items")
        kinds = {"PN", "UI", "DA", "DT", "TM", "UT"}
        def texts(sequence):
            return {e.Text(el) for item in sequence.value for _, _, tag, el in e.Elements(item)
                    if el is not None and e.Vr(tag) in kinds and not e.Text(el).startswith("1.2.840.10008")}
        shared = (texts(old) & texts(new)) - DUMMIES - {""}
        self.Say(20, not shared, where + " shared")

    # ---- Anywhere in the output ------------------------------------------------------------------

    def Everywhere(self, before, after):
        safe = self.Has("retain-safe-private")
        for path, item in e.Walk(after):
            for tag in e.Tags(item):
                group = tag >> 16
                if e.IsPrivate(tag):
                    self.Say(17, safe, self.Where(path, tag))
                    if safe:
                        self.PrivateLeft(before, item, tag, path)
                elif 0x5000 <= group <= 0x501E:
                    self.Say(18, False, self.Where(path, tag))
                elif 0x6000 <= group <= 0x601E:
                    self.Say(18, self.Has("clean-graphics"), self.Where(path, tag))
                    if tag & 0xFFFF == 0x3000:
                        self.Say(42, not bytes(item[tag].value).strip(b"\0"), self.Where(path, tag))
        self.Say(17, True)
        self.Say(18, True)
        for path, item, tag, element in e.Elements(before):
            raw = item.get_item(tag)
            if not e.IsPrivate(tag) and getattr(raw, "VR", None) not in (None, e.Vr(tag)) and \
                    tag in self.tables.basic and not path:
                self.counts[22] += 1
                if getattr(raw, "VR", None) == "UN" and tag in after:
                    self.Say(22, e.Get(after, tag).VR != "UN" or e.IsEmpty(e.Get(after, tag)),
                             self.Where(path, tag))

    def PrivateElement(self, before, after, tag, path):
        """A private element of the input that is in the standard's list, in a block of its own."""
        if not self.Has("retain-safe-private") or path or (tag & 0xFFFF) < 0x1000:
            return
        creator = e.Creator(before, tag)
        if (tag >> 16, creator, tag & 0xFF) in self.tables.safe and not \
                {0x00080300} & set(e.Tags(before)):
            old, new = before.get_item(tag), e.Get(after, tag)
            self.Say(38, new is not None and (e.IsSequence(e.Get(before, tag)) or
                     e.Text(new) == e.TextAt(before, tag)), self.Where(path, tag) + " lost")

    def PrivateLeft(self, before, item, tag, path):
        if tag & 0xFFFF < 0x1000:
            used = any(t >> 16 == tag >> 16 and (t & 0xFFFF) >> 8 == tag & 0xFF for t in e.Tags(item))
            self.Say(38, used, self.Where(path, tag) + " creator without elements")
            return
        creator = e.Creator(item, tag)
        listed = (tag >> 16, creator, tag & 0xFF) in self.tables.safe
        sequence = e.IsSequence(e.Get(item, tag))
        self.Say(38, bool(creator), self.Where(path, tag) + " no creator")
        declared = self.Declared(before, tag >> 16, creator, tag & 0xFF)
        if declared is not None:
            self.Say(39, True)
        self.Say(38, listed or sequence or declared is not None, self.Where(path, tag))

    @staticmethod
    def Declared(before, group, creator, low):
        """What (0008,0300) says of a private element; None: nothing."""
        sequence = e.Get(before, 0x00080300)
        for item in sequence.value if sequence is not None and e.IsSequence(sequence) else ():
            if e.TextAt(item, 0x00080301) == str(group) and e.TextAt(item, 0x00080302).strip() == creator:
                if e.TextAt(item, 0x00080303) == "SAFE":
                    return "K"
                if str(low) in e.TextAt(item, 0x00080304).split("\\"):
                    return "K"
                for action in (item.get(0x00080305).value if 0x00080305 in item else ()):
                    return e.TextAt(action, 0x00080307)
        return None

    # ---- UIDs ------------------------------------------------------------------------------------

    def Uids(self, before, after):
        for path, item, tag, element in e.Elements(before):
            if element is None or e.Vr(tag) != "UI" or e.IsPrivate(tag) or tag == 0x006A0003:
                continue
            values = [Norm(v) for v in e.Text(element).split("\\")]
            if tag in e.STRUCTURAL:
                continue
            if self.IsKept(tag):
                self.kept_uids |= set(values)
            for value in values:
                if UID_FORM.fullmatch(value) and not value.startswith("1.2.840.10008.") and len(value) > 8:
                    self.instance_uids.add(value)
        for uid in [e.TextAt(before, 0x00080018)]:
            self.references.append(uid)
        self.PairUids(before, after)
        for path, item, tag, element in e.Elements(after):
            if element is None or e.Vr(tag) != "UI" or e.IsPrivate(tag):
                continue
            for value in e.Text(element).split("\\"):
                if value:
                    valid = len(value) <= 64 and UID_FORM.fullmatch(value)
                    self.Say(29, valid or self.Has("retain-uids") or tag in e.STRUCTURAL, self.Where(path, tag))
            if not e.IsEmpty(element) and tag in e.STRUCTURAL:
                self.Say(28, True)

    def PairUids(self, before, after, path=()):
        """Maps old to new in places that both have."""
        for tag in e.Tags(before):
            if tag not in after or e.IsPrivate(tag) or tag >> 16 == 2:
                continue
            old, new = e.Get(before, tag), e.Get(after, tag)
            if e.IsSequence(old) and e.IsSequence(new) and len(old.value) == len(new.value) and \
                    not self.Replaced(tag):
                for index, (one, other) in enumerate(zip(old.value, new.value)):
                    self.PairUids(one, other, path + ((tag, index),))
            elif e.Vr(tag) == "UI" and not e.IsSequence(old) and tag != 0x006A0003:
                olds, news = e.Text(old).split("\\"), e.Text(new).split("\\")
                self.Say(29, len(olds) == len(news), self.Where(path, tag) + " count")
                for one, other in zip(map(Norm, olds), news):
                    self.Uid(tag, one, other, self.Where(path, tag))

    def IsKept(self, tag):
        """Whether an option keeps the attribute, by E.1-1 or by what basic+ adds."""
        row = self.tables.basic.get(tag) or (self.tables.plus.get(tag) if self.plus else None)
        return row is not None and e.Effective(self.options, row.options)[1] == "K"

    def Uid(self, tag, old, new, where):
        if tag in e.STRUCTURAL or old.startswith("1.2.840.10008.") and len(old) < 40:
            self.Say(28, old == new or not UID_FORM.fullmatch(old), where)
            return
        if not UID_FORM.fullmatch(old):
            return
        new = new.split("\0")[0]
        if self.Has("retain-uids"):
            if self.IsKept(tag):
                self.Say(30, old == new, where)
            elif tag in (0x0040A124, 0x04000100):
                self.Say(30, old != new, where)
            return
        if self.IsKept(tag):
            return
        self.Say(26, self.uids.setdefault(old, new) == new, where)

    # ---- Pixels and documents --------------------------------------------------------------------

    def Image(self, before, after, data, raw_before):
        self.Say(46, e.TextAt(before, 0x00080016).strip() == e.TextAt(after, 0x00080016).strip(), self.name)
        for tag in e.Tags(before):
            if tag >> 16 == 0x0028 and tag not in self.tables.basic and tag not in e.MARKERS and \
                    tag not in (0x00281199, 0x00281056, 0x00283003, 0x00281055, 0x00280304, 0x00280000):
                old, new = e.Get(before, tag), e.Get(after, tag)
                if e.IsSequence(old) or e.Vr(tag) in ("UI", "LO", "SH", "LT", "UT", "ST", "UN", "UR"):
                    continue
                self.Say(46, new is not None and e.Text(new) == e.Text(old), self.Where((), tag))
        for tag in PIXELS:
            if tag not in before:
                continue
            self.Say(46, tag in after, self.Where((), tag))
            if tag in after:
                old, new = bytes(e.Raw(before, tag) or b""), bytes(e.Raw(after, tag) or b"")
                overlay = any(t >> 24 == 0x60 and t & 0xFFFF == 0x0102 for t in e.Tags(before))
                old, new = old.rstrip(b"\0"), new.rstrip(b"\0")  # padding
                self.Say(46, old == new or overlay and len(old) == len(new), self.Where((), tag) + " bytes")
                if overlay and 0x60003000 not in before:
                    self.UnusedBits(after, new)

    def UnusedBits(self, after, pixels):
        if e.TextAt(after, 0x00280100) != "16":
            return
        stored, high = int(e.TextAt(after, 0x00280101)), int(e.TextAt(after, 0x00280102))
        mask = ~(((1 << stored) - 1) << (high + 1 - stored)) & 0xFFFF
        self.Say(18, not any(v & mask for v in struct.unpack(f"<{len(pixels) // 2}H", pixels)),
                 self.name + " unused bits")

    def Document(self, before, after):
        if 0x00420011 not in before:
            return
        old, new = bytes(before[0x00420011].value or b""), bytes(after[0x00420011].value or b"")
        kind = e.TextAt(after, 0x00420012)
        self.Say(21, old.rstrip(b"\0") != new.rstrip(b"\0") and new and len(new) % 2 == 0, self.name)
        starts = {"application/pdf": b"%PDF-", "text/XML": b"<?xml"}
        self.Say(21, new.startswith(starts.get(kind, b"")), self.name + " type")
        if 0x00420015 in before:
            self.Say(21, int(after[0x00420015].value) in (len(new), len(new.rstrip(b"\0"))), self.name + " length")

    # ---- Values that must not stand anywhere -------------------------------------------------------

    def Protected(self, before, after):
        """Strings of protected attributes: names, IDs, dates with digits, in no other place."""
        values = {}
        for path, item, tag, element in e.Elements(before):
            row = self.tables.basic.get(tag)
            if row is None or element is None or e.IsSequence(element):
                continue
            option, code = e.Effective(self.options, row.options)
            if option is not None and code == "K" or option == e.MODIFIED and row.vrs <= {"TM"}:
                continue
            vr = e.Vr(tag)
            if vr not in ("PN", "LO", "SH", "DA", "DT", "ST", "LT", "UT", "AE"):
                continue
            for value in e.Text(element).split("\\"):
                value = value.strip()
                # What is only a word or a short number is said elsewhere in another sense.
                telling = vr == "PN" and len(value) >= 5 and "^" in value or len(value) >= 6 and sum(
                    c.isdigit() for c in value) >= 4
                if telling and value not in DUMMIES and not set(value) <= set("0.:"):
                    values[value] = tag
        if not values:
            return
        for path, item, tag, element in e.Elements(after):
            if element is None or e.IsSequence(element) or tag in PIXELS:
                continue
            if e.Vr(tag) in ("DS", "IS", "TM", "OW", "OB", "UI") or e.IsPrivate(tag):
                continue
            row = self.tables.basic.get(tag)
            option, code = e.Effective(self.options, row.options) if row else (None, None)
            if code == "K" or option == e.MODIFIED:
                continue
            if row is None and not self.plus and tag in self.tables.plus:
                continue
            text = e.Text(element)
            found = [t for v, t in values.items() if v in text and t != tag]
            number = 40 if option == "clean-descriptors" else 24
            if number == 40:    # one descriptor may say what another says: both are cleaned
                found = [t for t in found if not self.IsDescriptor(t)]
            self.Say(number, not found, self.Where(path, tag) + " has " + " ".join(f"{t:08X}" for t in found))
            if tag == e.CODE_MEANING:
                self.Say(23, not found, self.Where(path, tag))

    def IsDescriptor(self, tag):
        return e.Effective(self.options, self.tables.basic[tag].options)[0] == "clean-descriptors"

    # ---- Over all files ----------------------------------------------------------------------------

    def Together(self, before, after):
        # An input that gives one study to two patients is none of the engine's making.
        keys = {"patient": self.patient, "study": (e.TextAt(before, 0x0020000D), self.patient),
                "series": (e.TextAt(before, 0x0020000E), self.patient)}
        for level, tags in LEVELS.items():
            if not any(keys[level]):
                continue
            for tag in tags:
                group = self.groups[level, keys[level], tag]
                group["before"].add(e.TextAt(before, tag) if tag in before else None)
                group["after"].add(e.TextAt(after, tag) if tag in after else None)
        if self.patient[0]:
            self.Say(31, self.ids.setdefault(e.TextAt(after, 0x00100020), self.patient) == self.patient,
                     self.name + " two patients are one")

    def Finish(self):
        for (level, key, tag), group in self.groups.items():
            if len(group["before"]) == 1:
                self.Say(31, len(group["after"]) == 1, f"{level} {tag:08X}")
        new = collections.Counter(self.uids.values())
        self.Say(26, not [u for u, n in new.items() if n > 1], "two UIDs became one")
        for old in self.references:
            if not UID_FORM.fullmatch(old):
                continue    # what is no UID gets one, which UID_FORM finds nowhere in the input
            if not self.Has("retain-uids") and not old.startswith("1.2.840.10008."):
                self.Say(27, old in self.uids, "an instance without a new UID")
        if not self.Has("retain-uids"):
            old = {uid.encode() for uid in self.instance_uids - self.kept_uids if len(uid) >= 10}
            for name, texts in self.texts.items():
                self.Say(25, not old & {text.strip(b".") for text in texts}, name)
        for patient, offsets in self.offsets.items():
            self.Say(33, len(offsets) <= 1, f"{len(offsets)} offsets for one patient")
            self.Say(33, 0 not in offsets, "an offset of nothing")
