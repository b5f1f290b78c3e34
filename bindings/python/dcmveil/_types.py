# SPDX-License-Identifier: Apache-2.0
"""What is told of rules, instances and runs: plain values, made by the extension."""
import dataclasses
import pathlib


@dataclasses.dataclass(frozen=True)
class Diagnostic:
    """One remark about a rule file. Lines and columns count from 1; 0 means the whole file."""

    severity: str
    """"error", "warning" or "note"."""
    file: str
    line: int
    column: int
    message: str
    """What is wrong."""
    hint: str
    """What was probably meant, or what to do; may be empty."""
    text: str
    """All of it, as the command prints it: "rules.yaml:12:5: error: …; did you mean …?"."""

    def __str__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True)
class Report:
    """What was done with one instance. The identifiers are the new ones."""

    patient_id: str
    """(0010,0020); may be empty, like the UIDs of study and series."""
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    notes: dict[str, int]
    """What was remarkable, by the codes of the manifest: {"date-unparsed": 2}."""
    input_size: int
    """Bytes of the input as a file."""
    output_size: int
    """Bytes of the output as a file."""


@dataclasses.dataclass(frozen=True)
class Counts:
    """How far a run is. Every input has exactly one outcome."""

    written: int
    """The output stands at its name."""
    unchanged: int
    """An earlier run wrote exactly this output already."""
    rejected: int
    """A `reject` rule said that it shall not be exported."""
    quarantined: int
    """It could not be vouched for; nothing was written."""
    failed: int
    """Reading or writing failed; the next run tries again."""
    bytes_in: int
    """Of inputs that were understood."""
    bytes_out: int
    """Of outputs that were written."""
    total: int
    """Number of inputs, once they have been counted; 0 before."""

    @property
    def finished(self) -> int:
        """Inputs that have an outcome."""
        return self.written + self.unchanged + self.rejected + self.quarantined + self.failed


@dataclasses.dataclass(frozen=True)
class InputOutcome:
    """What became of one input of a run; a line of the manifest."""

    input: str
    """Name relative to the run's input; a byte that is no UTF-8 is a lone surrogate (PEP 383)."""
    output: str | None
    """Name relative to the run's output, if there is one."""
    outcome: str
    """"written", "unchanged", "rejected", "quarantined" or "failed"."""
    reason: str | None
    """Code of the error ("truncated") or the rejecting rule; None if there is an output."""
    where: str | None
    """Where it happened: tag path or rule, if that is known."""
    notes: dict[str, int]
    """As in Report."""


@dataclasses.dataclass(frozen=True)
class RuleSetOutputs:
    """How many outputs came of one rule set."""

    rules_hash: str
    edition: str | None
    """Of the profile; None where the rules have none."""
    outputs: int


@dataclasses.dataclass(frozen=True)
class Summary:
    """How a run ended."""

    counts: Counts
    reasons: dict[str, int]
    """Why inputs were not written, and how many."""
    notes: dict[str, int]
    """Notes of those that were."""
    seconds: float
    """How long it took, by the clock on the wall."""
    recalled: int
    """Of the counts: what an earlier run had done and was not processed again."""
    rule_sets: tuple[RuleSetOutputs, ...]
    """Empty if all outputs were made by the rules of this run. If not, by which, and how many: those
    of this run first, then earlier ones, whose outputs stand as they were made."""
    journal_damaged: bool
    """The journal of earlier runs ended in what was not written whole; that was done again."""
    without_record: int
    """Instances of which a DICOMDIR knows no record."""
    not_copied: int
    """Quarantined inputs that were not copied, because another file has the name."""
    manifest: pathlib.Path | None
    """One JSON object a line for each input; None after a dry run."""

    @property
    def complete(self) -> bool:
        """True if every input was written, unchanged or rejected by a rule."""
        return self.counts.quarantined == 0 and self.counts.failed == 0
