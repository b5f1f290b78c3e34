# SPDX-License-Identifier: Apache-2.0
"""DICOM files byte by byte, also wrong ones: a writer that lets every oddity through."""
import random
import struct
import zlib

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"
RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000 = "1.2.840.10008.1.2.4.90"
ENCAPSULATED = {RLE, JPEG, JPEG_LOSSLESS, JPEG_LS, JPEG_2000}

LONG_LENGTH = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "AT": "HH", "OW": "H",
           "OF": "f", "OL": "I", "OD": "d", "SV": "q", "UV": "Q", "OV": "Q"}
CHARSET_VRS = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}
UNDEFINED = 0xFFFFFFFF


class Element:
    """value: text, bytes, a list of numbers, or (SQ) a list of items, each a list of elements."""

    def __init__(self, tag, vr, value, wire_vr=None, undefined=None):
        self.tag, self.vr, self.value, self.wire_vr = tag, vr, value, wire_vr
        self.undefined = bool(tag & 1) if undefined is None else undefined


class Encoding:
    def __init__(self, explicit, little, encode_text):
        self.explicit, self.order, self.encode_text = explicit, "<" if little else ">", encode_text

    def pack(self, form, *values):
        return struct.pack(self.order + form, *values)

    def tag(self, tag):
        return self.pack("HH", tag >> 16, tag & 0xFFFF)

    def value(self, e):
        if isinstance(e.value, bytes):
            data = e.value
        elif isinstance(e.value, str):
            data = self.encode_text(e.value) if e.vr in CHARSET_VRS else e.value.encode("ascii")
        elif e.vr == "AT":
            data = b"".join(self.tag(v) for v in e.value)
        else:
            data = b"".join(self.pack(NUMBERS[e.vr], v) for v in e.value)
        pad = b"\0" if e.vr in ("UI", "OB", "UN") else b" "
        return data + pad * (len(data) % 2)

    def head(self, tag, vr, length):
        if not self.explicit:
            return self.tag(tag) + self.pack("I", length)
        if vr in LONG_LENGTH:
            return self.tag(tag) + vr.encode() + b"\0\0" + self.pack("I", length)
        if length > 0xFFFF:
            raise ValueError(f"{tag:08x} is too long for {vr}")
        return self.tag(tag) + vr.encode() + self.pack("H", length)

    def items(self, items, undefined):
        out = []
        for number, item in enumerate(items):
            body = self.data_set(item)
            if undefined or number % 2:
                out += [self.tag(0xFFFEE000), self.pack("I", UNDEFINED), body, self.tag(0xFFFEE00D), self.pack("I", 0)]
            else:
                out += [self.tag(0xFFFEE000), self.pack("I", len(body)), body]
        return b"".join(out)

    def element(self, e):
        vr = e.wire_vr or e.vr
        if e.vr == "SQ" and isinstance(e.value, list):
            # A sequence of an unknown VR is written in implicit VR (PS3.5, 6.2.2).
            inner = Encoding(False, True, self.encode_text) if vr == "UN" else self
            body = inner.items(e.value, e.undefined)
            if e.undefined:
                end = inner.tag(0xFFFEE0DD) + inner.pack("I", 0)
                return self.head(e.tag, vr, UNDEFINED) + body + end
            return self.head(e.tag, vr, len(body)) + body
        if e.vr == "FRAGMENTS":
            out = [self.head(e.tag, "OB", UNDEFINED)]
            for fragment in [b""] + e.value:
                fragment += b"\0" * (len(fragment) % 2)
                out += [self.tag(0xFFFEE000), self.pack("I", len(fragment)), fragment]
            return b"".join(out + [self.tag(0xFFFEE0DD), self.pack("I", 0)])
        data = self.value(e)
        return self.head(e.tag, vr, len(data)) + data

    def data_set(self, elements):
        return b"".join(self.element(e) for e in sorted(elements, key=lambda e: e.tag))


def file_bytes(elements, meta, syntax, encode_text, preamble=b"", tail=b""):
    """The bytes of a file. `meta` holds elements of group 0002 without (0002,0000) and (0002,0010)."""
    plain = Encoding(True, True, encode_text)
    meta = plain.data_set(meta + [Element(0x00020001, "OB", b"\0\1"), Element(0x00020010, "UI", syntax)])
    head = plain.element(Element(0x00020000, "UL", [len(meta)]))
    body = Encoding(syntax != IMPLICIT, syntax != BIG, encode_text).data_set(elements) + tail
    if syntax == DEFLATED:
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        body = squeeze.compress(body) + squeeze.flush()
        body += b"\0" * (len(body) % 2)
    return preamble.ljust(128, b"\0")[:128] + b"DICM" + head + meta + body


def frame(seed, size=256):
    return random.Random(seed).randbytes(size)


def rle_frame(data):
    """One segment of literal runs (PS3.5, annex G)."""
    body = b"".join(bytes([len(data[i:i + 128]) - 1]) + data[i:i + 128] for i in range(0, len(data), 128))
    return struct.pack("<16I", 1, 64, *[0] * 14) + body


def coded_frame(seed, syntax):
    """A frame that says in its markers which codec made it; only the byte stream matters here."""
    data = frame(seed)
    if syntax == RLE:
        return rle_frame(data)
    scan = data.replace(b"\xff", b"\xfe")
    size = struct.pack(">BHHB", 8, 16, 16, 1) + b"\1\x11\0"
    if syntax == JPEG_2000:
        siz = b"\xff\x51" + struct.pack(">HHIIIIIIIIHBBB", 41, 0, 16, 16, 0, 0, 16, 16, 0, 0, 1, 7, 1, 1)
        cod = b"\xff\x52" + struct.pack(">HBBHBBBBBB", 12, 0, 0, 1, 0, 0, 4, 4, 0, 1)
        qcd = b"\xff\x5c" + struct.pack(">HBB", 4, 0x40, 0x40)
        tile = b"\xff\x90" + struct.pack(">HHIBB", 10, 0, 14 + len(scan), 0, 1) + b"\xff\x93" + scan
        return b"\xff\x4f" + siz + cod + qcd + tile + b"\xff\xd9"
    marker = {JPEG: b"\xc0", JPEG_LOSSLESS: b"\xc3", JPEG_LS: b"\xf7"}[syntax]
    comment = b"\xff\xfe" + struct.pack(">H", 16) + b"made by a test"
    header = b"\xff" + marker + struct.pack(">H", 2 + len(size)) + size
    return b"\xff\xd8" + comment + header + b"\xff\xda\0\x08\1\1\0\0\x3f\0" + scan + b"\xff\xd9"
