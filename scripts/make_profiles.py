#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rebuilds rules/profiles/*.csv, the confidentiality profiles of PS3.15 Annex E as data.

    scripts/make_profiles.py --from FOLDER [--check]

FOLDER holds these tables of the standard as CSV files with a header line:

  ps315_table.csv           Table E.1-1, one row per attribute, one column per option
  safe_private.csv          Table E.3.10-1
  sr_content_items.csv      Table E.3.4-1
  cid7050.csv               PS3.16 CID 7050
  iod_types_compound.csv    PS3.3: type of each attribute with a compound code, by IOD and path
  iod_types_modules.csv     PS3.3: type of each listed attribute, by module or macro table
  e11_type_conflicts.csv    rows of Table E.1-1 whose literal code breaks an IOD
  e11_gaps.csv              text, date and UID attributes of PS3.6 that Table E.1-1 does not list

The retired codes of SNOMED concepts (PS3.16 Annex O) come from pydicom, which must be installed
(Debian: python3-pydicom; /usr/bin/python3 has it).

plus.csv is kept by hand: what to do with an attribute that the standard leaves out is this
project's judgement. It is only checked: each row is in e11_gaps.csv (or a sequence or a coded
string, which that list does not hold), and none is in Table E.1-1.

With --check nothing is written; exit status 1 tells that a file differs or plus.csv is wrong.
Where FOLDER is not there, nothing can be compared; a line that begins with "skipped:" says so.
"""

import argparse
import collections
import csv
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "rules" / "profiles"

EDITION = "DICOM PS3.15 2026d"
TYPES_EDITION = "DICOM PS3.3 2016"
# Rows of the three tables in that edition: a source with another number is another edition.
ROWS = {"basic.csv": 657, "safe-private.csv": 479, "sr-content.csv": 214}

OPTIONS = (
    "clean-graphics",
    "clean-structured-content",
    "clean-descriptors",
    "retain-longitudinal-full-dates",
    "retain-longitudinal-modified-dates",
    "retain-patient-characteristics",
    "retain-device-identity",
    "retain-institution-identity",
    "retain-uids",
    "retain-safe-private",
)
METHODS = {
    "113100": "basic",
    "113101": "clean-pixel-data",
    "113102": "clean-recognizable-visual-features",
    "113103": "clean-graphics",
    "113104": "clean-structured-content",
    "113105": "clean-descriptors",
    "113106": "retain-longitudinal-full-dates",
    "113107": "retain-longitudinal-modified-dates",
    "113108": "retain-patient-characteristics",
    "113109": "retain-device-identity",
    "113110": "retain-uids",
    "113111": "retain-safe-private",
    "113112": "retain-institution-identity",
}

# IODs that the source of the types names without their SOP classes (PS3.4 table B.5-1).
SOP_CLASSES = {
    "Basic Cardiac EP": "1.2.840.10008.5.1.4.1.1.9.3.1",
    "Basic Voice Audio": "1.2.840.10008.5.1.4.1.1.9.4.1",
    "Enhanced X-Ray Angiographic Image": "1.2.840.10008.5.1.4.1.1.12.1.1",
    "Enhanced X-Ray RF Image": "1.2.840.10008.5.1.4.1.1.12.2.1",
    "Hemodynamic": "1.2.840.10008.5.1.4.1.1.9.2.1",
    "Intravascular OCT Image": "1.2.840.10008.5.1.4.1.1.14.1 1.2.840.10008.5.1.4.1.1.14.2",
    "XRF Image": "1.2.840.10008.5.1.4.1.1.12.2",
}

# Where an attribute at the top of a macro table ends up: the sequences whose Items include the
# macro. Only those that iod_types_compound.csv does not have, for it holds no functional groups
# and no SR content: the functional groups, Author Observer, Participant, and Content Sequence.
MACRO_PARENTS = {
    "C.7.6.16-6": ("52009229", "52009230"),
    "C.17-3b": ("0040A078", "0040A07A"),
    "C.17-6": ("0040A730",),
}
# The same for the rows of e11_type_conflicts.csv: Request Attributes Sequence.
CONFLICT_PARENTS = {"10-9": "00400275"}

# Modules and macros at the top level that iod_types_compound.csv leaves out of these IODs.
FUNCTIONAL_GROUPS = """Breast Projection X-Ray Image; Breast Tomosynthesis Image; Enhanced CT Image;
Enhanced MR Color Image; Enhanced MR Image; Enhanced PET Image; Enhanced US Volume;
Enhanced X-Ray Angiographic Image; Enhanced X-Ray RF Image; Intravascular OCT Image;
Legacy Converted Enhanced CT Image; Legacy Converted Enhanced MR Image;
Legacy Converted Enhanced PET Image; MR Spectroscopy; Ophthalmic Tomography Image; Segmentation;
VL Whole Slide Microscopy Image; X-Ray 3D Angiographic Image; X-Ray 3D Craniofacial Image"""
MODULE_IODS = {
    "C.7.6.16-1": re.split(r";\s+", FUNCTIONAL_GROUPS),
    "C.19-1": ["Raw Data"],
    "C.8-83": ["Enhanced MR Image", "Enhanced MR Color Image", "MR Spectroscopy"],
    "C.8.19.2-1": ["Enhanced X-Ray Angiographic Image", "Enhanced X-Ray RF Image"],
    "C.8.28.2-1": ["Ophthalmic Thickness Map"],
}

# Not among the conflicts of the data set. (0400,0550) is required inside an Encrypted Attributes
# Data Set, which no instance shows in clear (E.1.1 note 12). Overlay Data is required in a module
# that goes as a whole, so nothing is left that needs it.
NO_CONFLICT = {"04000550", "60xx3000"}


def presentation_states(name):
    return "Presentation State" in name or name == "Basic Structured Display"


# In which IODs a conflict arises, by module table; elsewhere the attribute is not required.
CONFLICT_IODS = {
    "C.11.10-1": presentation_states,
    "C.11.16-1": presentation_states,
    "C.11.22-1": presentation_states,
    "C.8.22-9": lambda name: name == "Enhanced PET Image",
}


def fail(message):
    sys.exit(f"make_profiles.py: {message}")


def read(folder, name):
    with open(folder / name, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tag_of(text):
    """ "00080050", "60xx3000" or "odd": hexadecimal digits in capitals, x small."""
    if text.startswith("odd"):
        return "odd"
    tag = text.upper().replace("X", "x")
    if not re.fullmatch(r"[0-9A-Fx]{8}", tag):
        fail(f"not a tag: {text!r}")
    return tag


def vrs_of(text):
    return " ".join(sorted(part for part in re.split(r"[|/ ]", text) if part))


def options_of(row):
    found = []
    for option in OPTIONS:
        code = row.get(option.replace("-", "_"), "")
        if code:
            if code not in ("K", "C"):
                fail(f"unknown code {code!r} for {option}")
            found.append(f"{option}={code}")
    return " ".join(found)


def strictness(kind):
    """1, 2 or 3: a condition counts as met, for a dummy too many harms nobody."""
    return int(kind[0])


def slug(name):
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def iods(compound):
    found = {}
    for row in compound:
        uids = row["sop_class_uids"] or SOP_CLASSES.get(row["iod"], "")
        if not uids:
            fail(f"no SOP class for the IOD {row['iod']}")
        found[row["iod"]] = uids
    if len({slug(name) for name in found}) != len(found):
        fail("two IODs have the same short name")
    return found


def iod_types(compound, modules, known, listed):
    """Rows (tag, keyword, parent, type, IODs); no IODs: every other known one, or any parent's."""
    keywords = {row["tag"]: row["keyword"] for row in compound}
    top = collections.defaultdict(dict)
    nested = {}
    for row in compound:
        tag, kind = row["tag"], strictness(row["strictest_type"])
        if row["parent_path"]:
            key = (tag, tag_of(row["parent_path"].split("/")[-1]))
            nested[key] = min(kind, nested.get(key, 3))
        else:
            top[tag][row["iod"]] = min(kind, top[tag].get(row["iod"], 3))
    for row in modules:
        tag, kind = row["tag"], strictness(row["type"])
        if tag_of(tag) not in listed:
            continue
        keywords[tag] = row["keyword"]
        if not row["parent_path"]:
            for name in MODULE_IODS.get(row["ps33_table"], ()):
                if name not in known:
                    fail(f"no IOD {name}")
                top[tag][name] = min(kind, top[tag].get(name, 3))
        parents = [row["parent_path"].split("/")[-1]] if row["parent_path"] else []
        parents += MACRO_PARENTS.get(row["ps33_table"], ()) if not parents else ()
        for parent in map(tag_of, parents):
            nested[tag, parent] = min(kind, nested.get((tag, parent), 3))
    rows = []
    for tag, types in top.items():
        by_type = collections.defaultdict(list)
        for name in known:
            by_type[types.get(name, 3)].append(slug(name))
        # The least strict of the most frequent, so that the choice is always the same.
        default = max(by_type, key=lambda kind: (len(by_type[kind]), kind))
        for kind, names in by_type.items():
            exceptions = "" if kind == default else " ".join(sorted(names))
            rows.append((tag_of(tag), keywords[tag], "", kind, exceptions))
    rows += [(tag_of(t), keywords[t], parent, kind, "") for (t, parent), kind in nested.items()]
    return sorted(rows, key=lambda r: (r[0], r[2], r[4] != "", r[3]))


