# SPDX-License-Identifier: Apache-2.0
"""What must hold for each output as a whole, and for all of them together; numbers as in README.md."""
import collections
import hashlib
import re
import subprocess

from pydicom.dataelem import RawDataElement
from pydicom.encaps import generate_pixel_data_fragment

import annex_e
import reading
from judge import UID

MARKERS = {0x00120062, 0x00120063, 0x00120064, 0x00280301, 0x00280302, 0x00280303, 0x00120052, 0x00120053, 0x0018A001,
           0x00080005}
PATIENT_LEVEL = [0x00100010, 0x00100020, 0x00100030, 0x00100040]
STUDY_LEVEL = [0x0020000D, 0x00080020, 0x00080030, 0x00080050, 0x00200010, 0x00081030, 0x00080090]
SERIES_LEVEL = [0x0020000E, 0x00080060, 0x0008103E]
TABLE = annex_e.attributes()
ENCAPSULATED = re.compile(r"^1\.2\.840\.10008\.1\.2\.(4|5)")


def number_of(data_set, tag):
    found = reading.element(data_set, tag)
    return None if found is None else reading.text(found)


def codes(data_set):
    found = reading.element(data_set, 0x00120064)
    if found is None or not reading.is_sequence(found):
        return []
    return [(number_of(item, 0x00080100), number_of(item, 0x00080102)) for item in found.value]


def markers(before, after, options):
    yield 1, number_of(after, 0x00120062) == "YES"
    text, found = number_of(after, 0x00120063) or "", codes(after)
    yield 2, bool(text or found)
    if found:
        expected = {"113100"} | {annex_e.METHOD_CODES[option] for option in options}
        earlier = {code for code, _ in codes(before)}
        yield 2, expected <= {code for code, scheme in found if scheme == "DCM"} <= expected | earlier
    if codes(before):
        yield 3, found[:len(codes(before))] == codes(before)
    yield 4, all(len(value) <= 64 for value in text.split("\\"))
    modified = "MODIFIED" if "retain-longitudinal-modified-dates" in options else "REMOVED"
    if "retain-longitudinal-full-dates" in options:
        modified = "UNMODIFIED"
    yield 5, number_of(after, 0x00280303) == modified
    for tag, option in ((0x00280301, "clean-pixel-data"), (0x00280302, "clean-recognizable-visual-features")):
        yield 6, number_of(after, tag) == ("NO" if option in options else number_of(before, tag))


def container(file, before, after, data_before, data):
    preamble = data_before[:128].rstrip(b"\0")
    yield 7, not preamble or preamble[:24] not in data[:128]
    meta = after.file_meta
    yield 7, not any(tag in meta for tag in (0x00020016, 0x00020017, 0x00020018, 0x00020026, 0x00020027, 0x00020028, 0x00020100, 0x00020102))
    yield 7, str(meta.get("ImplementationClassUID", "")) not in ("", str(before.file_meta.get("ImplementationClassUID", "")))
    yield 7, str(meta.get("ImplementationVersionName", "")) != "OLDVERSION_1"
    yield 7, meta_length_right(data)
    yield 8, str(meta.get("MediaStorageSOPInstanceUID", "")) == number_of(after, 0x00080018)
    yield 8, str(meta.get("MediaStorageSOPClassUID", "")) == number_of(after, 0x00080016)
    yield 9, not any(tag.group in (0x0000, 0x0004) for item, _ in reading.walk(after) for tag in item.keys())
    yield 28, number_of(after, 0x00080016) == file["sop_class"]


def meta_length_right(data):
    if data[128:132] != b"DICM" or data[132:136] != b"\2\0\0\0":
        return False
    end = 144 + int.from_bytes(data[140:144], "little")
    position = 144
    while position < end:
        if data[position:position + 2] != b"\2\0":
            return False
        long = data[position + 4:position + 6] in (b"OB", b"UN", b"UT", b"SQ", b"OW")
        size = data[position + 8:position + 12] if long else data[position + 6:position + 8]
        position += (12 if long else 8) + int.from_bytes(size, "little")
    return position == end and (len(data) <= end or data[end:end + 2] != b"\2\0")


