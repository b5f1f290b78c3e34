# SPDX-License-Identifier: Apache-2.0
"""The instances of one patient: three studies, eighteen kinds of objects that refer to each other."""
import content
import wire
from plants import Instance
from wire import Element

SOP = "1.2.840.10008.5.1.4.1.1."
CT, ENHANCED_CT, MR, ENHANCED_MR = SOP + "2", SOP + "2.1", SOP + "4", SOP + "4.1"
US, SC, XA, NM, PET = SOP + "6.1", SOP + "7", SOP + "12.1", SOP + "20", SOP + "128"
CR, DX, MG, ECG, KO, SR = SOP + "1", SOP + "1.1", SOP + "1.2", SOP + "9.1.1", SOP + "88.59", SOP + "88.33"
PR, SEG, RTDOSE, RTSTRUCT, RTPLAN = SOP + "11.1", SOP + "66.4", SOP + "481.2", SOP + "481.3", SOP + "481.5"
PDF, CDA = SOP + "104.1", SOP + "104.2"
FUNCTIONAL_GROUPS = {ENHANCED_CT, ENHANCED_MR, SEG}
# modality, SOP class, study, series, number of instances, transfer syntax
PLAN = [
    ("CT", CT, 0, 1, 3, wire.EXPLICIT), ("SEG", SEG, 0, 2, 1, wire.EXPLICIT), ("RTSTRUCT", RTSTRUCT, 0, 3, 1, wire.IMPLICIT),
    ("KO", KO, 0, 4, 1, wire.EXPLICIT), ("PR", PR, 0, 5, 1, wire.EXPLICIT), ("SR", SR, 0, 6, 2, wire.EXPLICIT),
    ("MR", MR, 1, 1, 2, wire.IMPLICIT), ("MR", ENHANCED_MR, 1, 2, 1, wire.EXPLICIT), ("US", US, 1, 3, 1, wire.JPEG),
    ("XA", XA, 1, 4, 1, wire.JPEG_LOSSLESS), ("MG", MG, 1, 5, 1, wire.JPEG_LS), ("DX", DX, 1, 6, 1, wire.BIG),
    ("PT", PET, 1, 7, 1, wire.EXPLICIT), ("NM", NM, 1, 8, 1, wire.DEFLATED), ("CT", ENHANCED_CT, 2, 1, 1, wire.JPEG_2000),
    ("OT", SC, 2, 2, 1, wire.RLE), ("RTPLAN", RTPLAN, 2, 3, 1, wire.EXPLICIT), ("RTDOSE", RTDOSE, 2, 4, 1, wire.IMPLICIT),
    ("DOC", PDF, 2, 5, 1, wire.EXPLICIT), ("DOC", CDA, 2, 6, 1, wire.DEFLATED), ("ECG", ECG, 2, 7, 1, wire.EXPLICIT),
    ("CR", CR, 2, 8, 1, wire.IMPLICIT), ("SR", SR, 2, 9, 1, wire.BIG),
]
# What each kind carries that no rule of the standard touches: (tag, VR, value).
ACQUISITION = {
    CT: [(0x00180060, "DS", "120"), (0x00181151, "IS", "210"), (0x00181210, "SH", "B30f"), (0x00180050, "DS", "1.25"), (0x00189345, "FD", [12.5])],
    MR: [(0x00180020, "CS", "SE"), (0x00180021, "CS", "SK"), (0x00180080, "DS", "500"), (0x00180081, "DS", "12.5"), (0x00180087, "DS", "3"),
         (0x00181314, "DS", "90"), (0x00180023, "CS", "2D")],
    PET: [(0x00541001, "CS", "BQML"), (0x00541102, "CS", "DECY"), (0x00541300, "DS", "1000"), (0x00541000, "CS", "WHOLE BODY\\IMAGE"), (0x00541330, "US", [3])],
    NM: [(0x00540011, "US", [1]), (0x00540021, "US", [1]), (0x00180070, "IS", "500000")],
    US: [(0x00186012, "US", [1]), (0x00181063, "DS", "33.3"), (0x00185010, "LO", "C5-1")],
    XA: [(0x00181110, "DS", "1000"), (0x00181510, "DS", "30"), (0x00181511, "DS", "-10"), (0x00180060, "DS", "81")],
    MG: [(0x00185101, "CS", "CC"), (0x00200062, "CS", "L"), (0x001811A0, "DS", "45"), (0x00540220, "SQ", None)],
    DX: [(0x00185101, "CS", "PA"), (0x00180060, "DS", "125"), (0x00181152, "IS", "2")],
    CR: [(0x00185101, "CS", "AP"), (0x00180015, "CS", "CHEST")],
    SC: [(0x00080064, "CS", "WSD")],
    RTDOSE: [(0x30040002, "CS", "GY"), (0x30040004, "CS", "PHYSICAL"), (0x3004000A, "CS", "PLAN"), (0x3004000E, "DS", "0.001")],
    RTPLAN: [(0x300A000C, "CS", "PATIENT")],
}
GEOMETRY = [(0x00200032, "DS", "-120.5\\-98.25\\12.75"), (0x00200037, "DS", "1\\0\\0\\0\\1\\0"), (0x00280030, "DS", "0.7\\0.7"),
            (0x00200011, "IS", "3"), (0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"), (0x00180015, "CS", "CHEST"),
            (0x00185100, "CS", "HFS")]
WELL_KNOWN_FRAME = "1.2.840.10008.1.4.1.1"


def time_of(instance, shift=0):
    return f"{9 + instance.study + instance.series % 8:02d}{10 + instance.number:02d}{30 + shift:02d}"


def header(instance, syntax):
    """Patient, study, series, equipment: the same for all instances of the entity."""
    p, study = instance.patient, instance.study
    day = p.day(study)
    if p.charset:
        instance.elements.append(Element(0x00080005, "CS", p.charset))
    instance.keep(0x00080016, "UI", instance.sop_class, 28)
    for tag, value in [(0x00080018, instance.uid), (0x0020000D, instance.study_uid), (0x0020000E, instance.series_uid)]:
        instance.plant(tag, value)
    instance.keep(0x00080060, "CS", instance.modality)
    name = [("person", p.family), ("person", p.given)]
    instance.plant(0x00100010, p.name, must_not=name)
    instance.plant(0x00100020, p.mrn, must_not=[("id", p.mrn)])
    instance.plant(0x00100021, f"{p.hospital} PAS", must_not=[("institution", p.hospital)])
    instance.plant(0x00100030, p.birth.strftime("%Y%m%d"))
    instance.plant(0x00100040, p.sex)
    instance.plant(0x00101010, f"{p.age:03d}Y")
    instance.plant(0x00101020, "1.71")
    instance.plant(0x00101030, f"{50 + p.number}.5")
    instance.plant(0x00080050, p.accessions[study])
    instance.plant(0x00200010, p.study_ids[study])
    instance.plant(0x00080020, day)
    instance.plant(0x00080030, f"{9 + study:02d}0102")
    instance.plant(0x00080090, f"{p.physicians[0]}^Aldous", must_not=[("person", p.physicians[0])])
    instance.plant(0x00081030, f"CT chest for {p.family}" if len(p.family) < 45 else "CT chest", must_not=[("person", p.family)], must=["CT", "chest"])
    instance.plant(0x0008103E, f"abdomen MRN {p.mrn}", must_not=[("id", p.mrn)], must=["abdomen"])
    instance.plant(0x00080080, p.hospital)
    instance.plant(0x00080081, f"{p.hospital} Road 1")
    instance.plant(0x00081010, p.station)
    instance.plant(0x00081070, f"{p.physicians[1]}^Beda")
    serial = "replaced" if instance.sop_class in FUNCTIONAL_GROUPS else "removed" if instance.sop_class in (CT, MR) else None
    instance.plant(0x00181000, p.serial, basic_kind=serial)
    instance.keep(0x00080070, "LO", "Made-up Maker")
    instance.keep(0x00081090, "LO", "Scanner 7")
    instance.keep(0x00181020, "LO", "VB17\\syngo-like")
    instance.keep(0x00200013, "IS", str(instance.number))
    series_date = {CT: "removed", MR: "removed", PET: "replaced"}.get(instance.sop_class)
    instance.plant(0x00080021, day, basic_kind=series_date)
    instance.plant(0x00080031, f"{9 + study:02d}0{instance.series}02", basic_kind=series_date)
    content_date = "replaced" if instance.sop_class in (ENHANCED_CT, ENHANCED_MR, SR, KO) else None
    instance.plant(0x00080023, day, basic_kind=content_date)
    instance.plant(0x00080033, time_of(instance), basic_kind=content_date)
    if instance.modality in ("CT", "MR", "PT", "US", "XA") and instance.sop_class not in FUNCTIONAL_GROUPS:
        kind = "emptied" if instance.sop_class == PET else "removed" if instance.sop_class in (CT, MR) else None
        instance.plant(0x00080022, day, basic_kind=kind)
        instance.plant(0x00080032, time_of(instance, 5), basic_kind=kind)
    if instance.sop_class in (ENHANCED_CT, ENHANCED_MR):
        instance.plant(0x0008002A, day + time_of(instance) + ".25")
    if instance.modality in ("US", "OT", "NM"):
        instance.keep(0x00280301, "CS", "YES", 6)
    if instance.number % 2 == 0:
        instance.plant(0x00400275, [[Element(0x00400007, "LO", f"knee {p.family}"), Element(0x00400009, "SH", p.order),
                                     Element(0x00401001, "SH", p.order), Element(0x00321060, "LO", f"knee {p.mrn}")]],
                       must_not=[("person", p.family), ("id", p.order), ("id", p.mrn)])
    instance.meta += [Element(0x00020002, "UI", instance.sop_class), Element(0x00020003, "UI", instance.uid),
                      Element(0x00020012, "UI", p.root + ".777"), Element(0x00020013, "SH", "OLDVERSION_1")]


def pixels(instance, syntax):
    frames = 2 if instance.sop_class in FUNCTIONAL_GROUPS or instance.modality in ("US", "XA", "NM") else 1
    seeds = [f"{instance.uid}/{n}" for n in range(frames)]
    for tag, vr, value in [(0x00280002, "US", [1]), (0x00280004, "CS", "MONOCHROME2"), (0x00280010, "US", [16]), (0x00280011, "US", [16]),
                           (0x00280100, "US", [8]), (0x00280101, "US", [8]), (0x00280102, "US", [7]), (0x00280103, "US", [0]),
                           (0x00281052, "DS", "-1024"), (0x00281053, "DS", "1"), (0x00281050, "DS", "40"), (0x00281051, "DS", "400")]:
        instance.keep(tag, vr, value)
    if frames > 1:
        instance.keep(0x00280008, "IS", str(frames))
    if syntax in wire.ENCAPSULATED:
        fragments = [wire.coded_frame(seed, syntax) for seed in seeds]
        instance.pixels = fragments
        instance.elements.append(Element(0x7FE00010, "FRAGMENTS", fragments))
    else:
        data = b"".join(wire.frame(seed) for seed in seeds)
        instance.pixels = [data]
        instance.elements.append(Element(0x7FE00010, "OW", data))


def references(instance, others):
    """A series of this study, with its instances, for objects that refer to it."""
    items = []
    prefix = "00081115[0]/0008114A[{0}]/" if instance.sop_class == SEG else "00081115[0]/00081140[{0}]/"
    series = []
    if instance.sop_class == SEG:
        for n, other in enumerate(others):
            item = []
            instance.reference(item, prefix.format(n), other.sop_class, other.uid)
            items.append(item)
    else:
        for other in others:
            items.append([Element(0x00081150, "UI", other.sop_class), Element(0x00081155, "UI", other.uid)])
        instance.check("00081115[0]/00081140", None, [["", "lacks-old-uids", 25]], [("uid", o.uid) for o in others])
    instance.plant(0x0020000E, others[0].series_uid, into=series, prefix="00081115[0]/")
    instance.sequence(0x0008114A if instance.sop_class == SEG else 0x00081140, items, series)
    instance.sequence(0x00081115, [series])


def evidence(instance, others):
    """Current Requested Procedure Evidence Sequence of a report or a selection of key objects."""
    path = "0040A375[0]/"
    study, series, items = [], [], []
    for n, other in enumerate(others):
        item = []
        instance.reference(item, f"{path}00081115[0]/00081199[{n}]/", other.sop_class, other.uid)
        items.append(item)
    instance.plant(0x0020000E, others[0].series_uid, into=series, prefix=path + "00081115[0]/")
    series.append(Element(0x00081199, "SQ", items))
    instance.plant(0x0020000D, others[0].study_uid, into=study, prefix=path)
    study.append(Element(0x00081115, "SQ", [series]))
    instance.sequence(0x0040A375, [study])


def functional_groups(instance):
    shared, frame = [], []
    measures, position = [], []
    instance.keep(0x00280030, "DS", "0.5\\0.5", 46, measures, "52009229[0]/00289110[0]/")
    instance.keep(0x00180050, "DS", "2.5", 46, measures, "52009229[0]/00289110[0]/")
    shared.append(Element(0x00289110, "SQ", [measures]))
    instance.keep(0x00200032, "DS", "1.5\\2.5\\3.5", 46, position, "52009230[0]/00209113[0]/")
    frame.append(Element(0x00209113, "SQ", [position]))
    times = []
    day = instance.patient.day(instance.study)
    for tag in (0x00189074, 0x00189151):
        instance.plant(tag, f"{day}11{instance.number:02d}15.5", into=times, prefix="52009230[0]/00209111[0]/")
    instance.plant(0x00209158, into=times, prefix="52009230[0]/00209111[0]/")
    instance.keep(0x00189220, "FD", [40.5], 46, times, "52009230[0]/00209111[0]/")
    frame.append(Element(0x00209111, "SQ", [times]))
    instance.sequence(0x52009229, [shared])
    instance.sequence(0x52009230, [frame, [Element(0x00209113, "SQ", [[Element(0x00200032, "DS", "9\\9\\9")]])]])


def document(instance):
    p = instance.patient
    text = f"{p.mrn} {p.order} born {p.birth.strftime('%d.%m.%Y')} {p.hospital}"
    if instance.sop_class == PDF:
        body = f"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\n% {text}\ntrailer<</Root 1 0 R>>\n%%EOF\n".encode()
        kind = "application/pdf"
    else:
        body = f'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>{text}</title></ClinicalDocument>'.encode()
        kind = "text/xml"
    instance.keep(0x00420012, "LO", kind)
    instance.elements += [Element(0x00420011, "OB", body), Element(0x00420015, "UL", [len(body)])]
    instance.check("00420011", kind, [["", "document", 21]], [("id", p.mrn)])
    if instance.extras:
        instance.elements.append(Element(0x00420010, "ST", f"letter about {p.family}"))
        instance.check("00420010", None, [["", "lacks", 24]], [("person", p.family)])


def special(instance, earlier):
    """What only this kind of object has."""
    p, kind = instance.patient, instance.sop_class
    ct = [other for other in earlier if other.sop_class == CT and other.study == 0]
    if kind == KO:
        evidence(instance, ct)
        content.tree(instance, instance.counter * 5, 8)
    elif kind == SR:
        evidence(instance, ct)
        content.tree(instance, p.number * 13 + instance.number * 60 + instance.study * 40, 66)
        observer = [Element(0x0040A075, "PN", f"{p.physicians[2]}^Cyril"), Element(0x0040A027, "LO", p.hospital),
                    Element(0x0040A030, "DT", p.day(instance.study) + "1200")]
        instance.plant(0x0040A073, [observer], must_not=[("person", p.physicians[2])])
        instance.keep(0x0040A491, "CS", "COMPLETE")
        instance.keep(0x0040A493, "CS", "UNVERIFIED")
    elif kind == PR:
        references(instance, ct)
        text = [Element(0x00700006, "ST", f"lesion {p.spoken_name()} {p.mrn}"), Element(0x00700014, "FL", [1.5, 2.5]), Element(0x00700004, "CS", "PIXEL")]
        where = [Element(0x00081150, "UI", CT), Element(0x00081155, "UI", ct[0].uid)]
        annotation = [Element(0x00700002, "CS", "LAYER1"), Element(0x00700008, "SQ", [text]), Element(0x00081140, "SQ", [where])]
        instance.plant(0x00700001, [annotation], must_not=[("person", p.family), ("id", p.mrn), ("uid", ct[0].uid)])
        instance.plant(0x00700084, f"{p.physicians[3]}^Dora")
        for tag, value in ((0x00700082, p.day(0)), (0x00700083, "101010")):
            instance.plant(tag, value)
        instance.keep(0x00700080, "CS", "FINDINGS")
    elif kind == SEG:
        references(instance, ct)
        segment = []
        for tag, vr, value in [(0x00620004, "US", [1]), (0x00620008, "CS", "AUTOMATIC")]:
            instance.keep(tag, vr, value, 46, segment, "00620002[0]/")
        instance.plant(0x00620021, p.uid(8, 621), into=segment, prefix="00620002[0]/")
        instance.sequence(0x00620002, [segment])
        instance.keep(0x00620001, "CS", "BINARY")
    elif kind == RTSTRUCT:
        frame, study, roi, contour = [], [], [], []
        instance.plant(0x00200052, ct[0].patient.uid(1, 900), into=frame, prefix="30060010[0]/")
        study += [Element(0x00081150, "UI", "1.2.840.10008.3.1.2.3.1"), Element(0x00081155, "UI", instance.study_uid)]
        frame.append(Element(0x30060012, "SQ", [study]))
        instance.sequence(0x30060010, [frame])
        instance.keep(0x30060022, "IS", "1", 46, roi, "30060020[0]/")
        instance.plant(0x30060024, ct[0].patient.uid(1, 900), into=roi, prefix="30060020[0]/")
        instance.plant(0x30060026, f"lung left {p.family[:30]}", into=roi, prefix="30060020[0]/", must_not=[("person", p.family[:30])], must=["lung", "left"])
        instance.sequence(0x30060020, [roi])
        instance.keep(0x30060050, "DS", "1.5\\2.5\\3.5", 46, contour, "30060039[0]/30060040[0]/")
        instance.keep(0x30060042, "CS", "POINT", 46, contour, "30060039[0]/30060040[0]/")
        instance.sequence(0x30060039, [[Element(0x30060040, "SQ", [contour]), Element(0x30060084, "IS", "1")]])
        for tag in (0x30060002, 0x30060008, 0x30060009):
            instance.plant(tag)
    elif kind in (PDF, CDA):
        document(instance)
    elif kind == ECG:
        wave = []
        for tag, vr, value in [(0x003A0005, "US", [1]), (0x003A0010, "UL", [8]), (0x003A001A, "DS", "500"), (0x54001004, "US", [16])]:
            instance.keep(tag, vr, value, 46, wave, "54000100[0]/")
        wave.append(Element(0x54001010, "OW", bytes(range(16))))
        instance.sequence(0x54000100, [wave])
    elif kind == PET:
        drug, path = [], "00540016[0]/"
        day = p.day(instance.study)
        instance.keep(0x00181074, "DS", "350000000", 46, drug, path)
        instance.keep(0x00181075, "DS", "6586.2", 46, drug, path)
        instance.plant(0x00181072, "100230", into=drug, prefix=path)
        instance.plant(0x00181078, day + "100230.00", into=drug, prefix=path)
        instance.sequence(0x00540016, [drug])
    elif kind == RTPLAN:
        for tag in (0x300A0002, 0x300A0003, 0x300A0004, 0x300A0006, 0x300A0007):
            instance.plant(tag)
        reference = []
        structures = [other for other in earlier if other.sop_class == RTSTRUCT]
        instance.reference(reference, "300C0060[0]/", RTSTRUCT, structures[0].uid)
        instance.sequence(0x300C0060, [reference])


def instances(patient, extras=True):
    """(instance, transfer syntax, number in the patient) one after the other; later ones may refer to earlier ones."""
    earlier = []
    for modality, sop_class, study, series, count, syntax in PLAN:
        for number in range(1, count + 1):
            instance = Instance(patient, study, modality, sop_class, series, number, extras)
            header(instance, syntax)
            special(instance, earlier)
            if sop_class in (CT, MR, PET, RTDOSE, SEG, ENHANCED_CT, ENHANCED_MR, RTSTRUCT):
                frame = WELL_KNOWN_FRAME if sop_class == ENHANCED_MR else patient.uid(study + 1, 900)
                if frame == WELL_KNOWN_FRAME:
                    instance.keep(0x00200052, "UI", frame, 28)
                else:
                    instance.plant(0x00200052, frame)
            if sop_class in (CT, MR, PET):
                for tag, vr, value in GEOMETRY:
                    instance.keep(tag, vr, value)
            if sop_class in FUNCTIONAL_GROUPS:
                functional_groups(instance)
            for tag, vr, value in ACQUISITION.get(sop_class, []):
                if vr != "SQ" and not instance.has(tag):
                    instance.keep(tag, vr, value)
            if sop_class == MG:
                view = [Element(0x00080100, "SH", "399162004"), Element(0x00080102, "SH", "SCT"), Element(0x00080104, "LO", "cranio-caudal")]
                instance.sequence(0x00540220, [view])
                instance.check("00540220[0]/00080100", "399162004", [["", "kept", 46]])
            if sop_class not in (KO, SR, PR, RTSTRUCT, RTPLAN, PDF, CDA, ECG):
                pixels(instance, syntax)
            earlier.append(instance)
            yield instance, syntax, len(earlier) - 1
