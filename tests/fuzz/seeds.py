#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds and a dictionary for a fuzzing target.

Usage: seeds.py TARGET FOLDER DICTIONARY [DICOM_FOLDER...]

Files of the DICOM folders that are longer than the fuzzer takes lose their pixel data.
"""
import csv
import hashlib
import io
import pathlib
import random
import re
import struct
import sys

import yaml

LONGEST = 16_000
ROOT = pathlib.Path(__file__).resolve().parents[2]
VRS = ("AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN "
       "UR US UT UV").split()
SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
            "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90",
            "1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.5")
CHARSETS = ("ISO_IR 6", "ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 6", "ISO 2022 IR 87",
            "ISO 2022 IR 149", "ISO 2022 IR 13", "GB18030", "GBK")
CLASSES = ("1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.88.33",
           "1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.11.1",
           "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.1.3.10")


def small(file):
    """The file's bytes, without its pixel data if it is long; nothing if that is still too much."""
    data = file.read_bytes()
    if len(data) <= LONGEST:
        return data
    import pydicom
    try:
        data_set = pydicom.dcmread(file, force=True)
        if "PixelData" in data_set:
            if data_set.file_meta.TransferSyntaxUID.is_compressed:
                data_set.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
            else:
                data_set.PixelData = b"\0" * 64
        out = io.BytesIO()
        data_set.save_as(out)
    except Exception:  # noqa: BLE001  a broken file is no seed of this kind
        return None
    return out.getvalue() if len(out.getvalue()) <= LONGEST else None


def instance_seeds(folders):
    for folder in folders:
        files = sorted((f for f in pathlib.Path(folder).rglob("*") if f.is_file()),
                       key=lambda f: f.stat().st_size)
        for file in files:
            if file.stat().st_size < 4_000_000:
                data = small(file)
                if data:
                    yield data


def instance_words():
    with open(ROOT / "rules/profiles/basic.csv", encoding="utf-8") as lines:
        for row in csv.DictReader(line for line in lines if not line.startswith("#")):
            if re.fullmatch("[0-9A-F]{8}", row["tag"]):
                group, element = int(row["tag"][:4], 16), int(row["tag"][4:], 16)
                yield struct.pack("<HH", group, element) + row["vr"].encode()[:2]
    for group, element in ((0x0008, 0x0005), (0x0008, 0x0016), (0x0008, 0x0018), (0x0028, 0x0010),
                           (0x7FE0, 0x0010), (0x0040, 0xA730), (0x6000, 0x3000), (0x0029, 0x0010)):
        yield struct.pack("<HH", group, element)
    for element in (0xE000, 0xE00D, 0xE0DD):
        for length in (0, 0xFFFFFFFF):
            yield struct.pack("<HHI", 0xFFFE, element, length)
            yield struct.pack(">HHI", 0xFFFE, element, length)
    for vr in VRS:
        yield vr.encode()
    for vr in ("SQ", "UN", "OB", "OW", "UT"):
        yield vr.encode() + b"\0\0" + b"\xff" * 4
    for word in (*SYNTAXES, *CHARSETS, *CLASSES, "YES", "NO", "19700101", "ACME 1.2", "\\", "^", "="):
        yield word.encode()
    for escape in (b"\x1b(B", b"\x1b$B", b"\x1b$)C", b"\x1b(J", b"\x1b)I", b"\x1b-A", b"\x1b$)A"):
        yield escape


DOCUMENTS = ("rules", "reference", "recipes", "actions", "profile", "dicomweb", "microsoft")


def rules_seeds():
    for file in sorted((ROOT / "samples").rglob("*")):
        if file.suffix in {".yaml", ".json"}:
            yield file.read_bytes()
    for file in sorted((ROOT / "tests/rules/cases").glob("*.yaml")):
        for case in yaml.safe_load(file.read_text(encoding="utf-8")) or []:
            for key in ("rules", "text", "json", "config"):
                if isinstance(case.get(key), str):
                    yield case[key].encode()
    for name in DOCUMENTS:
        text = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
        for block in re.findall(r"```(?:yaml|json)\n(.*?)```", text, re.DOTALL):
            yield block.encode()


def rules_words():
    words = set()
    for name in DOCUMENTS:
        text = (ROOT / f"docs/{name}.md").read_text(encoding="utf-8")
        words.update(re.findall(r"`([A-Za-z0-9(][A-Za-z0-9_+.(), -]{1,40})`", text))
    words.update(("&a", "*a", "!!binary", "<<", "---\n", "...\n", "|\n", ">-\n", "? ", "{", "}", "[",
                  "]", ": ", "- ", '"', "#", "\ufeff", "(0010,xxxx)", "PatientName", "tagGroups",
                  "tags", "parameters", "profiles", "SOPClassUID"))
    return (word.encode() for word in sorted(words))


