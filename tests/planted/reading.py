# SPDX-License-Identifier: Apache-2.0
"""Outputs as an outsider reads them: with pydicom by path, and as bytes."""
import re
import warnings
import zlib

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

warnings.simplefilter("ignore")
STEP = re.compile(r"^([0-9A-F]{8})(?:\[(\d+)\]|\{([^/{}]+)/([A-Z]+)\})?$")
PRIVATE_STEP = re.compile(r"^([0-9A-F]{4})\|([^|]+)\|([0-9A-F]{2})$")
DEFLATED = "1.2.840.10008.1.2.1.99"


def read(path):
    return pydicom.dcmread(path, force=True)


def element(data_set, tag):
    """The element with its value decoded; as raw bytes where the value cannot be decoded; None where absent."""
    if tag not in data_set:
        return None
    try:
        found = data_set[tag]
        text(found)
        return found
    except (ValueError, TypeError, OverflowError, LookupError, NotImplementedError, AttributeError):
        return data_set.get_item(tag)


def text(found):
    """The value in one string: values joined by backslashes, bytes as Latin-1. Not for sequences."""
    value = found.value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("latin-1").rstrip("\0 ")
    if isinstance(value, (MultiValue, list)):
        return "\\".join(tag_text(v) for v in value)
    return tag_text(value).rstrip("\0 ")


def tag_text(value):
    return str(int(value)) if isinstance(value, pydicom.tag.BaseTag) else str(value)


def is_sequence(found):
    return isinstance(found.value, Sequence)


def is_empty(found):
    return len(found.value) == 0 if is_sequence(found) else text(found) == ""


def strings(thing):
    """All values in a data set or element, at every depth."""
    if isinstance(thing, Dataset):
        for tag in list(thing.keys()):
            yield from strings(element(thing, tag))
    elif is_sequence(thing):
        for item in thing.value:
            yield from strings(item)
    else:
        yield text(thing)


def walk(data_set, depth=0):
    """(data set or item, depth) for it and all items in it."""
    yield data_set, depth
    for tag in list(data_set.keys()):
        found = element(data_set, tag)
        if not isinstance(found, RawDataElement) and is_sequence(found):
            for item in found.value:
                yield from walk(item, depth + 1)


def private_tag(data_set, group, creator, low):
    for block in range(0x10, 0x100):
        tag = group << 16 | block
        if tag in data_set and text(element(data_set, tag)).strip() == creator:
            return group << 16 | block << 8 | low
    return None


def concept(item):
    names = element(item, 0x0040A043)
    if names is None or not is_sequence(names) or not names.value:
        return None
    code = element(names.value[0], 0x00080100)
    kind = element(item, 0x0040A040)
    return (text(code) if code is not None else None, text(kind) if kind is not None else None)


def at(data_set, path):
    """What stands at a path: an element, an item (where the path ends in one) or None."""
    here = data_set
    for step in path.split("/") if "{" not in path else split(path):
        private = PRIVATE_STEP.match(step)
        if private:
            tag = private_tag(here, int(private[1], 16), private[2], int(private[3], 16))
            return None if tag is None else element(here, tag)
        match = STEP.match(step)
        found = element(here, int(match[1], 16))
        if match[2] is None and match[3] is None:
            return found
        if found is None or isinstance(found, RawDataElement) or not is_sequence(found):
            return None
        if match[2] is not None:
            if len(found.value) <= int(match[2]):
                return None
            here = found.value[int(match[2])]
        else:
            here = next((item for item in found.value if concept(item) == (match[3], match[4])), None)
            if here is None:
                return None
    return here


def split(path):
    """Splits at slashes outside braces."""
    return re.findall(r"[^/{]+(?:\{[^}]*\})?", path)


def searchable(path, data_set):
    """All bytes of a file but those of pixel data; of a deflated file the inflated ones, too."""
    data = path.read_bytes()
    pixels = None
    if 0x7FE00010 in data_set:
        pixels = data_set.get_item(0x7FE00010).value
    if str(data_set.file_meta.get("TransferSyntaxUID", "")) == DEFLATED:
        start = 132 + 12 + int.from_bytes(data[140:144], "little")
        data = data[:start] + zlib.decompressobj(-15).decompress(data[start:])
    if isinstance(pixels, bytes) and len(pixels) > 16:
        data = data.replace(pixels, b"", 1)
    return data


class Needles:
    """The spellings of a patient's identifiers: letters of any case, in the likely encodings."""

    def __init__(self, patient, dropped):
        self.found = []
        for what, value in patient["identifiers"]:
            if what in dropped:
                continue
            spellings = {value, value.upper(), value.lower(), value.title()}
            for spelling in spellings:
                for codec in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
                    try:
                        self.found.append((what, value, spelling.encode(codec)))
                    except UnicodeEncodeError:
                        continue
        self.found += [(what, raw, bytes.fromhex(raw)) for what, raw in patient["raw"] if what not in dropped]
        self.found = list({needle: (what, value, needle) for what, value, needle in self.found}.values())

    def search(self, data):
        """(what, value) of each identifier in the data."""
        lower = data.lower()
        hits = set()
        for what, value, needle in self.found:
            if needle in data or needle.lower() in lower and needle.isascii():
                if not needle.isdigit() or re.search(rb"(?<![0-9])" + needle, data):
                    hits.add((what, value))
        return hits
