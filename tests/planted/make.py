#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes DICOM files of made-up patients with planted identifiers, and truth.json beside them.

Usage: make.py OUT [--patients 20] [--seed N] [--no-extras]

The same arguments give the same bytes. OUT/files holds the instances, OUT/truth.json what must become of each planted
element. --no-extras leaves out what gives patients away in attributes that table E.1-1 does not name.
"""
import argparse
import hashlib
import json
import pathlib

import iods
import oddities
import plants
import wire
from patients import Patient

FILES_OF_A_PATIENT = sum(row[4] for row in iods.PLAN)


def slice_of(tags, number, parts):
    return tags[number % parts::parts]


def write(instance, syntax, turn, root, rng_turn):
    tags = sorted(plants.ATTRIBUTES)
    oddities.add(instance, syntax, rng_turn)
    rows = slice_of(tags, rng_turn, FILES_OF_A_PATIENT)
    nested = slice_of(tags, rng_turn + 11, FILES_OF_A_PATIENT)
    plants.plant_rows(instance, rows, nested, rng_turn)
    data = wire.file_bytes(instance.elements, instance.meta, syntax, instance.patient.encode_text, instance.preamble, instance.tail)
    # Folders of archives are named by people, too.
    folder = pathlib.Path(instance.patient.mrn, instance.patient.day(instance.study), f"{instance.modality}{instance.series}")
    name = folder / (f"{turn:02d}.dcm" if turn % 4 else f"IM{turn:04d}")
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)
    return {"input": str(name), "patient": instance.patient.code, "sop_class": instance.sop_class, "syntax": syntax,
            "study": instance.study_uid, "series": instance.series_uid, "sop": instance.uid,
            "may_quarantine": instance.may_quarantine,
            "pixels": [hashlib.sha256(p).hexdigest() for p in instance.pixels or []], "checks": instance.checks}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--no-extras", action="store_true")
    args = parser.parse_args()
    root = args.out / "files"
    root.mkdir(parents=True)
    truth = {"patients": {}, "files": []}
    for number in range(args.patients):
        patient = Patient(number, args.seed)
        for instance, syntax, turn in iods.instances(patient, not args.no_extras):
            # Which oddities meet which kind of object changes from patient to patient.
            truth["files"].append(write(instance, syntax, turn, root, turn + number * 7))
        truth["patients"][patient.code] = {"identifiers": patient.identifiers(), "raw": patient.raw_spellings(), "uids": patient.uids,
                                           "charset": patient.charset}
    (args.out / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=0), encoding="utf-8")
    checks = sum(len(file["checks"]) for file in truth["files"])
    print(f"{args.patients} patients, {len(truth['files'])} files, {checks} checks")


if __name__ == "__main__":
    main()
