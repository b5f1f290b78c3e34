# SPDX-License-Identifier: Apache-2.0
"""Content trees of structured reports: items that table E.3.4-1 knows, and items that it does not."""
import annex_e
from wire import Element

ROWS = annex_e.content_items()
VALUE = {"TEXT": (0x0040A160, "UT"), "PNAME": (0x0040A123, "PN"), "DATE": (0x0040A121, "DA"), "TIME": (0x0040A122, "TM"),
         "DATETIME": (0x0040A120, "DT"), "UIDREF": (0x0040A124, "UI")}
# Codes of SNOMED RT for concepts that the table gives in SNOMED CT.
RETIRED = {("363698007", "SCT"): ("G-C0E3", "SRT")}
PUBLIC_NUMBERS = [("410668003", "SCT", "Length", "12.5"), ("103355008", "SCT", "Width", "7.25"),
                  ("112031", "DCM", "Attenuation Coefficient", "41")]
PUBLIC_CODES = [("363698007", "SCT", "Finding Site", "39607008", "SCT", "Lung structure"),
                ("121071", "DCM", "Finding", "27925004", "SCT", "Nodule"),
                ("272741003", "SCT", "Laterality", "7771000", "SCT", "Left")]


def code(value, scheme, meaning):
    return [Element(0x00080100, "SH", value), Element(0x00080102, "SH", scheme), Element(0x00080104, "LO", meaning)]


def item(kind, value, scheme, meaning, *content):
    return [Element(0x0040A010, "CS", "CONTAINS"), Element(0x0040A040, "CS", kind),
            Element(0x0040A043, "SQ", [code(value, scheme, meaning)])] + list(content)


