#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rebuilds engine/tables/attributes.inc and engine/tables/registered_uids.inc.

Needs Debian's python3-pydicom (run it with /usr/bin/python3) and libdcmtk17, which owns
/usr/share/libdcmtk17/dicom.dic. Attributes newer than both come from CSV files:

    scripts/make_tables.py --csv FILE [--csv FILE ...]

A CSV needs the columns `keyword`, `vr` and one of `tag_mask` or `tag` ("(0010,0011)", "00100011",
"(60xx,3000)"); rows without keyword or VR are passed over. Where sources disagree the first one
wins: pydicom, then dicom.dic, then the CSV files in the order given. The output depends on the
sources alone. A run that would lose rows of the present tables stops, unless --allow-fewer says
that this is meant.

UIDs come from pydicom and from the two lists below. Every UID under NEMA's root that DCMTK 3.6.7
defines is in pydicom; DCMTK's other UIDs are OFFIS's and GE's own and do not belong here.
"""

import argparse
import csv
import pathlib
import re
import sys

import pydicom
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary

ROOT = pathlib.Path(__file__).resolve().parent.parent
ATTRIBUTES = ROOT / "engine" / "tables" / "attributes.inc"
UIDS = ROOT / "engine" / "tables" / "registered_uids.inc"
DICOM_DIC = pathlib.Path("/usr/share/libdcmtk17/dicom.dic")
EXACT = 0xFFFFFFFF

VRS = set(
    "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR"
    " US UT UV".split()
)

# dicom.dic writes alternatives as two small letters; "na" marks items, which have no VR.
DCMTK_VRS = {
    "xs": ["US", "SS"],
    "ox": ["OB", "OW"],
    "px": ["OB", "OW"],
    "lt": ["US", "SS", "OW"],
    "up": ["UL"],
    "na": [],
}

# PS3.6 Annex A, editions up to 2024c: (UID, name, keyword).
NEWER_UIDS = (
    ("1.2.840.10008.1.2.4.100.1", "Fragmentable MPEG2 Main Profile / Main Level", "MPEG2MPMLF"),
    ("1.2.840.10008.1.2.4.101.1", "Fragmentable MPEG2 Main Profile / High Level", "MPEG2MPHLF"),
    (
        "1.2.840.10008.1.2.4.102.1",
        "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1",
        "MPEG4HP41F",
    ),
    (
        "1.2.840.10008.1.2.4.103.1",
        "Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1",
        "MPEG4HP41BDF",
    ),
    (
        "1.2.840.10008.1.2.4.104.1",
        "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video",
        "MPEG4HP422DF",
    ),
    (
        "1.2.840.10008.1.2.4.105.1",
        "Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video",
        "MPEG4HP423DF",
    ),
    (
        "1.2.840.10008.1.2.4.106.1",
        "Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2",
        "MPEG4HP42STEREOF",
    ),
    ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", "JPEGXLLossless"),
    ("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", "JPEGXLJPEGRecompression"),
    ("1.2.840.10008.1.2.4.112", "JPEG XL", "JPEGXL"),
    (
        "1.2.840.10008.1.2.4.201",
        "High-Throughput JPEG 2000 Image Compression (Lossless Only)",
        "HTJ2KLossless",
    ),
    (
        "1.2.840.10008.1.2.4.202",
        "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)",
        "HTJ2KLosslessRPCL",
    ),
    ("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000 Image Compression", "HTJ2K"),
    ("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", "JPIPHTJ2KReferenced"),
    ("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", "JPIPHTJ2KReferencedDeflate"),
    ("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", "DeflatedImageFrameCompression"),
    (
        "1.2.840.10008.5.1.4.1.1.11.12",
        "Variable Modality LUT Softcopy Presentation State Storage",
        "VariableModalityLUTSoftcopyPresentationStateStorage",
    ),
    ("1.2.840.10008.5.1.4.1.1.201.1", "Inventory Storage", "InventoryStorage"),
    (
        "1.2.840.10008.5.1.4.1.1.201.1.1",
        "Storage Management SOP Instance",
        "StorageManagementInstance",
    ),
    ("1.2.840.10008.5.1.4.1.1.201.2", "Inventory - FIND", "InventoryFind"),
    ("1.2.840.10008.5.1.4.1.1.201.3", "Inventory - MOVE", "InventoryMove"),
    ("1.2.840.10008.5.1.4.1.1.201.4", "Inventory - GET", "InventoryGet"),
    ("1.2.840.10008.5.1.4.1.1.201.5", "Inventory Creation", "InventoryCreation"),
    ("1.2.840.10008.5.1.4.1.1.201.6", "Repository Query", "RepositoryQuery"),
    ("1.2.840.10008.5.1.4.1.1.481.23", "Enhanced RT Image Storage", "EnhancedRTImageStorage"),
    (
        "1.2.840.10008.5.1.4.1.1.481.24",
        "Enhanced Continuous RT Image Storage",
        "EnhancedContinuousRTImageStorage",
    ),
    (
        "1.2.840.10008.5.1.4.1.1.481.25",
        "RT Patient Position Acquisition Instruction Storage",
        "RTPatientPositionAcquisitionInstructionStorage",
    ),
    ("1.2.840.10008.5.1.4.1.1.6.3", "Photoacoustic Image Storage", "PhotoacousticImageStorage"),
    ("1.2.840.10008.5.1.4.1.1.601.3", "Thermography Image Storage", "ThermographyImageStorage"),
    (
        "1.2.840.10008.5.1.4.1.1.601.4",
        "Thermography Multi-frame Image Storage",
        "ThermographyMultiFrameImageStorage",
    ),
    (
        "1.2.840.10008.5.1.4.1.1.66.7",
        "Label Map Segmentation Storage",
        "LabelMapSegmentationStorage",
    ),
    (
        "1.2.840.10008.5.1.4.1.1.66.8",
        "Height Map Segmentation Storage",
        "HeightMapSegmentationStorage",
    ),
    (
        "1.2.840.10008.5.1.4.1.1.77.1.8",
        "Confocal Microscopy Image Storage",
        "ConfocalMicroscopyImageStorage",
    ),
    (
        "1.2.840.10008.5.1.4.1.1.77.1.9",
        "Confocal Microscopy Tiled Pyramidal Image Storage",
        "ConfocalMicroscopyTiledPyramidalImageStorage",
    ),
    (
        "1.2.840.10008.5.1.4.1.1.88.77",
        "Waveform Annotation SR Storage",
        "WaveformAnnotationSRStorage",
    ),
    (
        "1.2.840.10008.5.1.4.1.1.9.1.4",
        "General 32-bit ECG Waveform Storage",
        "General32bitECGWaveformStorage",
    ),
)

# PS3.16 table 8-1, the schemes identified outside NEMA's root: (UID, name, designator). SRT shares
# the UID of SCT.
CODING_SCHEMES = (
    ("1.2.840.10065.1.12", "ASTM E 2084 Signature Purpose", "ASTM-sigpurpose"),
    ("1.3.6.1.4.1.19376.1.8.2.1", "PathLex", "PATHLEX"),
    ("2.16.1", "ISO 3166-1", "ISO3166_1"),
    ("2.16.840.1.113883.15.2", "Nottingham Breast Density", "NBD"),
    ("2.16.840.1.113883.15.3", "Nottingham Breast Grade", "NBG"),
    ("2.16.840.1.113883.2.1.3.2.4.21", "National Interim Clinical Imaging Procedure", "NICIP"),
    ("2.16.840.1.113883.3.26.1.1", "NCI Thesaurus", "NCIt"),
    ("2.16.840.1.113883.3.26.2", "Cancer Data Standard Repository", "caDSR"),
    ("2.16.840.1.113883.6.1", "LOINC", "LN"),
    ("2.16.840.1.113883.6.100", "ISO 639-2", "ISO639_2"),
    ("2.16.840.1.113883.6.119", "Foundational Model of Anatomy", "FMA"),
    ("2.16.840.1.113883.6.12", "CPT-4", "C4"),
    ("2.16.840.1.113883.6.121", "RFC 3066", "RFC3066"),
    ("2.16.840.1.113883.6.13", "CDT-2", "CD2"),
    ("2.16.840.1.113883.6.14", "HCPCS Healthcare Procedure Codes", "HPC"),
    ("2.16.840.1.113883.6.177", "MeSH", "MSH"),
    ("2.16.840.1.113883.6.2", "ICD-9-CM", "I9C"),
    ("2.16.840.1.113883.6.210", "NeuroNames", "NEU"),
    ("2.16.840.1.113883.6.24", "ISO/IEEE 11073 Medical Device Codes", "MDC"),
    ("2.16.840.1.113883.6.256", "RadLex", "RADLEX"),
    ("2.16.840.1.113883.6.3", "ICD-10", "I10"),
    ("2.16.840.1.113883.6.316", "RFC 5646", "RFC5646"),
    ("2.16.840.1.113883.6.4", "ICD-10-PCS", "I10P"),
    ("2.16.840.1.113883.6.42", "ICD-9", "I9"),
    ("2.16.840.1.113883.6.43.1", "ICD-O-3", "ICDO3"),
    ("2.16.840.1.113883.6.50", "POS", "POS"),
    ("2.16.840.1.113883.6.51", "SNOMED V3", "SNM3"),
    ("2.16.840.1.113883.6.53", "SNOMED DICOM Microglossary", "99SDM"),
    ("2.16.840.1.113883.6.55", "Universal Product Code", "UPC"),
    ("2.16.840.1.113883.6.6", "Clinical Terms Version 3", "CTV3"),
    ("2.16.840.1.113883.6.69", "National Drug Code Directory", "NDC"),
    ("2.16.840.1.113883.6.76", "ACR Index", "ACR"),
    ("2.16.840.1.113883.6.8", "UCUM", "UCUM"),
    ("2.16.840.1.113883.6.82", "CPT-5", "C5"),
    ("2.16.840.1.113883.6.86", "UMLS", "UMLS"),
    ("2.16.840.1.113883.6.88", "RxNorm", "RXNORM"),
    ("2.16.840.1.113883.6.90", "ICD-10-CM", "I10C"),
    ("2.16.840.1.113883.6.96", "SNOMED CT", "SCT"),
    ("2.16.840.1.113883.6.99", "ISO 639-1", "ISO639_1"),
)


def parse_tag(text):
    """The tag number and mask of eight digits, some of them "x"; None if it is no such text."""
    digits = re.sub(r"[(),\s]", "", text).lower()
    if not re.fullmatch(r"[0-9a-fx]{8}", digits):
        return None
    mask = int("".join("0" if c == "x" else "f" for c in digits), 16)
    # PS3.5 section 7.6: a repeating group is even, and curves and overlays stop at 501E and 601E.
    if digits[:4] in ("50xx", "60xx"):
        mask |= 0x00E10000
    elif digits[2:4] == "xx":
        mask |= 0x00010000
    return int(digits.replace("x", "0"), 16), mask


def parse_vrs(text):
    vrs = [vr for vr in re.split(r"\s+or\s+|[|/,\s]+", text.strip()) if vr]
    return vrs if all(vr in VRS for vr in vrs) else []


def pydicom_rows():
    for number, entry in DicomDictionary.items():
        yield number, EXACT, entry[4], parse_vrs(entry[0])
    for digits, entry in RepeatersDictionary.items():
        number, mask = parse_tag(digits)
        yield number, mask, entry[4], parse_vrs(entry[0])


def dcmtk_rows(path):
    for line in path.read_text(encoding="ascii").splitlines():
        fields = line.split("\t")
        # Ranges are in pydicom as masks; the rest in dicom.dic are groups of private elements.
        if line.startswith("#") or len(fields) != 5 or "-" in fields[0]:
            continue
        tag = parse_tag(fields[0])
        if tag is None:
            raise SystemExit(f"{path}: no tag in: {line}")
        yield *tag, fields[2].removeprefix("RETIRED_"), DCMTK_VRS.get(
            fields[1], parse_vrs(fields[1])
        )


def csv_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tag = parse_tag(row.get("tag_mask") or row["tag"])
            if tag is not None:
                yield *tag, row["keyword"], parse_vrs(row["vr"])


def collect_attributes(sources):
    by_tag = {}
    keywords = set()
    for rows in sources:
        for number, mask, keyword, vrs in rows:
            if not keyword or not vrs or number >> 16 == 0xFFFE:
                continue
            # dicom.dic spells some repeating rows out: the keyword is there already.
            if (number, mask) in by_tag or keyword in keywords:
                continue
            by_tag[number, mask] = (keyword, vrs)
            keywords.add(keyword)
    # Of two rows with one number the exact one comes first: the lookup depends on it.
    return sorted(
        ((*key, *value) for key, value in by_tag.items()), key=lambda row: (row[0], -row[1])
    )


def collect_uids():
    rows = {}
    for uid, (name, _, _, retired, keyword) in UID_dictionary.items():
        name = name or "Unnamed SOP Class"
        rows[uid] = (f"{name} (Retired)" if retired else name, keyword)
    for uid, name, keyword in NEWER_UIDS + CODING_SCHEMES:
        rows.setdefault(uid, (name, keyword))
    return sorted((uid, *row) for uid, row in rows.items())


def attributes_text(rows, csv_files):
    sources = f"pydicom {pydicom.__version__} and DCMTK's dicom.dic"
    if csv_files:
        sources += ", newer rows from PS3.6 and PS3.15 2026c/2026d"
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        f"// The attributes of DICOM PS3.6 and, in group 0000, of PS3.7: {len(rows)} rows, by tag.",
        "// DCMVEIL_ATTRIBUTE(tag, mask, keyword, VR...): tag T is in the row if T & mask is the",
        "// row's tag. Only repeating groups have a mask other than FFFFFFFF.",
        "// Facts from DICOM PS3.6/PS3.7, (c) NEMA. Sources:",
        f"// {sources}.",
        "// Made by scripts/make_tables.py: change the script, not this file.",
    ]
    lines += [
        f'DCMVEIL_ATTRIBUTE(0x{number:08X}, 0x{mask:08X}, "{keyword}", {", ".join(vrs)})'
        for number, mask, keyword, vrs in rows
    ]
    return "\n".join(lines) + "\n"


def uids_text(rows):
    lines = [
        "// SPDX-License-Identifier: Apache-2.0",
        f"// The UIDs no instance can have: {len(rows)} rows, by UID in byte order.",
        "// DCMVEIL_UID(uid, name, keyword): PS3.6 Annex A and the coding schemes of PS3.16 table",
        "// 8-1, whose keyword is their designator. A keyword may be empty.",
        "// Facts from DICOM PS3.6/PS3.16, (c) NEMA. Sources:",
        f"// pydicom {pydicom.__version__}, newer UIDs from PS3.6 2024c, schemes from PS3.16.",
        "// Made by scripts/make_tables.py: change the script, not this file.",
    ]
    lines += [f'DCMVEIL_UID("{uid}", "{name}", "{keyword}")' for uid, name, keyword in rows]
    return "\n".join(lines) + "\n"


def lost_rows(path, text):
    if not path.exists():
        return []
    first = re.compile(r"^DCMVEIL_\w+\([^,]*(?:, 0x[0-9A-F]{8})?", re.MULTILINE)
    kept = set(first.findall(text))
    return [row for row in first.findall(path.read_text(encoding="ascii")) if row not in kept]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", action="append", default=[], metavar="FILE")
    parser.add_argument("--dic", type=pathlib.Path, default=DICOM_DIC, metavar="FILE")
    parser.add_argument("--allow-fewer", action="store_true")
    options = parser.parse_args()

    sources = [pydicom_rows(), dcmtk_rows(options.dic)]
    sources += [csv_rows(path) for path in options.csv]
    tables = {
        ATTRIBUTES: attributes_text(collect_attributes(sources), options.csv),
        UIDS: uids_text(collect_uids()),
    }
    for path, text in tables.items():
        lost = lost_rows(path, text)
        if lost and not options.allow_fewer:
            raise SystemExit(f"{path}: would lose {len(lost)} rows, first: {lost[0]}")
    for path, text in tables.items():
        path.write_text(text, encoding="ascii")
        print(f"{path.relative_to(ROOT)}: {text.count(chr(10) + 'DCMVEIL_')} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
