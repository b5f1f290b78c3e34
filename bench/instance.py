# SPDX-License-Identifier: Apache-2.0
"""A DICOM file as a list of its top-level elements, so that some can be replaced: enough to make
many instances from one. Explicit and implicit VR little endian."""
import struct

LONG = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
IMPLICIT = "1.2.840.10008.1.2"
NOT_READ = ("1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")  # big endian, deflated


class Unreadable(Exception):
    pass


def Header(data, at, explicit):
    """(tag, VR, length, where the value begins)"""
    group, element = struct.unpack_from("<HH", data, at)
    tag = group << 16 | element
    if group == 0xFFFE or not explicit:
        return tag, b"", struct.unpack_from("<I", data, at + 4)[0], at + 8
    vr = bytes(data[at + 4:at + 6])
    if not vr.isalpha() or not vr.isupper():
        raise Unreadable(f"no VR at {at}")
    if vr in LONG:
        return tag, vr, struct.unpack_from("<I", data, at + 8)[0], at + 12
    return tag, vr, struct.unpack_from("<H", data, at + 6)[0], at + 8


def EndOf(data, at, explicit):
    """Where the element or item that begins at `at` ends."""
    tag, vr, length, value = Header(data, at, explicit)
    if length != UNDEFINED:
        if value + length > len(data):
            raise Unreadable("truncated")
        return value + length
    last = ITEM_END if tag == ITEM else SEQUENCE_END
    inside = explicit and vr != b"UN"
    while Header(data, value, inside)[0] != last:
        value = EndOf(data, value, inside)
    return value + 8


def Element(tag, vr, value, explicit=True):
    if len(value) % 2:
        value += b"\0" if vr in (b"UI", b"OB", b"UN") else b" "
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return head + struct.pack("<I", len(value)) + value
    if vr in LONG:
        return head + vr + struct.pack("<HI", 0, len(value)) + value
    return head + vr + struct.pack("<H", len(value)) + value


class Instance:
    """`parts` is tag -> the element's bytes, in the file's order."""

    def __init__(self, data):
        if data[128:132] != b"DICM":
            raise Unreadable("no file meta information")
        self.preamble, self.parts, self.explicit = data[:132], {}, True
        try:
            self._Read(data)
        except (struct.error, UnicodeDecodeError) as error:
            raise Unreadable("truncated") from error

    def _Read(self, data):
        at = 132
        while at < len(data):
            is_meta = data[at:at + 2] == b"\2\0"
            if not is_meta and self.parts and next(reversed(self.parts)) >> 16 == 2:
                syntax = self.Text(0x00020010)
                if syntax in NOT_READ:
                    raise Unreadable(syntax)
                self.explicit = syntax != IMPLICIT
            tag = Header(data, at, self.explicit)[0]
            end = EndOf(data, at, self.explicit)
            if tag in self.parts:
                raise Unreadable("an element twice")
            self.parts[tag] = data[at:end]
            at = end

    def Value(self, tag):
        part = self.parts[tag]
        return part[Header(part, 0, self.explicit or tag >> 16 == 2)[3]:]

    def Text(self, tag):
        return self.Value(tag).rstrip(b"\0 ").decode("ascii") if tag in self.parts else ""

    def Set(self, tag, vr, value):
        if isinstance(value, str):
            value = value.encode("ascii")
        new = tag not in self.parts
        self.parts[tag] = Element(tag, vr, value, self.explicit or tag >> 16 == 2)
        if new:
            self.parts = dict(sorted(self.parts.items()))

    def SetUs(self, tag, number):
        self.Set(tag, b"US", struct.pack("<H", number))

    def Items(self, tag):
        """The items of a sequence or the fragments of encapsulated pixel data, each with its header."""
        part = self.parts[tag]
        at = Header(part, 0, self.explicit)[3]
        items = []
        while at < len(part) and Header(part, at, self.explicit)[0] == ITEM:
            end = EndOf(part, at, self.explicit)
            items.append(part[at:end])
            at = end
        return items

    def SetItems(self, tag, vr, items):
        """As a sequence, or encapsulated pixel data, of undefined length."""
        head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
        head += vr + b"\0\0" if self.explicit else b""
        self.parts[tag] = (head + struct.pack("<I", UNDEFINED) + b"".join(items) +
                           struct.pack("<HHI", SEQUENCE_END >> 16, SEQUENCE_END & 0xFFFF, 0))

    def Bytes(self):
        meta = sum(len(part) for tag, part in self.parts.items() if 0x00020000 < tag < 0x00030000)
        self.Set(0x00020000, b"UL", struct.pack("<I", meta))
        return self.preamble + b"".join(self.parts.values())