def value_of(instance, kind, n, keeps=()):
    """(elements, path of the value inside the item, the value, what must not stay, words to stay)."""
    p = instance.patient
    day = p.day(instance.study)
    if kind == "TEXT" and ("device" in keeps or "institution" in keeps):
        text = f"{p.serial if 'device' in keeps else p.hospital} {n}"
        return [Element(0x0040A160, "UT", text)], "0040A160", text, (), ()
    if kind == "UIDREF" and "device" in keeps:
        uid = f"1.2.826.0.1.3680043.8.{n}"
        return [Element(0x0040A124, "UI", uid)], "0040A124", uid, (), ()
    if kind == "TEXT":
        texts = [("person", p.family, f"Nodule in left lung of {p.spoken_name()}"), ("id", p.mrn, f"Liver lesion, MRN {p.mrn}"),
                 ("person", p.physicians[1], f"Called Dr. {p.physicians[1]}"), ("institution", p.hospital, f"from {p.hospital}")]
        what, hidden, text = texts[n % 4]
        return [Element(0x0040A160, "UT", text)], "0040A160", text, [(what, hidden)], (["lung"], ["lesion"], [], [])[n % 4]
    if kind in VALUE:
        tag, vr = VALUE[kind]
        value = {"PN": f"{p.physicians[n % 4]}^{p.given}", "DA": day, "TM": f"1{n % 10}3201", "DT": f"{day}1{n % 10}3201",
                 "UI": p.uid(7, n)}[vr]
        return [Element(tag, vr, value)], f"{tag:08X}", value, (), ()
    if kind in ("IMAGE", "COMPOSITE", "WAVEFORM"):
        uid = p.uid(7, n)
        reference = [Element(0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.2"), Element(0x00081155, "UI", uid)]
        return [Element(0x00081199, "SQ", [reference])], "00081199[0]/00081155", uid, (), ()
    if kind == "NUM":
        return number(str(n)), "0040A300[0]/0040A30A", str(n), (), ()
    if kind == "CODE":
        return [Element(0x0040A168, "SQ", [code("M", "DCM", "Male")])], "0040A168[0]/00080100", "M", (), ()
    inner = item("TEXT", "121106", "DCM", "Comment", Element(0x0040A160, "UT", f"seen {p.family}"))
    return [Element(0x0040A050, "CS", "SEPARATE"), Element(0x0040A730, "SQ", [inner])], "", None, [("person", p.family)], ()


def number(value):
    measured = [Element(0x0040A30A, "DS", value), Element(0x004008EA, "SQ", [code("mm", "UCUM", "mm")])]
    return [Element(0x0040A300, "SQ", [measured])]


def expectation(row, kind, words):
    out = []
    for option, action in row.options.items():
        if action == "K":
            out.append([f"structured+{option}", "kept" if kind != "CONTAINER" else "cleaned", 41])
        elif option == "modified":
            out.append([f"structured+{option}", "time" if kind == "TIME" else "shifted", 41])
        else:
            out.append([f"structured+{option}", "text" if words else "cleaned", 41])
    out.append(["structured", "removed" if row.basic == "X" else "gone", 41])
    return out + [["", "gone", 20]]


def tree(instance, first, count):
    """Adds a root container with `count` items of the table and a nested finding to the instance."""
    items, prefix = [], "0040A730"
    seen = set()
    for n in range(first, first + count):
        row = ROWS[n % len(ROWS)]
        (value, scheme), kind = row.key, row.vr
        if (value, kind) in seen:
            continue
        seen.add((value, kind))
        if n % 2 and (value, scheme) in RETIRED:
            value, scheme = RETIRED[(value, scheme)]
        elements, path, shown, must_not, words = value_of(instance, kind, n, row.options)
        items.append(item(kind, value, scheme, "What it is called here", *elements))
        instance.check(f"{prefix}{{{value}/{kind}}}/{path}".rstrip("/"), shown, expectation(row, kind, words), must_not, words)
    outside(instance, items, prefix)
    finding(instance, items, prefix)
    instance.elements += [Element(0x0040A040, "CS", "CONTAINER"), Element(0x0040A050, "CS", "SEPARATE"),
                          Element(0x0040A043, "SQ", [code("126000", "DCM", "Imaging Measurement Report")]),
                          Element(0x0040A504, "SQ", [[Element(0x00080105, "CS", "DCMR"), Element(0x0040DB00, "CS", "1500")]]),
                          Element(0x0040A730, "SQ", items)]
    instance.check("0040A043[0]/00080100", "126000", [["", "kept", 41]])
    instance.check("0040A040", "CONTAINER", [["", "kept", 41]])


def outside(instance, items, prefix):
    """Items with a local code: their value type decides."""
    p = instance.patient
    for n, kind in enumerate(["TEXT", "PNAME", "DATE", "DATETIME", "UIDREF"]):
        elements, path, shown, must_not, _ = value_of(instance, kind, n * 4 + 1)
        local = f"LOC{n}"
        items.append(item(kind, local, "99LOCAL", "Local", *elements))
        expect = {"TEXT": [["structured", "lacks", 41]], "PNAME": [["structured", "gone", 41]],
                  "DATE": [["structured+full", "kept", 41], ["structured+modified", "shifted", 41], ["structured", "gone", 41]],
                  "DATETIME": [["structured+full", "kept", 41], ["structured+modified", "shifted", 41], ["structured", "gone", 41]],
                  "UIDREF": [["structured", "gone", 41]]}[kind]
        if kind == "TEXT":
            must_not = [("id", p.mrn)]
        instance.check(f"{prefix}{{{local}/{kind}}}/{path}", shown, expect + [["", "gone", 20]], must_not)
    for value, scheme, meaning, shown in PUBLIC_NUMBERS:
        items.append(item("NUM", value, scheme, meaning, *number(shown)))
        instance.check(f"{prefix}{{{value}/NUM}}/0040A300[0]/0040A30A", shown, [["structured", "kept", 41], ["", "any", 20]])


def finding(instance, items, prefix):
    """A container two levels deep with coded findings, a number and an observer's name."""
    p = instance.patient
    inner, path = [], f"{prefix}{{125007/CONTAINER}}/0040A730"
    for value, scheme, meaning, answer, answer_scheme, answer_meaning in PUBLIC_CODES:
        inner.append(item("CODE", value, scheme, meaning,
                          Element(0x0040A168, "SQ", [code(answer, answer_scheme, answer_meaning)])))
        instance.check(f"{path}{{{value}/CODE}}/0040A168[0]/00080100", answer, [["structured", "kept", 41], ["", "any", 20]])
    deep = [item("PNAME", "121008", "DCM", "Person Observer Name", Element(0x0040A123, "PN", p.physicians[2] + "^" + p.given)),
            item("NUM", "410668003", "SCT", "Length", *number("3.5"))]
    inner.append(item("CONTAINER", "126010", "DCM", "Imaging Measurements", Element(0x0040A050, "CS", "SEPARATE"),
                      Element(0x0040A730, "SQ", deep)))
    deeper = f"{path}{{126010/CONTAINER}}/0040A730"
    instance.check(f"{deeper}{{121008/PNAME}}/0040A123", p.physicians[2] + "^" + p.given,
                   [["structured", "gone", 41], ["", "gone", 20]], [("person", p.physicians[2])])
    instance.check(f"{deeper}{{410668003/NUM}}/0040A300[0]/0040A30A", "3.5", [["structured", "kept", 41], ["", "any", 20]])
    items.append(item("CONTAINER", "125007", "DCM", "Measurement Group", Element(0x0040A050, "CS", "SEPARATE"),
                      Element(0x0040A730, "SQ", inner)))
