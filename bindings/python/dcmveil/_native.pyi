# SPDX-License-Identifier: Apache-2.0
# The extension: bindings/python/native.cc and run.cc.
from collections.abc import Callable

from ._types import Counts, Diagnostic, InputOutcome, Report, Summary

DICOMDIR_LAYOUT: str

def version() -> str: ...

class Engine:
    def __init__(self, rules: str, key_file: str) -> None: ...
    @staticmethod
    def from_text(text: str, name: str, folder: str, key_file: str) -> Engine: ...
    @property
    def name(self) -> str: ...
    @property
    def rules_hash(self) -> str: ...
    @property
    def key_id(self) -> str: ...
    @property
    def warnings(self) -> list[Diagnostic]: ...
    def apply_bytes(self, file: bytes | bytearray | memoryview) -> tuple[bytes, Report]: ...
    def apply_file(self, input: str) -> tuple[bytes, Report]: ...
    def apply_file_to(self, input: str, output: str) -> Report: ...

class Shard:
    def __init__(self, index: int, count: int, by_path: bool, depth: int) -> None: ...

class RunOptions:
    input: str
    output: str
    state: str
    shard: Shard | None
    jobs: int
    layout: str
    dicomdir: bool
    durable: bool
    accept_changes: bool
    retry_quarantined: bool
    quarantine: str
    crosswalk: str
    crosswalk_to: list[str]
    dry_run: bool
    survey: bool

def run(engine: Engine, options: RunOptions, progress: Callable[[Counts], object] | None,
        outcome: Callable[[InputOutcome], object] | None) -> Summary: ...