def type_conflicts(source, known):
    found = {}
    for row in source:
        tag = tag_of(row["tag"])
        if row["basic_profile"] != "X" or tag in NO_CONFLICT:
            continue
        path = row["parent_path"] or CONFLICT_PARENTS.get(row["ps33_table"], "")
        parent = tag_of(path.split("/")[-1]) if path else ""
        where = CONFLICT_IODS.get(row["ps33_table"])
        names = " ".join(sorted(slug(name) for name in known if where(name))) if where else ""
        key = (tag, parent, names)
        kind = min(strictness(row["type"]), found.get(key, (row["keyword"], 3))[1])
        found[key] = (row["keyword"], kind)
    return [(t, found[t, p, n][0], p, found[t, p, n][1], n) for t, p, n in sorted(found)]


HEAD = """\
# {what}
# {edition}. (c) NEMA; facts used with attribution.
# {made}
"""
MADE = "Made by scripts/make_profiles.py: do not edit."


def text_of(name, what, columns, rows, edition=EDITION, made=MADE):
    if name in ROWS and len(rows) != ROWS[name]:
        fail(f"{name}: {len(rows)} rows instead of {ROWS[name]}")
    lines = [HEAD.format(what=what, edition=edition, made=made) + ",".join(columns)]
    for row in rows:
        cells = [str(cell) for cell in row]
        # The last column takes the rest of the line, commas included.
        if any("," in cell for cell in cells[:-1]) or any("\n" in cell for cell in cells):
            fail(f"{name}: a comma or a line break in {cells}")
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def retired_codes(content):
    """Rows (code, retired code) of the SCT concepts of Table E.3.4-1."""
    try:
        # Private, but the only form in which pydicom has the table.
        from pydicom.sr._snomed_dict import mapping
    except ImportError:
        fail("no pydicom: retired-codes.csv cannot be made (install python3-pydicom)")
    rows = set()
    for row in content:
        if row["coding_scheme"] != "SCT":
            continue
        retired = mapping["SCT"].get(row["code_value"])
        if retired is None:
            fail(f"no retired code for SCT {row['code_value']}")
        rows.add((row["code_value"], retired))
    return sorted(rows)


