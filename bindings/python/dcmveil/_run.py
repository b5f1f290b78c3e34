# SPDX-License-Identifier: Apache-2.0
"""Whole folders, through the pipeline of `dcmveil run`."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from . import _native
from ._engine import Engine, StrPath, path_text
from ._types import Counts, InputOutcome, Summary


def run(rules: StrPath | Engine, input: StrPath, output: StrPath, *,
        jobs: int = 0,
        state: StrPath | None = None,
        key_file: StrPath | None = None,
        layout: str | None = None,
        dicomdir: bool = False,
        shard: tuple[int, int] | None = None,
        shard_by: Literal["study", "path"] = "study",
        shard_depth: int = 0,
        durable: bool = False,
        accept_changes: bool = False,
        retry_quarantined: bool = False,
        copy_quarantined: StrPath | None = None,
        crosswalk: StrPath | None = None,
        crosswalk_to: Iterable[StrPath] = (),
        dry_run: bool = False,
        survey: bool = False,
        progress: Callable[[Counts], object] | None = None,
        outcome: Callable[[InputOutcome], object] | None = None) -> Summary:
    """De-identifies every file below a folder, and blocks until that is done.

    Inputs are never changed, outputs never overwritten. With the state of an earlier run it goes
    on where that stopped. DICOM services are for the command only.

    rules: a rule file, or an Engine.
    input: a folder or a file.
    output: a folder; for one input file also a name ending in ".dcm".
    jobs: threads that process; 0: as many as the machine has.
    state: folder for the manifest, which maps inputs to outputs; `<output>.dcmveil` if not given.
    key_file: replaces the rule file's `key:`; not with an Engine, which has its key.
    layout: output names from new values, as "{PatientID}/{SOPInstanceUID}.dcm"; "mirror" keeps the
        input's names, which may identify patients.
    dicomdir: names outputs as a file-set does, and writes its DICOMDIR at the end.
    shard: (index, count), the index from 1: only this part of the inputs, the rest is for others.
    shard_by, shard_depth: what keeps inputs together: their study, or their folder, of which the
        first `shard_depth` parts count (0: all).
    durable: each output and the journal are flushed to the disk.
    accept_changes: goes on in an output whose earlier run had other rules or another key.
    retry_quarantined: processes again what an earlier run quarantined.
    copy_quarantined: folder for copies of quarantined inputs, as they are.
    crosswalk, crosswalk_to: file for old and new identifiers, encrypted to these certificates.
    dry_run: does everything but write; there is no manifest.
    survey: leaves in the state folder what `dcmveil report` makes its page of; not of a dry run.
    progress: called at most about ten times a second with Counts, and once at the end.
    outcome: called with an InputOutcome for each input, in the order of the manifest.

    Callbacks are called in the calling thread. An exception in one stops the run and is raised; so
    is what a signal's handler raises, such as KeyboardInterrupt, if this is the main thread. In
    either case what was in flight is finished and the journal is closed first, and the same call
    goes on from there.

    Raises RuleError if the rules are wrong, RunError if the run could not begin or go on. What
    became of single inputs raises nothing: see Summary.
    """
    if isinstance(rules, Engine):
        if key_file is not None:
            raise TypeError("an Engine has its key; key_file is for a rule file")
        engine = rules
    else:
        engine = Engine(rules, key_file=key_file)
    if dicomdir and layout is not None:
        raise ValueError("dicomdir names the files itself; leave out layout")
    if survey and dry_run:
        raise ValueError("a dry run has no state folder for a survey; dcmveil run --report has one")
    if jobs < 0:
        raise ValueError("jobs is 0 or more")
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise ValueError("shard is (index, count) with an index from 1 to count")
    if shard_by not in ("study", "path"):
        raise ValueError('shard_by is "study" or "path"')

    options = _native.RunOptions()
    options.input = path_text(input)
    options.output = path_text(output)
    options.state = path_text(state or "")
    options.jobs = jobs
    if layout is not None:
        options.layout = layout
    if dicomdir:
        options.dicomdir = True
        options.layout = _native.DICOMDIR_LAYOUT
    if shard is not None:
        options.shard = _native.Shard(*shard, shard_by == "path", shard_depth)
    options.durable = durable
    options.accept_changes = accept_changes
    options.retry_quarantined = retry_quarantined
    options.quarantine = path_text(copy_quarantined or "")
    options.crosswalk = path_text(crosswalk or "")
    options.crosswalk_to = [path_text(certificate) for certificate in crosswalk_to]
    options.dry_run = dry_run
    options.survey = survey
    return _native.run(engine._native, options, progress, outcome)