def structure(after, options):
    """Order, lengths, leftovers, private elements and their creators."""
    ordered, even = True, True
    odd, curves, overlays, doomed, orphans, idle = 0, 0, 0, 0, 0, 0
    for item, _ in reading.walk(after):
        tags = list(item.keys())
        ordered &= tags == sorted(tags)
        for tag in tags:
            raw = item.get_item(tag)
            if isinstance(raw, RawDataElement) and raw.length != 0xFFFFFFFF:
                even &= raw.length % 2 == 0
            curves += 0x5000 <= tag.group <= 0x501E and tag.group % 2 == 0
            overlays += 0x6000 <= tag.group <= 0x601E and tag.group % 2 == 0
            doomed += tag in (0x04000561, 0xFFFAFFFA, 0x00101100) or tag == 0x00880200
            if tag.group % 2:
                odd += 1
                if tag.element < 0x10 or 0x100 <= tag.element < 0x1000:
                    orphans += 1
                elif tag.element >= 0x1000:
                    orphans += (tag.group << 16 | tag.element >> 8) not in item
                else:
                    idle += not any(t.group == tag.group and t.element >> 8 == tag.element for t in tags)
    yield 10, ordered
    yield 10, even
    yield 10, 0xFFFCFFFC not in after
    yield 10, not any(tag.element == 0 for tag in after.keys())
    if "retain-safe-private" in options:
        yield 38, orphans == 0
        yield 38, idle == 0
    else:
        yield 17, odd == 0
    if "clean-graphics" not in options:
        yield 18, curves == 0
        yield 18, overlays == 0
    yield 19, doomed == 0


def nothing_created(before, after):
    """Tags that the output has and the input lacked, at the top and in items that stand at the same place."""
    created = 0
    for tag in after.keys():
        created += tag not in before and tag not in MARKERS and tag.group % 2 == 0
        mine, theirs = reading.element(after, tag), None
        # A sequence of code D gets dummy items of its own.
        if tag in before and tag not in MARKERS and not ("D" in TABLE[tag].basic if tag in TABLE else False):
            theirs = reading.element(before, tag)
        if theirs is None or not reading.is_sequence(mine) or not reading.is_sequence(theirs):
            continue
        if len(mine.value) == len(theirs.value):
            for inner_before, inner_after in zip(theirs.value, mine.value):
                created += sum(1 for found in nothing_created(inner_before, inner_after) if not found[1])
    yield 14, created == 0


def pixels(file, after):
    if not file["pixels"]:
        return
    if 0x7FE00010 not in after:
        yield 46, False
        return
    value = after.get_item(0x7FE00010).value
    if ENCAPSULATED.match(file["syntax"]):
        found = [hashlib.sha256(f).hexdigest() for f in fragments(value)]
        # Fragments of odd length got a byte of padding when they were written.
        yield 46, len(found) == len(file["pixels"]) and all(a in b for a, b in zip(file["pixels"], found_with_padding(value)))
    else:
        yield 46, hashlib.sha256(value).hexdigest() == file["pixels"][0] or len(value) % 2 == 1


def fragments(value):
    from pydicom.filebase import DicomBytesIO
    stream = DicomBytesIO(value)
    stream.is_little_endian = True
    found = list(generate_pixel_data_fragment(stream))
    return found[1:] if found and len(found[0]) == 0 else found


def found_with_padding(value):
    return [{hashlib.sha256(f).hexdigest(), hashlib.sha256(f[:-1]).hexdigest()} for f in fragments(value)]


def messages(path):
    """The kinds of errors that dciodvfy finds, without values."""
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, check=False, timeout=60)
    lines = (done.stderr + done.stdout).decode("latin-1").splitlines()
    return {re.sub(r"<[^>]*>|[0-9.]{5,}|[0-9]+ |[\[(].*?[\])]", "", line) for line in lines if line.startswith("Error")}


class Together:
    """What must hold over all outputs."""

    def __init__(self):
        self.levels = collections.defaultdict(set)
        self.patient_of = collections.defaultdict(set)

    def add(self, file, after):
        for level, key, tags in (("patient", file["patient"], PATIENT_LEVEL), ("study", file["study"], STUDY_LEVEL),
                                 ("series", file["series"], SERIES_LEVEL)):
            for tag in tags:
                self.levels[level, key, tag].add(number_of(after, tag))
        self.patient_of[number_of(after, 0x00100020) or None].add(file["patient"])

    def verdicts(self):
        for values in self.levels.values():
            yield 31, len(values) == 1
        for patient_id, patients in self.patient_of.items():
            if patient_id is not None:
                yield 31, len(patients) == 1


def uid_verdicts(pairs, instances, keep):
    """pairs: (input UID, output UID, file, check); instances: input SOP UID -> output SOP UID."""
    forward, backward = collections.defaultdict(collections.Counter), collections.defaultdict(set)
    for before, after in instances.items():
        forward[before][after] += 1
        backward[after].add(before)
    # A misused UI attribute may hold a dummy, so only instances' own UIDs and references vote.
    strict = [pair for pair in pairs if any(kind == "uid" for _, kind, _ in pair[3]["expect"])]
    for before, after, _, _ in strict:
        forward[before][after] += 1
        backward[after].add(before)
    for targets in forward.values():
        yield 26, len(targets) == 1
    for sources in backward.values():
        yield 26, len(sources) == 1
    for before, after, _, _ in strict:
        if before in instances:
            yield 27, instances[before] == after
        if not keep:
            yield 29, len(after) <= 64 and UID.match(after) is not None