def tables(folder):
    e11 = read(folder, "ps315_table.csv")
    private = read(folder, "safe_private.csv")
    content = read(folder, "sr_content_items.csv")
    compound = read(folder, "iod_types_compound.csv")
    modules = read(folder, "iod_types_modules.csv")
    known = iods(compound)
    basic = []
    for row in e11:
        tag = tag_of(row["tag_mask"])
        basic.append((tag, row["keyword"], vrs_of(row["vr"]), row["basic_profile"], options_of(row)))
    basic.sort(key=lambda r: r[0].replace("x", "0"))
    listed = {row[0] for row in basic if "/" in row[3]}
    made = {}

    def add(name, *args, **kwargs):
        made[name] = text_of(name, *args, **kwargs)

    add(
        "basic.csv",
        "Table E.1-1: what the Basic Profile and its options do with each attribute.",
        ("tag", "keyword", "vr", "code", "options"),
        basic,
    )
    add(
        "safe-private.csv",
        "Table E.3.10-1: private elements known to be safe, by group, low byte and creator.",
        ("group", "element", "vr", "creator"),
        sorted(
            (
                (
                    row["group"].upper(),
                    row["element_low_byte"].upper(),
                    vrs_of(row["vr"]),
                    row["private_creator"],
                )
                for row in private
            ),
            key=lambda r: (r[3], r[0], r[1]),
        ),
    )
    add(
        "sr-content.csv",
        "Table E.3.4-1: content items of structured documents, by concept and value type.",
        ("code", "scheme", "value_type", "action", "options", "meaning"),
        sorted(
            (
                row["code_value"],
                row["coding_scheme"],
                row["value_type"],
                row["basic_profile"],
                options_of(row),
                row["code_meaning"],
            )
            for row in content
        ),
    )
    add(
        "retired-codes.csv",
        "SCT concepts of sr-content.csv and their codes under the retired schemes SRT, SNM3 and 99SDM.",
        ("code", "retired"),
        retired_codes(content),
        edition="DICOM PS3.16 Annex O, as pydicom (MIT licence) has it",
    )
    add(
        "method-codes.csv",
        "PS3.16 CID 7050: the DCM codes that tell what was done (E.1.1 and E.3).",
        ("code", "option", "section", "meaning"),
        sorted(
            (r["code_value"], METHODS[r["code_value"]], r["ps315_section"], r["code_meaning"])
            for r in read(folder, "cid7050.csv")
        ),
    )
    add(
        "iods.csv",
        "The IODs that iod-types.csv and type-conflicts.csv name, and their SOP classes.",
        ("id", "sop_classes", "name"),
        sorted((slug(name), uids, name) for name, uids in known.items()),
        edition=TYPES_EDITION,
    )
    add(
        "iod-types.csv",
        "Types that decide compound codes. No IODs: all others of iods.csv, or of that parent.",
        ("tag", "keyword", "parent", "type", "iods"),
        iod_types(compound, modules, known, listed),
        edition=TYPES_EDITION,
    )
    add(
        "type-conflicts.csv",
        "Attributes that E.1-1 removes though an IOD requires them. No IODs: in all of them.",
        ("tag", "keyword", "parent", "type", "iods"),
        type_conflicts(read(folder, "e11_type_conflicts.csv"), known),
        edition=f"{EDITION} and PS3.3 2016",
    )
    return made, {row[0] for row in basic}


