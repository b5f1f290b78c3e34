# SPDX-License-Identifier: Apache-2.0
"""What real archives hold and tidy samples do not: wrong VRs, private blocks, curves, overlays, leftovers."""
from wire import IMPLICIT, Element

# (group, creator, low byte, VR, value): in table E.3.10-1 of PS3.15.
SAFE = [(0x0019, "SIEMENS MR HEADER", 0x0C, "IS", "1000"), (0x0019, "SIEMENS MR HEADER", 0x0D, "CS", "DIRECTIONAL"),
        (0x0019, "SIEMENS MR HEADER", 0x0E, "FD", [0.5, 0.25, 0.75]),
        (0x0019, "SIEMENS MR HEADER", 0x27, "FD", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        (0x0043, "GEMS_PARM_01", 0x39, "IS", "700\\0\\8\\0"), (0x0019, "GEMS_ACQU_01", 0x23, "DS", "39.375"),
        (0x0019, "GEMS_ACQU_01", 0x27, "DS", "0.6"), (0x2001, "Philips Imaging DD 001", 0x03, "FL", [800.0]),
        (0x2001, "Philips Imaging DD 001", 0x04, "CS", "I"), (0x7053, "Philips PET Private Group", 0x00, "DS", "0.000551"),
        (0x7053, "Philips PET Private Group", 0x09, "DS", "1.234"), (0x00E1, "ELSCINT1", 0x50, "DS", "5.71"),
        (0x01F1, "ELSCINT1", 0x26, "DS", "0.9375")]
# Not in the table: beside the safe ones in the same blocks, or under other creators.
UNSAFE = [(0x0019, "SIEMENS MR HEADER", 0x0A, "LO"), (0x0019, "GEMS_ACQU_01", 0x11, "LO"),
          (0x2001, "Philips Imaging DD 001", 0xC8, "LO"), (0x0029, "SIEMENS CSA HEADER", 0x10, "OB"),
          (0x0009, "GEMS_IDEN_01", 0x30, "LO"), (0x0099, "MADE UP SYSTEM 7", 0x01, "PN"),
          (0x0099, "MADE UP SYSTEM 7", 0x02, "DA"), (0x0099, "MADE UP SYSTEM 7", 0x03, "UI"),
          (0x0019, "OTHER MR HEADER", 0x0C, "IS"), (0x0043, "OTHER_PARM_01", 0x39, "IS"),
          (0x2001, "Other Imaging DD 001", 0x03, "LO")]


def private(instance, implicit, into=None, prefix="", turn=0):
    """Blocks with safe and unsafe elements; block numbers differ from file to file."""
    p, target = instance.patient, instance.elements if into is None else into
    blocks = {}

    def address(group, creator, low):
        used = [b for (g, _), b in blocks.items() if g == group]
        if (group, creator) not in blocks:
            blocks[group, creator] = (max(used) + 1) if used else 0x10 + turn % 3
            target.append(Element(group << 16 | blocks[group, creator], "LO", creator))
        return group << 16 | blocks[group, creator] << 8 | low

    # Under the wrong creator first, so that the right one gets another block in every third file.
    unsafe = UNSAFE if turn % 3 else list(reversed(UNSAFE))
    mixed = unsafe[:5] + SAFE + unsafe[5:] if turn % 2 else SAFE + unsafe
    for row in mixed:
        group, creator, low, vr = row[:4]
        tag = address(group, creator, low)
        path = f"{prefix}{group:04X}|{creator}|{low:02X}"
        if len(row) == 5:
            target.append(Element(tag, vr, row[4]))
            shown = row[4] if isinstance(row[4], str) else "\\".join(str(v) for v in row[4])
            if isinstance(row[4], list) and implicit:
                shown = None  # a reader that does not know the VR sees bytes
            instance.check(path, shown, [["private", "kept" if shown else "present", 38], ["", "removed", 17]])
        else:
            value = {"LO": f"{p.family} {low}", "PN": p.name.split("=")[0], "DA": p.birth.strftime("%Y%m%d"), "IS": "31337",
                     "UI": p.uid(6, low), "OB": f"{p.mrn} {p.order}".encode()}[vr]
            target.append(Element(tag, vr, value))
            instance.check(path, None, [["", "removed", 38]])
    sequence = address(0x0099, "MADE UP SYSTEM 7", 0x20)
    inner = [Element(0x00100010, "PN", p.name), Element(0x00080050, "SH", p.accessions[0]),
             Element(0x00090010, "LO", "INNER SYSTEM"), Element(0x00091001, "LO", p.mrn),
             Element(0x00081115, "SQ", [[Element(0x0020000E, "UI", p.uid(6, 99)), Element(0x00081048, "PN", p.physicians[3])]])]
    target.append(Element(sequence, "SQ", [inner], undefined=turn % 2 == 0))
    instance.check(f"{prefix}0099|MADE UP SYSTEM 7|20", None, [["private", "lacks", 38], ["", "removed", 17]],
                   [("person", p.family), ("id", p.mrn), ("id", p.accessions[0]), ("person", p.physicians[3])])
    # No creator stands for these.
    target.append(Element(0x00771001, "LO", p.mrn))
    target.append(Element(0x00E1F030, "UN", p.family.encode("utf-8")))
    instance.check(f"{prefix}00771001", None, [["", "removed", 38]])
    instance.check(f"{prefix}00E1F030", None, [["", "removed", 38]])


def curves_and_overlays(instance):
    p = instance.patient
    for group in (0x5000, 0x5004, 0x501E):
        instance.elements += [Element(group << 16 | 0x0005, "US", [1]), Element(group << 16 | 0x0010, "US", [4]),
                              Element(group << 16 | 0x2500, "LO", f"curve {p.mrn}"),
                              Element(group << 16 | 0x3000, "OW", f"{p.mrn}{p.order}"[:16].encode())]
        for low in (0x0005, 0x2500, 0x3000):
            instance.check(f"{group:04X}{low:04X}", None, [["graphics", "lacks", 18], ["", "removed", 18]], [("id", p.mrn)])
    for group in (0x6000, 0x6002, 0x601E):
        instance.elements += [Element(group << 16 | 0x0010, "US", [8]), Element(group << 16 | 0x0011, "US", [8]),
                              Element(group << 16 | 0x0022, "LO", f"{p.family}"), Element(group << 16 | 0x0040, "CS", "G"),
                              Element(group << 16 | 0x0050, "SS", [1, 1]), Element(group << 16 | 0x0100, "US", [1]),
                              Element(group << 16 | 0x0102, "US", [0]), Element(group << 16 | 0x1500, "LO", f"{p.mrn}"),
                              Element(group << 16 | 0x3000, "OW", b"12345678"), Element(group << 16 | 0x4000, "LT", f"{p.family} {p.mrn}")]
        for low in (0x3000, 0x4000):
            instance.check(f"{group:04X}{low:04X}", None, [["graphics", "lacks", 18], ["", "removed", 18]],
                           [("id", p.mrn), ("person", p.family)])
        if instance.extras:
            for low in (0x0022, 0x1500):
                instance.check(f"{group:04X}{low:04X}", None, [["", "lacks", 18]], [("id", p.mrn), ("person", p.family)])
        else:
            instance.elements = [e for e in instance.elements if e.tag not in (group << 16 | 0x0022, group << 16 | 0x1500)]


def wrong_vrs(instance):
    """The tag decides, whatever VR the file gives it. Only where the file gives VRs."""
    p = instance.patient
    day = p.day(instance.study)
    instance.plant(0x00080094, p.phone, wire_vr="LO", must_not=[("id", p.phone)])
    instance.plant(0x00081048, f"{p.physicians[1]}^{p.given}", wire_vr="LO")
    instance.plant(0x00101000, p.other_id, wire_vr="UN", must_not=[("id", p.other_id)])
    instance.plant(0x00102154, p.phone, wire_vr="LO")
    instance.plant(0x00101040, p.street, wire_vr="UT")
    instance.plant(0x00400244, day, wire_vr="LO")
    instance.plant(0x00104000, f"{p.spoken_name()} {p.mrn}", wire_vr="UN", must_not=[("id", p.mrn)])
    instance.plant(0x00380020, day, wire_vr="UN")
    instance.plant(0x00380010, p.admission, wire_vr="ST")
    for e in instance.elements:
        if e.tag in (0x00100010, 0x00100020, 0x00100021, 0x00080090) and e.wire_vr is None:
            e.wire_vr = "UN" if instance.number % 2 else "LO"
    inner = [Element(0x00401101, "SQ", [[Element(0x00080100, "SH", "1"), Element(0x00080104, "LO", p.physicians[0])]]),
             Element(0x00080080, "LO", p.hospital), Element(0x00401103, "LO", p.phone)]
    if not instance.has(0x00080096):
        instance.elements.append(Element(0x00080096, "SQ", [inner], wire_vr="UN", undefined=instance.number % 2 == 0))
        instance.check("00080096", None, [["", "removed", 22]], [("person", p.physicians[0])])


def texts_after_nul(instance):
    p = instance.patient
    model = p.encode_text(f"Scanner 7\0{p.family}^{p.given}")
    instance.elements = [e for e in instance.elements if e.tag != 0x00081090]
    instance.checks = [c for c in instance.checks if c["p"] != "00081090"]
    instance.elements.append(Element(0x00081090, "LO", model))
    instance.check("00081090", None, [["", "lacks", 24]], [("person", p.family)])


def dates(instance):
    """Times with fractions and zones, parts of dates, dates that no calendar has, ranges."""
    p = instance.patient
    day = p.day(instance.study)
    for tag, value, kind in [(0x00400250, "20193145", "gone"), (0x00400244, "2019", "any"), (0x00400002, day + "-" + day, "gone"),
                             (0x00321040, f"{day[:4]}.{day[4:6]}.{day[6:]}", "gone"), (0x0008002A, day + "101500.123456+0530", "shifted"),
                             (0x00189074, day + "1015-0800", "shifted"), (0x00189151, day[:6], "any"), (0x00189516, day + "24", "gone"),
                             (0x00380020, "00000000", "any"), (0x0040A032, day + "235960.5", "gone"), (0x00404010, day + "0001", "shifted"),
                             (0x00404005, day[:4], "any")]:
        if instance.has(tag):
            continue
        instance.elements.append(Element(tag, "DA" if tag in (0x00400250, 0x00400244, 0x00400002, 0x00321040, 0x00380020) else "DT", value))
        bad = "any" if kind == "any" else "gone"
        instance.check(f"{tag:08X}", value, [["full", "any", 32], ["modified", kind, 33], ["", bad, 11]])


def leftovers(instance, turn):
    """Group lengths, group 0004, padding, text in the preamble and behind the end, an earlier method."""
    p = instance.patient
    instance.elements += [Element(0x00080000, "UL", [77777]), Element(0x00100000, "UL", [12])]
    if turn % 3 == 0:
        instance.elements += [Element(0x00041130, "CS", "OLDSET"), Element(0x00041500, "CS", f"{p.mrn}"), Element(0x00041511, "UI", p.uid(5, turn))]
        for tag in ("00041130", "00041500", "00041511"):
            instance.check(tag, None, [["", "removed", 9]])
    if turn % 2 == 0:
        instance.elements.append(Element(0xFFFCFFFC, "OB", f"{p.mrn} {p.spoken_name()}".encode("utf-8").ljust(200, b"\0")))
        instance.check("FFFCFFFC", None, [["", "removed", 10]])
    if turn % 5 == 1:
        # Behind pixel data these bytes can be told apart; behind other elements they break the data set.
        instance.may_quarantine = instance.pixels is None
        instance.tail = b"\0" * 8 + f"{p.mrn} {p.order}".encode().ljust(64, b"\0")
    instance.preamble = [b"", f"{p.mrn} {p.family}".encode("utf-8")[:128], b"II*\0\x08\0\0\0" + p.mrn.encode(), b"MM\0*" + p.ae.encode()][turn % 4]
    instance.meta += [Element(0x00020016, "AE", p.ae), Element(0x00020017, "AE", p.ae), Element(0x00020018, "AE", p.ae)]
    if turn % 2:
        instance.meta += [Element(0x00020100, "UI", p.root), Element(0x00020102, "OB", f"{p.mrn} {p.family}".encode("utf-8"))]
    if turn % 4 == 3:
        earlier = [Element(0x00080100, "SH", "113100"), Element(0x00080102, "SH", "DCM"),
                   Element(0x00080104, "LO", "Basic Application Confidentiality Profile")]
        instance.elements += [Element(0x00120063, "LO", "FIRST TOOL 1.0\\SECOND STEP"), Element(0x00120064, "SQ", [earlier])]
        instance.check("00120063", "FIRST TOOL 1.0\\SECOND STEP", [["", "starts-with", 3]])


def nested_records(instance):
    """Original Attributes, signatures, an icon: whole sequences that must go, deep inside others too."""
    p = instance.patient
    old = [Element(0x04000561, "SQ", [[Element(0x04000550, "SQ", [[Element(0x00100010, "PN", p.name), Element(0x00100020, "LO", p.mrn)]]),
                                       Element(0x04000562, "DT", p.day(0) + "1200"), Element(0x04000563, "LO", p.hospital),
                                       Element(0x04000564, "LO", p.hospital), Element(0x04000565, "CS", "CORRECT")]])]
    signature = Element(0xFFFAFFFA, "SQ", [[Element(0x04000005, "US", [1]), Element(0x04000100, "UI", p.uid(5, 77)),
                                           Element(0x04000105, "DT", p.day(0) + "1200"), Element(0x04000110, "CS", "X509_1993_SIG"),
                                           Element(0x04000115, "OB", f"CN={p.physicians[0]}".encode()), Element(0x04000120, "OB", b"12345678")]])
    icon = Element(0x00880200, "SQ", [[Element(0x00280002, "US", [1]), Element(0x00280004, "CS", "MONOCHROME2"), Element(0x00280010, "US", [4]),
                                       Element(0x00280011, "US", [4]), Element(0x00280100, "US", [8]), Element(0x00280101, "US", [8]),
                                       Element(0x00280102, "US", [7]), Element(0x00280103, "US", [0]), Element(0x7FE00010, "OB", b"0123456789abcdef")]])
    for e in old + [signature, icon]:
        if not instance.has(e.tag):
            instance.elements.append(e)
            instance.check(f"{e.tag:08X}", None, [["", "removed", 19]])
    inner = [Element(0x0020000E, "UI", p.uid(5, 78)), icon, signature] + old
    if not instance.has(0x00081115):
        instance.elements.append(Element(0x00081115, "SQ", [inner]))
        for tag in ("00880200", "FFFAFFFA", "04000561"):
            instance.check(f"00081115[0]/{tag}", None, [["", "removed", 19]])
    other = [Element(0x00100020, "LO", p.other_id), Element(0x00100022, "CS", "TEXT")]
    if not instance.has(0x00100026):  # the source's group identification: PS3.15 lets the sequence stay
        instance.elements += [Element(0x00100026, "SQ", [other]), Element(0x00100027, "SQ", [list(other)])]
        for tag in ("00100026", "00100027"):
            instance.check(f"{tag}[0]/00100020", p.other_id, [["", "replaced", 16]])


def gaps(instance):
    """Attributes that table E.1-1 does not name and that give patients away all the same."""
    p = instance.patient
    rows = [(0x00100033, "LO", f"{p.birth.strftime('%d.%m.%Y')}", "birth", p.birth.strftime("%d.%m.%Y")), (0x0040E001, "ST", f"2.16.{p.mrn}", "id", p.mrn),
            (0x00700081, "LO", f"drawn for {p.family}", "person", p.family), (0x00880130, "SH", p.mrn, "id", p.mrn),
            (0x00281055, "LO", f"window {p.family}", "person", p.family), (0x00102201, "LO", f"human {p.family}", "person", p.family),
            (0x00620020, "UT", f"lesion of {p.family}", "person", p.family), (0x00660032, "LT", f"for {p.mrn}", "id", p.mrn),
            (0x300A00C2, "LO", f"beam {p.family}", "person", p.family), (0x30020020, "SH", p.station, "device", p.station)]
    for tag, vr, value, what, hidden in rows:
        if not instance.has(tag):
            instance.elements.append(Element(tag, vr, value))
            instance.check(f"{tag:08X}", None, [["", "lacks", 24]], [(what, hidden)])
    context = [Element(0x0040A040, "CS", "TEXT"), Element(0x0040A160, "UT", f"context {p.mrn}")]
    instance.elements.append(Element(0x00400440, "SQ", [context]))
    instance.check("00400440", None, [["", "lacks", 24]], [("id", p.mrn)])


def add(instance, syntax, turn):
    """Each file gets some of it, by its turn."""
    implicit = syntax == IMPLICIT
    leftovers(instance, turn)
    if turn % 3 != 2:
        private(instance, implicit, turn=turn)
    if turn % 4 == 1:
        curves_and_overlays(instance)
    if turn % 3 == 1 and not implicit:
        wrong_vrs(instance)
    if turn % 5 == 2:
        texts_after_nul(instance)
    if turn % 3 == 0:
        dates(instance)
    if turn % 4 == 2:
        nested_records(instance)
    if instance.extras and turn % 4 == 0:
        gaps(instance)
