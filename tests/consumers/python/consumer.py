# SPDX-License-Identifier: Apache-2.0
"""A program of somebody else, who has nothing but the installed package.

Usage: consumer.py FOLDER

FOLDER has rules.yaml, with all that it names, and dicom/ with DICOM files, of which the rules let
at least one pass. Writes FOLDER/out and FOLDER/out.dcmveil. Prints "ok" if all is as it should be;
else an assertion or an exception ends it. Uses pydicom if it is installed, and says if it is not.
"""
import pathlib
import sys

import dcmveil


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    engine = dcmveil.Engine(folder / "rules.yaml")
    print(f"dcmveil {dcmveil.__version__}, rules {engine.name}")

    clean: dict[str, bytes] = {}
    through_pydicom = 0
    without_pydicom = False
    for path in sorted((folder / "dicom").rglob("*")):
        if not path.is_file():
            continue
        try:
            result, report = engine.apply_with_report(path.read_bytes())
        except (dcmveil.Quarantined, dcmveil.Rejected):
            continue
        assert report.sop_instance_uid.encode() in result
        clean[report.sop_instance_uid] = result
        try:
            import pydicom
        except ImportError:
            without_pydicom = True
        else:
            try:
                data_set = engine.apply(pydicom.dcmread(path, force=True))
            except (dcmveil.EncodeError, dcmveil.Quarantined):
                continue  # what pydicom reads otherwise, if at all
            assert data_set.SOPInstanceUID == report.sop_instance_uid
            through_pydicom += 1
    assert clean, "no instance passed"
    if without_pydicom:
        print("without pydicom")
    else:
        assert through_pydicom, "no data set passed"

    told: list[dcmveil.InputOutcome] = []
    counts: list[dcmveil.Counts] = []
    summary = dcmveil.run(engine, folder / "dicom", folder / "out", progress=counts.append,
                          outcome=told.append)
    assert summary.counts.written == len(clean), (summary, len(clean))
    assert counts[-1] == summary.counts
    assert summary.manifest is not None and summary.manifest.exists()
    written = {(folder / "out" / one.output).read_bytes() for one in told if one.output is not None}
    assert written == set(clean.values()), "run() and apply() differ"

    try:
        dcmveil.Engine.from_text("dcmveil: 1\nrules: [{tag: PatientNmae, action: remove}]\n")
    except dcmveil.RuleError as error:
        assert "PatientName" in str(error)
    else:
        raise AssertionError("wrong rules were taken")
    print("ok")


if __name__ == "__main__":
    main()