IMPORTERS = {"ctp": "ch", "ctp-filter": "c", "ctp-pixels": "c", "deid": "d", "kitware": "k",
             "orthanc": "o"}


def import_seeds():
    for name, choices in IMPORTERS.items():
        cases = (ROOT / f"tests/rules/import/{name}.yaml").read_text(encoding="utf-8")
        for case in yaml.safe_load(cases):
            for choice in choices:
                yield choice.encode() + case["script"].encode()


def import_words():
    text = (ROOT / "docs/migration.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`([^`\n]{1,40})`", text))
    words.update(re.findall(r"@[a-z]+", text))
    words.update(('<e en="T" t="00100010" n="x">', "</e>", '<r en="T" t="privategroups">', "set.[",
                  "keep.group", "FORMAT dicom\n", "%header\n", "%filter x\n", "LABEL ", "REMOVE ",
                  "KEEP ", '"(0010, 0010)": ', "\\ud83d", '"Keep": [', '"Replace": {', "this"))
    return (word.encode() for word in sorted(words))


def multipart_seeds():
    noise = random.Random(1)
    types = ('multipart/related; type="application/dicom"; boundary="XX"',
             "multipart/related; boundary=XX; type=application/dicom",
             'multipart/related; boundary="a\\"b c"')
    for content_type in types:
        boundary = 'a"b c' if "\\" in content_type else "XX"
        for counted in (False, True):
            body = "preamble"
            for content in ("", "one", "\r\n--XY\r\n--X", "\r\n--XX?", "DICM" * 20, "\r\n\r\n"):
                body += f"\r\n--{boundary} \t\r\nContent-Type: application/dicom\r\n"
                body += f"content-length: {len(content)}\r\n" if counted else ""
                body += f"\r\n{content}"
            for end in (f"\r\n--{boundary}--\r\nepilogue", f"\r\n--{boundary}", ""):
                yield bytes([noise.randrange(256)]) + f"{content_type}\n{body}{end}".encode()


def multipart_words():
    return (b"\r\n--XX", b"\r\n--XX--", b"\r\n\r\n", b"Content-Length: ", b"content-length:3\r\n",
            b"18446744073709551615", b"boundary=", b'boundary="', b"multipart/related;", b"\r", b"--")


def guard_seeds(folders):
    """The texts of real headers as identifiers, in front of the bytes that they come from."""
    for data in instance_seeds(folders):
        texts = [t.decode() for t in re.findall(rb"[A-Za-z0-9^., /-]{4,40}", data)][:40]
        kinds = "nidbathvu"
        lines = "".join(f"{kinds[i % len(kinds)]}{text.strip()}\n" for i, text in enumerate(texts))
        lines += "iQX7R2M49K1\nnQuennelthorp^Zebediah\nb19640229\nu1.2.826.0.1.77.5.10\n"
        for choice in (0, 1, 2, 0x80):
            yield bytes([choice]) + lines.encode() + b"\n" + data[144:12_000]
            yield bytes([choice]) + lines[-70:].encode() + b"\nQX7R2M49K1" + data[144:3_000]


def guard_words():
    return (*instance_words(), b"\nn", b"\ni", b"\nb19640229", b"\nu1.2.", b"\xff\xfe", b"\xfe\xff",
            b"\xff\xd8\xff\xfe", b"29.02.1964", b"Feb", b"M\xc3\xbcller", b"M\xfcller")


def escaped(word):
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in word)


def main():
    target, folder, dictionary, *dicom = sys.argv[1:]
    seeds, words = {"instance": (lambda: instance_seeds(dicom), instance_words),
                    "rules": (rules_seeds, rules_words),
                    "import": (import_seeds, import_words),
                    "multipart": (multipart_seeds, multipart_words),
                    "guard": (lambda: guard_seeds(dicom), guard_words)}[target]
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for seed in seeds():
        (folder / hashlib.sha256(seed).hexdigest()[:32]).write_bytes(seed)
        count += 1
    pathlib.Path(dictionary).write_text(
        "".join(f'"{escaped(word)}"\n' for word in dict.fromkeys(words())), encoding="ascii")
    print(f"{target}: {count} seeds")


if __name__ == "__main__":
    main()