def plus_problems(folder, listed):
    gaps = {tag_of(row["tag"]): row for row in read(folder, "e11_gaps.csv")}
    path = FOLDER / "plus.csv"
    if not path.exists():
        return [f"{path.name}: not there"]
    lines = [n for n in path.read_text(encoding="utf-8").splitlines() if not n.startswith("#")]
    problems = []
    for line in lines[1:]:
        tag, keyword, vr = line.split(",")[:3]
        if tag in listed:
            problems.append(f"plus.csv: {keyword} is in Table E.1-1")
        if tag in gaps:
            if gaps[tag]["keyword"] != keyword or vrs_of(gaps[tag]["vr"]) != vr:
                problems.append(f"plus.csv: {tag} is {gaps[tag]['keyword']} {gaps[tag]['vr']}")
        elif vr not in ("SQ", "CS"):
            problems.append(f"plus.csv: {keyword} is not in e11_gaps.csv")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--from", dest="folder", required=True, type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 on a difference")
    args = parser.parse_args()
    if args.check and not args.folder.is_dir():
        print(f"skipped: no folder {args.folder} to compare with")
        return 0
    made, listed = tables(args.folder)
    problems = plus_problems(args.folder, listed)
    for name, text in made.items():
        path = FOLDER / name
        if not args.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            problems.append(f"{name}: differs from what {args.folder} gives")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
