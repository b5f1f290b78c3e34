#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Does the judge judge? Copies must fail in masses; a file cleaned by hand must pass; one slip in it must be seen.

Usage: selftest.py
"""
import contextlib
import hashlib
import io
import json
import pathlib
import sys
import tempfile

import check
import make
import reading
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

DUMMY = {"DA": "19000101", "TM": "000000", "DT": "19000101000000", "PN": "ANONYMOUS", "UI": "2.25.1", "SQ": None, "AS": "000Y",
         "OB": b"\0\0", "OW": b"\0\0", "UN": b"\0\0", "US": 0, "CS": "NONE", "DS": "0", "IS": "0"}


def run(module, *words):
    """(exit code, what it printed)."""
    old, sys.argv = sys.argv, ["program", *map(str, words)]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            return module.main(), printed.getvalue()
    finally:
        sys.argv = old


def new_uid(uid):
    return "2.25." + str(int.from_bytes(hashlib.sha256(uid.encode()).digest()[:15], "big"))


def holder(data_set, path):
    """The data set or item that a path's last step is in, and the tag."""
    steps = path.split("/")
    for step in steps[:-1]:
        found = reading.element(data_set, int(step[:8], 16))
        if found is None or not reading.is_sequence(found):
            return None, None
        data_set = found.value[int(step[9:-1])]
    return data_set, None if "|" in steps[-1] else int(steps[-1], 16)


def clean_by_hand(source, target, file):
    """The Basic Profile without options, for the checks of this one file only."""
    data_set = reading.read(source)
    data_set.remove_private_tags()
    for item, _ in reading.walk(data_set):
        for tag in [t for t in item.keys() if t.group == 4 or t.element == 0 or t == 0xFFFCFFFC]:
            del item[tag]
    for planted in file["checks"]:
        kind, _ = JUDGE.expected(planted)
        item, tag = holder(data_set, planted["p"])
        if item is None or tag is None or tag not in item or kind in ("kept", "any", "starts-with"):
            continue
        found = item[tag]
        if kind == "uid":
            found.value = new_uid(planted["v"])
        elif kind == "emptied":
            found.value = [] if found.VR == "SQ" else ""
        elif kind == "replaced":
            found.value = Sequence([Dataset()]) if found.VR == "SQ" else DUMMY.get(found.VR, "ANONYMOUS")
        else:
            del item[tag]
    data_set.PatientIdentityRemoved = "YES"
    data_set.DeidentificationMethod = "BY HAND"
    data_set.add_new(0x00280303, "CS", "REMOVED")
    meta = data_set.file_meta
    for tag in [t for t in meta.keys() if t.element >= 0x16]:
        del meta[tag]
    meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    meta.ImplementationClassUID, meta.ImplementationVersionName = "2.25.2", "BY_HAND"
    data_set.preamble = b"\0" * 128
    data_set.save_as(target, write_like_original=False)


JUDGE = check.Judge(set())


def expect(condition, what, printed=""):
    if not condition:
        sys.exit(f"the judge is wrong: {what}\n{printed}")
    print(f"ok: {what}")


def write_manifest(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def main():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        run(make, root / "in", "--patients", "2")
        run(make, root / "again", "--patients", "2")
        expect((root / "in/truth.json").read_bytes() == (root / "again/truth.json").read_bytes(), "the same arguments give the same truth")
        truth = json.loads((root / "in/truth.json").read_text())
        names = [file["input"] for file in truth["files"]]
        expect(all((root / "in/files" / n).read_bytes() == (root / "again/files" / n).read_bytes() for n in names), "and the same bytes")

        write_manifest(root / "copies.ndjson", [{"input": n, "output": n, "outcome": "written"} for n in names])
        code, printed = run(check, root / "in/files", root / "in/files", root / "copies.ndjson", root / "in/truth.json",
                            "--json", root / "copies.json", "--validate-every", "0")
        score = json.loads((root / "copies.json").read_text())
        expect(code == 1 and score["removal"] < 0.15 and score["leaks"] > 1000, "unchanged copies fail in masses", printed)
        expect(score["retention"] > 0.98, "and keep what is to be kept", printed)

        # The first CT of the first patient, all alone.
        file = next(f for f in truth["files"] if f["sop_class"].endswith(".1.1.2") and f["syntax"] == "1.2.840.10008.1.2.1")
        truth["files"] = [file]
        (root / "one.json").write_text(json.dumps(truth))
        (root / "out").mkdir()
        write_manifest(root / "one.ndjson", [{"input": file["input"], "output": "a.dcm", "outcome": "written"}])
        arguments = [root / "in/files", root / "out", root / "one.ndjson", root / "one.json", "--validate-every", "0"]
        target = root / "out/a.dcm"
        clean_by_hand(root / "in/files" / file["input"], target, file)
        code, printed = run(check, *arguments, "--show-values", "--json", root / "score.json")
        expect(code == 0 and "failing checks: 0 " in printed, "a file cleaned by hand passes", printed)

        family = truth["patients"][file["patient"]]["identifiers"][0][1]
        for what, slip in [("a name in a kept attribute", lambda d: setattr(d, "ManufacturerModelName", family.upper())),
                           ("a UID in a text", lambda d: setattr(d, "ImageComments", file["sop"])),
                           ("a name in another encoding", lambda d: d.add_new(0x00880140, "OB", family.encode("utf-16-le")))]:
            data_set = reading.read(target)
            slip(data_set)
            data_set.save_as(target)
            code, printed = run(check, *arguments)
            expect(code == 1 and "outputs: 0" not in printed, f"one slip is seen: {what}", printed)
            clean_by_hand(root / "in/files" / file["input"], target, file)


if __name__ == "__main__":
    main()
